//! Where the app is installed: what each install was granted, and which of them serves a workspace.
//! How one agrees to an install is in `consent`, how it ends in `lifecycle`, its tokens are in `tokens`. Invariant: of a workspace without an install
//! the app hears nothing, and an org-wide install serves only the workspaces it was granted.
//! Source: <https://docs.slack.dev/enterprise/developing-for-enterprise-orgs/>

mod app_user;
mod consent;
pub(crate) mod lifecycle;
mod shown;
mod tokens;

use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

pub(crate) use app_user::AppUser;
pub use consent::{AuthorizeProblem, Consent, ConsentRequest};
pub(crate) use consent::{Code, may_install};
pub use shown::{InstallShown, UserGrant, WebhookShown};
pub(crate) use tokens::{Holder, Issued, LIFE, Tokens};

use crate::config::Team;
use crate::mint;
use crate::state::{Notice, State};
use crate::workspace::Channel;

/// What an app is installed in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// One workspace, `T…`.
    Workspace(String),
    /// A whole organisation, `E…`.
    Organisation(String),
}

impl Target {
    /// `T…` or `E…`.
    pub fn id(&self) -> &str {
        match self {
            Self::Workspace(id) | Self::Organisation(id) => id,
        }
    }
}

/// A URL that posts into one channel.
#[derive(Clone)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) channel: String,
}

/// One install.
pub(crate) struct Install {
    pub(crate) target: Target,
    /// Granted to the app's user; empty if only people granted something.
    pub(crate) scopes: Vec<String>,
    /// The person who agreed last.
    pub(crate) installed_by: String,
    /// Since the Unix epoch.
    pub(crate) at: Duration,
    /// The workspaces an org-wide install may work in.
    pub(crate) teams: Vec<String>,
    pub(crate) webhook: Option<Webhook>,
    /// What people granted for themselves, by their ids.
    pub(crate) people: BTreeMap<String, Vec<String>>,
}

impl Install {
    /// The workspaces it may work in.
    pub(crate) fn in_teams(&self) -> Vec<String> {
        if self.teams.is_empty() { Self::teams_at(&self.target) } else { self.teams.clone() }
    }

    /// The workspace an install of this target works in without being granted any.
    pub(crate) fn teams_at(target: &Target) -> Vec<String> {
        match target {
            Target::Workspace(team) => vec![team.clone()],
            Target::Organisation(_) => Vec::new(),
        }
    }
}

/// All installs, and what leads to one.
#[derive(Default)]
pub(crate) struct Installs {
    list: BTreeMap<Target, Install>,
    pub(crate) tokens: Tokens,
    /// By the code itself.
    pub(crate) codes: HashMap<String, Code>,
}

impl Installs {
    pub(crate) fn get(&self, target: &Target) -> Option<&Install> {
        self.list.get(target)
    }

    pub(crate) fn get_mut(&mut self, target: &Target) -> Option<&mut Install> {
        self.list.get_mut(target)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Install> {
        self.list.values()
    }

    /// The install a URL of an incoming webhook belongs to.
    pub(crate) fn of_webhook(&self, url: &str) -> Option<&Install> {
        self.list.values().find(|install| install.webhook.as_ref().is_some_and(|webhook| webhook.url == url))
    }

    /// The install whose app's user serves a workspace: its own, else that of its organisation if it was granted.
    fn serving(&self, team: &Team) -> Option<&Install> {
        // Without scopes of its own the app has no user there, only what people granted for themselves.
        let with_user = |target: Target| self.list.get(&target).filter(|install| !install.scopes.is_empty());
        if let Some(own) = with_user(Target::Workspace(team.id.clone())) {
            return Some(own);
        }
        with_user(Target::Organisation(team.enterprise.clone()?)).filter(|wide| wide.teams.contains(&team.id))
    }
}

impl State {
    /// Puts the install in place that is there from the start.
    pub(crate) fn install_first(&mut self) {
        let config = self.config.clone();
        if !config.installed {
            return;
        }
        let target = Target::Workspace(config.team.id.clone());
        let by = self.workspace.people.first().map(|person| person.id.clone()).unwrap_or_default();
        self.installs.tokens.keep(&config.bot_token, &target, &Holder::Bot);
        self.grant(&target, &by, &config.scopes, &[]);
        self.notices.clear();
    }

