//! Installations in DynamoDB, tokens encrypted by KMS: reading. `saves` holds what an OAuth flow writes, `removals` what events
//! take away, `renewals` what a rotation writes, `export` what an operator carries elsewhere; `rows` says what a row looks like.
//! Invariant: a token is in clear in this process alone, and every write is conditional, so that repeating it is safe.
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>

use super::items::{Item, failed, read_bytes, read_text, text};
use super::rows::{self, BOT, WEBHOOK};
use crate::kms::{Place, TokenKey};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures_util::future::{LocalBoxFuture, try_join_all};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::time::Duration;
use tack_app::idempotency::Held;
use tack_app::install::{
    InstallKey, Installation, Installed, NewInstallation, Removal, Removed, Token, TokenHolder, UserGrant,
};
use tack_app::ports::{InstallationStore, Leased, RenewalLease, StoreError};
use tack_protocol::{AppId, EpochMs, EpochSeconds, TeamId, UserId};

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
            // As of now: what is read decides over what this app wrote a moment ago, here or in another function: an
            // installation, a renewal, a removal. Without it a reply may be older than all of them.
            let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
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
        let token = self.open_token(row).await?;
        Ok(Installed { installation, token })
    }

    async fn open_token(&self, row: &Item) -> Result<Option<Token>, StoreError> {
        let Some(ciphertext) = read_bytes(row, "ct") else { return Ok(None) };
        let holder = read_text(row, "sk").unwrap_or_default();
        let plain = self.token_key.decrypt(place(row, holder), ciphertext).await?;
        rows::token(row, plain.expose_secret()).map(Some)
    }

    async fn open_webhook(&self, key: &InstallKey) -> Result<Option<SecretString>, StoreError> {
        let row = self.row(key, BOT).await?;
        let Some(ciphertext) = read_bytes(&row, "hook") else { return Ok(None) };
        let plain = self.token_key.decrypt(place(&row, WEBHOOK), ciphertext).await?;
        let url = std::str::from_utf8(plain.expose_secret());
        let url = url.map_err(|_| rows::unreadable(&row, "its webhook is no text"))?;
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

    /// The sort keys of the rows under a name, in their order: `BOT`, `H#…`, `TEAM#…`, `USER#…`.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be read.
    pub async fn sort_keys(&self, key: &InstallKey) -> Result<Vec<String>, StoreError> {
        let rows = self.rows_below(key, "").await?;
        Ok(rows.iter().filter_map(|row| read_text(row, "sk").map(str::to_owned)).collect())
    }

    /// As [`InstallationStore::list`], and besides what is wrong with each row that cannot be read, naming it.
    ///
    /// # Errors
    /// [`StoreError`] when the table could not be read.
    pub async fn list_with_unreadable(&self) -> Result<(Vec<Installation>, Vec<String>), StoreError> {
        let mut scan = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("sk = :bot")
            .expression_attribute_values(":bot", text(BOT))
            .projection_expression("pk, sk, doc, tex, gone_at, gone_why, purge_at");
        let (mut all, mut unreadable) = (Vec::new(), Vec::new());
        loop {
            let page = scan.clone().send().await.map_err(|error| failed(&error))?;
            for row in page.items.unwrap_or_default() {
                match rows::installation(&row) {
                    Ok(installation) => all.push(installation),
                    Err(error) => unreadable.push(error.reason),
                }
            }
            match page.last_evaluated_key {
                Some(last) if !last.is_empty() => scan = scan.set_exclusive_start_key(Some(last)),
                _ => break,
            }
        }
        all.sort_by_key(Installation::key);
        unreadable.sort();
        Ok((all, unreadable))
    }

    async fn list_bots(&self) -> Result<Vec<Installation>, StoreError> {
        let (all, unreadable) = self.list_with_unreadable().await?;
        for reason in unreadable {
            tracing::warn!(reason, "an installation is left out of the list");
        }
        Ok(all)
    }
}

/// The place that a row's ciphertexts are bound to: the row itself.
pub(super) fn place<'r>(row: &'r Item, holder: &'r str) -> Place<'r> {
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

    fn read_webhook<'a>(&'a self, key: &'a InstallKey) -> LocalBoxFuture<'a, Result<Option<SecretString>, StoreError>> {
        Box::pin(self.open_webhook(key))
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
