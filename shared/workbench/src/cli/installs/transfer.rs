//! `export` and `import`: installations out of one place and into another.
//! Invariant: an import reads all of it before the first is saved, and what leaves here is encrypted.

use super::import::{self, Import, Imported};
use super::place::{self, Place};
use super::saving::{Outcome, Saved, save};
use super::{ImportArgs, PlaceArgs, masked, trouble};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Hint};
use crate::cli::output::{Cell, Style, Table, Terminal};
use crate::cli::session::Session;
use crate::cli::span;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::path::Path;
use tack_app::install::{Token, UserGrant};
use tack_app::protocol::AppId;
use tack_aws::DynamoInstallationStore;
use tack_aws::config::SLACK_CLIENT_ID;

/// Prints every row as it is stored.
///
/// # Errors
/// When the table cannot be read.
pub(super) async fn export(store: &DynamoInstallationStore, terminal: &mut Terminal) -> Result<(), Failure> {
    let rows = store.export().await.map_err(|error| trouble(&error))?;
    rows.iter().try_for_each(|row| terminal.object(row))?;
    terminal.note(&format!("{} rows. Their tokens open with the same key and app only.", rows.len()));
    Ok(())
}

/// Takes in what is in a file or a folder.
///
/// # Errors
/// When it cannot be read, or the table or the key does not take it.
pub(super) async fn take_in(args: &ImportArgs, place: &PlaceArgs, session: &mut Session) -> Result<(), Failure> {
    let Some(source) = args.from else { return restore(args, place, session).await };
    let import = import::read(source, &args.path, place::from_environment(SLACK_CLIENT_ID).as_deref())?;
    // A dry run needs no place, but says more with one.
    let place = match Place::find(place, session).await {
        Err(_) if args.dry_run => None,
        place => Some(place?),
    };
    if let Some(app) = place.as_ref().and_then(|place| place.app.as_ref()) {
        of_this_app(&import, app)?;
    }
    let mut all = Vec::new();
    for one in &import.installations {
        let saved = match &place {
            Some(place) => Some(save(&place.store, one, !args.dry_run).await.map_err(|error| trouble(&error))?),
            None => None,
        };
        all.push((one, saved));
    }
    print(&import, &all, args.dry_run, &mut session.terminal)
}

fn of_this_app(import: &Import, app: &AppId) -> Result<(), Failure> {
    let is_other = |one: &&Imported| one.installation.app.as_ref().is_some_and(|theirs| theirs != app);
    let Some(other) = import.installations.iter().find(is_other) else { return Ok(()) };
    let message = format!("the installation in {} is of another app than {app}. Nothing was imported", other.key.id());
    Err(Failure::new(Exit::Usage, "another_app", message, Hint::Help("installs import")))
}

/// Takes in what [`export`] printed.
///
/// # Errors
/// When a line is none of it, or the table does not take a row. What was taken in until then stays; doing it again is safe.
async fn restore(args: &ImportArgs, place: &PlaceArgs, session: &mut Session) -> Result<(), Failure> {
    let (rows, dry_run) = (exported(&args.path)?, args.dry_run);
    let mut restored = 0;
    if !dry_run {
        let place = Place::find(place, session).await?;
        for row in &rows {
            restored += usize::from(place.store.import_item(row).await.map_err(|error| trouble(&error))?);
        }
    }
    let terminal = &mut session.terminal;
    let newer = if dry_run { 0 } else { rows.len() - restored };
    if terminal.json {
        return terminal
            .object(&json!({"v": 1, "dry_run": dry_run, "rows": rows.len(), "restored": restored, "newer": newer}));
    }
    if dry_run {
        return terminal.line(&format!("  {} rows would be restored, unless newer ones are there", rows.len()));
    }
    terminal.line(&format!("  {restored} rows restored, {newer} left alone since newer ones are there"))
}

