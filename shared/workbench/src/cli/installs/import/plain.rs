//! The plain format: one installation a line, for whoever kept theirs in a store of their own. `docs/from-bolt.md` describes it.

use super::fields::{Fields, object};
use super::found::{Bot, Found, Minted, Person, Row, Webhook, unreadable};
use crate::cli::failure::Failure;
use std::path::Path;
use tack_app::install::WebhookTarget;
use tack_app::protocol::{AppId, ChannelId, EnterpriseId, TeamId, UserId};

/// Every field of a line, and of the objects in it: a slip in a name must not lose a token.
const LINE: [&str; 10] = [
    "app",
    "enterprise",
    "enterprise_name",
    "team",
    "team_name",
    "installer",
    "installed_at",
    "bot",
    "users",
    "webhook",
];
const BOT: [&str; 5] = ["user", "scopes", "token", "refresh_token", "expires_at"];
const PERSON: [&str; 6] = ["user", "scopes", "token", "refresh_token", "expires_at", "installed_at"];
const WEBHOOK: [&str; 4] = ["url", "channel", "channel_id", "configuration_url"];

/// Reads a file of it.
///
/// # Errors
/// When it or a line cannot be read.
pub(super) fn read(path: &Path) -> Result<Found, Failure> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&file, &error.to_string()))?;
    let mut found = Found::default();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        found.rows.extend(rows(&format!("{file}, line {}", index + 1), line)?);
    }
    Ok(found)
}

/// A line: a row of the bot, and one a person.
fn rows(origin: &str, line: &str) -> Result<Vec<Row>, Failure> {
    let map = object(origin, line)?;
    let fields = known(Fields { origin, map: &map }, &LINE)?;
    let bot = fields.object("bot")?.map(|bot| known(bot, &BOT)).transpose()?;
    let row = Row {
        origin: origin.to_owned(),
        app: fields.text("app")?.map(AppId::new),
        enterprise: fields.text("enterprise")?.map(EnterpriseId::new),
        enterprise_name: fields.text("enterprise_name")?,
        team: fields.text("team")?.map(TeamId::new),
        team_name: fields.text("team_name")?,
        at: fields.moment("installed_at")?,
        installer: Some(UserId::new(fields.required("installer")?)),
        bot: bot.map(self::bot).transpose()?,
        user: None,
        webhook: webhook(fields)?,
    };
    let mut rows = Vec::new();
    for person in fields.objects("users")? {
        let person = known(person, &PERSON)?;
        let user = UserId::new(person.required("user")?);
        let user = Some(Person { user, scopes: person.scopes("scopes")?, token: minted(person)? });
        let at = person.optional_moment("installed_at")?.unwrap_or(row.at);
        rows.push(Row { at, user, bot: None, webhook: None, installer: None, ..row.clone() });
    }
    if row.bot.is_none() && rows.is_empty() {
        return Err(unreadable(origin, "it has neither a bot nor users"));
    }
    rows.push(row);
    Ok(rows)
}

fn known<'a>(fields: Fields<'a>, names: &[&str]) -> Result<Fields<'a>, Failure> {
    match fields.map.keys().find(|name| !names.contains(&name.as_str())) {
        // A name that is not known may be a token in the wrong place.
        Some(_) => Err(unreadable(fields.origin, &format!("it has a field that is none of {}", names.join(", ")))),
        None => Ok(fields),
    }
}

fn bot(fields: Fields<'_>) -> Result<Bot, Failure> {
    let user = fields.text("user")?.map(UserId::new);
    Ok(Bot { user, scopes: fields.scopes("scopes")?, token: minted(fields)? })
}

fn minted(fields: Fields<'_>) -> Result<Minted, Failure> {
    Ok(Minted {
        access: fields.required("token")?.into(),
        refresh: fields.secret("refresh_token")?,
        expires_at: fields.optional_moment("expires_at")?,
    })
}

fn webhook(fields: Fields<'_>) -> Result<Option<Webhook>, Failure> {
    let Some(webhook) = fields.object("webhook")? else { return Ok(None) };
    let webhook = known(webhook, &WEBHOOK)?;
    let target = WebhookTarget {
        channel: webhook.text("channel")?.unwrap_or_default(),
        channel_id: ChannelId::new(webhook.text("channel_id")?.unwrap_or_default()),
        configuration_url: webhook.text("configuration_url")?,
    };
    Ok(Some(Webhook { url: webhook.required("url")?.into(), target }))
}
