//! Installations in DynamoDB, tokens encrypted by KMS: reading and saving. `removals` holds what events take away, `renewals`
//! what a rotation writes, `export` what an operator carries elsewhere; `rows` says what a row looks like.
//! Invariant: a token is in clear in this process alone, and every write is conditional, so that repeating it is safe.
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>

use super::items::{Item, Written, bytes, failed, number, put, read_bytes, read_number, read_text, text};
use super::rows::{self, BOT, HISTORY, WEBHOOK};
use crate::kms::{Place, TokenKey};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnValuesOnConditionCheckFailure};
use futures_util::future::{LocalBoxFuture, try_join, try_join_all, try_join3};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::time::Duration;
use tack_app::idempotency::Held;
use tack_app::install::{
    InstallKey, Installation, Installed, NewInstallation, Removal, Removed, Token, TokenHolder, UserGrant,
};
use tack_app::ports::{InstallationStore, Leased, RenewalLease, StoreError};
use tack_protocol::{AppId, EpochMs, EpochSeconds, TeamId, UserId};

/// How many former versions of an installation are kept.
const HISTORY_KEPT: usize = 5;

/// How often a save looks again because somebody wrote in between: a renewal, another tab.
const SAVE_TRIES: u32 = 5;

/// How often what BatchGetItem left out is asked for again, and the first wait between; it doubles.
const READ_TRIES: u32 = 5;
const READ_WAIT: Duration = Duration::from_millis(25);

/// Installations in a table.
pub struct DynamoInstallationStore {
    pub(super) client: Client,
    pub(super) table: String,
    pub(super) token_key: TokenKey,
}

impl DynamoInstallationStore {
    /// Over this table, with tokens encrypted by this key. The app's id is part of what a ciphertext is bound to: reading
    /// needs the same one as saving.
    pub fn new(
        client: Client,
        kms: aws_sdk_kms::Client,
        table: impl Into<String>,
        key_id: impl Into<String>,
        app: Option<AppId>,
    ) -> Self {
        Self { client, table: table.into(), token_key: TokenKey::new(kms, key_id.into(), app) }
    }

    /// One row as it is now, empty if there is none.
    pub(super) async fn row(&self, key: &InstallKey, sort_key: &str) -> Result<Item, StoreError> {
        let got = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", text(&key.to_string()))
            .key("sk", text(sort_key))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        Ok(got.item.unwrap_or_default())
    }

