//! Blocks inside the attachments of a message: what Slack adds to them, and where in them an element stands.
//! What an element is, is `elements`' matter; buttons of attachments older than blocks (`actions`) cannot be pressed here.
//! Invariant: a stored attachment has an `id`, counted from 1. Source: <https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments/>

use serde_json::{Value, json};
use std::borrow::Cow;

use crate::blocks;
use crate::elements::{self, Placed};

/// Numbers the attachments of `message`, and gives their blocks and elements the ids they lack.
pub(crate) fn complete(message: &mut Value) {
    let list = message.get_mut("attachments").and_then(Value::as_array_mut);
    for (number, attachment) in (1..).zip(list.into_iter().flatten()).filter(|(_, attachment)| attachment.is_object()) {
        attachment["id"] = json!(number);
        if let Some(blocks) = attachment.get_mut("blocks") {
            blocks::fill_ids(blocks);
        }
    }
}

/// The blocks of `message` and after them those of its attachments, in order.
pub(crate) fn all_blocks(message: &Value) -> Cow<'_, Value> {
    let own = &message["blocks"];
    if attached(message).next().is_none() {
        return Cow::Borrowed(own);
    }
    let attached = attached(message).flat_map(|(_, blocks)| blocks);
    Cow::Owned(own.as_array().into_iter().flatten().chain(attached).cloned().collect())
}

/// `id` of the attachment that holds the element with this block and action id. None if it stands in the message's own blocks.
pub(crate) fn holding<'a>(message: &'a Value, key: &(String, String)) -> Option<&'a Value> {
    let is_in = |placed: Vec<Placed<'_>>| placed.iter().any(|placed| placed.key() == *key);
    if is_in(elements::placed(&message["blocks"])) {
        return None;
    }
    let mut attached = attached(message);
    attached
        .find(|(attachment, _)| is_in(elements::placed(&attachment["blocks"])))
        .map(|(attachment, _)| &attachment["id"])
}

/// Every attachment with blocks, and its blocks.
fn attached(message: &Value) -> impl Iterator<Item = (&Value, &Vec<Value>)> {
    let list = message["attachments"].as_array().into_iter().flatten();
    list.filter_map(|attachment| Some((attachment, attachment["blocks"].as_array()?)))
}