    /// Invites the app's users again into a world that has just been made.
    pub(crate) fn welcome_everywhere(&mut self) {
        let teams: Vec<String> = self.installs.iter().flat_map(Install::in_teams).collect();
        for team in teams {
            if let Some(app) = self.app_in(&team) {
                self.workspace.welcome(&team, &app.id);
            }
        }
    }

    /// Adds what a person granted to an install, which is made if there is none. Scopes are never taken away by it.
    pub(crate) fn grant(&mut self, target: &Target, person: &str, scopes: &[String], user_scopes: &[String]) {
        fn add(known: &mut Vec<String>, more: &[String]) {
            for scope in more {
                if !known.contains(scope) {
                    known.push(scope.clone());
                }
            }
        }
        let at = self.now();
        let install = self.installs.list.entry(target.clone()).or_insert_with(|| Install {
            target: target.clone(),
            scopes: Vec::new(),
            installed_by: String::new(),
            at,
            teams: Vec::new(),
            webhook: None,
            people: BTreeMap::new(),
        });
        install.at = at;
        install.installed_by = person.to_owned();
        add(&mut install.scopes, scopes);
        if !user_scopes.is_empty() {
            add(install.people.entry(person.to_owned()).or_default(), user_scopes);
        }
        if let Target::Workspace(team) = target {
            let (bot, _) = crate::world::app_user(&self.config, team);
            self.workspace.welcome(team, &bot);
        }
        self.notices.push(Notice::Installs);
    }

    /// A URL that posts into `channel` (an id) for this install, which keeps it.
    pub(crate) fn add_webhook(&mut self, target: &Target, channel: &str) {
        let team = self.workspace.channel(channel).map(|channel| channel.team.clone()).unwrap_or_default();
        let (_, bot_id) = crate::world::app_user(&self.config, target.id());
        let url = format!("{}/services/{team}/{bot_id}/{}", self.config.base_url, mint::opaque());
        if let Some(install) = self.installs.list.get_mut(target) {
            install.webhook = Some(Webhook { url, channel: channel.to_owned() });
        }
    }

    /// Forgets an install; its tokens work no more.
    fn remove_install(&mut self, target: &Target) -> Option<Install> {
        self.installs.tokens.uninstall(target);
        self.notices.push(Notice::Installs);
        self.installs.list.remove(target)
    }

    /// The app as a workspace (an id) knows it, if it is installed there.
    pub(crate) fn app_in(&self, team: &str) -> Option<AppUser> {
        let team = self.workspace.team(team)?;
        let install = self.installs.serving(team)?;
        Some(AppUser::new(&self.config, &self.workspace, &install.target, team))
    }

    /// The workspaces a person or an app's user (an id) belongs to, as ids.
    pub(crate) fn teams_of(&self, user: &str) -> Vec<String> {
        if let Some(person) = self.workspace.people.iter().find(|person| person.id == user) {
            return vec![person.team.clone()];
        }
        let is_theirs = |team: &&Team| self.app_in(&team.id).is_some_and(|app| app.id == user);
        self.workspace.teams.iter().filter(is_theirs).map(|team| team.id.clone()).collect()
    }

    /// The app as it hears what `user` does in a channel: through their own workspace, else through another the channel is in.
    pub(crate) fn app_hearing(&self, channel: &Channel, user: &str) -> Option<AppUser> {
        let own = self.teams_of(user);
        let (near, far): (Vec<&str>, Vec<&str>) = channel.teams().partition(|team| own.iter().any(|own| own == team));
        let apps = near.into_iter().chain(far).filter_map(|team| self.app_in(team));
        apps.into_iter().find(|app| channel.has(&app.id))
    }

    /// The app as `user` meets it in a channel (an id, empty for none): the one they have, else the one that is in the channel.
    pub(crate) fn app_before(&self, user: &str, channel: &str) -> Option<AppUser> {
        let own = self.teams_of(user).iter().find_map(|team| self.app_in(team));
        own.or_else(|| self.app_hearing(self.workspace.channels.iter().find(|known| known.id == channel)?, user))
    }

    /// The same, or as the first workspace would know it, for a body that was made by hand.
    pub(crate) fn app_before_or_first(&self, user: &str, channel: &str) -> AppUser {
        self.app_before(user, channel).unwrap_or_else(|| self.app_of_first())
    }

    /// The app as the first workspace knows it, or would.
    pub(crate) fn app_of_first(&self) -> AppUser {
        let team = &self.config.team;
        let target = Target::Workspace(team.id.clone());
        self.app_in(&team.id).unwrap_or_else(|| AppUser::new(&self.config, &self.workspace, &target, team))
    }
}
