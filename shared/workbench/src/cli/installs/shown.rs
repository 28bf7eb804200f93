//! `list` and `show`: what is known of the installations, without their secrets.

use super::place::Place;
use super::{installed, masked, trouble};
use crate::cli::failure::Failure;
use crate::cli::output::{Cell, Style, Table, Terminal, clean};
use crate::cli::span;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tack_app::install::{InstallKey, Installation, Installed, Scopes, Token, UserGrant};
use tack_app::ports::InstallationStore;
use tack_app::protocol::{EpochSeconds, TeamId, UserId};
use tack_aws::DynamoInstallationStore;

/// Prints every installation, and beside them what is wrong with rows that cannot be read.
///
/// # Errors
/// When the table cannot be read.
pub(super) async fn list(store: &DynamoInstallationStore, terminal: &mut Terminal) -> Result<(), Failure> {
    let (all, unreadable) = store.list_with_unreadable().await.map_err(|error| trouble(&error))?;
    if terminal.json {
        return terminal.object(&json!({"v": 1, "installations": all, "unreadable": unreadable}));
    }
    for reason in &unreadable {
        terminal.note(&format!("! {}", clean(reason)));
    }
    if terminal.quiet {
        return all.iter().try_for_each(|one| terminal.line(&clean(&id(one))));
    }
    if all.is_empty() && unreadable.is_empty() {
        terminal.note("The app is installed nowhere.");
        return Ok(());
    }
    let mut table = Table::headed(&["id", "name", "installed", "by", "scopes", "token expires", "state"]);
    for one in &all {
        let name = one.team_name.as_ref().or(one.enterprise_name.as_ref()).map(String::as_str).unwrap_or_default();
        let expires = one.expires_at.map(|at| span::utc(at.0)).unwrap_or_default();
        let (at, scopes) = (span::utc(one.installed_at.0), one.scopes.len().to_string());
        let mut cells = [&id(one), name, &at, one.installer.as_str(), &scopes, &expires].map(Cell::new).to_vec();
        let style = if one.gone.is_some() { Style::Bad } else { Style::Good };
        cells.push(Cell(clean(&state(one)), style));
        table.row(cells);
    }
    terminal.table(&table)
}

fn id(one: &Installation) -> String {
    one.key().map(|key| key.id().to_owned()).unwrap_or_default()
}

/// `installed`, or since when and why not.
fn state(one: &Installation) -> String {
    match &one.gone {
        None => "installed".to_owned(),
        Some(gone) => {
            let purged = gone.purge_at.map(|at| format!(", to be purged {}", span::utc(at.0))).unwrap_or_default();
            format!("{} {}{purged}", gone.why, span::utc(gone.at.0))
        }
    }
}

/// What stands beside an installation.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) users: Vec<UserGrant>,
    /// Of an organisation: the workspaces it was granted to or taken from, and when.
    pub(super) teams: Vec<(TeamId, bool, EpochSeconds)>,
    /// How many former versions are kept.
    pub(super) history: usize,
}

/// Prints all of one installation.
///
/// # Errors
/// When there is none, or it cannot be read.
pub(super) async fn show(id: &InstallKey, place: &Place, terminal: &mut Terminal) -> Result<(), Failure> {
    let one = installed(&place.store, id).await?;
    let mut beside = Beside::default();
    for sort_key in place.store.sort_keys(id).await.map_err(|error| trouble(&error))? {
        if let Some(user) = sort_key.strip_prefix("USER#") {
            let grant = place.store.read_user(id, &UserId::new(user)).await.map_err(|error| trouble(&error))?;
            beside.users.extend(grant);
        } else if sort_key.starts_with("H#") {
            beside.history += 1;
        }
    }
    if let InstallKey::Enterprise(_) = id {
        beside.teams = place.store.teams(id).await.map_err(|error| trouble(&error))?;
    }
    print(&one, &beside, place.scopes().as_ref(), terminal)
}

