//! `rotate`: tokens that expire are renewed now, and with `--exchange` those that do not are made ones that do.
//! Source: <https://docs.slack.dev/authentication/using-token-rotation>

use super::place::Place;
use super::{installed, key, trouble};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Hint};
use crate::cli::output::{Cell, Style, Table};
use crate::cli::session::Session;
use crate::cli::span;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::rc::Rc;
use tack_app::HttpClient;
use tack_app::install::{ClientCredentials, InstallKey, RenewError, Slot, TokenHolder, Tokens, TokensParts};
use tack_app::protocol::{EpochMs, UserId};
use tack_aws::{SystemClock, SystemRandom};

#[derive(clap::Args)]
pub(super) struct RotateArgs {
    /// A workspace, T…, or an organisation, E….
    #[arg(value_parser = key, required_unless_present = "all", conflicts_with = "all")]
    id: Option<InstallKey>,
    /// Every installation.
    #[arg(long)]
    all: bool,
    /// Makes tokens that live for ever ones that expire. Slack does it once a token, for an app with token rotation on; there is no way back.
    #[arg(long)]
    exchange: bool,
}

/// Renews.
///
/// # Errors
/// When there is no such installation, the app's id and secret are not known, or one of the tokens was not renewed.
pub(super) async fn rotate(args: RotateArgs, place: Place, session: &mut Session) -> Result<(), Failure> {
    let (client_id, client_secret) = place.credentials()?;
    let slots = slots(args.id, &place).await?;
    let http = HttpClient::new(Vec::new())
        .map_err(|error| Failure::new(Exit::Io, "tls", error, Hint::Help("installs rotate")))?;
    let slack_api_url = place.slack_api_url();
    let tokens = Tokens::new(TokensParts {
        store: Rc::new(place.store),
        credentials: Some(ClientCredentials { client_id, client_secret }),
        http,
        slack_api_url,
        clock: Rc::new(SystemClock),
        random: Rc::new(SystemRandom),
    });
    let mut all = Vec::new();
    for slot in slots {
        let renewed = match (args.exchange, tokens.renew(&slot).await) {
            (true, Err(RenewError::LongLived)) => tokens.exchange(&slot).await,
            (_, renewed) => renewed,
        };
        all.push((slot, renewed));
    }
    print(&all, session)
}

/// The tokens that are meant: an installation's bot, and its people.
async fn slots(id: Option<InstallKey>, place: &Place) -> Result<Vec<Slot>, Failure> {
    let Some(key) = id else {
        // One pass over the table, however many installations there are.
        let rows = place.store.export().await.map_err(|error| trouble(&error))?;
        return Ok(living(&rows));
    };
    installed(&place.store, &key).await?;
    let sort_keys = place.store.sort_keys(&key).await.map_err(|error| trouble(&error))?;
    let holders = sort_keys.iter().filter_map(|sort_key| holder(sort_key));
    Ok(holders.map(|holder| Slot { key: key.clone(), holder }).collect())
}

/// The tokens of the installations that are not gone, in the order of their names.
fn living(rows: &[Value]) -> Vec<Slot> {
    let text = |row: &Value, name: &str| row[name]["S"].as_str().unwrap_or_default().to_owned();
    let is_there = |row: &&Value| row["sk"]["S"] == "BOT" && row.get("gone_at").is_none();
    let there: BTreeSet<String> = rows.iter().filter(is_there).map(|row| text(row, "pk")).collect();
    let slot = |row: &Value| {
        let name = text(row, "pk");
        let holder = holder(&text(row, "sk"))?;
        there.contains(&name).then_some(Slot { key: InstallKey::parse(&name)?, holder })
    };
    let mut slots: Vec<Slot> = rows.iter().filter_map(slot).collect();
    slots.sort();
    slots
}

/// Whose token a row is, if it is one that works.
fn holder(sort_key: &str) -> Option<TokenHolder> {
    match sort_key.strip_prefix("USER#") {
        Some(user) => Some(TokenHolder::User(UserId::new(user))),
        None => (sort_key == "BOT").then_some(TokenHolder::Bot),
    }
}

fn print(all: &[(Slot, Result<Option<EpochMs>, RenewError>)], session: &mut Session) -> Result<(), Failure> {
    let terminal = &mut session.terminal;
    // A token that is not there, or lives for ever unless told otherwise, was not to be renewed.
    let is_failure = |error: &RenewError| !matches!(error, RenewError::NoToken | RenewError::LongLived);
    let failed = all.iter().filter(|(_, renewed)| renewed.as_ref().is_err_and(&is_failure)).count();
    if terminal.json {
        let rows: Vec<Value> = all
            .iter()
            .map(|(slot, renewed)| {
                json!({
                    "id": slot.key.id(), "holder": slot.holder.to_string(), "renewed": renewed.is_ok(),
                    "expires_at": renewed.as_ref().ok(), "reason": renewed.as_ref().err().map(ToString::to_string),
                })
            })
            .collect();
        terminal.object(&json!({"v": 1, "tokens": rows}))?;
    } else {
        let mut table = Table::headed(&["installation", "holder", "", "expires"]);
        for (slot, renewed) in all {
            let (word, style, expires) = match renewed {
                Ok(at) => ("renewed".to_owned(), Style::Good, at.map(|at| span::utc(at.0)).unwrap_or_default()),
                Err(error) if is_failure(error) => (error.to_string(), Style::Bad, String::new()),
                Err(error) => (error.to_string(), Style::Dim, String::new()),
            };
            let (id, holder) = (Cell::new(slot.key.id()), Cell::new(&slot.holder.to_string()));
            table.row(vec![id, holder, Cell(word, style), Cell::new(&expires)]);
        }
        terminal.table(&table)?;
    }
    if failed > 0 {
        let message = format!("{failed} of {} tokens were not renewed; the ones that were there stay", all.len());
        return Err(Failure::new(Exit::Unmet, "unmet", message, Hint::List("installs list")));
    }
    Ok(())
}
