//! The three batch actions: what fails as a whole, and what fails entry by entry.
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html>

use super::messages::{Content, send_outgoing, visibility_timeout};
use super::{queue_name, required};
use crate::sqs::limits::{BATCH_MAX, check_batch_entry_id, message_bytes};
use crate::sqs::settings::MESSAGE_BYTES_MAX;
use crate::sqs::{Sqs, SqsError};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Batch<Entry> {
    queue_url: Option<String>,
    entries: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendEntry {
    id: Option<String>,
    #[serde(flatten)]
    content: Content,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteEntry {
    id: Option<String>,
    receipt_handle: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VisibilityEntry {
    id: Option<String>,
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

pub(super) fn send(sqs: &Sqs, request: Batch<SendEntry>, sender_id: &str) -> Result<Value, SqsError> {
    let queue = existing_queue(sqs, request.queue_url.as_ref())?;
    let entries = request.entries.unwrap_or_default();
    check_ids(entries.iter().map(|entry| entry.id.as_ref()))?;
    let outgoing: Vec<_> =
        entries.into_iter().map(|entry| (entry.id.unwrap_or_default(), entry.content.into_outgoing())).collect();
    let sent = outgoing
        .iter()
        .filter_map(|(_, outgoing)| outgoing.as_ref().ok())
        .map(|outgoing| message_bytes(&outgoing.message))
        .sum();
    if sent > MESSAGE_BYTES_MAX {
        return Err(SqsError::BatchRequestTooLong { max: MESSAGE_BYTES_MAX, sent });
    }
    Ok(results(outgoing.into_iter().map(|(id, outgoing)| {
        let result = outgoing.and_then(|outgoing| send_outgoing(sqs, queue, outgoing, sender_id));
        (id, result)
    })))
}

pub(super) fn delete(sqs: &Sqs, request: &Batch<DeleteEntry>) -> Result<Value, SqsError> {
    let queue = existing_queue(sqs, request.queue_url.as_ref())?;
    let entries = request.entries.as_deref().unwrap_or_default();
    check_ids(entries.iter().map(|entry| entry.id.as_ref()))?;
    Ok(results(entries.iter().map(|entry| {
        let result =
            required(entry.receipt_handle.as_ref(), "ReceiptHandle").and_then(|handle| sqs.delete(queue, handle));
        (entry.id.clone().unwrap_or_default(), result.map(|()| json!({})))
    })))
}

pub(super) fn change_visibility(sqs: &Sqs, request: &Batch<VisibilityEntry>) -> Result<Value, SqsError> {
    let queue = existing_queue(sqs, request.queue_url.as_ref())?;
    let entries = request.entries.as_deref().unwrap_or_default();
    check_ids(entries.iter().map(|entry| entry.id.as_ref()))?;
    let change = |entry: &VisibilityEntry| {
        let handle = required(entry.receipt_handle.as_ref(), "ReceiptHandle")?;
        sqs.change_visibility(queue, handle, visibility_timeout(entry.visibility_timeout)?)
    };
    Ok(results(entries.iter().map(|entry| (entry.id.clone().unwrap_or_default(), change(entry).map(|()| json!({}))))))
}

/// A queue that does not exist fails the whole batch and not its entries.
fn existing_queue<'a>(sqs: &Sqs, url: Option<&'a String>) -> Result<&'a str, SqsError> {
    let queue = queue_name(url)?;
    sqs.queue_arn(queue).map(|_| queue)
}

fn check_ids<'a>(ids: impl ExactSizeIterator<Item = Option<&'a String>>) -> Result<(), SqsError> {
    match ids.len() {
        0 => return Err(SqsError::EmptyBatchRequest),
        many if many > BATCH_MAX => return Err(SqsError::TooManyEntriesInBatchRequest(many)),
        _ => {}
    }
    let mut seen = HashSet::new();
    for id in ids {
        let id = required(id, "Id")?;
        check_batch_entry_id(id)?;
        if !seen.insert(id) {
            return Err(SqsError::BatchEntryIdsNotDistinct(id.to_owned()));
        }
    }
    Ok(())
}

/// The answer of a batch: what succeeded and what failed, each left out when there is none of it.
fn results(outcomes: impl Iterator<Item = (String, Result<Value, SqsError>)>) -> Value {
    let mut successful = Vec::new();
    let mut failed = Vec::new();
    for (id, outcome) in outcomes {
        match outcome {
            Ok(mut entry) => {
                entry["Id"] = json!(id);
                successful.push(entry);
            }
            Err(error) => failed
                .push(json!({ "Id": id, "SenderFault": true, "Code": error.code(), "Message": error.to_string() })),
        }
    }
    let lists = [("Successful", successful), ("Failed", failed)];
    let lists = lists
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(name, list)| (name.to_owned(), Value::Array(list)));
    Value::Object(lists.collect::<Map<_, _>>())
}
