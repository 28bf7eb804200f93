//! Who calls: the install behind a token, what it was granted, the workspaces it may act in, and as whom it acts.
//! Invariant: what a token may not see does not exist for it, and a token that is refused is refused in Slack's words.
//! Sources: <https://docs.slack.dev/authentication/tokens/>, <https://docs.slack.dev/enterprise/developing-for-enterprise-orgs/>

use super::args::Args;
use super::error::ApiError;
use super::methods::{Method, Scope};
use crate::install::{AppUser, Holder};
use crate::state::State;
use crate::workspace::{Channel, ChannelType};

/// Methods that an org-wide token calls with a `team_id`.
const OF_A_TEAM: &[&str] = &["conversations.list", "users.list"];

/// Whoever has the token.
#[derive(Clone)]
pub(super) struct Caller {
    /// The app in the workspace the call is about.
    pub(super) app: AppUser,
    /// The app's user, or the person whose token it is.
    pub(super) user: String,
    pub(super) scopes: Vec<String>,
    /// The workspaces it may act in, as ids.
    pub(super) teams: Vec<String>,
}

impl Caller {
    /// The one with `token`, whether the token works or not. None if nobody has it.
    pub(super) fn of(state: &State, token: &str, args: &Args) -> Option<Self> {
        let access = state.installs.tokens.find(token)?;
        let install = state.installs.get(&access.target);
        let teams = match install {
            Some(install) => install.in_teams(),
            None => crate::install::Install::teams_at(&access.target),
        };
        // What the call is about decides in which of them an org-wide install acts.
        let channel = state.workspace.channels.iter().find(|known| known.id == args.text("channel"));
        let person = ["user", "user_id", "users"].iter().find_map(|name| state.workspace.person(args.text(name)));
        let named = Some(args.text("team_id").to_owned()).filter(|team| !team.is_empty());
        let meant = named.or_else(|| channel.map(|channel| channel.team.clone()));
        let meant = meant.or_else(|| person.map(|person| person.team.clone()));
        let team = meant.filter(|team| teams.contains(team)).or_else(|| teams.first().cloned()).unwrap_or_default();
        let team = state.workspace.team(&team).cloned().unwrap_or_default();
        let mut app = AppUser::new(&state.config, &state.workspace, &access.target, &team);
        if app.organisation.is_none() {
            app.organisation = state.workspace.organisation(access.target.id()).cloned();
        }
        let (user, scopes) = match (&access.holder, install) {
            (Holder::Bot, install) => (app.id.clone(), install.map(|install| install.scopes.clone())),
            (Holder::Person(person), install) => {
                (person.clone(), install.and_then(|install| install.people.get(person).cloned()))
            }
        };
        Some(Self { app, user, scopes: scopes.unwrap_or_default(), teams })
    }

    /// Refuses a call whose token lacks `scope`.
    pub(super) fn granted(&self, scope: &str) -> Result<(), ApiError> {
        if self.scopes.iter().any(|granted| granted == scope) {
            Ok(())
        } else {
            Err(ApiError::missing_scope(scope, &self.scopes))
        }
    }

    /// Its user is in the channel.
    pub(super) fn is_in(&self, channel: &Channel) -> bool {
        channel.has(&self.user)
    }

    /// The channel with this id, if its workspace and its kind let this token see it.
    pub(super) fn channel<'a>(&self, state: &'a State, id: &str) -> Result<&'a Channel, ApiError> {
        let channels = &state.workspace().channels;
        let channel = channels.iter().find(|channel| channel.id == id).ok_or("channel_not_found")?;
        self.reach(state, channel)?;
        if channel.channel_type != ChannelType::Channel && !self.is_in(channel) {
            return Err("channel_not_found".into());
        }
        Ok(channel)
    }

    /// Refuses a channel of a workspace this token may not act in.
    pub(super) fn reach(&self, state: &State, channel: &Channel) -> Result<(), ApiError> {
        if self.teams.iter().any(|team| channel.is_in(team)) {
            return Ok(());
        }
        let organisation = state.workspace.organisation_of(&channel.team).map(|known| known.id.as_str());
        let is_ungranted = self.app.is_org_wide() && organisation == Some(self.app.target.id());
        Err(if is_ungranted { "team_access_not_granted" } else { "channel_not_found" }.into())
    }

    /// The person with this id, if this token may know of them.
    pub(super) fn knows(&self, state: &State, user: &str) -> bool {
        let person = state.workspace().people.iter().find(|person| person.id == user);
        person.is_some_and(|person| state.workspace.knows(&self.teams, person))
    }
}

/// Lets a call in, or refuses it.
pub(super) fn authorize(
    state: &mut State,
    name: &str,
    method: &Method,
    token: Option<&str>,
    args: &mut Args,
) -> Result<(), ApiError> {
    if matches!(method.scope, Scope::NoToken) {
        return Ok(());
    }
    let token = token.filter(|token| !token.is_empty()).ok_or("not_authed")?;
    let now = state.now();
    let problem = state.installs.tokens.find(token).ok_or("invalid_auth")?.problem(now);
    if state.is_token_revoked | state.faults.strike_token() {
        return Err("token_revoked".into());
    }
    if let Some(problem) = problem {
        return Err(problem.into());
    }
    let caller = Caller::of(state, token, args).ok_or("invalid_auth")?;
    if let Scope::One(scope) = method.scope {
        caller.granted(scope)?;
    }
    if caller.app.is_org_wide() {
        let team = args.text("team_id");
        if team.is_empty() && OF_A_TEAM.contains(&name) {
            let message = "[ERROR] missing required field: team_id".to_owned();
            return Err(ApiError::with_messages("missing_argument", vec![message]));
        }
        if !team.is_empty() && !caller.teams.iter().any(|granted| granted == team) {
            return Err("team_access_not_granted".into());
        }
    }
    args.caller = Some(caller);
    Ok(())
}
