//! SQS over awsJson 1.0: one function per action, each a thin layer over the native API.
//! Not here: behaviour.
//! Sources: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html>,
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html>

mod attributes;
mod batches;
mod messages;
mod moves;
mod queues;

use super::{Sqs, SqsError};
use crate::ACCOUNT;
use crate::answer::Answer;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;

const SERVICE: &str = "sqs";
const NAMESPACE: &str = "com.amazonaws.sqs";

/// Why a request got no success.
enum Refusal {
    Sqs(SqsError),
    Unreadable(String),
    UnknownAction,
}

impl From<SqsError> for Refusal {
    fn from(error: SqsError) -> Self {
        Self::Sqs(error)
    }
}

/// Serves one action.
pub(crate) async fn answer(sqs: &Sqs, action: &str, request: Value, sender_id: &str) -> Answer {
    match dispatch(sqs, action, request, sender_id).await {
        Ok(body) => Answer::ok(&body),
        Err(Refusal::Sqs(error)) => refused(&error),
        Err(Refusal::Unreadable(reason)) => Answer::unreadable(&reason),
        Err(Refusal::UnknownAction) => Answer::unknown_action(SERVICE, action),
    }
}

async fn dispatch(sqs: &Sqs, action: &str, request: Value, sender_id: &str) -> Result<Value, Refusal> {
    Ok(match action {
        "SendMessage" => messages::send(sqs, read(request)?, sender_id)?,
        "SendMessageBatch" => batches::send(sqs, read(request)?, sender_id)?,
        "ReceiveMessage" => messages::receive(sqs, read(request)?).await?,
        "DeleteMessage" => messages::delete(sqs, &read(request)?)?,
        "DeleteMessageBatch" => batches::delete(sqs, &read(request)?)?,
        "ChangeMessageVisibility" => messages::change_visibility(sqs, &read(request)?)?,
        "ChangeMessageVisibilityBatch" => batches::change_visibility(sqs, &read(request)?)?,
        "CreateQueue" => queues::create(sqs, read(request)?)?,
        "GetQueueUrl" => queues::url(sqs, &read(request)?)?,
        "ListQueues" => queues::list(sqs, &read(request)?)?,
        "GetQueueAttributes" => queues::get_attributes(sqs, &read(request)?)?,
        "SetQueueAttributes" => queues::set_attributes(sqs, &read(request)?)?,
        "DeleteQueue" => queues::delete(sqs, &read(request)?)?,
        "PurgeQueue" => queues::purge(sqs, &read(request)?)?,
        "TagQueue" => queues::tag(sqs, read(request)?)?,
        "UntagQueue" => queues::untag(sqs, &read(request)?)?,
        "ListQueueTags" => queues::tags(sqs, &read(request)?)?,
        "StartMessageMoveTask" => moves::start(sqs, &read(request)?)?,
        "ListMessageMoveTasks" => moves::list(sqs, &read(request)?)?,
        "CancelMessageMoveTask" => moves::cancel(sqs, &read(request)?)?,
        "ListDeadLetterSourceQueues" => queues::dead_letter_sources(sqs, &read(request)?)?,
        _ => return Err(Refusal::UnknownAction),
    })
}

fn read<T: DeserializeOwned>(request: Value) -> Result<T, Refusal> {
    serde_json::from_value(request).map_err(|error| Refusal::Unreadable(error.to_string()))
}

fn refused(error: &SqsError) -> Answer {
    Answer {
        query_error: Some(format!("{};Sender", error.code())),
        error: Some(error.code().to_owned()),
        ..Answer::error(400, NAMESPACE, error.shape(), &error.to_string())
    }
}

/// The queue a request names, in whatever way it does.
pub(crate) fn queue_of(request: &Value) -> Option<String> {
    let text = |member: &str| request[member].as_str();
    let from_url = || text("QueueUrl").and_then(|url| url.rsplit('/').next());
    let from_arn = || text("SourceArn").and_then(|arn| arn.rsplit(':').next());
    text("QueueName").or_else(from_url).or_else(from_arn).map(str::to_owned)
}

/// The name in a queue's URL. Any host will do, since a URL may have been made by another name of this machine.
fn queue_name(url: Option<&String>) -> Result<&str, SqsError> {
    let url = url.ok_or(SqsError::MissingParameter("QueueUrl"))?;
    let mut parts = url.rsplit('/');
    match (parts.next(), parts.next()) {
        (Some(name), Some(account)) if !name.is_empty() && !account.is_empty() => {
            if account == ACCOUNT {
                Ok(name)
            } else {
                Err(SqsError::QueueDoesNotExist)
            }
        }
        _ => Err(SqsError::InvalidAddress(url.clone())),
    }
}

/// A required parameter.
fn required<'a>(value: Option<&'a String>, name: &'static str) -> Result<&'a str, SqsError> {
    value.map(String::as_str).ok_or(SqsError::MissingParameter(name))
}

/// A number of seconds; a negative one is out of every range.
fn seconds(value: i64, name: &str) -> Result<Duration, SqsError> {
    u64::try_from(value).map(Duration::from_secs).map_err(|_| {
        SqsError::InvalidParameterValue(format!("Value {value} for parameter {name} is invalid. Reason: Must be >= 0."))
    })
}

/// An object without the members that are null, which is how AWS leaves a member out.
fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(members) = &mut value {
        members.retain(|_, member| !member.is_null());
    }
    value
}

/// The answer of an action that has nothing to tell.
fn nothing() -> Value {
    json!({})
}
