//! Queues over the wire: making, finding, listing, setting, tagging, emptying, deleting.

use super::{attributes, nothing, queue_name, required};
use crate::sqs::{QueueSettings, Sqs, SqsError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const RESULTS_MAX: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CreateQueue {
    queue_name: Option<String>,
    #[serde(default)]
    attributes: Option<BTreeMap<String, String>>,
    /// The one member that SQS writes with a small letter.
    #[serde(default, rename = "tags")]
    tags: Option<BTreeMap<String, String>>,
}

pub(super) fn create(sqs: &Sqs, request: CreateQueue) -> Result<Value, SqsError> {
    let name = required(request.queue_name.as_ref(), "QueueName")?;
    let attributes = request.attributes.unwrap_or_default();
    let url = sqs.write(|account, now_ms| {
        // For a queue that exists only the attributes that are named are compared.
        let existing = account.queues.get(name).map(|queue| queue.settings.clone());
        let is_new = existing.is_none();
        let given = attributes::read(&attributes, existing.unwrap_or_default())?;
        let url = account.create_queue(name, given.settings, now_ms)?;
        if is_new {
            let queue = account.queue_mut(name)?;
            queue.inert = given.inert;
            queue.tags = request.tags.unwrap_or_default();
        }
        Ok(url)
    })?;
    Ok(json!({ "QueueUrl": url }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueUrl {
    queue_name: Option<String>,
}

pub(super) fn url(sqs: &Sqs, request: &GetQueueUrl) -> Result<Value, SqsError> {
    let url = sqs.queue_url(required(request.queue_name.as_ref(), "QueueName")?)?;
    Ok(json!({ "QueueUrl": url }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListQueues {
    queue_name_prefix: Option<String>,
    #[serde(flatten)]
    page: Page,
}

pub(super) fn list(sqs: &Sqs, request: &ListQueues) -> Result<Value, SqsError> {
    let prefix = request.queue_name_prefix.as_deref().unwrap_or_default();
    let names = sqs.queue_names().into_iter().filter(|name| name.starts_with(prefix)).collect();
    request.page.write(sqs, names, "QueueUrls")
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListDeadLetterSourceQueues {
    queue_url: Option<String>,
    #[serde(flatten)]
    page: Page,
}

pub(super) fn dead_letter_sources(sqs: &Sqs, request: &ListDeadLetterSourceQueues) -> Result<Value, SqsError> {
    let arn = sqs.queue_arn(queue_name(request.queue_url.as_ref())?)?;
    let names = sqs.read(|account| account.dead_letter_sources(&arn).into_iter().map(str::to_owned).collect());
    request.page.write(sqs, names, "queueUrls")
}

/// Which part of a list is wanted.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    max_results: Option<i64>,
    next_token: Option<String>,
}

impl Page {
    /// The URLs of the queues on this page. The token is the last name of the page before.
    fn write(&self, sqs: &Sqs, names: Vec<String>, member: &str) -> Result<Value, SqsError> {
        let max = match self.max_results {
            None => RESULTS_MAX,
            Some(max) => usize::try_from(max).ok().filter(|max| (1..=RESULTS_MAX).contains(max)).ok_or_else(|| {
                SqsError::InvalidParameterValue(format!(
                    "Value {max} for parameter MaxResults is invalid. Reason: Must be between 1 and {RESULTS_MAX}."
                ))
            })?,
        };
        let after = self.next_token.as_ref().map(|token| {
            let name = BASE64.decode(token).ok().and_then(|name| String::from_utf8(name).ok());
            name.ok_or_else(|| SqsError::InvalidParameterValue("Value for parameter NextToken is invalid.".to_owned()))
        });
        let after = after.transpose()?;
        let mut rest = names.into_iter().filter(|name| after.as_ref().is_none_or(|after| name > after)).peekable();
        let page: Vec<String> = rest.by_ref().take(max).collect();
        let mut answer = Map::new();
        // As on AWS a token is only for those who asked for pages.
        if let (Some(_), Some(last), Some(_)) = (self.max_results, page.last(), rest.peek()) {
            answer.insert("NextToken".to_owned(), json!(BASE64.encode(last)));
        }
        if !page.is_empty() {
            let urls: Result<Vec<String>, SqsError> = page.iter().map(|name| sqs.queue_url(name)).collect();
            answer.insert(member.to_owned(), json!(urls?));
        }
        Ok(Value::Object(answer))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetQueueAttributes {
    queue_url: Option<String>,
    #[serde(default)]
    attribute_names: Vec<String>,
}

pub(super) fn get_attributes(sqs: &Sqs, request: &GetQueueAttributes) -> Result<Value, SqsError> {
    let name = queue_name(request.queue_url.as_ref())?;
    let attributes = sqs.read(|account| attributes::write(account.queue(name)?, &request.attribute_names))?;
    Ok(if attributes.is_empty() { nothing() } else { json!({ "Attributes": attributes }) })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetQueueAttributes {
    queue_url: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

pub(super) fn set_attributes(sqs: &Sqs, request: &SetQueueAttributes) -> Result<Value, SqsError> {
    let name = queue_name(request.queue_url.as_ref())?;
    sqs.write(|account, now_ms| {
        let before: QueueSettings = account.queue(name)?.settings.clone();
        let given = attributes::read(&request.attributes, before)?;
        account.set_settings(name, given.settings, now_ms)?;
        account.queue_mut(name)?.inert.extend(given.inert);
        Ok(())
    })?;
    Ok(nothing())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneQueue {
    queue_url: Option<String>,
}

pub(super) fn delete(sqs: &Sqs, request: &OneQueue) -> Result<Value, SqsError> {
    sqs.delete_queue(queue_name(request.queue_url.as_ref())?)?;
    Ok(nothing())
}

pub(super) fn purge(sqs: &Sqs, request: &OneQueue) -> Result<Value, SqsError> {
    sqs.purge_queue(queue_name(request.queue_url.as_ref())?)?;
    Ok(nothing())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TagQueue {
    queue_url: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

pub(super) fn tag(sqs: &Sqs, request: TagQueue) -> Result<Value, SqsError> {
    let name = queue_name(request.queue_url.as_ref())?;
    sqs.write(|account, _| {
        account.queue_mut(name)?.tags.extend(request.tags);
        Ok(())
    })?;
    Ok(nothing())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct UntagQueue {
    queue_url: Option<String>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

pub(super) fn untag(sqs: &Sqs, request: &UntagQueue) -> Result<Value, SqsError> {
    let name = queue_name(request.queue_url.as_ref())?;
    sqs.write(|account, _| {
        account.queue_mut(name)?.tags.retain(|key, _| !request.tag_keys.contains(key));
        Ok(())
    })?;
    Ok(nothing())
}

pub(super) fn tags(sqs: &Sqs, request: &OneQueue) -> Result<Value, SqsError> {
    let name = queue_name(request.queue_url.as_ref())?;
    let tags = sqs.read(|account| account.queue(name).map(|queue| queue.tags.clone()))?;
    Ok(if tags.is_empty() { nothing() } else { json!({ "Tags": tags }) })
}
