//! What Bolt for JavaScript (`@slack/oauth`) keeps: one object an installation. It does not say when that was: the name of
//! the newest former version does, else the file's own time.
//! Source: `dist/installation.d.ts` and `dist/installation-stores/file-store.js` of the package `@slack/oauth` 4.0 on npm.

use super::fields::Fields;
use super::found::{Bot, Minted, Person, Row, Webhook};
use crate::cli::failure::Failure;
use serde_json::{Map, Value};
use tack_app::install::WebhookTarget;
use tack_app::protocol::{AppId, ChannelId, EnterpriseId, EpochMs, TeamId, UserId};

/// Which part of a file counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// `app-latest`: everything but the person's token, which may have been deleted since.
    App,
    /// `user-U…-latest`: the person's token alone.
    Person,
}

/// Reads an object; `None` if it is of the former OAuth, whose tokens cannot be carried over.
///
/// # Errors
/// When a field is missing or has another form.
pub(super) fn row(
    part: Part,
    origin: &str,
    map: &Map<String, Value>,
    written_at: EpochMs,
) -> Result<Option<Row>, Failure> {
    let fields = Fields { origin, map };
    if fields.text("authVersion")?.as_deref() == Some("v1") {
        return Ok(None);
    }
    let is_org = fields.flag("isEnterpriseInstall")?;
    let (enterprise, team) = (fields.object("enterprise")?, fields.object("team")?.filter(|_| !is_org));
    let named = |of: Option<Fields<'_>>, name| of.map(|of| of.text(name)).transpose().map(Option::flatten);
    let user = fields.object("user")?;
    let installer = named(user, "id")?.map(UserId::new);
    let (bot, person, webhook) = match part {
        Part::App => (bot(fields)?, None, webhook(fields)?),
        Part::Person => (None, person(user, installer.as_ref())?, None),
    };
    Ok(Some(Row {
        origin: origin.to_owned(),
        app: fields.text("appId")?.map(AppId::new),
        enterprise: named(enterprise, "id")?.map(EnterpriseId::new),
        enterprise_name: named(enterprise, "name")?,
        team: named(team, "id")?.map(TeamId::new),
        team_name: named(team, "name")?,
        at: written_at,
        // A person's file is about them, whoever installed the app last.
        installer: installer.filter(|_| part == Part::App),
        bot,
        user: person,
        webhook,
    }))
}

fn bot(fields: Fields<'_>) -> Result<Option<Bot>, Failure> {
    let Some(bot) = fields.object("bot")? else { return Ok(None) };
    let Some(token) = minted(bot)? else { return Ok(None) };
    Ok(Some(Bot { user: bot.text("userId")?.map(UserId::new), scopes: bot.scopes("scopes")?, token }))
}

fn person(user: Option<Fields<'_>>, id: Option<&UserId>) -> Result<Option<Person>, Failure> {
    let (Some(user), Some(id)) = (user, id) else { return Ok(None) };
    let Some(token) = minted(user)? else { return Ok(None) };
    Ok(Some(Person { user: id.clone(), scopes: user.scopes("scopes")?, token }))
}

fn minted(holder: Fields<'_>) -> Result<Option<Minted>, Failure> {
    let Some(access) = holder.secret("token")? else { return Ok(None) };
    let (refresh, expires_at) = (holder.secret("refreshToken")?, holder.optional_moment("expiresAt")?);
    Ok(Some(Minted { access, refresh, expires_at }))
}

fn webhook(fields: Fields<'_>) -> Result<Option<Webhook>, Failure> {
    let Some(webhook) = fields.object("incomingWebhook")? else { return Ok(None) };
    let Some(url) = webhook.secret("url")? else { return Ok(None) };
    let target = WebhookTarget {
        channel: webhook.text("channel")?.unwrap_or_default(),
        channel_id: ChannelId::new(webhook.text("channelId")?.unwrap_or_default()),
        configuration_url: webhook.text("configurationUrl")?,
    };
    Ok(Some(Webhook { url, target }))
}
