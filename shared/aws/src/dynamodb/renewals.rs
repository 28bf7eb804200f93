//! Renewing a token: a lease on its row, then the new pair by one conditional write. The former refresh token stays until
//! that write is done, so a process that ends in between loses nothing.
//! Source: <https://docs.slack.dev/authentication/using-token-rotation>

use super::installations::DynamoInstallationStore;
use super::items::{Item, Written, is, number, read_number, text, updated};
use crate::kms::Place;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use tack_app::idempotency::Held;
use tack_app::install::{Slot, Token};
use tack_app::ports::{Leased, RenewalLease, StoreError};
use tack_protocol::EpochMs;

impl DynamoInstallationStore {
    pub(super) async fn take_lease(&self, lease: &RenewalLease, now: EpochMs) -> Result<Leased, StoreError> {
        let update = self
            .update_slot(&lease.slot)
            .update_expression("SET ref_own = :me, ref_lea = :until")
            .condition_expression(
                "ver = :ver AND attribute_exists(ct) AND (attribute_not_exists(ref_own) OR ref_lea < :now)",
            )
            .expression_attribute_values(":me", text(lease.owner.as_str()))
            .expression_attribute_values(":until", number(lease.until.0))
            .expression_attribute_values(":ver", number(lease.version))
            .expression_attribute_values(":now", number(now.0));
        Ok(match updated(update.send().await)? {
            Written::Yes(_) => Leased::Won,
            Written::No(row) if !row.contains_key("ct") || read_number(&row, "ver") != Some(lease.version) => {
                Leased::Changed
            }
            // The SDK repeated a write that had been done before: it is ours all the same.
            Written::No(row) if is(&row, "ref_own", lease.owner.as_str()) => Leased::Won,
            Written::No(row) => Leased::Busy { until: EpochMs(read_number(&row, "ref_lea").unwrap_or_default()) },
        })
    }

    pub(super) async fn put_renewed(&self, lease: &RenewalLease, token: &Token) -> Result<Held, StoreError> {
        let (installation, holder) = (lease.slot.key.to_string(), lease.slot.holder.to_string());
        let place = Place { installation: &installation, holder: &holder };
        let version = lease.version.saturating_add(1);
        let sealed: Item = self.sealed_token(place, &Token { version, ..token.clone() }).await?;
        let change = if sealed.contains_key("tex") {
            "SET ct = :ct, ver = :next, ref_done = :me, tex = :tex REMOVE ref_own, ref_lea"
        } else {
            "SET ct = :ct, ver = :next, ref_done = :me REMOVE ref_own, ref_lea, tex"
        };
        let mut update = self
            .update_slot(&lease.slot)
            .update_expression(change)
            .condition_expression("ref_own = :me AND ver = :ver")
            .expression_attribute_values(":me", text(lease.owner.as_str()))
            .expression_attribute_values(":ver", number(lease.version))
            .expression_attribute_values(":next", number(version));
        for (attribute, placeholder) in [("ct", ":ct"), ("tex", ":tex")] {
            if let Some(value) = sealed.get(attribute) {
                update = update.expression_attribute_values(placeholder, value.clone());
            }
        }
        Ok(match updated(update.send().await)? {
            Written::Yes(_) => Held::Yes,
            // This very write had been done before.
            Written::No(row)
                if is(&row, "ref_done", lease.owner.as_str()) && read_number(&row, "ver") == Some(version) =>
            {
                Held::Yes
            }
            Written::No(_) => Held::Lost,
        })
    }

    fn update_slot(&self, slot: &Slot) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(&slot.key.to_string()))
            .key("sk", text(&slot.holder.to_string()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}
