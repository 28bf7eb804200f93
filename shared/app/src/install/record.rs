//! What an installation is: names, times, scopes; and apart from it, its tokens.
//! Invariant: nothing here that can be printed holds a secret.
//! Source: <https://docs.slack.dev/reference/methods/oauth.v2.access>

use super::Scopes;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::fmt;
use tack_protocol::{AppId, ChannelId, EnterpriseId, EpochMs, TeamId, Tenant, UserId};

/// The name an installation is kept under: a workspace, or a whole organisation.
///
/// A workspace is named by itself alone. Slack's workspace ids are unique across organisations, and a workspace that joins
/// one keeps its id, so an installation made before is still found after.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum InstallKey {
    /// `T#…`: installed in one workspace.
    Team(TeamId),
    /// `E#…`: installed on a whole Enterprise Grid organisation.
    Enterprise(EnterpriseId),
}

impl InstallKey {
    /// The names under which a tenant's installation may be, the likelier first: its workspace's own, then its
    /// organisation's; for a delivery of an org-wide installation the reverse.
    pub fn of(tenant: &Tenant) -> Vec<Self> {
        let team = tenant.team.clone().map(Self::Team);
        let enterprise = tenant.enterprise.clone().map(Self::Enterprise);
        let mut keys: Vec<Self> = team.into_iter().chain(enterprise).collect();
        if tenant.is_enterprise_install {
            keys.reverse();
        }
        keys
    }

    /// Reads the text that this is displayed as, or a bare id: `T…` a workspace, `E…` an organisation.
    pub fn parse(text: &str) -> Option<Self> {
        let id = text.strip_prefix("T#").or(text.strip_prefix("E#")).unwrap_or(text);
        if id.len() < 2 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        match id.as_bytes()[0] {
            b'T' => Some(Self::Team(id.into())),
            b'E' => Some(Self::Enterprise(id.into())),
            _ => None,
        }
    }

    /// The id alone: `T…` or `E…`.
    pub fn id(&self) -> &str {
        match self {
            Self::Team(team) => team.as_str(),
            Self::Enterprise(enterprise) => enterprise.as_str(),
        }
    }
}

/// `T#T0ACME001` or `E#E0HOOLI01`: the partition key in the table, and part of the encryption context.
impl fmt::Display for InstallKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Team(team) => write!(f, "T#{team}"),
            Self::Enterprise(enterprise) => write!(f, "E#{enterprise}"),
        }
    }
}

/// Whose token of an installation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenHolder {
    /// The app's own.
    Bot,
    /// A person's, who granted user scopes.
    User(UserId),
}

/// `BOT` or `USER#U…`: the sort key in the table, and part of the encryption context.
impl fmt::Display for TokenHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bot => f.write_str("BOT"),
            Self::User(user) => write!(f, "USER#{user}"),
        }
    }
}

/// One token's place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// The installation.
    pub key: InstallKey,
    /// Whose token of it.
    pub holder: TokenHolder,
}

/// A token, and what renews it.
#[derive(Clone)]
pub struct Token {
    /// `xoxb-…`, `xoxp-…`, or with rotation `xoxe.xoxb-…`.
    pub access: SecretString,
    /// `xoxe-1-…`, where the app has token rotation. Slack takes each once.
    pub refresh: Option<SecretString>,
    /// When Slack stops accepting it; `None` for a token that lives until it is revoked.
    pub expires_at: Option<EpochMs>,
    /// Counts up with every new token of this slot: a reinstallation's is above all earlier ones.
    pub version: u64,
}

impl Token {
    /// The version of a token that an installation at this time brought.
    pub fn first_version(installed_at: EpochMs) -> u64 {
        installed_at.0.saturating_mul(1000)
    }
}

/// Not the token: how long it lives, and its version.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("expires_at", &self.expires_at)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Where an incoming webhook posts. Its address is a secret: it is kept apart, and closed until somebody posts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookTarget {
    /// `#channel` as it was called.
    pub channel: String,
    /// The channel's id.
    pub channel_id: ChannelId,
    /// Where the person who installed may change it.
    #[serde(default)]
    pub configuration_url: Option<String>,
}

