//! `rotate`: tokens that expire are renewed now, and with `--exchange` those that do not are made ones that do.
//! Source: <https://docs.slack.dev/authentication/using-token-rotation>

use super::place::Place;
use super::shown::sort_keys;
use super::{installed, key, trouble};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Hint};
use crate::cli::output::{Cell, Style, Table};
use crate::cli::session::Session;
use crate::cli::span;
use serde_json::{Value, json};
use std::rc::Rc;
use tack_app::HttpClient;
use tack_app::install::{ClientCredentials, InstallKey, RenewError, Slot, TokenHolder, Tokens, TokensParts};
use tack_app::ports::InstallationStore;
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
    let keys = match id {
        Some(id) => {
            installed(&place.store, &id).await?;
            vec![id]
        }
        None => {
            let all = place.store.list().await.map_err(|error| trouble(&error))?;
            all.iter().filter(|one| one.gone.is_none()).filter_map(tack_app::install::Installation::key).collect()
        }
    };
    let mut slots = Vec::new();
    for key in keys {
        for sort_key in sort_keys(&key, place).await? {
            let holder = match sort_key.strip_prefix("USER#") {
                Some(user) => TokenHolder::User(UserId::new(user)),
                None if sort_key == "BOT" => TokenHolder::Bot,
                None => continue,
            };
            slots.push(Slot { key: key.clone(), holder });
        }
    }
    Ok(slots)
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
