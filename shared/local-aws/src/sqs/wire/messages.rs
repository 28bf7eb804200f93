//! Sending, receiving and settling single messages over the wire.

use super::{nothing, queue_name, required, seconds, without_nulls};
use crate::sqs::{MessageAttribute, NewMessage, Received, Sqs, SqsError, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const TRACE_HEADER: &str = "AWSTraceHeader";

/// The system attributes that can be asked for, with those that only FIFO queues fill.
const SYSTEM_ATTRIBUTES: [&str; 9] = [
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    TRACE_HEADER,
    "DeadLetterQueueSourceArn",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendMessage {
    queue_url: Option<String>,
    #[serde(flatten)]
    content: Content,
}

/// What a message is made of, alone or in a batch.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Content {
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: Option<BTreeMap<String, WireAttribute>>,
    #[serde(default)]
    message_system_attributes: Option<BTreeMap<String, WireAttribute>>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAttribute {
    data_type: Option<String>,
    string_value: Option<String>,
    binary_value: Option<String>,
    #[serde(default)]
    string_list_values: Option<Vec<Value>>,
    #[serde(default)]
    binary_list_values: Option<Vec<Value>>,
}

/// A message read from the wire.
pub(super) struct Outgoing {
    pub(super) message: NewMessage,
    pub(super) trace_header: Option<String>,
    md5_of_attributes: Option<String>,
    md5_of_system_attributes: Option<String>,
}

impl Content {
    pub(super) fn into_outgoing(self) -> Result<Outgoing, SqsError> {
        if self.message_deduplication_id.is_some() {
            return Err(SqsError::InvalidParameterValue(
                "The request includes a parameter that is not valid for this queue type: MessageDeduplicationId is for FIFO queues.".to_owned(),
            ));
        }
        let attributes = read_attributes(self.message_attributes)?;
        let system_attributes = read_attributes(self.message_system_attributes)?;
        let trace_header = trace_header(&system_attributes)?;
        Ok(Outgoing {
            md5_of_attributes: digest::md5_of_attributes(&attributes),
            md5_of_system_attributes: digest::md5_of_attributes(&system_attributes),
            message: NewMessage {
                body: self.message_body.ok_or(SqsError::MissingParameter("MessageBody"))?,
                attributes,
                group_id: self.message_group_id,
                delay: self.delay_seconds.map(|delay| seconds(delay, "DelaySeconds")).transpose()?,
            },
            trace_header,
        })
    }
}

fn trace_header(system_attributes: &BTreeMap<String, MessageAttribute>) -> Result<Option<String>, SqsError> {
    if let Some(name) = system_attributes.keys().find(|name| *name != TRACE_HEADER) {
        return Err(SqsError::InvalidParameterValue(format!("Message system attribute name '{name}' is invalid.")));
    }
    match system_attributes.get(TRACE_HEADER) {
        None => Ok(None),
        Some(MessageAttribute { data_type, string: Some(header), .. }) if data_type == "String" => {
            Ok(Some(header.clone()))
        }
        Some(_) => Err(SqsError::InvalidParameterValue(format!(
            "The message system attribute '{TRACE_HEADER}' must be a String."
        ))),
    }
}

fn read_attributes(
    attributes: Option<BTreeMap<String, WireAttribute>>,
) -> Result<BTreeMap<String, MessageAttribute>, SqsError> {
    attributes
        .unwrap_or_default()
        .into_iter()
        .map(|(name, attribute)| Ok((name.clone(), read_attribute(&name, attribute)?)))
        .collect()
}

fn read_attribute(name: &str, attribute: WireAttribute) -> Result<MessageAttribute, SqsError> {
    let lists = [attribute.string_list_values, attribute.binary_list_values];
    if lists.into_iter().flatten().any(|list| !list.is_empty()) {
        return Err(SqsError::InvalidParameterValue(
            "Message attribute list values in SendMessage operation are not supported.".to_owned(),
        ));
    }
    let data_type = attribute.data_type.filter(|data_type| !data_type.is_empty()).ok_or_else(|| {
        SqsError::InvalidParameterValue(format!(
            "The message attribute '{name}' must contain a non-empty message attribute type."
        ))
    })?;
    let binary = attribute.binary_value.map(|text| BASE64.decode(text).map(Bytes::from)).transpose();
    let binary = binary.map_err(|_| {
        SqsError::InvalidParameterValue(format!("The BinaryValue of message attribute '{name}' is not base64."))
    })?;
    Ok(MessageAttribute { data_type, string: attribute.string_value, binary })
}

/// Sends a message that was read and tells what a sender checks.
pub(super) fn send_outgoing(sqs: &Sqs, queue: &str, outgoing: Outgoing, sender_id: &str) -> Result<Value, SqsError> {
    let sent = sqs.send_as(queue, outgoing.message, sender_id, outgoing.trace_header)?;
    Ok(without_nulls(json!({
        "MessageId": sent.message_id,
        "MD5OfMessageBody": sent.md5_of_body,
        "MD5OfMessageAttributes": outgoing.md5_of_attributes,
        "MD5OfMessageSystemAttributes": outgoing.md5_of_system_attributes,
    })))
}

pub(super) fn send(sqs: &Sqs, request: SendMessage, sender_id: &str) -> Result<Value, SqsError> {
    let queue = queue_name(request.queue_url.as_ref())?;
    send_outgoing(sqs, queue, request.content.into_outgoing()?, sender_id)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceiveMessage {
    queue_url: Option<String>,
    max_number_of_messages: Option<i64>,
    wait_time_seconds: Option<i64>,
    visibility_timeout: Option<i64>,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

pub(super) async fn receive(sqs: &Sqs, request: ReceiveMessage) -> Result<Value, SqsError> {
    let queue = queue_name(request.queue_url.as_ref())?;
    let settings = sqs.settings(queue)?;
    let system: Vec<&String> = request.attribute_names.iter().chain(&request.message_system_attribute_names).collect();
    if let Some(unknown) =
        system.iter().find(|name| name.as_str() != "All" && !SYSTEM_ATTRIBUTES.contains(&name.as_str()))
    {
        return Err(SqsError::InvalidAttributeName((*unknown).clone()));
    }
    // A number that does not fit is out of range as zero is.
    let max = u32::try_from(request.max_number_of_messages.unwrap_or(1)).unwrap_or(0);
    let wait = request.wait_time_seconds.map_or(Ok(settings.receive_wait), |wait| seconds(wait, "WaitTimeSeconds"))?;
    let visibility = request.visibility_timeout.map(|timeout| seconds(timeout, "VisibilityTimeout")).transpose()?;
    let received = sqs.receive(queue, max, wait, visibility).await?;
    if received.is_empty() {
        return Ok(nothing());
    }
    let messages: Vec<Value> =
        received.iter().map(|message| write_message(message, &system, &request.message_attribute_names)).collect();
    Ok(json!({ "Messages": messages }))
}

fn write_message(message: &Received, system: &[&String], attribute_names: &[String]) -> Value {
    let attributes: BTreeMap<String, MessageAttribute> = message
        .attributes
        .iter()
        .filter(|(name, _)| attribute_names.iter().any(|asked| asks_for(asked, name)))
        .map(|(name, attribute)| (name.clone(), attribute.clone()))
        .collect();
    let system = system_attributes(message, system);
    without_nulls(json!({
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt_handle,
        "MD5OfBody": message.md5_of_body,
        "Body": message.body,
        "Attributes": (!system.is_empty()).then_some(system),
        // Of the attributes that are returned, since that is what a receiver can check.
        "MD5OfMessageAttributes": digest::md5_of_attributes(&attributes),
        "MessageAttributes": (!attributes.is_empty()).then(|| write_attributes(&attributes)),
    }))
}

/// Whether a name that was asked for, `All`, `.*` or `prefix.*` covers an attribute.
fn asks_for(asked: &str, name: &str) -> bool {
    asked == "All" || asked == name || asked.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix))
}

fn write_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> Map<String, Value> {
    let write = |attribute: &MessageAttribute| {
        without_nulls(json!({
            "DataType": attribute.data_type,
            "StringValue": attribute.string,
            "BinaryValue": attribute.binary.as_ref().map(|binary| BASE64.encode(binary)),
        }))
    };
    attributes.iter().map(|(name, attribute)| (name.clone(), write(attribute))).collect()
}

fn system_attributes(message: &Received, asked: &[&String]) -> Map<String, Value> {
    let known = [
        ("SenderId", Some(message.sender_id.clone())),
        ("SentTimestamp", Some(message.sent_ms.to_string())),
        ("ApproximateReceiveCount", Some(message.receive_count.to_string())),
        ("ApproximateFirstReceiveTimestamp", Some(message.first_received_ms.to_string())),
        ("MessageGroupId", message.group_id.clone()),
        (TRACE_HEADER, message.trace_header.clone()),
        ("DeadLetterQueueSourceArn", message.dead_letter_source_arn.clone()),
    ];
    let wanted = |name: &str| asked.iter().any(|asked| asked.as_str() == "All" || asked.as_str() == name);
    known
        .into_iter()
        .filter(|(name, _)| wanted(name))
        .filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?))))
        .collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeleteMessage {
    queue_url: Option<String>,
    receipt_handle: Option<String>,
}

pub(super) fn delete(sqs: &Sqs, request: &DeleteMessage) -> Result<Value, SqsError> {
    let queue = queue_name(request.queue_url.as_ref())?;
    sqs.delete(queue, required(request.receipt_handle.as_ref(), "ReceiptHandle")?)?;
    Ok(nothing())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ChangeMessageVisibility {
    queue_url: Option<String>,
    receipt_handle: Option<String>,
    visibility_timeout: Option<i64>,
}

pub(super) fn change_visibility(sqs: &Sqs, request: &ChangeMessageVisibility) -> Result<Value, SqsError> {
    let queue = queue_name(request.queue_url.as_ref())?;
    let handle = required(request.receipt_handle.as_ref(), "ReceiptHandle")?;
    sqs.change_visibility(queue, handle, visibility_timeout(request.visibility_timeout)?)?;
    Ok(nothing())
}

/// The timeout of a visibility change, which must be given.
pub(super) fn visibility_timeout(value: Option<i64>) -> Result<Duration, SqsError> {
    seconds(value.ok_or(SqsError::MissingParameter("VisibilityTimeout"))?, "VisibilityTimeout")
}
