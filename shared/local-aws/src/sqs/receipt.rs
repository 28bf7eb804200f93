//! Receipt handles: one for each receive of a message, good for the queue that gave it out.
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-message-identifiers.html#receipt-handle>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What a receipt handle says: which receive of which message in which queue. Base64, so that nobody is tempted to read it.
pub(super) struct ReceiptHandle {
    pub(super) queue: String,
    pub(super) message_id: String,
    pub(super) receive: u32,
}

impl ReceiptHandle {
    pub(super) fn encode(&self) -> String {
        BASE64.encode(format!("{}/{}/{}", self.queue, self.message_id, self.receive))
    }

    pub(super) fn decode(text: &str) -> Option<Self> {
        let text = String::from_utf8(BASE64.decode(text).ok()?).ok()?;
        let mut parts = text.split('/');
        let handle = Self {
            queue: parts.next()?.to_owned(),
            message_id: parts.next()?.to_owned(),
            receive: parts.next()?.parse().ok()?,
        };
        (parts.next().is_none() && uuid::Uuid::parse_str(&handle.message_id).is_ok()).then_some(handle)
    }
}
