//! What an event source tells of its batches.
//! Not here: when it tells ([`super::EventSource`]).
//! Invariant: a batch that began ends once, with the same request id, unless the event source itself is dropped before.

use crate::lambda::InvokeError;
use crate::sqs::Received;

/// Something happened to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchEvent {
    /// It is handed to the function.
    Began(BatchBegan),
    /// It is over.
    Ended(BatchReport),
}

/// A batch that is handed to the function. Where that is throttled, it is tried again under the same request id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchBegan {
    /// The queue's name.
    pub queue: String,
    /// The function's name.
    pub function: String,
    /// The Lambda request id of the invocation.
    pub request_id: String,
    /// What it holds.
    pub messages: Vec<BatchMessage>,
    /// When, in epoch milliseconds of the queue's clock.
    pub at_ms: u64,
}

/// A message of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchMessage {
    /// Its id.
    pub message_id: String,
    /// How often it was received, this time included.
    pub receive_count: u32,
    /// When it was sent, epoch milliseconds.
    pub sent_ms: u64,
    /// Its message group.
    pub group_id: Option<String>,
    /// Its body as sent.
    pub body: String,
}

impl BatchMessage {
    pub(super) fn of(message: &Received) -> Self {
        Self {
            message_id: message.message_id.clone(),
            receive_count: message.receive_count,
            sent_ms: message.sent_ms,
            group_id: message.group_id.clone(),
            body: message.body.clone(),
        }
    }
}

/// A batch that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchReport {
    /// The queue's name.
    pub queue: String,
    /// The Lambda request id of the invocation.
    pub request_id: String,
    /// The process that had it; `None` where none had, or where the function is a call in this process.
    pub pid: Option<u32>,
    /// The messages of the batch.
    pub message_ids: Vec<String>,
    /// What became of it.
    pub outcome: BatchOutcome,
    /// From its receive to its end, in milliseconds.
    pub duration_ms: u64,
    /// When it was over, in epoch milliseconds of the queue's clock.
    pub at_ms: u64,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchOutcome {
    /// All messages are deleted.
    Succeeded,
    /// All are deleted but these ids.
    Partial(Vec<String>),
    /// None is deleted: the function's answer says nothing that can be understood, for this reason.
    Malformed(String),
    /// None is deleted: the invocation has no answer. [`InvokeError::Throttled`] stands for a batch that was given up when its visibility timeout was over, or
    /// at the shutdown.
    Failed(InvokeError),
}

impl BatchOutcome {
    pub(super) fn has_processed(&self, message_id: &str) -> bool {
        match self {
            Self::Succeeded => true,
            Self::Partial(failed) => !failed.iter().any(|failed| failed == message_id),
            Self::Malformed(_) | Self::Failed(_) => false,
        }
    }
}
