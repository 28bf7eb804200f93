//! What is found in another program's store, whatever its form, and how it becomes installations: one bot a workspace or
//! organisation, one grant a person, the newest of several.
//! Invariant: nothing here that can be printed holds a secret, and no error repeats what stood in a row.

use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Hint};
use crate::cli::span;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::time::Duration;
use tack_app::install::{
    InstallKey, Installation, Installed, NewInstallation, Scopes, Token, UserGrant, WebhookTarget,
};
use tack_app::protocol::{AppId, EnterpriseId, EpochMs, TeamId, UserId};

/// How long a token of an app with rotation lives, by Slack's documents.
/// Source: <https://docs.slack.dev/authentication/using-token-rotation>
const ROTATING_LIFE: Duration = Duration::from_secs(43_200);

/// One row or file of a store: what it says of an installation, as far as it says something.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The file, and the row in it: for messages.
    pub(super) origin: String,
    pub(super) app: Option<AppId>,
    pub(super) enterprise: Option<EnterpriseId>,
    pub(super) enterprise_name: Option<String>,
    /// None for a whole organisation.
    pub(super) team: Option<TeamId>,
    pub(super) team_name: Option<String>,
    pub(super) at: EpochMs,
    /// None where the row says nothing but the bot's side.
    pub(super) installer: Option<UserId>,
    pub(super) bot: Option<Bot>,
    pub(super) user: Option<Person>,
    pub(super) webhook: Option<Webhook>,
}

/// The bot's side.
#[derive(Clone, Debug)]
pub(super) struct Bot {
    pub(super) user: Option<UserId>,
    pub(super) scopes: Scopes,
    pub(super) token: Minted,
}

/// What one person granted.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) user: UserId,
    pub(super) scopes: Scopes,
    pub(super) token: Minted,
}

/// A token and what renews it.
#[derive(Clone, Debug)]
pub(super) struct Minted {
    pub(super) access: SecretString,
    pub(super) refresh: Option<SecretString>,
    pub(super) expires_at: Option<EpochMs>,
}

/// An incoming webhook.
#[derive(Clone, Debug)]
pub(super) struct Webhook {
    pub(super) url: SecretString,
    pub(super) target: WebhookTarget,
}

impl Minted {
    /// When Slack gave it out: one that was renewed is newer than its installation. It is what an import calls the time of
    /// the installation, so that a second one, after the old app renewed once more, is newer than the first.
    fn issued_at(&self, installed_at: EpochMs) -> EpochMs {
        let life = u64::try_from(ROTATING_LIFE.as_millis()).unwrap_or(u64::MAX);
        let renewed = self.expires_at.map(|at| EpochMs(at.0.saturating_sub(life)));
        renewed.map_or(installed_at, |renewed| renewed.max(installed_at))
    }

    fn token(&self, installed_at: EpochMs) -> Token {
        Token {
            access: self.access.clone(),
            refresh: self.refresh.clone(),
            expires_at: self.expires_at,
            version: Token::first_version(self.issued_at(installed_at)),
        }
    }
}

/// What a store holds.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) rows: Vec<Row>,
    pub(super) warnings: Vec<String>,
}

/// One installation with everybody's tokens.
#[derive(Clone, Debug)]
pub(crate) struct Imported {
    /// Its name.
    pub(crate) key: InstallKey,
    /// What may be shown.
    pub(crate) installation: Installation,
    /// The bot token.
    pub(crate) token: Option<Token>,
    /// The incoming webhook's address.
    pub(crate) webhook_url: Option<SecretString>,
    /// The people's.
    pub(crate) users: Vec<UserGrant>,
}

impl Imported {
    /// The bot's part as a store takes it.
    pub(crate) fn bot(&self) -> NewInstallation {
        let installed = Installed { installation: self.installation.clone(), token: self.token.clone() };
        NewInstallation { installed, webhook_url: self.webhook_url.clone(), user: None }
    }

    /// A person's part as a store takes it, which leaves the bot alone.
    pub(crate) fn person(&self, grant: &UserGrant) -> NewInstallation {
        let installed = Installed { installation: self.installation.clone(), token: None };
        NewInstallation { installed, webhook_url: None, user: Some(grant.clone()) }
    }

    fn rotates(&self) -> bool {
        let tokens = self.users.iter().filter_map(|user| user.token.as_ref()).chain(&self.token);
        tokens.into_iter().any(|token| token.refresh.is_some())
    }
}

/// What will be saved, and what a person should know before.
#[derive(Debug, Default)]
pub(crate) struct Import {
    /// The installations, in the order of their names.
    pub(crate) installations: Vec<Imported>,
    /// Sentences.
    pub(crate) warnings: Vec<String>,
}

/// Puts together what belongs together.
///
/// # Errors
/// When a row names neither a workspace nor an organisation.
pub(super) fn assemble(found: Found) -> Result<Import, Failure> {
    let mut groups: BTreeMap<InstallKey, Vec<Row>> = BTreeMap::new();
    for row in found.rows {
        groups.entry(key(&row)?).or_default().push(row);
    }
    let mut import = Import { warnings: found.warnings, ..Import::default() };
    for (key, rows) in groups {
        let (imported, warnings) = one(key, rows);
        import.installations.extend(imported);
        import.warnings.extend(warnings);
    }
    let rotating = import.installations.iter().filter(|imported| imported.rotates()).count();
    if rotating > 0 {
        import.warnings.insert(0, format!(
            "{rotating} of {} installations have refresh tokens, each good for one use: the old app must stop before this \
             import, or one of the two loses its tokens within 12 hours",
            import.installations.len(),
        ));
    }
    Ok(import)
}

