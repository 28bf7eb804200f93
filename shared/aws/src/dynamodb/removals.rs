//! What events of Slack take away, and what a purge leaves: nothing. They come late, twice and in any order, so each write
//! is conditional on what it takes being as old as the event.
//! Source: <https://docs.slack.dev/reference/events/tokens_revoked>

use super::installations::DynamoInstallationStore;
use super::items::{Item, Written, deleted, number, put, read_number, read_text, text, updated};
use super::rows::{BOT, HISTORY, TEAM, USER, unreadable};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use tack_app::install::{InstallKey, Removal, Removed, TokenHolder};
use tack_app::ports::StoreError;
use tack_protocol::{EpochMs, EpochSeconds, TeamId, UserId};

/// Why an installation is gone: the app was removed.
const UNINSTALLED: &str = "uninstalled";
/// Why an installation is gone: its token was revoked.
const REVOKED: &str = "revoked";

/// What holds a secret or a right to renew one.
const SECRETS: &str = "REMOVE ct, hook, tex, ref_own, ref_lea, ref_done";

impl DynamoInstallationStore {
    pub(super) async fn take_away(
        &self,
        key: &InstallKey,
        removal: &Removal,
        at: EpochSeconds,
    ) -> Result<Removed, StoreError> {
        match removal {
            Removal::Everything { purge_at } => {
                let removed = self.remove_bot(key, at, Some(*purge_at)).await?;
                if removed != Removed::Newer {
                    for prefix in [USER, HISTORY] {
                        self.delete_older(key, prefix, at).await?;
                    }
                }
                Ok(removed)
            }
            Removal::Bot => {
                let removed = self.remove_bot(key, at, None).await?;
                if removed != Removed::Newer {
                    self.delete_older(key, HISTORY, at).await?;
                }
                Ok(removed)
            }
            Removal::Users(users) => {
                let mut all = Removed::Absent;
                for user in users {
                    match (self.remove_user(key, user, at).await?, &all) {
                        (Removed::Yes, _) => all = Removed::Yes,
                        (Removed::Newer, Removed::Absent) => all = Removed::Newer,
                        _ => {}
                    }
                }
                Ok(all)
            }
        }
    }