fn exported(path: &Path) -> Result<Vec<Value>, Failure> {
    let file = path.display().to_string();
    let wrong =
        |exit, what: String| Failure::new(exit, "unreadable", format!("{file}{what}"), Hint::Help("installs import"));
    let text =
        std::fs::read_to_string(path).map_err(|error| wrong(Exit::NotFound, format!(" cannot be read: {error}")))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let read = |(index, line)| match serde_json::from_str::<Value>(line) {
        Ok(row) if row["pk"]["S"].is_string() && row["sk"]["S"].is_string() => Ok(row),
        _ => Err(wrong(Exit::Io, format!(", line {}: it is no row of an export. Nothing was imported", index + 1))),
    };
    lines.map(read).collect()
}

/// Says what was, or would be, saved.
pub(super) fn print(
    import: &Import,
    all: &[(&Imported, Option<Saved>)],
    dry_run: bool,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if terminal.json {
        let installations: Vec<Value> = all.iter().map(|(one, saved)| readable(one, saved.as_ref())).collect();
        return terminal.object(&json!({
            "v": 1, "dry_run": dry_run, "installations": installations, "warnings": import.warnings,
        }));
    }
    if terminal.quiet {
        return all.iter().try_for_each(|(one, _)| terminal.line(one.key.id()));
    }
    for warning in &import.warnings {
        terminal.line(&format!("  ! {}", crate::cli::output::clean(warning)))?;
    }
    let mut table = Table::headed(&[
        "installation",
        "holder",
        "token",
        "installed",
        "expires",
        if dry_run { "would be" } else { "" },
    ]);
    for (one, saved) in all {
        let name = one.installation.team_name.as_ref().or(one.installation.enterprise_name.as_ref());
        let label = format!("{} {}", one.key.id(), name.map(String::as_str).unwrap_or_default());
        let word = saved.as_ref().map(|saved| saved.bot);
        table.row(cells(label.trim(), "bot", one.token.as_ref(), one.installation.installed_at.0, word));
        for grant in &one.users {
            let word = saved.as_ref().and_then(|saved| outcome(saved, grant));
            table.row(cells("", grant.user.as_str(), grant.token.as_ref(), grant.installed_at.0, word));
        }
    }
    terminal.table(&table)?;
    let count = if all.len() == 1 { "1 installation".to_owned() } else { format!("{} installations", all.len()) };
    terminal.note(&if dry_run { format!("{count} read, nothing saved.") } else { format!("{count} done.") });
    Ok(())
}

fn outcome(saved: &Saved, grant: &UserGrant) -> Option<Outcome> {
    saved.users.iter().find(|(user, _)| *user == grant.user).map(|(_, outcome)| *outcome)
}

fn cells(label: &str, holder: &str, token: Option<&Token>, at: u64, outcome: Option<Outcome>) -> Vec<Cell> {
    let expires = token.and_then(|token| token.expires_at).map(|at| span::utc(at.0)).unwrap_or_default();
    let shown = token.map_or_else(|| "none".to_owned(), |token| masked(token.access.expose_secret()));
    let style = match outcome {
        Some(Outcome::Saved) => Style::Good,
        Some(Outcome::Newer | Outcome::Gone) => Style::Waiting,
        Some(Outcome::AlreadyThere) | None => Style::Dim,
    };
    let word = outcome.map(Outcome::word).unwrap_or_default();
    let mut cells = [label, holder, &shown, &span::utc(at), &expires].map(Cell::new).to_vec();
    cells.push(Cell(word.to_owned(), style));
    cells
}

fn readable(one: &Imported, saved: Option<&Saved>) -> Value {
    let token = |token: Option<&Token>| match token {
        None => Value::Null,
        Some(token) => json!({
            "token": masked(token.access.expose_secret()),
            "rotates": token.refresh.is_some(),
            "expires_at": token.expires_at,
        }),
    };
    let users: Vec<Value> = one
        .users
        .iter()
        .map(|grant| json!({
            "user": grant.user, "scopes": grant.scopes, "installed_at": grant.installed_at, "token": token(grant.token.as_ref()),
            "outcome": saved.and_then(|saved| outcome(saved, grant)).map(Outcome::word),
        }))
        .collect();
    json!({
        "id": one.key.id(), "installation": one.installation, "bot": token(one.token.as_ref()), "users": users,
        "has_webhook": one.webhook_url.is_some(), "outcome": saved.map(|saved| saved.bot.word()),
    })
}
