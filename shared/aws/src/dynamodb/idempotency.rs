//! Idempotency records in DynamoDB: every step is one conditional UpdateItem, and nothing is read.
//!
//! # Shape
//! `pk` (S) the record's key · `st` `I` | `C` | `P` · `own` the holder, or `silent` after one that was killed
//! · `prv` the holder before that did not give it back, or `-` · `nb` (N) not before, epoch ms · `att` (N) attempts
//! · `fin` (N) attempts when it ended · `exp` (N) epoch s, also the table's TTL · `bh` SHA-256 of the body · `why` the
//! last reason.
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html>

use super::items::{Item, Written, is, number, read_number, text, updated};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use futures_util::future::LocalBoxFuture;
use tack_app::idempotency::{Claim, ClaimOutcome, ClaimRequest, Held, SILENT_OWNER, expires_at};
use tack_app::ports::{IdempotencyStore, StoreError};
use tack_protocol::EpochMs;

/// A reason is cut to this many characters.
const WHY_CHARS_MAX: usize = 500;

const FREE: &str = "attribute_not_exists(pk) OR #exp < :now_s OR (st = :i AND nb < :now)";
const MINE: &str = "own = :me AND st = :i";

/// Records in a table.
pub struct DynamoIdempotencyStore {
    client: Client,
    table: String,
}

impl DynamoIdempotencyStore {
    /// Over this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    fn update(&self, pk: &str, condition: &str, change: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("pk", text(pk))
            .condition_expression(condition)
            .update_expression(change)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .expression_attribute_names("#exp", "exp")
            .expression_attribute_values(":i", text("I"))
    }

    /// A write of the holder: complete, release, park.
    fn settle(&self, claim: &Claim, now: EpochMs, change: &str) -> UpdateItemFluentBuilder {
        self.update(claim.key.as_str(), MINE, change)
            .expression_attribute_values(":me", text(claim.owner.as_str()))
            .expression_attribute_values(":exp", number(expires_at(now).0))
    }
}

impl IdempotencyStore for DynamoIdempotencyStore {
    fn claim<'a>(&'a self, request: ClaimRequest) -> LocalBoxFuture<'a, Result<ClaimOutcome, StoreError>> {
        Box::pin(async move {
            let change = "SET st = :i, prv = if_not_exists(own, :none), own = :me, nb = :lease, \
                          att = if_not_exists(att, :zero) + :one, #exp = :exp, bh = :bh";
            let update = self
                .update(request.key.as_str(), FREE, change)
                .return_values(ReturnValue::AllNew)
                .expression_attribute_values(":none", text("-"))
                .expression_attribute_values(":me", text(request.owner.as_str()))
                .expression_attribute_values(":now", number(request.now.0))
                .expression_attribute_values(":now_s", number(request.now.seconds().0))
                .expression_attribute_values(":lease", number(request.lease_end.0))
                .expression_attribute_values(":zero", number(0))
                .expression_attribute_values(":one", number(1))
                .expression_attribute_values(":exp", number(expires_at(request.now).0))
                .expression_attribute_values(":bh", text(&request.body_hash));
            Ok(match updated(update.send().await)? {
                Written::Yes(item) => ClaimOutcome::Won(won(request, &item)),
                Written::No(item) if is(&item, "st", "C") => ClaimOutcome::Complete,
                Written::No(item) if is(&item, "st", "P") => ClaimOutcome::Parked,
                // The SDK repeated a write that had been done before: it is ours all the same.
                Written::No(item) if is(&item, "own", request.owner.as_str()) => ClaimOutcome::Won(won(request, &item)),
                Written::No(item) => {
                    ClaimOutcome::Busy { until: EpochMs(read_number(&item, "nb").unwrap_or_default()) }
                }
            })
        })
    }

    fn complete<'a>(
        &'a self,
        claim: &'a Claim,
        now: EpochMs,
        why: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        Box::pin(async move { self.finish(claim, now, "C", why).await })
    }

    fn release<'a>(
        &'a self,
        claim: &'a Claim,
        now: EpochMs,
        not_before: EpochMs,
        why: &'a str,
        started: bool,
    ) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        Box::pin(async move {
            // An attempt that never started hides no killed one before it.
            let silent = !started && claim.after_silence;
            let change = if silent {
                "SET nb = :nb, att = att - :uncounted, #exp = :exp, why = :why, own = :silent"
            } else {
                "SET nb = :nb, att = att - :uncounted, #exp = :exp, why = :why REMOVE own"
            };
            let mut update = self
                .settle(claim, now, change)
                .expression_attribute_values(":nb", number(not_before.0))
                .expression_attribute_values(":uncounted", number(u64::from(!started)))
                .expression_attribute_values(":why", text(&cut(why)));
            if silent {
                update = update.expression_attribute_values(":silent", text(SILENT_OWNER));
            }
            Ok(match updated(update.send().await)? {
                Written::Yes(_) => Held::Yes,
                // This very write had been done before, and nobody has taken the job since.
                Written::No(item) if is_free(&item) && read_number(&item, "nb") == Some(not_before.0) => Held::Yes,
                Written::No(_) => Held::Lost,
            })
        })
    }

    fn park<'a>(
        &'a self,
        claim: &'a Claim,
        now: EpochMs,
        why: &'a str,
    ) -> LocalBoxFuture<'a, Result<Held, StoreError>> {
        Box::pin(async move { self.finish(claim, now, "P", Some(why)).await })
    }
}

impl DynamoIdempotencyStore {
    /// The end of a record. Its holder stays in it, so that a repeated write is recognised; its attempts count from the
    /// start again, should the key come back after it expired.
    async fn finish(&self, claim: &Claim, now: EpochMs, state: &str, why: Option<&str>) -> Result<Held, StoreError> {
        let change = match why {
            Some(_) => "SET st = :st, fin = att, att = :zero, #exp = :exp, why = :why",
            None => "SET st = :st, fin = att, att = :zero, #exp = :exp REMOVE why",
        };
        let mut update = self
            .settle(claim, now, change)
            .expression_attribute_values(":st", text(state))
            .expression_attribute_values(":zero", number(0));
        if let Some(why) = why {
            update = update.expression_attribute_values(":why", text(&cut(why)));
        }
        Ok(match updated(update.send().await)? {
            Written::Yes(_) => Held::Yes,
            Written::No(item) if is(&item, "own", claim.owner.as_str()) && is(&item, "st", state) => Held::Yes,
            Written::No(_) => Held::Lost,
        })
    }
}

/// A finished record that expired has its last owner too, but no attempt before this one.
fn won(request: ClaimRequest, item: &Item) -> Claim {
    let attempt = read_number(item, "att").and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
    Claim {
        attempt,
        after_silence: attempt > 1 && !is(item, "prv", "-"),
        last_reason: item.get("why").and_then(|value| value.as_s().ok()).cloned(),
        key: request.key,
        owner: request.owner,
    }
}

/// Whether nobody holds the job, as a release leaves it.
fn is_free(item: &Item) -> bool {
    is(item, "st", "I") && (!item.contains_key("own") || is(item, "own", SILENT_OWNER))
}

fn cut(why: &str) -> String {
    why.chars().take(WHY_CHARS_MAX).collect()
}
