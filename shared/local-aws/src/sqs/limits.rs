//! What SQS takes as a queue name, a message, an attribute, a group.
//! Not here: the bounds of a queue's settings ([`super::settings`]).
//! Sources: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>,
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>

use super::settings::DELAY_MAX;
use super::{MessageAttribute, NewMessage, SqsError};
use std::collections::BTreeMap;

/// The most attributes of one message.
pub const ATTRIBUTES_MAX: usize = 10;
/// The most entries of one batch, and the most messages of one receive.
pub const BATCH_MAX: usize = 10;
/// The most messages in flight in one queue.
pub const IN_FLIGHT_MAX: usize = 120_000;

const QUEUE_NAME_CHARS_MAX: usize = 80;
const ATTRIBUTE_NAME_CHARS_MAX: usize = 256;
const GROUP_ID_CHARS_MAX: usize = 128;

/// Refuses what cannot be the name of a standard queue.
pub(super) fn check_queue_name(name: &str) -> Result<(), SqsError> {
    if name.ends_with(".fifo") {
        return Err(SqsError::InvalidAttributeValue(format!(
            "This endpoint has standard queues only, and {name} is the name of a FIFO queue."
        )));
    }
    if is_plain_id(name, QUEUE_NAME_CHARS_MAX) {
        Ok(())
    } else {
        Err(SqsError::InvalidParameterValue(
            "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length".to_owned(),
        ))
    }
}

/// Refuses what cannot be the id of a batch entry.
pub(super) fn check_batch_entry_id(id: &str) -> Result<(), SqsError> {
    if is_plain_id(id, 80) { Ok(()) } else { Err(SqsError::InvalidBatchEntryId) }
}

fn is_plain_id(text: &str, chars_max: usize) -> bool {
    !text.is_empty()
        && text.len() <= chars_max
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Refuses a message that SQS would not take; returns its size in bytes.
pub(super) fn check_message(message: &NewMessage, bytes_max: usize) -> Result<usize, SqsError> {
    if message.body.is_empty() {
        return Err(SqsError::MissingParameter("MessageBody"));
    }
    check_characters(&message.body)?;
    check_attributes(&message.attributes)?;
    if let Some(group_id) = &message.group_id {
        check_group_id(group_id)?;
    }
    if message.delay.is_some_and(|delay| delay > DELAY_MAX) {
        return Err(SqsError::InvalidParameterValue(
            "Value for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.".to_owned(),
        ));
    }
    let bytes = message_bytes(message);
    if bytes > bytes_max {
        return Err(SqsError::InvalidParameterValue(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {bytes_max} bytes."
        )));
    }
    Ok(bytes)
}

/// What counts against the size limit: the body, and of each attribute its name, type and value.
pub(super) fn message_bytes(message: &NewMessage) -> usize {
    let attributes = message.attributes.iter().map(|(name, attribute)| {
        name.len()
            + attribute.data_type.len()
            + attribute.string.as_ref().map_or(0, String::len)
            + attribute.binary.as_ref().map_or(0, bytes::Bytes::len)
    });
    message.body.len() + attributes.sum::<usize>()
}

fn check_characters(text: &str) -> Result<(), SqsError> {
    let refused = text.chars().find(|character| !is_message_character(*character));
    match refused {
        None => Ok(()),
        Some(character) => Err(SqsError::InvalidMessageContents(format!(
            "Invalid binary character '#x{:X}' was found in the message body, the set of allowed characters is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
            u32::from(character)
        ))),
    }
}

fn is_message_character(character: char) -> bool {
    matches!(character, '\u{9}' | '\u{A}' | '\u{D}' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

fn check_group_id(group_id: &str) -> Result<(), SqsError> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte.is_ascii_punctuation();
    if group_id.is_empty() || group_id.len() > GROUP_ID_CHARS_MAX || !group_id.bytes().all(known) {
        return Err(SqsError::InvalidParameterValue(
            "Value for parameter MessageGroupId is invalid. Reason: MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.".to_owned(),
        ));
    }
    Ok(())
}

fn check_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> Result<(), SqsError> {
    if attributes.len() > ATTRIBUTES_MAX {
        return Err(SqsError::InvalidParameterValue(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{ATTRIBUTES_MAX}].",
            attributes.len()
        )));
    }
    for (name, attribute) in attributes {
        check_attribute_name(name)?;
        check_attribute_value(name, attribute)?;
    }
    Ok(())
}

fn check_attribute_name(name: &str) -> Result<(), SqsError> {
    let lower = name.to_ascii_lowercase();
    let reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    let known = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    if name.is_empty() || name.len() > ATTRIBUTE_NAME_CHARS_MAX || reserved || !known || dots {
        return Err(SqsError::InvalidParameterValue(format!("The message attribute name '{name}' is invalid.")));
    }
    Ok(())
}

fn check_attribute_value(name: &str, attribute: &MessageAttribute) -> Result<(), SqsError> {
    let invalid = |reason: String| Err(SqsError::InvalidParameterValue(reason));
    let kind = attribute.data_type.split('.').next().unwrap_or_default();
    if attribute.data_type.len() > ATTRIBUTE_NAME_CHARS_MAX {
        return invalid(format!(
            "The type of message attribute '{name}' is longer than {ATTRIBUTE_NAME_CHARS_MAX} characters."
        ));
    }
    let filled = match kind {
        "String" | "Number" => {
            attribute.binary.is_none() && attribute.string.as_ref().is_some_and(|string| !string.is_empty())
        }
        "Binary" => attribute.string.is_none() && attribute.binary.as_ref().is_some_and(|binary| !binary.is_empty()),
        _ => {
            return invalid(format!(
                "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
            ));
        }
    };
    if !filled {
        return invalid(format!("The message attribute '{name}' must contain a non-empty value of type '{kind}'."));
    }
    if let Some(string) = &attribute.string {
        check_characters(string)?;
        if kind == "Number" && !is_number(string) {
            return invalid(format!("Can't cast the value of message attribute '{name}' to a number."));
        }
    }
    Ok(())
}

/// Whether a text is a decimal number; Rust's parser also knows `inf` and `nan`, which SQS does not.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'))
        && text.parse::<f64>().is_ok()
}
