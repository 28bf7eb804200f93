//! Installs as pages and the machine interface show them. Invariant: no token is whole.

use serde::Serialize;

use crate::config::Team;
use crate::install::{Holder, Install, Target};
use crate::mask::mask_text;
use crate::state::State;
use crate::world;

/// One install, for reading.
#[derive(Clone, Debug, Serialize)]
pub struct InstallShown {
    /// `T…` or `E…`.
    pub id: String,
    /// The name of the workspace or organisation.
    pub name: String,
    /// It is for a whole organisation.
    pub is_enterprise_install: bool,
    /// `U…`, the app's user there.
    pub bot_user_id: String,
    /// `B…`.
    pub bot_id: String,
    /// Granted to the app's user.
    pub scopes: Vec<String>,
    /// The app's newest token that works, masked.
    pub bot_token: Option<String>,
    /// Milliseconds since the Unix epoch when it expires, if it does.
    pub expires_at_ms: Option<u64>,
    /// Id of the person who agreed last.
    pub installed_by: String,
    /// Milliseconds since the Unix epoch.
    pub installed_at_ms: u64,
    /// What people granted for themselves.
    pub users: Vec<UserGrant>,
    /// The workspaces it may work in.
    pub teams: Vec<String>,
    /// The URL that posts into one channel.
    pub incoming_webhook: Option<WebhookShown>,
}

/// What one person granted.
#[derive(Clone, Debug, Serialize)]
pub struct UserGrant {
    /// `U…`.
    pub user: String,
    /// What the app may do for them.
    pub scopes: Vec<String>,
    /// Their newest token that works, masked.
    pub token: Option<String>,
    /// Milliseconds since the Unix epoch when it expires, if it does.
    pub expires_at_ms: Option<u64>,
}

/// An incoming webhook.
#[derive(Clone, Debug, Serialize)]
pub struct WebhookShown {
    /// `C…`.
    pub channel_id: String,
    /// Without its secret.
    pub url: String,
}

impl State {
    /// Every install.
    pub fn installs(&self) -> Vec<InstallShown> {
        self.installs.iter().map(|install| shown(self, install)).collect()
    }

    /// Every workspace.
    pub fn teams(&self) -> &[Team] {
        &self.workspace.teams
    }

    /// Whether the app is installed for a workspace (`T…`), by itself or with its organisation.
    pub fn is_installed(&self, team: &str) -> bool {
        self.app_in(team).is_some()
    }

    /// The id of the app's user that a person (id or name) meets: that of the install which serves their workspace. None without one.
    pub fn app_user_of(&self, person: &str) -> Option<String> {
        let team = &self.workspace.person(person)?.team;
        self.app_in(team).map(|app| app.id)
    }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn shown(state: &State, install: &Install) -> InstallShown {
    let (id, now) = (install.target.id().to_owned(), state.now());
    let token = |holder: &Holder| {
        let token = state.installs.tokens.current(&install.target, holder, now);
        (token.map(|token| mask_text(&token.secret)), token.and_then(|token| token.expires_at).map(millis))
    };
    let (name, teams) = match &install.target {
        Target::Workspace(id) => (state.workspace.team(id).map(|team| team.name.clone()), vec![id.clone()]),
        Target::Organisation(id) => {
            (state.workspace.organisation(id).map(|known| known.name.clone()), install.teams.clone())
        }
    };
    let (bot_user_id, bot_id) = world::app_user(&state.config, &id);
    let (bot_token, expires_at_ms) = token(&Holder::Bot);
    let users = install.people.iter().map(|(user, scopes)| {
        let (token, expires_at_ms) = token(&Holder::Person(user.clone()));
        UserGrant { user: user.clone(), scopes: scopes.clone(), token, expires_at_ms }
    });
    InstallShown {
        id,
        name: name.unwrap_or_default(),
        is_enterprise_install: matches!(install.target, Target::Organisation(_)),
        bot_user_id,
        bot_id,
        scopes: install.scopes.clone(),
        bot_token,
        expires_at_ms,
        installed_by: install.installed_by.clone(),
        installed_at_ms: millis(install.at),
        users: users.collect(),
        teams,
        incoming_webhook: install
            .webhook
            .as_ref()
            .map(|webhook| WebhookShown { channel_id: webhook.channel.clone(), url: mask_text(&webhook.url) }),
    }
}