/// Since when an installation is no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// When Slack said so.
    pub at: EpochMs,
    /// `uninstalled`, `revoked`, …
    pub why: String,
    /// When its data is to be purged; `None` while only the token is dead.
    #[serde(default)]
    pub purge_at: Option<EpochMs>,
}

/// An installation without its secrets: what a list shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// The app.
    #[serde(default)]
    pub app: Option<AppId>,
    /// The organisation, on Enterprise Grid.
    #[serde(default)]
    pub enterprise: Option<EnterpriseId>,
    /// What the organisation is called.
    #[serde(default)]
    pub enterprise_name: Option<String>,
    /// The workspace; none when it is the whole organisation.
    #[serde(default)]
    pub team: Option<TeamId>,
    /// What the workspace is called.
    #[serde(default)]
    pub team_name: Option<String>,
    /// The bot user; none when only user scopes were granted.
    #[serde(default)]
    pub bot_user: Option<UserId>,
    /// Bot scopes that were granted.
    #[serde(default)]
    pub scopes: Scopes,
    /// Who installed it.
    pub installer: UserId,
    /// When.
    pub installed_at: EpochMs,
    /// Where the incoming webhook posts, if that was granted.
    #[serde(default)]
    pub webhook: Option<WebhookTarget>,
    /// When the bot token expires, if it does.
    #[serde(default)]
    pub expires_at: Option<EpochMs>,
    /// Set when the app is no longer there, or its token was revoked.
    #[serde(default)]
    pub gone: Option<Gone>,
}

impl Installation {
    /// Whether the app was uninstalled when Slack dates this, or later: then nothing that was installed by then may come
    /// (back). Where only the bot token was revoked people's tokens live on, so that is no uninstall.
    pub fn is_uninstalled_since(&self, installed_at: EpochMs) -> bool {
        let gone = self.gone.as_ref().filter(|gone| gone.purge_at.is_some());
        gone.is_some_and(|gone| gone.at >= installed_at || self.installed_at >= installed_at)
    }

    /// The name it is kept under; `None` if Slack named neither workspace nor organisation.
    pub fn key(&self) -> Option<InstallKey> {
        self.team.clone().map(InstallKey::Team).or_else(|| self.enterprise.clone().map(InstallKey::Enterprise))
    }

    /// Whether it is on the whole organisation.
    pub fn is_enterprise_install(&self) -> bool {
        self.team.is_none()
    }

    /// The tenant that its own work is for.
    pub fn tenant(&self) -> Tenant {
        Tenant {
            enterprise: self.enterprise.clone(),
            team: self.team.clone(),
            is_enterprise_install: self.is_enterprise_install(),
        }
    }
}

/// What one person granted besides.
#[derive(Clone, Debug)]
pub struct UserGrant {
    /// The person.
    pub user: UserId,
    /// User scopes that were granted.
    pub scopes: Scopes,
    /// When.
    pub installed_at: EpochMs,
    /// Their token; none once it was revoked.
    pub token: Option<Token>,
}

/// An installation as the worker reads it.
#[derive(Clone, Debug)]
pub struct Installed {
    /// All that may be shown.
    pub installation: Installation,
    /// The bot token; none once it was revoked, and where only user scopes were granted.
    pub token: Option<Token>,
}

/// What a finished OAuth flow brought.
#[derive(Clone, Debug)]
pub struct NewInstallation {
    /// The bot's side.
    pub installed: Installed,
    /// The address of the incoming webhook, if that was granted. It is kept apart and read on demand.
    pub webhook_url: Option<SecretString>,
    /// The installer's side, where user scopes were granted.
    pub user: Option<UserGrant>,
}

/// What an event of Slack takes away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// `app_uninstalled`: every token dies; the rest is purged at this time.
    Everything {
        /// When the data is to go.
        purge_at: EpochMs,
    },
    /// `tokens_revoked` for the bot.
    Bot,
    /// `tokens_revoked` for people.
    Users(Vec<UserId>),
}

/// What became of a removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It was there, and is gone now; or it went before by the same event.
    Yes,
    /// It was installed again after that event: nothing was touched.
    Newer,
    /// There is no such installation.
    Absent,
}
