//! What a queue can be set to, and within which bounds.
//! Not here: their names on the wire (`super::wire`).
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>

use super::SqsError;
use std::time::Duration;

/// The longest visibility timeout, for a queue and for one message.
pub const VISIBILITY_TIMEOUT_MAX: Duration = Duration::from_secs(12 * 60 * 60);
/// The longest delay, for a queue and for one message.
pub const DELAY_MAX: Duration = Duration::from_secs(900);
/// The shortest retention.
pub const RETENTION_MIN: Duration = Duration::from_secs(60);
/// The longest retention.
pub const RETENTION_MAX: Duration = Duration::from_secs(14 * 24 * 60 * 60);
/// The smallest limit for one message.
pub const MESSAGE_BYTES_MIN: usize = 1024;
/// The largest message, and the largest batch of messages.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// The longest long poll.
pub const RECEIVE_WAIT_MAX: Duration = Duration::from_secs(20);
/// The largest `maxReceiveCount`.
pub const RECEIVE_COUNT_MAX: u32 = 1000;

/// The attributes of a queue that shape its behaviour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueSettings {
    /// How long a received message stays hidden, 0 s to 12 h. 30 s unless said.
    pub visibility_timeout: Duration,
    /// How long a new message stays hidden, 0 to 900 s. None unless said.
    pub delay: Duration,
    /// How long a message is kept from its first sending, 60 s to 14 d. Four days unless said.
    pub retention: Duration,
    /// The largest message with its attributes, 1 KiB to 1 MiB. 1 MiB unless said.
    pub max_message_bytes: usize,
    /// How long a receive over the wire waits that does not say itself, 0 to 20 s. Not at all unless said.
    pub receive_wait: Duration,
    /// Where a message goes that was received too often.
    pub redrive: Option<Redrive>,
}

/// A queue's redrive policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redrive {
    /// The dead-letter queue's ARN; it must exist.
    pub dead_letter_arn: String,
    /// After how many receives, 1 to 1000.
    pub max_receive_count: u32,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            visibility_timeout: Duration::from_secs(30),
            delay: Duration::ZERO,
            retention: Duration::from_secs(4 * 24 * 60 * 60),
            max_message_bytes: MESSAGE_BYTES_MAX,
            receive_wait: Duration::ZERO,
            redrive: None,
        }
    }
}

impl QueueSettings {
    /// Refuses what is outside SQS's bounds.
    pub(super) fn check(&self) -> Result<(), SqsError> {
        let bounds = [
            ("VisibilityTimeout", self.visibility_timeout <= VISIBILITY_TIMEOUT_MAX),
            ("DelaySeconds", self.delay <= DELAY_MAX),
            ("MessageRetentionPeriod", (RETENTION_MIN..=RETENTION_MAX).contains(&self.retention)),
            ("MaximumMessageSize", (MESSAGE_BYTES_MIN..=MESSAGE_BYTES_MAX).contains(&self.max_message_bytes)),
            ("ReceiveMessageWaitTimeSeconds", self.receive_wait <= RECEIVE_WAIT_MAX),
        ];
        if let Some((name, _)) = bounds.iter().find(|(_, within)| !within) {
            return Err(SqsError::InvalidAttributeValue(format!("Invalid value for the parameter {name}.")));
        }
        let count = self.redrive.as_ref().map(|redrive| redrive.max_receive_count);
        if count.is_some_and(|count| !(1..=RECEIVE_COUNT_MAX).contains(&count)) {
            return Err(SqsError::InvalidParameterValue(format!(
                "Value for parameter RedrivePolicy is invalid. Reason: Invalid value for maxReceiveCount, valid values are from 1 to {RECEIVE_COUNT_MAX} both inclusive."
            )));
        }
        Ok(())
    }
}