/// Prints one installation. `wanted` are the scopes that the app asks for, where that is known.
pub(super) fn print(
    one: &Installed,
    beside: &Beside,
    wanted: Option<&Scopes>,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let installation = &one.installation;
    let missing = wanted.map(|wanted| wanted.missing_in(&installation.scopes)).unwrap_or_default();
    if terminal.json {
        return terminal.object(&json!({
            "v": 1, "id": id(installation), "installation": installation, "missing_scopes": missing,
            "bot": token(one.token.as_ref()), "has_webhook": installation.webhook.is_some() && one.token.is_some(),
            "users": beside.users.iter().map(user).collect::<Vec<_>>(),
            "teams": beside.teams.iter().map(team).collect::<Vec<_>>(),
            "former_versions": beside.history,
        }));
    }
    if terminal.quiet {
        return terminal.line(&clean(&id(installation)));
    }
    let organisation = match (&installation.enterprise, &installation.enterprise_name) {
        (Some(id), Some(name)) => format!("{id} {name}"),
        (Some(id), None) => id.to_string(),
        _ => String::new(),
    };
    let webhook = installation.webhook.as_ref().map(|webhook| format!("{} {}", webhook.channel, webhook.channel_id));
    let optional = |id: Option<String>| id.unwrap_or_default();
    let mut table = Table::default();
    for (name, fact) in [
        ("id", id(installation)),
        ("name", optional(installation.team_name.clone())),
        ("organisation", organisation),
        ("state", state(installation)),
        ("app", optional(installation.app.as_ref().map(ToString::to_string))),
        ("installed", format!("{} by {}", span::utc(installation.installed_at.0), installation.installer)),
        ("bot user", optional(installation.bot_user.as_ref().map(ToString::to_string))),
        ("bot token", described(one.token.as_ref())),
        ("scopes", installation.scopes.to_string()),
        ("missing", missing.to_string()),
        ("webhook", optional(webhook)),
        ("history", if beside.history == 0 { String::new() } else { format!("{} former versions", beside.history) }),
    ] {
        if !fact.is_empty() {
            table.row(vec![Cell(name.to_owned(), Style::Dim), Cell::new(&fact)]);
        }
    }
    for grant in &beside.users {
        let fact = format!("{} {} {}", grant.user, described(grant.token.as_ref()), grant.scopes);
        table.row(vec![Cell("person".to_owned(), Style::Dim), Cell::new(&fact)]);
    }
    for (team, granted, at) in &beside.teams {
        let word = if *granted { "granted" } else { "taken away" };
        let fact = format!("{team} {word} {}", span::utc(at.0.saturating_mul(1_000)));
        table.row(vec![Cell("workspace".to_owned(), Style::Dim), Cell::new(&fact)]);
    }
    terminal.table(&table)
}

/// `xoxb-…9f3a, expires 2026-11-24 09:15:03 UTC`.
fn described(token: Option<&Token>) -> String {
    let Some(token) = token else { return "none".to_owned() };
    let shown = masked(token.access.expose_secret());
    let renewed = if token.refresh.is_some() { "" } else { " and is not renewed" };
    match token.expires_at {
        Some(at) => format!("{shown}, expires {}{renewed}", span::utc(at.0)),
        None => shown,
    }
}

fn token(token: Option<&Token>) -> Value {
    let Some(token) = token else { return Value::Null };
    json!({
        "token": masked(token.access.expose_secret()), "expires_at": token.expires_at, "rotates": token.refresh.is_some(),
        "version": token.version,
    })
}

fn user(grant: &UserGrant) -> Value {
    json!({
        "user": grant.user, "scopes": grant.scopes, "installed_at": grant.installed_at, "token": token(grant.token.as_ref()),
    })
}

fn team((team, granted, at): &(TeamId, bool, EpochSeconds)) -> Value {
    json!({"team": team, "granted": granted, "at": at})
}
