//! How installs end: uninstalled, tokens revoked, workspaces of an organisation granted and taken away, and the events Slack sends of it.
//! Invariant: tokens die before the first event leaves; the order in which events arrive is not promised.
//! Sources: <https://docs.slack.dev/reference/events/app_uninstalled/>, <https://docs.slack.dev/reference/events/tokens_revoked/>,
//! <https://docs.slack.dev/reference/events/team_access_revoked/>

use serde_json::{Value, json};

use crate::act::Acted;
use crate::config::Team;
use crate::install::{Holder, Target};
use crate::prepare::DeliveryRequest;
use crate::published::published;
use crate::simulator::{Refusal, Simulator};
use crate::state::{Notice, State};
use crate::world;

/// The event around `inner`, of a workspace or, without one, of its organisation. It carries no authorizations: there are none any more.
fn event(state: &mut State, team: Option<&Team>, enterprise: Option<&str>, mut inner: Value) -> DeliveryRequest {
    let mut envelope = published("event/app_uninstalled.json");
    if let Some(fields) = envelope.as_object_mut() {
        // Slack names no workspace when a whole organisation is meant.
        fields.remove("team_id");
        for stale in ["event_id", "event_time"] {
            fields.insert(stale.to_owned(), Value::Null);
        }
    }
    if let Some(team) = team {
        envelope["team_id"] = json!(team.id);
    }
    if let Some(enterprise) = enterprise {
        envelope["enterprise_id"] = json!(enterprise);
    }
    envelope["api_app_id"] = json!(state.config.app_id);
    inner["event_ts"] = json!(state.next_ts());
    envelope["event"] = inner;
    DeliveryRequest::event(envelope)
}

/// Leaves out what the app did not subscribe to.
fn heard(state: &State, events: Vec<(&str, DeliveryRequest)>) -> Vec<DeliveryRequest> {
    let is_heard = |kind: &str| state.config.bot_events.iter().any(|subscribed| subscribed == kind);
    events.into_iter().filter(|(kind, _)| is_heard(kind)).map(|(_, event)| event).collect()
}

/// The workspace a target is, and the organisation it is or is part of.
fn place(state: &State, target: &Target) -> (Option<Team>, Option<String>) {
    match target {
        Target::Workspace(id) => {
            let team = state.workspace.team(id).cloned();
            let enterprise = team.as_ref().and_then(|team| team.enterprise.clone());
            (team, enterprise)
        }
        Target::Organisation(id) => (None, Some(id.clone())),
    }
}

/// `tokens_revoked`: ids of users, for Slack tells no token.
fn revoked(state: &mut State, target: &Target, people: &[String], has_bot: bool) -> (&'static str, DeliveryRequest) {
    let (team, enterprise) = place(state, target);
    let (bot, _) = world::app_user(&state.config, target.id());
    let mut tokens = json!({});
    if !people.is_empty() {
        tokens["oauth"] = json!(people);
    }
    if has_bot {
        tokens["bot"] = json!([bot]);
    }
    let inner = json!({"type": "tokens_revoked", "tokens": tokens});
    ("tokens_revoked", event(state, team.as_ref(), enterprise.as_deref(), inner))
}

/// The install of a workspace or organisation (an id).
pub(crate) fn target_of(state: &State, id: &str) -> Result<Target, Refusal> {
    let target =
        if id.starts_with('E') { Target::Organisation(id.to_owned()) } else { Target::Workspace(id.to_owned()) };
    if state.installs.get(&target).is_some() {
        return Ok(target);
    }
    Err(Refusal(format!("the app is not installed in {id}")))
}

/// Uninstalls the app from a workspace or organisation (an id); of an org-wide install one workspace goes, if it has none of its own.
pub(crate) fn uninstall(state: &mut State, id: &str) -> Result<Vec<DeliveryRequest>, Refusal> {
    let is_of_wide = state.app_in(id).is_some_and(|app| app.is_org_wide());
    if is_of_wide {
        let mut events = set_access(state, id, false)?;
        let team = state.workspace.team(id).cloned();
        let enterprise = team.as_ref().and_then(|team| team.enterprise.clone());
        let inner = json!({
            "type": "app_uninstalled_team", "app_id": state.config.app_id, "app_name": state.config.bot_name,
            "app_owner_id": enterprise, "team_id": id, "team_domain": team.as_ref().map(|team| team.domain.clone()),
        });
        let told = event(state, team.as_ref(), enterprise.as_deref(), inner);
        events.extend(heard(state, vec![("app_uninstalled_team", told)]));
        return Ok(events);
    }
    let target = target_of(state, id)?;
    Ok(ended(state, &target))
}

