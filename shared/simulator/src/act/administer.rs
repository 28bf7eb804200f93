//! What administrators do with the app: uninstall it, take tokens back, grant and take workspaces of an organisation.
//! What becomes of an install then is decided in `install::lifecycle`. Invariant: nobody ends what they could not have begun.

use super::Action;
use crate::install::{Holder, Target, lifecycle, may_install};
use crate::prepare::DeliveryRequest;
use crate::simulator::Refusal;
use crate::state::State;

/// Does `action` and answers the events it causes.
pub(super) fn act(state: &mut State, user: &str, action: &Action) -> Result<Vec<DeliveryRequest>, Refusal> {
    let person = state.workspace.people.iter().find(|person| person.id == user).cloned();
    let person = person.ok_or_else(|| Refusal(format!("there is no person {user}")))?;
    let place = |id: &str| {
        if id.starts_with('E') { Target::Organisation(id.to_owned()) } else { Target::Workspace(id.to_owned()) }
    };
    let own = |team: &Option<String>| team.clone().unwrap_or_else(|| person.team.clone());
    match action {
        Action::Uninstall { team } => {
            let id = own(team);
            may_install(state, &person, &place(&id))?;
            lifecycle::uninstall(state, &id)
        }
        Action::Revoke { team, user: whose } => {
            let id = own(team);
            let holder = match whose {
                None => Holder::Bot,
                Some(name) => {
                    let known = state.workspace.person(name).map(|known| known.id.clone());
                    Holder::Person(known.ok_or_else(|| Refusal(format!("there is no person {name}")))?)
                }
            };
            if holder != Holder::Person(person.id.clone()) {
                may_install(state, &person, &place(&id))?;
            }
            let target = lifecycle::target_of(state, &id)?;
            lifecycle::revoke(state, &target, &holder)
        }
        Action::GrantTeam { team } | Action::RevokeTeam { team } => {
            may_install(state, &person, &place(team))?;
            lifecycle::set_access(state, team, matches!(action, Action::GrantTeam { .. }))
        }
        other => Err(Refusal(format!("{other:?} is no administrator's matter"))),
    }
}