    /// Names and times of all rows under a name whose sort keys begin so, as they are now, in their order.
    pub(super) async fn rows_below(&self, key: &InstallKey, prefix: &str) -> Result<Vec<Item>, StoreError> {
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .expression_attribute_values(":pk", text(&key.to_string()))
            .expression_attribute_names("#at", "at")
            .projection_expression("pk, sk, ins, granted, #at")
            .consistent_read(true);
        query = if prefix.is_empty() {
            query.key_condition_expression("pk = :pk")
        } else {
            query
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":prefix", text(prefix))
        };
        let mut rows = Vec::new();
        loop {
            let page = query.clone().send().await.map_err(|error| failed(&error))?;
            rows.extend(page.items.unwrap_or_default());
            match page.last_evaluated_key {
                Some(last) if !last.is_empty() => query = query.set_exclusive_start_key(Some(last)),
                _ => return Ok(rows),
            }
        }
    }

    async fn read_bots(&self, keys: &[InstallKey]) -> Result<Vec<Installed>, StoreError> {
        let mut wanted: Vec<String> = keys.iter().map(InstallKey::to_string).collect();
        let rows = self.batch_get(&wanted).await?;
        wanted.retain(|name| rows.contains_key(name));
        try_join_all(wanted.iter().map(|name| self.open_bot(&rows[name]))).await
    }

    /// The bots' rows of these names. What DynamoDB left unprocessed is asked for again.
    async fn batch_get(&self, names: &[String]) -> Result<HashMap<String, Item>, StoreError> {
        let mut keys: Vec<Item> = Vec::new();
        for name in names {
            let key = Item::from([("pk".to_owned(), text(name)), ("sk".to_owned(), text(BOT))]);
            // One that is named twice would be refused.
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        let mut rows = HashMap::new();
        let mut wait = READ_WAIT;
        for _ in 0..READ_TRIES {
            if keys.is_empty() {
                return Ok(rows);
            }
            let request = KeysAndAttributes::builder().set_keys(Some(keys)).build();
            let request = request.map_err(|error| StoreError { reason: error.to_string() })?;
            let got = self.client.batch_get_item().request_items(&self.table, request).send().await;
            let got = got.map_err(|error| failed(&error))?;
            for row in got.responses.unwrap_or_default().into_values().flatten() {
                if let Some(name) = read_text(&row, "pk") {
                    rows.insert(name.to_owned(), row);
                }
            }
            let unprocessed = got.unprocessed_keys.unwrap_or_default();
            keys = unprocessed.into_values().flat_map(|left| left.keys).collect();
            if !keys.is_empty() {
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
        }
        if keys.is_empty() { Ok(rows) } else { Err(StoreError { reason: "the table is throttled".to_owned() }) }
    }

    async fn open_bot(&self, row: &Item) -> Result<Installed, StoreError> {
        let installation = rows::installation(row)?;
        let (token, webhook_url) = try_join(self.open_token(row), self.open_webhook(row)).await?;
        Ok(Installed { installation, token, webhook_url })
    }

    async fn open_token(&self, row: &Item) -> Result<Option<Token>, StoreError> {
        let Some(ciphertext) = read_bytes(row, "ct") else { return Ok(None) };
        let holder = read_text(row, "sk").unwrap_or_default();
        let plain = self.token_key.decrypt(place(row, holder), ciphertext).await?;
        rows::token(row, plain.expose_secret()).map(Some)
    }

    async fn open_webhook(&self, row: &Item) -> Result<Option<SecretString>, StoreError> {
        let Some(ciphertext) = read_bytes(row, "hook") else { return Ok(None) };
        let plain = self.token_key.decrypt(place(row, WEBHOOK), ciphertext).await?;
        let url = std::str::from_utf8(plain.expose_secret());
        let url = url.map_err(|_| rows::unreadable(row, "its webhook is no text"))?;
        Ok(Some(url.into()))
    }

    async fn read_grant(&self, key: &InstallKey, user: &UserId) -> Result<Option<UserGrant>, StoreError> {
        let row = self.row(key, &TokenHolder::User(user.clone()).to_string()).await?;
        if row.is_empty() {
            return Ok(None);
        }
        let token = self.open_token(&row).await?;
        rows::grant(user, &row, token).map(Some)
    }

    async fn save_all(&self, new: &NewInstallation) -> Result<(), StoreError> {
        let installation = &new.installed.installation;
        let key = installation.key().ok_or_else(|| StoreError {
            reason: "an installation names neither a workspace nor an organisation".to_owned(),
        })?;
        let bot = rows::bot(&key, installation)?;
        let user = new.user.as_ref().map(|grant| rows::user(&key, grant)).transpose()?;
        let user_token = new.user.as_ref().and_then(|grant| grant.token.as_ref());
        let (token, webhook, user_token) = try_join3(
            self.close_token(&bot, new.installed.token.as_ref()),
            self.close_webhook(&bot, new.installed.webhook_url.as_ref()),
            async {
                match &user {
                    Some(row) => self.close_token(row, user_token).await,
                    None => Ok(Item::new()),
                }
            },
        )
        .await?;
        // The bot's row last: where it is, all is.
        if let Some(mut row) = user {
            row.extend(user_token);
            self.put_user(row).await?;
        }
        self.put_bot(&key, bot.into_iter().chain(token).chain(webhook).collect()).await
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
    async fn put_bot(&self, key: &InstallKey, row: Item) -> Result<(), StoreError> {
        let installed_at = read_number(&row, "ins");
        let mut old = self.row(key, BOT).await?;
        for _ in 0..SAVE_TRIES {
            let old_time = read_number(&old, "ins");
            let keeps_its_bot = old.contains_key("ct") && !row.contains_key("ct");
            // What was written before may have been renewed or removed since: repeating the write must not undo that.
            if old_time >= installed_at || keeps_its_bot {
                return Ok(());
            }
            if old.contains_key("ct") {
                self.put_history(old.clone()).await?;
            }
            let put_item = self
                .client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(row.clone()))
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            let put_item = if old.is_empty() {
                put_item.condition_expression("attribute_not_exists(pk)")
            } else {
                put_item
                    .condition_expression("ins = :ins AND ver = :ver")
                    .expression_attribute_values(":ins", number(old_time.unwrap_or_default()))
                    .expression_attribute_values(":ver", number(read_number(&old, "ver").unwrap_or_default()))
            };
            match put(put_item.send().await)? {
                Written::Yes(_) => {
                    self.trim_history(key).await;
                    return Ok(());
                }
                Written::No(item) => old = item,
            }
        }
        Err(StoreError { reason: format!("the installation {key} changes all the time") })
    }

    async fn put_history(&self, mut row: Item) -> Result<(), StoreError> {
        let sort_key = rows::history_key(read_number(&row, "ins").unwrap_or_default());
        row.insert("sk".to_owned(), text(&sort_key));
        for lease in ["ref_own", "ref_lea", "ref_done"] {
            row.remove(lease);
        }
        let kept = self.client.put_item().table_name(&self.table).set_item(Some(row)).send().await;
        kept.map(|_| ()).map_err(|error| failed(&error))
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

    async fn list_bots(&self) -> Result<Vec<Installation>, StoreError> {
        let mut scan = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("sk = :bot")
            .expression_attribute_values(":bot", text(BOT))
            .projection_expression("pk, sk, doc, tex, gone_at, gone_why, purge_at");
        let mut all = Vec::new();
        loop {
            let page = scan.clone().send().await.map_err(|error| failed(&error))?;
            for row in page.items.unwrap_or_default() {
                all.push(rows::installation(&row)?);
            }
            match page.last_evaluated_key {
                Some(last) if !last.is_empty() => scan = scan.set_exclusive_start_key(Some(last)),
                _ => break,
            }
        }
        all.sort_by_key(Installation::key);
        Ok(all)
    }
}

/// The place that a row's ciphertexts are bound to: the row itself.
fn place<'r>(row: &'r Item, holder: &'r str) -> Place<'r> {
    Place { installation: read_text(row, "pk").unwrap_or_default(), holder }
}

impl InstallationStore for DynamoInstallationStore {
    fn read<'a>(&'a self, keys: &'a [InstallKey]) -> LocalBoxFuture<'a, Result<Vec<Installed>, StoreError>> {
        Box::pin(self.read_bots(keys))
    }

    fn read_user<'a>(
        &'a self,
        key: &'a InstallKey,
        user: &'a UserId,
    ) -> LocalBoxFuture<'a, Result<Option<UserGrant>, StoreError>> {
        Box::pin(self.read_grant(key, user))
    }

    fn save<'a>(&'a self, new: &'a NewInstallation) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.save_all(new))
    }

    fn lease<'a>(&'a self, lease: &'a RenewalLease, now: EpochMs) -> LocalBoxFuture<'a, Result<Leased, StoreError>> {
        Box::pin(self.take_lease(lease, now))
    }

    fn renew<'a>(&'a self, lease: &'a RenewalLease, token: &'a Token) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        Box::pin(self.put_renewed(lease, token))
    }

    fn remove<'a>(
        &'a self,
        key: &'a InstallKey,
        removal: &'a Removal,
        at: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<Removed, StoreError>> {
        Box::pin(self.take_away(key, removal, at))
    }

    fn set_access<'a>(
        &'a self,
        organisation: &'a InstallKey,
        team: &'a TeamId,
        granted: bool,
        at: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.note_access(organisation, team, granted, at))
    }

    fn purge<'a>(&'a self, key: &'a InstallKey, now: EpochMs) -> LocalBoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(self.purge_all(key, now))
    }

    fn list(&self) -> LocalBoxFuture<'_, Result<Vec<Installation>, StoreError>> {
        Box::pin(self.list_bots())
    }
}
