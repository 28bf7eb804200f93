//! The Lambda event of a batch of SQS messages. Pure.
//! Not here: which messages make a batch ([`super`]).
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>

use crate::REGION;
use crate::lambda::PAYLOAD_BYTES_MAX;
use crate::sqs::{MessageAttribute, Received};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use std::collections::BTreeMap;

const OPEN: &str = r#"{"Records":["#;
const CLOSE: &str = "]}";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    message_id: &'a str,
    receipt_handle: &'a str,
    body: &'a str,
    attributes: SystemAttributes<'a>,
    message_attributes: BTreeMap<&'a str, AttributeValue<'a>>,
    md5_of_body: &'a str,
    event_source: &'static str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'a str,
    aws_region: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SystemAttributes<'a> {
    approximate_receive_count: String,
    sent_timestamp: String,
    sender_id: &'a str,
    approximate_first_receive_timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_group_id: Option<&'a str>,
    #[serde(rename = "AWSTraceHeader", skip_serializing_if = "Option::is_none")]
    trace_header: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter_queue_source_arn: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AttributeValue<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    string_value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    binary_value: Option<String>,
    string_list_values: [String; 0],
    binary_list_values: [String; 0],
    data_type: &'a str,
}

impl<'a> Record<'a> {
    fn of(message: &'a Received, queue_arn: &'a str) -> Self {
        Self {
            message_id: &message.message_id,
            receipt_handle: &message.receipt_handle,
            body: &message.body,
            attributes: SystemAttributes {
                approximate_receive_count: message.receive_count.to_string(),
                sent_timestamp: message.sent_ms.to_string(),
                sender_id: &message.sender_id,
                approximate_first_receive_timestamp: message.first_received_ms.to_string(),
                message_group_id: message.group_id.as_deref(),
                trace_header: message.trace_header.as_deref(),
                dead_letter_queue_source_arn: message.dead_letter_source_arn.as_deref(),
            },
            message_attributes: message
                .attributes
                .iter()
                .map(|(name, value)| (name.as_str(), attribute(value)))
                .collect(),
            md5_of_body: &message.md5_of_body,
            event_source: "aws:sqs",
            event_source_arn: queue_arn,
            aws_region: REGION,
        }
    }
}

fn attribute(value: &MessageAttribute) -> AttributeValue<'_> {
    AttributeValue {
        string_value: value.string.as_deref(),
        binary_value: value.binary.as_ref().map(|bytes| STANDARD.encode(bytes)),
        string_list_values: [],
        binary_list_values: [],
        data_type: &value.data_type,
    }
}

/// The event of these messages.
///
/// # Errors
/// None in practice: strings and numbers always have a JSON form.
pub fn sqs_event(messages: &[Received], queue_arn: &str) -> serde_json::Result<Bytes> {
    let mut event = String::from(OPEN);
    for (position, message) in messages.iter().enumerate() {
        if position > 0 {
            event.push(',');
        }
        event.push_str(&serde_json::to_string(&Record::of(message, queue_arn))?);
    }
    event.push_str(CLOSE);
    Ok(event.into())
}

/// Cuts a batch where its event would be over the limit of 6 MB, for Lambda invokes early then.
pub(super) fn split_by_size(messages: Vec<Received>, queue_arn: &str) -> Vec<Vec<Received>> {
    let mut batches = Vec::<Vec<Received>>::new();
    let mut room = 0;
    for message in messages {
        // What cannot be written here fails with the reason when the event is made.
        let size = serde_json::to_string(&Record::of(&message, queue_arn)).map_or(0, |record| record.len() + 1);
        match batches.last_mut() {
            Some(batch) if size <= room => {
                batch.push(message);
                room -= size;
            }
            _ => {
                batches.push(vec![message]);
                room = (PAYLOAD_BYTES_MAX - OPEN.len() - CLOSE.len()).saturating_sub(size);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ARN: &str = "arn:aws:sqs:us-east-1:000000000000:events";

    fn message(body: &str) -> Received {
        Received {
            message_id: "059f36b4-87a3-44ab-83d2-661975830a7d".into(),
            receipt_handle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a".into(),
            body: body.into(),
            md5_of_body: "e4e68fb7bd0e697a0ae8f1bb342846b3".into(),
            group_id: None,
            attributes: BTreeMap::new(),
            sent_ms: 1_545_082_649_183,
            first_received_ms: 1_545_082_649_185,
            receive_count: 1,
            sender_id: "AIDAIENQZJOLO23YVJ4VO".into(),
            trace_header: None,
            dead_letter_source_arn: None,
        }
    }

    fn record_of(message: Received) -> Value {
        let event: Value = serde_json::from_slice(&sqs_event(&[message], ARN).unwrap()).unwrap();
        event["Records"][0].clone()
    }

    #[test]
    fn a_record_is_the_one_of_the_aws_sample() {
        let mut sample = message("Test message.");
        let value = MessageAttribute { data_type: "String".into(), string: Some("myValue".into()), binary: None };
        sample.attributes.insert("myAttribute".into(), value);
        let expected = json!({
            "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
            "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
            "body": "Test message.",
            "attributes": {
                "ApproximateReceiveCount": "1",
                "SentTimestamp": "1545082649183",
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": "1545082649185"
            },
            "messageAttributes": {
                "myAttribute": {"stringValue": "myValue", "stringListValues": [], "binaryListValues": [], "dataType": "String"}
            },
            "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:events",
            "awsRegion": "us-east-1"
        });
        assert_eq!(record_of(sample), expected);
    }

    #[test]
    fn system_attributes_that_a_message_has_are_named_as_sqs_names_them() {
        let record = record_of(Received {
            group_id: Some("T1".into()),
            trace_header: Some("Root=1-5759e988-bd862e3fe1be46a994272793".into()),
            dead_letter_source_arn: Some("arn:aws:sqs:us-east-1:000000000000:source".into()),
            ..message("x")
        });
        assert_eq!(record["attributes"]["MessageGroupId"], "T1");
        assert_eq!(record["attributes"]["AWSTraceHeader"], "Root=1-5759e988-bd862e3fe1be46a994272793");
        assert_eq!(record["attributes"]["DeadLetterQueueSourceArn"], "arn:aws:sqs:us-east-1:000000000000:source");
    }

    #[test]
    fn a_binary_attribute_is_in_base64() {
        let mut sent = message("x");
        let value = MessageAttribute {
            data_type: "Binary".into(),
            string: None,
            binary: Some(Bytes::from_static(b"\xff\xfe")),
        };
        sent.attributes.insert("raw".into(), value);
        let expected =
            json!({"binaryValue": "//4=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"});
        assert_eq!(record_of(sent)["messageAttributes"]["raw"], expected);
    }

    #[test]
    fn a_body_comes_through_byte_for_byte() {
        let body = "{\"a\":\"\\u00fc\", \"b\": \"ü\t\u{1f44b}\"}\r\n";
        assert_eq!(record_of(message(body))["body"], body);
    }

    #[test]
    fn a_batch_over_six_megabytes_is_cut() {
        let batch = (0..10).map(|_| message(&"x".repeat(1_000_000))).collect();
        let batches = split_by_size(batch, ARN);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [6, 4]);
        assert!(batches.iter().all(|batch| sqs_event(batch, ARN).unwrap().len() <= PAYLOAD_BYTES_MAX));
        assert!(split_by_size(Vec::new(), ARN).is_empty());
    }
}
