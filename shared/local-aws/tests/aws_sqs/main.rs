//! SQS by its native API, under virtual time: what AWS's documents say of a standard queue.
#![expect(clippy::unwrap_used, reason = "a test that cannot set up its queue has failed")]

mod chosen;
mod delivery;
mod limits;
mod moves;
mod redrive;

use std::time::Duration;
use tack_local_aws::sqs::{NewMessage, QueueSettings, Received, Redrive};
use tack_local_aws::{Clock, LocalAws, Sqs};

pub(crate) const EPOCH_MS: u64 = 1_700_000_000_000;

pub(crate) fn sqs() -> Sqs {
    LocalAws::new(Clock::virtual_from(EPOCH_MS)).sqs().clone()
}

pub(crate) fn sqs_with_queue() -> Sqs {
    let sqs = sqs();
    sqs.create_queue("events", QueueSettings::default()).unwrap();
    sqs
}

/// `events` with the dead-letter queue `events-dlq`.
pub(crate) fn sqs_with_dead_letters(max_receive_count: u32) -> Sqs {
    let sqs = sqs();
    sqs.create_queue(
        "events-dlq",
        QueueSettings { retention: Duration::from_secs(14 * 86_400), ..QueueSettings::default() },
    )
    .unwrap();
    let redrive = Some(Redrive { dead_letter_arn: sqs.queue_arn("events-dlq").unwrap(), max_receive_count });
    sqs.create_queue("events", QueueSettings { redrive, ..QueueSettings::default() }).unwrap();
    sqs
}

pub(crate) fn message(body: &str) -> NewMessage {
    NewMessage { body: body.to_owned(), ..NewMessage::default() }
}

pub(crate) fn of_group(body: &str, group_id: &str) -> NewMessage {
    NewMessage { group_id: Some(group_id.to_owned()), ..message(body) }
}

/// Receives at once up to ten.
pub(crate) async fn receive(sqs: &Sqs) -> Vec<Received> {
    receive_from(sqs, "events", 10).await
}

pub(crate) async fn receive_from(sqs: &Sqs, queue: &str, max: u32) -> Vec<Received> {
    sqs.receive(queue, max, Duration::ZERO, None).await.unwrap()
}

pub(crate) fn bodies(received: &[Received]) -> Vec<&str> {
    received.iter().map(|message| message.body.as_str()).collect()
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
