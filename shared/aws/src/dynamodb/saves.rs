//! What an OAuth flow saves: a person's row, then the bot's, whose former version goes into the history.
//! Invariant: saving once more changes nothing, and what was removed since stays removed, whatever comes in between.
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html>

use super::installations::{DynamoInstallationStore, place};
use super::items::{Item, Written, bytes, failed, number, put, read_number, read_text, text};
use super::rows::{self, BOT, HISTORY, WEBHOOK};
use crate::kms::Place;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use futures_util::future::try_join3;
use secrecy::{ExposeSecret, SecretString};
use tack_app::install::{InstallKey, NewInstallation, Token};
use tack_app::ports::StoreError;
use tack_protocol::EpochMs;

/// How many former versions of an installation are kept.
const HISTORY_KEPT: usize = 5;

/// How often a save looks again because somebody wrote in between: a renewal, another tab.
const SAVE_TRIES: u32 = 5;

impl DynamoInstallationStore {
    pub(super) async fn save_all(&self, new: &NewInstallation) -> Result<(), StoreError> {
        let installation = &new.installed.installation;
        let key = installation.key().ok_or_else(|| StoreError {
            reason: "an installation names neither a workspace nor an organisation".to_owned(),
        })?;
        let bot = rows::bot(&key, installation)?;
        let user = new.user.as_ref().map(|grant| rows::user(&key, grant)).transpose()?;
        let user_token = new.user.as_ref().and_then(|grant| grant.token.as_ref());
        let (token, webhook, user_token) = try_join3(
            self.close_token(&bot, new.installed.token.as_ref()),
            self.close_webhook(&bot, new.webhook_url.as_ref()),
            async {
                match &user {
                    Some(row) => self.close_token(row, user_token).await,
                    None => Ok(Item::new()),
                }
            },
        )
        .await?;
        let there = self.row(&key, BOT).await?;
        // The bot's row last: where it is, all is.
        if let Some(grant) = &new.user
            && let Some(mut row) = user
            && !is_uninstalled_since(&there, grant.installed_at)
        {
            row.extend(user_token);
            self.put_user(row).await?;
        }
        let there = self.put_bot(&key, bot.into_iter().chain(token).chain(webhook).collect(), there).await?;
        match &new.user {
            // Uninstalled while this was saved: what the removal could not see goes, too.
            Some(grant) if is_uninstalled_since(&there, grant.installed_at) => {
                let row = rows::user(&key, grant)?;
                self.delete_if(&row, "ins <= :limit", Some(number(grant.installed_at.0))).await.map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// A token's attributes for a row. Without a token there is a version all the same, for the conditions.
    async fn close_token(&self, row: &Item, token: Option<&Token>) -> Result<Item, StoreError> {
        let Some(token) = token else { return Ok(Item::from([("ver".to_owned(), number(0))])) };
        let holder = read_text(row, "sk").unwrap_or_default();
        self.sealed_token(place(row, holder), token).await
    }

    pub(super) async fn sealed_token(&self, place: Place<'_>, token: &Token) -> Result<Item, StoreError> {
        let ciphertext = self.token_key.encrypt(place, rows::plain(token)?).await?;
        let mut sealed = Item::from([("ct".to_owned(), bytes(ciphertext)), ("ver".to_owned(), number(token.version))]);
        if let Some(expires_at) = token.expires_at {
            sealed.insert("tex".to_owned(), number(expires_at.0));
        }
        Ok(sealed)
    }

    async fn close_webhook(&self, row: &Item, url: Option<&SecretString>) -> Result<Item, StoreError> {
        let Some(url) = url else { return Ok(Item::new()) };
        let plain = url.expose_secret().as_bytes().to_vec();
        let ciphertext = self.token_key.encrypt(place(row, WEBHOOK), plain).await?;
        Ok(Item::from([("hook".to_owned(), bytes(ciphertext))]))
    }

    /// A person's row, unless theirs is as new.
    async fn put_user(&self, row: Item) -> Result<(), StoreError> {
        let installed_at = number(read_number(&row, "ins").unwrap_or_default());
        let saved = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(row))
            .condition_expression("attribute_not_exists(pk) OR ins < :ins")
            .expression_attribute_values(":ins", installed_at)
            .send()
            .await;
        put(saved).map(|_| ())
    }

    /// The bot's row, unless a newer one is there, or one with a bot where this has none. What was there goes into the
    /// history first: should this process end in between, the history holds what still is there, which does no harm.
    /// `old` is what was found there; what is there in the end is returned, without its secrets if it is this one.
    async fn put_bot(&self, key: &InstallKey, row: Item, mut old: Item) -> Result<Item, StoreError> {
        let installed_at = read_number(&row, "ins");
        for _ in 0..SAVE_TRIES {
            let old_time = read_number(&old, "ins");
            let keeps_its_bot = old.contains_key("ct") && !row.contains_key("ct");
            // What was written before may have been renewed or removed since: repeating the write must not undo that.
            if old_time >= installed_at || read_number(&old, "gone_at") >= installed_at || keeps_its_bot {
                return Ok(old);
            }
            let former = if old.contains_key("ct") { Some(self.put_history(old.clone()).await?) } else { None };
            let put_item = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(row.clone()))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            // A removal changes neither time nor version, so it is asked for by name.
            let put_item = match (old.is_empty(), old.get("gone_at")) {
                (true, _) => put_item.condition_expression("attribute_not_exists(pk)"),
                (false, None) => {
                    put_item.condition_expression("ins = :ins AND ver = :ver AND attribute_not_exists(gone_at)")
                }
                (false, Some(gone_at)) => put_item
                    .condition_expression("ins = :ins AND ver = :ver AND gone_at = :gone_at")
                    .expression_attribute_values(":gone_at", gone_at.clone()),
            };
            let put_item = if old.is_empty() {
                put_item
            } else {
                put_item
                    .expression_attribute_values(":ins", number(old_time.unwrap_or_default()))
                    .expression_attribute_values(":ver", number(read_number(&old, "ver").unwrap_or_default()))
            };
            match put(put_item.send().await)? {
                Written::Yes(_) => {
                    self.trim_history(key).await;
                    return Ok(Item::new());
                }
                Written::No(item) => old = item,
            }
            if let Some(former) = former.filter(|_| !old.contains_key("ct")) {
                // It was removed meanwhile, and its token must not outlive that in the history.
                self.delete_if(&former, "attribute_exists(pk)", None).await?;
            }
        }
        Err(StoreError { reason: format!("the installation {key} changes all the time") })
    }

    /// Says which row it wrote.
    async fn put_history(&self, mut row: Item) -> Result<Item, StoreError> {
        let sort_key = rows::history_key(read_number(&row, "ins").unwrap_or_default());
        row.insert("sk".to_owned(), text(&sort_key));
        for lease in ["ref_own", "ref_lea", "ref_done"] {
            row.remove(lease);
        }
        let name =
            ["pk", "sk"].into_iter().filter_map(|part| Some((part.to_owned(), row.get(part)?.clone()))).collect();
        let kept = self.client.put_item().table_name(&self.table).set_item(Some(row)).send().await;
        kept.map(|_| name).map_err(|error| failed(&error))
    }

    /// Keeps the newest few. The installation is saved by now, so a failure here is worth a line and no more.
    async fn trim_history(&self, key: &InstallKey) {
        let trimmed = async {
            let rows = self.rows_below(key, HISTORY).await?;
            for row in rows.iter().rev().skip(HISTORY_KEPT) {
                self.delete_if(row, "attribute_exists(pk)", None).await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = trimmed.await {
            tracing::warn!(installation = %key, reason = %error, "former versions of an installation were not swept");
        }
    }
}

/// [`tack_app::install::Installation::is_uninstalled_since`] of a bot's row, which need not be readable for it: a new installation mends one
/// that is not.
fn is_uninstalled_since(row: &Item, installed_at: EpochMs) -> bool {
    let is_later = |time: &str| read_number(row, time).is_some_and(|time| time >= installed_at.0);
    row.contains_key("purge_at") && (is_later("gone_at") || is_later("ins"))
}