    /// Leaves a tombstone, which says why until it is purged. An uninstall is more than a revoked token, and stays what it
    /// was when the other comes after it.
    async fn remove_bot(
        &self,
        key: &InstallKey,
        at: EpochSeconds,
        purge_at: Option<EpochMs>,
    ) -> Result<Removed, StoreError> {
        let (why, change, still) = match purge_at {
            Some(_) => (
                UNINSTALLED,
                "SET gone_at = :at, gone_why = :why, purge_at = :purge_at",
                "(attribute_not_exists(gone_at) OR gone_why <> :why)",
            ),
            None => (REVOKED, "SET gone_at = :at, gone_why = :why", "attribute_not_exists(gone_at)"),
        };
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(&key.to_string()))
            .key("sk", text(BOT))
            .update_expression(format!("{change} {SECRETS}"))
            .condition_expression(format!("attribute_exists(pk) AND ins < :after AND {still}"))
            .expression_attribute_values(":at", milliseconds(at))
            .expression_attribute_values(":after", after(at))
            .expression_attribute_values(":why", text(why))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(purge_at) = purge_at {
            update = update.expression_attribute_values(":purge_at", number(purge_at.0));
        }
        updated(update.send().await).map(|written| removed(&written, at))
    }

    /// Leaves the person's row without a token.
    async fn remove_user(&self, key: &InstallKey, user: &UserId, at: EpochSeconds) -> Result<Removed, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(&key.to_string()))
            .key("sk", text(&TokenHolder::User(user.clone()).to_string()))
            .update_expression(format!("SET gone_at = :at, gone_why = :why {SECRETS}"))
            .condition_expression("attribute_exists(pk) AND ins < :after AND attribute_not_exists(gone_at)")
            .expression_attribute_values(":at", milliseconds(at))
            .expression_attribute_values(":after", after(at))
            .expression_attribute_values(":why", text(REVOKED))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        updated(update.send().await).map(|written| removed(&written, at))
    }

    /// Deletes rows that are as old as an event.
    async fn delete_older(&self, key: &InstallKey, prefix: &str, at: EpochSeconds) -> Result<(), StoreError> {
        for row in self.rows_below(key, prefix).await? {
            self.delete_if(&row, "ins < :limit", Some(after(at))).await?;
        }
        Ok(())
    }

    /// Deletes a row if a condition on its time holds; says what it found if it does not.
    pub(super) async fn delete_if(
        &self,
        row: &Item,
        condition: &str,
        limit: Option<AttributeValue>,
    ) -> Result<Written, StoreError> {
        let (Some(pk), Some(sk)) = (row.get("pk"), row.get("sk")) else { return Err(unreadable(row, "no key")) };
        let mut delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", pk.clone())
            .key("sk", sk.clone())
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if condition.contains("#at") {
            delete = delete.expression_attribute_names("#at", "at");
        }
        if let Some(limit) = limit {
            delete = delete.expression_attribute_values(":limit", limit);
        }
        deleted(delete.send().await)
    }

    pub(super) async fn note_access(
        &self,
        organisation: &InstallKey,
        team: &TeamId,
        granted: bool,
        at: EpochSeconds,
    ) -> Result<(), StoreError> {
        let there = self.row(organisation, BOT).await?;
        if there.is_empty() || there.contains_key("gone_at") {
            return Ok(());
        }
        let note = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", text(&organisation.to_string()))
            .item("sk", text(&format!("{TEAM}{team}")))
            .item("granted", AttributeValue::Bool(granted))
            .item("at", number(at.0))
            .condition_expression("attribute_not_exists(pk) OR #at <= :at")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":at", number(at.0));
        put(note.send().await).map(|_| ())
    }

    /// The workspaces that an organisation's installation was given or denied, with the time of the last word on each.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be read.
    pub async fn teams(&self, organisation: &InstallKey) -> Result<Vec<(TeamId, bool, EpochSeconds)>, StoreError> {
        let rows = self.rows_below(organisation, TEAM).await?;
        let note = |row: &Item| {
            let team = read_text(row, "sk")?.strip_prefix(TEAM)?.into();
            let granted = *row.get("granted")?.as_bool().ok()?;
            Some((team, granted, EpochSeconds(read_number(row, "at")?)))
        };
        rows.iter().map(|row| note(row).ok_or_else(|| unreadable(row, "it is no note of an access"))).collect()
    }

    /// The tombstone goes last, so that a purge that was cut short is found again. Whatever came since the uninstall stays.
    pub(super) async fn purge_all(&self, key: &InstallKey, now: EpochMs) -> Result<bool, StoreError> {
        let bot = self.row(key, BOT).await?;
        let (Some(gone_at), Some(purge_at)) = (read_number(&bot, "gone_at"), read_number(&bot, "purge_at")) else {
            return Ok(false);
        };
        if purge_at > now.0 {
            return Ok(false);
        }
        let gone = EpochMs(gone_at).seconds();
        for row in self.rows_below(key, "").await? {
            let (condition, limit) = match read_text(&row, "sk").unwrap_or_default() {
                BOT => continue,
                sort_key if sort_key.starts_with(TEAM) => ("#at <= :limit", number(gone.0)),
                _ => ("ins < :limit", after(gone)),
            };
            self.delete_if(&row, condition, Some(limit)).await?;
        }
        Ok(match self.delete_if(&bot, "purge_at <= :limit", Some(number(now.0))).await? {
            Written::Yes(_) => true,
            // It was there a moment ago: deleted by this write, which was repeated, or by another purge.
            Written::No(row) => row.is_empty(),
        })
    }
}

/// The first millisecond that is later than anything in this second.
fn after(at: EpochSeconds) -> AttributeValue {
    number(at.0.saturating_add(1).saturating_mul(1000))
}

fn milliseconds(at: EpochSeconds) -> AttributeValue {
    number(at.0.saturating_mul(1000))
}

/// What a removal came to, by its row.
fn removed(written: &Written, at: EpochSeconds) -> Removed {
    match written {
        Written::Yes(_) => Removed::Yes,
        Written::No(row) if row.is_empty() => Removed::Absent,
        Written::No(row) if read_number(row, "ins").is_some_and(|ins| EpochMs(ins).seconds() > at) => Removed::Newer,
        // The same event took it before.
        Written::No(_) => Removed::Yes,
    }
}
