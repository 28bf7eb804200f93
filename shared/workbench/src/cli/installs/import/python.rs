//! What Bolt for Python (`slack_sdk`) keeps: the same fields in files, in objects and in columns.
//!
//! A store has rows of two kinds. One of the bot alone, which is gone once its token was revoked, and which a renewal
//! writes; and one of who installed, with the tokens of both. So the bot comes from the first kind only, and a person from
//! the second only.
//! Source: `slack_sdk/oauth/installation_store/models` of the package `slack_sdk` 3.48 on PyPI.

use super::fields::Fields;
use super::found::{Bot, Minted, Person, Row, Webhook};
use crate::cli::failure::Failure;
use serde_json::{Map, Value};
use tack_app::install::WebhookTarget;
use tack_app::protocol::{AppId, ChannelId, EnterpriseId, TeamId, UserId};

/// Which of the two kinds a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `Bot`: `bot-latest`, `slack_bots`.
    Bot,
    /// `Installation`: `installer-…-latest`, `slack_installations`; with the person's token.
    Installer,
    /// The same, where the person's token counts in another file.
    InstallerWithoutPerson,
}

/// Reads a row.
///
/// # Errors
/// When a field is missing or has another form.
pub(super) fn row(kind: Kind, origin: &str, map: &Map<String, Value>) -> Result<Row, Failure> {
    let fields = Fields { origin, map };
    let is_org = fields.flag("is_enterprise_install")?;
    let installer = match kind {
        Kind::Bot => None,
        Kind::Installer | Kind::InstallerWithoutPerson => Some(UserId::new(fields.required("user_id")?)),
    };
    let bot = if kind == Kind::Bot { bot(fields)? } else { None };
    let user = match (kind, &installer) {
        (Kind::Installer, Some(user)) => person(fields, user)?,
        _ => None,
    };
    Ok(Row {
        origin: origin.to_owned(),
        app: fields.text("app_id")?.map(AppId::new),
        enterprise: fields.text("enterprise_id")?.map(EnterpriseId::new),
        enterprise_name: fields.text("enterprise_name")?,
        team: fields.text("team_id")?.filter(|_| !is_org).map(TeamId::new),
        team_name: fields.text("team_name")?.filter(|_| !is_org),
        at: fields.moment("installed_at")?,
        installer,
        bot,
        user,
        webhook: webhook(fields)?,
    })
}

fn bot(fields: Fields<'_>) -> Result<Option<Bot>, Failure> {
    let Some(token) = minted(fields, "bot")? else { return Ok(None) };
    let user = fields.text("bot_user_id")?.map(UserId::new);
    Ok(Some(Bot { user, scopes: fields.scopes("bot_scopes")?, token }))
}

fn person(fields: Fields<'_>, user: &UserId) -> Result<Option<Person>, Failure> {
    let Some(token) = minted(fields, "user")? else { return Ok(None) };
    Ok(Some(Person { user: user.clone(), scopes: fields.scopes("user_scopes")?, token }))
}

fn minted(fields: Fields<'_>, whose: &str) -> Result<Option<Minted>, Failure> {
    let Some(access) = fields.secret(&format!("{whose}_token"))? else { return Ok(None) };
    let refresh = fields.secret(&format!("{whose}_refresh_token"))?;
    let expires_at = fields.optional_moment(&format!("{whose}_token_expires_at"))?;
    Ok(Some(Minted { access, refresh, expires_at }))
}

fn webhook(fields: Fields<'_>) -> Result<Option<Webhook>, Failure> {
    let Some(url) = fields.secret("incoming_webhook_url")? else { return Ok(None) };
    let target = WebhookTarget {
        channel: fields.text("incoming_webhook_channel")?.unwrap_or_default(),
        channel_id: ChannelId::new(fields.text("incoming_webhook_channel_id")?.unwrap_or_default()),
        configuration_url: fields.text("incoming_webhook_configuration_url")?,
    };
    Ok(Some(Webhook { url, target }))
}

/// How many values of the adopter's own a row has; they stay behind.
pub(super) fn custom_values(map: &Map<String, Value>) -> usize {
    map.get("custom_values").and_then(Value::as_object).map_or(0, Map::len)
}
