//! The queue ports over SQS. Standard queues; the message group is the tenant (fair queues).
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html>

use crate::config::QueueUrls;
use crate::sdk_error;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;
use futures_util::future::LocalBoxFuture;
use std::time::Duration;
use tack_app::message::{DeadLetter, QueueName};
use tack_app::ports::{Queue, QueueConsumer, QueueError};

/// SQS's longest visibility time-out.
const VISIBILITY_MAX_SECONDS: u64 = 43_200;

/// Attributes count as part of a message, and the largest message leaves 4 KiB for them.
const ATTRIBUTE_BYTES_MAX: usize = 1000;

/// Two queues and, for a worker, their dead-letter queues.
pub struct SqsQueue {
    client: Client,
    queues: QueueUrls,
    dead_letters: Option<QueueUrls>,
}

impl SqsQueue {
    /// For sending only.
    pub fn sender(client: Client, queues: QueueUrls) -> Self {
        Self { client, queues, dead_letters: None }
    }

    /// For a worker.
    pub fn consumer(client: Client, queues: QueueUrls, dead_letters: QueueUrls) -> Self {
        Self { client, queues, dead_letters: Some(dead_letters) }
    }
}

fn url(urls: &QueueUrls, queue: QueueName) -> &str {
    match queue {
        QueueName::Interactions => &urls.interactions,
        QueueName::Events => &urls.events,
    }
}

impl Queue for SqsQueue {
    fn send<'a>(
        &'a self,
        queue: QueueName,
        group: &'a str,
        body: String,
    ) -> LocalBoxFuture<'a, Result<(), QueueError>> {
        Box::pin(async move {
            let sent = self
                .client
                .send_message()
                .queue_url(url(&self.queues, queue))
                .message_group_id(group)
                .message_body(body)
                .send()
                .await;
            sent.map(|_| ()).map_err(|error| QueueError { reason: sdk_error::said(&error) })
        })
    }
}

impl QueueConsumer for SqsQueue {
    fn postpone<'a>(
        &'a self,
        queue: QueueName,
        receipt: &'a str,
        delay: Duration,
    ) -> LocalBoxFuture<'a, Result<(), QueueError>> {
        Box::pin(async move {
            // Rounded up, so that a message does not come back just before it is due.
            let seconds = delay.as_millis().div_ceil(1000).min(u128::from(VISIBILITY_MAX_SECONDS));
            let changed = self
                .client
                .change_message_visibility()
                .queue_url(url(&self.queues, queue))
                .receipt_handle(receipt)
                .visibility_timeout(i32::try_from(seconds).unwrap_or(i32::MAX))
                .send()
                .await;
            changed.map(|_| ()).map_err(|error| QueueError { reason: sdk_error::said(&error) })
        })
    }

    fn bury<'a>(&'a self, letter: DeadLetter) -> LocalBoxFuture<'a, Result<(), QueueError>> {
        Box::pin(async move {
            let Some(dead_letters) = &self.dead_letters else {
                return Err(QueueError { reason: "this function has no dead-letter queue".to_owned() });
            };
            let mut message = self
                .client
                .send_message()
                .queue_url(url(dead_letters, letter.queue))
                .message_group_id(letter.group)
                .message_body(letter.body)
                .message_attributes("reason", text(&letter.reason)?)
                .message_attributes("attempts", number(letter.attempts)?);
            if let Some(job) = &letter.job {
                message = message.message_attributes("job", text(job)?);
            }
            if let Some(delivery) = &letter.delivery {
                message = message.message_attributes("delivery", text(delivery)?);
            }
            message.send().await.map(|_| ()).map_err(|error| QueueError { reason: sdk_error::said(&error) })
        })
    }
}

/// A text attribute, cut to fit and without the characters that SQS refuses.
fn text(text: &str) -> Result<MessageAttributeValue, QueueError> {
    let plain = |c: &char| (' '..='\u{FFFD}').contains(c) || *c >= '\u{10000}';
    let mut clean: String = text.chars().filter(plain).collect();
    clean.truncate(clean.floor_char_boundary(ATTRIBUTE_BYTES_MAX));
    if clean.is_empty() {
        clean.push('-');
    }
    attribute("String", clean)
}

fn number(number: u32) -> Result<MessageAttributeValue, QueueError> {
    attribute("Number", number.to_string())
}

fn attribute(data_type: &str, value: String) -> Result<MessageAttributeValue, QueueError> {
    MessageAttributeValue::builder()
        .data_type(data_type)
        .string_value(value)
        .build()
        .map_err(|error| QueueError { reason: error.to_string() })
}