/// Everything of an install ends.
pub(crate) fn ended(state: &mut State, target: &Target) -> Vec<DeliveryRequest> {
    let Some(install) = state.remove_install(target) else {
        return Vec::new();
    };
    let people: Vec<String> = install.people.keys().cloned().collect();
    let (team, enterprise) = place(state, target);
    let tokens = revoked(state, target, &people, !install.scopes.is_empty());
    let gone = event(state, team.as_ref(), enterprise.as_deref(), json!({"type": "app_uninstalled"}));
    heard(state, vec![tokens, ("app_uninstalled", gone)])
}

/// Takes the tokens of one holder back; the install stays.
pub(crate) fn revoke(state: &mut State, target: &Target, holder: &Holder) -> Result<Vec<DeliveryRequest>, Refusal> {
    if !state.installs.tokens.revoke_all(target, holder) {
        return Err(Refusal("there is no token to take back".to_owned()));
    }
    let (people, has_bot) = match holder {
        Holder::Bot => (Vec::new(), true),
        Holder::Person(user) => {
            if let Some(install) = state.installs.get_mut(target) {
                install.people.remove(user);
            }
            (vec![user.clone()], false)
        }
    };
    state.notices.push(Notice::Installs);
    let told = revoked(state, target, &people, has_bot);
    Ok(heard(state, vec![told]))
}

/// Gives an org-wide install a workspace (an id), or takes it away.
pub(crate) fn set_access(state: &mut State, team: &str, is_granted: bool) -> Result<Vec<DeliveryRequest>, Refusal> {
    let known = state.workspace.team(team).cloned();
    let known = known.ok_or_else(|| Refusal(format!("there is no workspace {team}")))?;
    let enterprise = known.enterprise.clone();
    let enterprise = enterprise.ok_or_else(|| Refusal(format!("{team} is part of no organisation")))?;
    let target = target_of(state, &enterprise)?;
    let Some(install) = state.installs.get_mut(&target) else {
        return Err(Refusal(format!("the app is not installed in {enterprise}")));
    };
    if install.teams.iter().any(|granted| granted == team) == is_granted {
        let word = if is_granted { "has" } else { "does not have" };
        return Err(Refusal(format!("the app {word} {team} already")));
    }
    install.teams.retain(|granted| granted != team);
    let kind = if is_granted { "team_access_granted" } else { "team_access_revoked" };
    if is_granted {
        install.teams.push(team.to_owned());
        let (bot, _) = world::app_user(&state.config, &enterprise);
        state.workspace.welcome(team, &bot);
    }
    state.notices.push(Notice::Installs);
    let told = event(state, None, Some(&enterprise), json!({"type": kind, "team_ids": [team]}));
    Ok(heard(state, vec![(kind, told)]))
}

impl Simulator {
    /// Uninstalls the app from a workspace (`T…`) or organisation (`E…`). Where it works through its organisation only, that workspace is
    /// taken from it. Returns after the first attempt of each event.
    ///
    /// # Errors
    /// When it is not installed there.
    pub async fn uninstall(&self, id: &str) -> Result<Acted, Refusal> {
        let events = self.change(|state| uninstall(state, id))?;
        self.acted(events).await
    }

    /// Takes the app's tokens in a workspace or organisation back, or those of one person (an id). The install stays.
    ///
    /// # Errors
    /// When there are none.
    pub async fn revoke(&self, id: &str, person: Option<&str>) -> Result<Acted, Refusal> {
        let events = self.change(|state| {
            let target = target_of(state, id)?;
            let holder = person.map_or(Holder::Bot, |user| Holder::Person(user.to_owned()));
            revoke(state, &target, &holder)
        })?;
        self.acted(events).await
    }

    /// Lets the org-wide install work in one more workspace (`T…`) of its organisation.
    ///
    /// # Errors
    /// When there is no such install, or it has that workspace already.
    pub async fn grant_team(&self, team: &str) -> Result<Acted, Refusal> {
        let events = self.change(|state| set_access(state, team, true))?;
        self.acted(events).await
    }

    /// Takes a workspace (`T…`) from the org-wide install.
    ///
    /// # Errors
    /// When there is no such install, or it does not have that workspace.
    pub async fn revoke_team(&self, team: &str) -> Result<Acted, Refusal> {
        let events = self.change(|state| set_access(state, team, false))?;
        self.acted(events).await
    }
}