fn key(row: &Row) -> Result<InstallKey, Failure> {
    let id = match (&row.team, &row.enterprise) {
        (Some(team), _) => team.as_str(),
        (None, Some(enterprise)) => enterprise.as_str(),
        (None, None) => return Err(unreadable(&row.origin, "it names neither a workspace nor an organisation")),
    };
    let key = InstallKey::parse(id).filter(|key| matches!(key, InstallKey::Team(_)) == row.team.is_some());
    key.ok_or_else(|| match &row.team {
        Some(_) => unreadable(&row.origin, "its workspace is no id such as T0123ABC"),
        None => unreadable(&row.origin, "its organisation is no id such as E0123ABC"),
    })
}

/// The installation of one name, of all the rows about it; none if nobody's token is left.
fn one(key: InstallKey, mut rows: Vec<Row>) -> (Option<Imported>, Vec<String>) {
    let mut warnings = Vec::new();
    // Of equal ones the later in the store.
    rows.sort_by_key(|row| row.at);
    let bot = newest(&rows, |row| row.bot.as_ref().map(|bot| bot.token.issued_at(row.at)));
    let mut users: BTreeMap<UserId, &Row> = BTreeMap::new();
    for user in rows.iter().filter_map(|row| row.user.as_ref().map(|person| &person.user)) {
        let of_user = |row: &&Row| row.user.as_ref().is_some_and(|person| &person.user == user);
        let theirs = rows.iter().filter(of_user);
        let issued = |row: &Row| row.user.as_ref().map(|person| person.token.issued_at(row.at));
        users.extend(theirs.max_by_key(|row| issued(row)).map(|row| (user.clone(), row)));
    }
    let Some(main) = bot.or_else(|| rows.iter().rfind(|row| row.user.is_some())) else { return (None, warnings) };
    let left_out = rows.iter().filter(|row| row.bot.is_some()).count().saturating_sub(1)
        + rows.iter().filter(|row| row.user.is_some()).count().saturating_sub(users.len());
    if left_out > 0 {
        let at = span::utc(main.at.0);
        warnings.push(format!("{}: {left_out} older rows left out, the newest is of {at} ({})", key.id(), main.origin));
    }
    // What only a whole row knows: who installed it, and the webhook.
    let whole = rows.iter().rfind(|row| row.installer.is_some());
    let said = |of: fn(&Row) -> Option<String>| of(main).or_else(|| whole.and_then(of));
    let bot_user = bot.and_then(|row| row.bot.as_ref()?.user.clone());
    let installer = whole.and_then(|row| row.installer.clone());
    if installer.is_none() {
        warnings.push(format!("{}: who installed it is not in the store; the bot stands for them", key.id()));
    }
    let webhook = whole.and_then(|row| row.webhook.clone()).filter(|_| bot.is_some());
    let minted = bot.and_then(|row| row.bot.as_ref()).map(|bot| &bot.token);
    let token = minted.map(|minted| minted.token(main.at));
    let installation = Installation {
        app: main.app.clone().or_else(|| whole.and_then(|row| row.app.clone())),
        enterprise: main.enterprise.clone().or_else(|| whole.and_then(|row| row.enterprise.clone())),
        enterprise_name: said(|row| row.enterprise_name.clone()),
        team: main.team.clone(),
        team_name: said(|row| row.team_name.clone()),
        scopes: bot.and_then(|row| row.bot.as_ref()).map(|bot| bot.scopes.clone()).unwrap_or_default(),
        installer: installer.or_else(|| bot_user.clone()).unwrap_or_else(|| UserId::new("")),
        bot_user,
        installed_at: minted.map_or(main.at, |minted| minted.issued_at(main.at)),
        webhook: webhook.as_ref().map(|webhook| webhook.target.clone()),
        expires_at: token.as_ref().and_then(|token| token.expires_at),
        gone: None,
    };
    let users = users.values().filter_map(|row| {
        let person = row.user.as_ref()?;
        Some(UserGrant {
            user: person.user.clone(),
            scopes: person.scopes.clone(),
            installed_at: person.token.issued_at(row.at),
            token: Some(person.token.token(row.at)),
        })
    });
    let webhook_url = webhook.map(|webhook| webhook.url);
    let imported = Imported { key, installation, token, webhook_url, users: users.collect() };
    (Some(imported), warnings)
}

/// The row with the newest of something; of equal ones the last.
fn newest<K: Ord>(rows: &[Row], of: impl Fn(&Row) -> Option<K>) -> Option<&Row> {
    rows.iter().filter(|row| of(row).is_some()).max_by_key(|row| of(row))
}

/// A row or a file that cannot be read. The problem must not repeat its values.
pub(super) fn unreadable(origin: &str, problem: &str) -> Failure {
    let message = format!("{origin}: {problem}. Nothing was imported");
    Failure::new(Exit::Io, "unreadable", message, Hint::Help("installs import"))
}
