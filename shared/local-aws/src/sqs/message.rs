//! What goes into a queue and what comes out: the types of the native API.
//! Not here: how a queue keeps them ([`super::queue`]).
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Message.html>

use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;

/// A message to send.
#[derive(Clone, Debug, Default)]
pub struct NewMessage {
    /// The body: 1 byte at least, and only the characters that SQS takes.
    pub body: String,
    /// At most ten attributes.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// The message group; on a standard queue it makes delivery fair between groups.
    pub group_id: Option<String>,
    /// How long it stays hidden at first, 0 to 900 s; `None` is the queue's own delay.
    pub delay: Option<Duration>,
}

/// One message attribute; exactly one of the values is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageAttribute {
    /// `String`, `Number` or `Binary`, with an optional `.label`.
    pub data_type: String,
    /// The value of a `String` or `Number`.
    pub string: Option<String>,
    /// The value of a `Binary`.
    pub binary: Option<Bytes>,
}

/// A received message.
#[derive(Clone, Debug)]
pub struct Received {
    /// The message's id, the same at every receive and in the dead-letter queue.
    pub message_id: String,
    /// The handle of this very receive.
    pub receipt_handle: String,
    /// The body as sent.
    pub body: String,
    /// Hex MD5 of the body.
    pub md5_of_body: String,
    /// The message group.
    pub group_id: Option<String>,
    /// The attributes as sent.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// When it was sent, epoch milliseconds.
    pub sent_ms: u64,
    /// When it was received for the first time, epoch milliseconds.
    pub first_received_ms: u64,
    /// How often it was received, this time included, in all queues.
    pub receive_count: u32,
    /// Who sent it: an access key id over the wire, `local` for the native API.
    pub sender_id: String,
    /// The `AWSTraceHeader` system attribute.
    pub trace_header: Option<String>,
    /// In a dead-letter queue: the queue SQS moved it from.
    pub dead_letter_source_arn: Option<String>,
}

/// A message as it lies in its queue.
#[derive(Clone, Debug)]
pub struct MessageSnapshot {
    /// The message's id.
    pub message_id: String,
    /// The body as sent.
    pub body: String,
    /// The message group.
    pub group_id: Option<String>,
    /// The attributes as sent.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// When it was sent, epoch milliseconds.
    pub sent_ms: u64,
    /// When it was received for the first time, epoch milliseconds.
    pub first_received_ms: Option<u64>,
    /// How often it was received, in all queues.
    pub receive_count: u32,
    /// Who sent it.
    pub sender_id: String,
    /// In a dead-letter queue: the queue SQS moved it from.
    pub dead_letter_source_arn: Option<String>,
    /// From when on a consumer can have it, epoch milliseconds: not in the future if it is visible.
    pub visible_at_ms: u64,
    /// Whether a consumer can have it.
    pub state: MessageState,
}

/// Whether a consumer can have a message, and if not, from when on (epoch milliseconds).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// The next receive may return it.
    Visible,
    /// Received and not deleted; visible again at `until_ms`.
    InFlight {
        /// The end of its visibility timeout.
        until_ms: u64,
    },
    /// Sent with a delay; visible at `until_ms`.
    Delayed {
        /// The end of its delay.
        until_ms: u64,
    },
}

/// How many messages a queue holds, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// `ApproximateNumberOfMessages`.
    pub visible: usize,
    /// `ApproximateNumberOfMessagesNotVisible`.
    pub in_flight: usize,
    /// `ApproximateNumberOfMessagesDelayed`.
    pub delayed: usize,
}

impl Depth {
    /// All messages, whatever their state.
    pub fn total(self) -> usize {
        self.visible + self.in_flight + self.delayed
    }
}
