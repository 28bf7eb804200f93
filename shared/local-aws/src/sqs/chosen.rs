//! Single messages that a person chose: moved to another queue or deleted, by id. SQS itself has neither; an operator's tool does it message by
//! message.
//! Not here: all messages of a dead-letter queue at once ([`super::moves`]).
//! Invariant: what a consumer has in its hands is left alone.

use super::SqsError;
use super::account::Account;
use std::time::Duration;

/// What a move of chosen messages did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MovedMessages {
    /// The messages that were moved, in the order they were named.
    pub moved: Vec<MovedMessage>,
    /// Those that were not.
    pub skipped: Vec<SkippedMessage>,
}

/// A message that was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedMessage {
    /// The id it had.
    pub message_id: String,
    /// Its id in the queue it is in now.
    pub new_message_id: String,
}

/// What the deletion of chosen messages did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeletedMessages {
    /// The ids of those that are deleted, in the order they were named.
    pub deleted: Vec<String>,
    /// Those that are not.
    pub skipped: Vec<SkippedMessage>,
}

/// A message that was left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedMessage {
    /// Its id, as it was named.
    pub message_id: String,
    /// Why.
    pub reason: SkipReason,
}

/// Why a chosen message was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SkipReason {
    /// Someone has received it and not deleted it yet.
    #[error("in flight")]
    InFlight,
    /// It was sent with a delay that is not over.
    #[error("delayed")]
    Delayed,
    /// The queue does not hold it, or no longer.
    #[error("not in the queue")]
    Gone,
}

impl Account {
    pub(super) fn move_messages(
        &mut self,
        from: &str,
        to: &str,
        message_ids: &[String],
        now_ms: u64,
    ) -> Result<MovedMessages, SqsError> {
        self.queue(from)?;
        self.queue(to)?;
        if from == to {
            return Err(SqsError::InvalidParameterValue(
                "The queue to move messages to cannot be the one they are in.".to_owned(),
            ));
        }
        let mut outcome = MovedMessages::default();
        for message_id in message_ids {
            match self.queue_mut(from)?.take_visible(message_id) {
                Ok(message) => {
                    let message = message.anew(now_ms);
                    let new_message_id = message.id.clone();
                    outcome.moved.push(MovedMessage { message_id: message_id.clone(), new_message_id });
                    self.queue_mut(to)?.put(message, Duration::ZERO, now_ms);
                }
                Err(reason) => outcome.skipped.push(SkippedMessage { message_id: message_id.clone(), reason }),
            }
        }
        Ok(outcome)
    }

    pub(super) fn delete_messages(&mut self, name: &str, message_ids: &[String]) -> Result<DeletedMessages, SqsError> {
        let queue = self.queue_mut(name)?;
        let mut outcome = DeletedMessages::default();
        for message_id in message_ids {
            match queue.take_visible(message_id) {
                Ok(_) => outcome.deleted.push(message_id.clone()),
                Err(reason) => outcome.skipped.push(SkippedMessage { message_id: message_id.clone(), reason }),
            }
        }
        Ok(outcome)
    }
}
