//! OAuth states in DynamoDB, beside the idempotency records: a loss costs one more click on "Add to Slack".
//!
//! # Shape
//! `pk` (S) `S#` and the state's hash · `ck` (S) the browser's hash · `exp` (N) epoch s, also the table's TTL · `ref` (S) the
//! adopter's own word. Used up by one conditional DeleteItem, so two callbacks at once cannot both win.
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html>

use super::items::{Written, deleted, failed, is, number, read_text, text};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use futures_util::future::LocalBoxFuture;
use tack_app::ports::{Consumed, OAuthState, StateStore, StoreError};
use tack_protocol::EpochSeconds;

/// States in a table.
pub struct DynamoStateStore {
    client: Client,
    table: String,
}

impl DynamoStateStore {
    /// Over this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }
}

fn key(state: &str) -> String {
    format!("S#{state}")
}

impl StateStore for DynamoStateStore {
    fn issue<'a>(&'a self, state: &'a OAuthState) -> LocalBoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let mut issue = self
                .client
                .put_item()
                .table_name(&self.table)
                .item("pk", text(&key(&state.state)))
                .item("ck", text(&state.browser))
                .item("exp", number(state.expires.0));
            if let Some(reference) = &state.reference {
                issue = issue.item("ref", text(reference));
            }
            issue.send().await.map(|_| ()).map_err(|error| failed(&error))
        })
    }

    fn consume<'a>(
        &'a self,
        state: &'a str,
        browser: &'a str,
        now: EpochSeconds,
    ) -> LocalBoxFuture<'a, Result<Consumed, StoreError>> {
        Box::pin(async move {
            let consume = self
                .client
                .delete_item()
                .table_name(&self.table)
                .key("pk", text(&key(state)))
                .condition_expression("attribute_exists(pk) AND ck = :ck AND #exp > :now")
                .expression_attribute_names("#exp", "exp")
                .expression_attribute_values(":ck", text(browser))
                .expression_attribute_values(":now", number(now.0))
                .return_values(ReturnValue::AllOld)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
            Ok(match deleted(consume.send().await)? {
                Written::Yes(item) => Consumed::Yes { reference: read_text(&item, "ref").map(str::to_owned) },
                Written::No(item) if item.is_empty() => Consumed::Unknown,
                Written::No(item) if !is(&item, "ck", browser) => Consumed::OtherBrowser,
                Written::No(_) => Consumed::Expired,
            })
        })
    }
}
