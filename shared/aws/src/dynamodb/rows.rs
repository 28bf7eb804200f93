//! The rows of an installation: what is written for what the framework holds, and back. Secrets are closed already.
//!
//! # Shape
//! `pk` (S) `T#…` or `E#…` · `sk` (S) `BOT`, `USER#U…`, `TEAM#T…` (access of an organisation's installation to a workspace)
//! or `H#` and a time (what `BOT` was before) · `ins` (N) installed at, epoch ms · `doc` (S) JSON of what may be shown
//! · `ct` (B) the token, encrypted · `hook` (B) the webhook's address, encrypted · `ver` (N) the token's version · `tex` (N)
//! when it expires, epoch ms · `ref_own`, `ref_lea` (N) who renews it, and until when · `ref_done` who renewed it last
//! · `gone_at` (N, epoch ms), `gone_why`, `purge_at` (N, epoch ms) since when it is no more.
//! `TEAM#…` has `granted` (BOOL) and `at` (N, epoch s).

use super::items::{Item, number, read_number, read_text, text};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::fmt;
use tack_app::install::{Gone, InstallKey, Installation, Scopes, Token, TokenHolder, UserGrant};
use tack_app::ports::StoreError;
use tack_protocol::{EpochMs, UserId};

/// The sort key of the bot's row.
pub(crate) const BOT: &str = "BOT";
/// What the sort keys of people's rows begin with.
pub(crate) const USER: &str = "USER#";
/// What the sort keys of access notes begin with.
pub(crate) const TEAM: &str = "TEAM#";
/// What the sort keys of former versions begin with.
pub(crate) const HISTORY: &str = "H#";
/// The holder in the encryption context of the webhook's address, which lives apart from the token: a renewal of the one
/// does not touch the other.
pub(crate) const WEBHOOK: &str = "WEBHOOK";

/// The sort key of a former version. 13 digits sort by time until the year 2286.
pub(crate) fn history_key(installed_at: u64) -> String {
    format!("{HISTORY}{installed_at:013}")
}

/// What is encrypted: as JSON, since there are two of them.
#[derive(Serialize, Deserialize)]
struct Secrets<'a> {
    access: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh: Option<std::borrow::Cow<'a, str>>,
}

/// What of a token is a secret, ready to be encrypted.
pub(crate) fn plain(token: &Token) -> Result<Vec<u8>, StoreError> {
    let secrets = Secrets {
        access: token.access.expose_secret().into(),
        refresh: token.refresh.as_ref().map(|refresh| refresh.expose_secret().into()),
    };
    serde_json::to_vec(&secrets).map_err(|_| StoreError { reason: "a token cannot be written as JSON".to_owned() })
}

/// A row's token, whose secrets have been decrypted.
pub(crate) fn token(row: &Item, plain: &[u8]) -> Result<Token, StoreError> {
    // The error of serde would repeat what it stumbled over.
    let secrets: Secrets<'_> = serde_json::from_slice(plain).map_err(|_| unreadable(row, "its token is no JSON"))?;
    Ok(Token {
        access: secrets.access.as_ref().into(),
        refresh: secrets.refresh.map(|refresh| SecretString::from(refresh.as_ref())),
        expires_at: read_number(row, "tex").map(EpochMs),
        version: read_number(row, "ver").unwrap_or_default(),
    })
}

/// A row without its secrets.
pub(crate) fn base(key: &InstallKey, sort_key: &str, installed_at: EpochMs, doc: String) -> Item {
    Item::from([
        ("pk".to_owned(), text(&key.to_string())),
        ("sk".to_owned(), text(sort_key)),
        ("ins".to_owned(), number(installed_at.0)),
        ("doc".to_owned(), text(&doc)),
    ])
}

/// The bot's row, without its secrets and without what changes apart from it.
pub(crate) fn bot(key: &InstallKey, installation: &Installation) -> Result<Item, StoreError> {
    let shown = Installation { expires_at: None, gone: None, ..installation.clone() };
    let doc = json(&shown)?;
    let mut row = base(key, BOT, installation.installed_at, doc);
    if let Some(gone) = &installation.gone {
        row.insert("gone_at".to_owned(), number(gone.at.0));
        row.insert("gone_why".to_owned(), text(&gone.why));
        if let Some(purge_at) = gone.purge_at {
            row.insert("purge_at".to_owned(), number(purge_at.0));
        }
    }
    Ok(row)
}

/// What may be shown of a bot's row.
pub(crate) fn installation(row: &Item) -> Result<Installation, StoreError> {
    let shown: Installation = serde_json::from_str(read_text(row, "doc").unwrap_or_default())
        .map_err(|error| unreadable(row, format_args!("doc: {error}")))?;
    let gone = read_number(row, "gone_at").map(|at| Gone {
        at: EpochMs(at),
        why: read_text(row, "gone_why").unwrap_or_default().to_owned(),
        purge_at: read_number(row, "purge_at").map(EpochMs),
    });
    Ok(Installation { expires_at: read_number(row, "tex").map(EpochMs), gone, ..shown })
}

/// What is shown of a person's row.
#[derive(Serialize, Deserialize)]
struct Grant {
    #[serde(default)]
    scopes: Scopes,
}

/// A person's row, without its secrets.
pub(crate) fn user(key: &InstallKey, grant: &UserGrant) -> Result<Item, StoreError> {
    let doc = json(&Grant { scopes: grant.scopes.clone() })?;
    Ok(base(key, &TokenHolder::User(grant.user.clone()).to_string(), grant.installed_at, doc))
}

/// What a person granted, of their row and its decrypted token.
pub(crate) fn grant(user: &UserId, row: &Item, token: Option<Token>) -> Result<UserGrant, StoreError> {
    let Grant { scopes } = serde_json::from_str(read_text(row, "doc").unwrap_or_default())
        .map_err(|error| unreadable(row, format_args!("doc: {error}")))?;
    let installed_at = EpochMs(read_number(row, "ins").unwrap_or_default());
    Ok(UserGrant { user: user.clone(), scopes, installed_at, token })
}

fn json(shown: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(shown).map_err(|error| StoreError { reason: error.to_string() })
}

/// A row that is not as we write it.
pub(crate) fn unreadable(row: &Item, what: impl fmt::Display) -> StoreError {
    let name = |attribute| read_text(row, attribute).unwrap_or("?").to_owned();
    StoreError { reason: format!("the row {} {} cannot be read: {what}", name("pk"), name("sk")) }
}
