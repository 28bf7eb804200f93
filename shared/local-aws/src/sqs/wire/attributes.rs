//! Queue attributes by their names on the wire, all of them text.
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>

use crate::sqs::queue::Queue;
use crate::sqs::{QueueSettings, Redrive, SqsError};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Attributes that are kept and shown, and change nothing on this machine.
const INERT: [&str; 5] =
    ["Policy", "RedriveAllowPolicy", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"];

const FIFO_ONLY: [&str; 4] = ["FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"];

const ALL: [&str; 17] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
    "VisibilityTimeout",
    "DelaySeconds",
    "MessageRetentionPeriod",
    "MaximumMessageSize",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    INERT[0],
    INERT[1],
    INERT[2],
    INERT[3],
    INERT[4],
];

/// Attributes that were set, sorted into those that act and those that do not.
pub(super) struct Given {
    pub(super) settings: QueueSettings,
    pub(super) inert: BTreeMap<String, String>,
}

/// Reads attributes over the settings they change.
pub(super) fn read(attributes: &BTreeMap<String, String>, mut settings: QueueSettings) -> Result<Given, SqsError> {
    let mut inert = BTreeMap::new();
    for (name, value) in attributes {
        match name.as_str() {
            "VisibilityTimeout" => settings.visibility_timeout = seconds(name, value)?,
            "DelaySeconds" => settings.delay = seconds(name, value)?,
            "MessageRetentionPeriod" => settings.retention = seconds(name, value)?,
            "ReceiveMessageWaitTimeSeconds" => settings.receive_wait = seconds(name, value)?,
            "MaximumMessageSize" => settings.max_message_bytes = value.parse().map_err(|_| invalid(name))?,
            "RedrivePolicy" => settings.redrive = redrive(value)?,
            name if INERT.contains(&name) => {
                inert.insert(name.to_owned(), value.clone());
            }
            name if FIFO_ONLY.contains(&name) => {
                return Err(SqsError::InvalidAttributeValue(format!(
                    "This endpoint has standard queues only, and {name} is for FIFO queues."
                )));
            }
            name => return Err(SqsError::InvalidAttributeName(name.to_owned())),
        }
    }
    Ok(Given { settings, inert })
}

fn invalid(name: &str) -> SqsError {
    SqsError::InvalidAttributeValue(format!("Invalid value for the parameter {name}."))
}

fn seconds(name: &str, value: &str) -> Result<Duration, SqsError> {
    value.parse().map(Duration::from_secs).map_err(|_| invalid(name))
}

/// Reads a redrive policy; an empty one takes it away.
fn redrive(value: &str) -> Result<Option<Redrive>, SqsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Policy {
        dead_letter_target_arn: String,
        max_receive_count: Value,
    }
    if value.is_empty() {
        return Ok(None);
    }
    let wrong = |reason: &str| {
        SqsError::InvalidParameterValue(format!(
            "Value {value} for parameter RedrivePolicy is invalid. Reason: {reason}."
        ))
    };
    let policy: Policy = serde_json::from_str(value).map_err(|error| wrong(&error.to_string()))?;
    // Both a number and a text that is one are taken.
    let count = match &policy.max_receive_count {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64().and_then(|number| u32::try_from(number).ok()),
    };
    let max_receive_count = count.ok_or_else(|| wrong("Invalid value for maxReceiveCount"))?;
    Ok(Some(Redrive { dead_letter_arn: policy.dead_letter_target_arn, max_receive_count }))
}

/// Writes the attributes that were asked for and that the queue has.
pub(super) fn write(queue: &Queue, asked: &[String]) -> Result<BTreeMap<String, String>, SqsError> {
    let known =
        |name: &&String| name.as_str() == "All" || ALL.contains(&name.as_str()) || FIFO_ONLY.contains(&name.as_str());
    if let Some(unknown) = asked.iter().find(|name| !known(name)) {
        return Err(SqsError::InvalidAttributeName(unknown.clone()));
    }
    let all = asked.iter().any(|name| name == "All");
    let wanted = ALL.into_iter().filter(|name| all || asked.iter().any(|asked| asked == name));
    Ok(wanted.filter_map(|name| Some((name.to_owned(), value(queue, name)?))).collect())
}

fn value(queue: &Queue, name: &str) -> Option<String> {
    let settings = &queue.settings;
    let depth = queue.depth();
    Some(match name {
        "ApproximateNumberOfMessages" => depth.visible.to_string(),
        "ApproximateNumberOfMessagesNotVisible" => depth.in_flight.to_string(),
        "ApproximateNumberOfMessagesDelayed" => depth.delayed.to_string(),
        "CreatedTimestamp" => (queue.created_ms / 1000).to_string(),
        "LastModifiedTimestamp" => (queue.modified_ms / 1000).to_string(),
        "QueueArn" => queue.arn.clone(),
        "VisibilityTimeout" => settings.visibility_timeout.as_secs().to_string(),
        "DelaySeconds" => settings.delay.as_secs().to_string(),
        "MessageRetentionPeriod" => settings.retention.as_secs().to_string(),
        "MaximumMessageSize" => settings.max_message_bytes.to_string(),
        "ReceiveMessageWaitTimeSeconds" => settings.receive_wait.as_secs().to_string(),
        "RedrivePolicy" => {
            let redrive = settings.redrive.as_ref()?;
            json!({ "deadLetterTargetArn": redrive.dead_letter_arn, "maxReceiveCount": redrive.max_receive_count })
                .to_string()
        }
        name => queue.inert.get(name)?.clone(),
    })
}
