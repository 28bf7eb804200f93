//! What every `Queue` and `QueueConsumer` keeps to: the queues in memory, and SQS's adapter on the embedded AWS.

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use std::time::Duration;
use tack_app::Record;
use tack_app::limits::MESSAGE_BYTES_MAX;
use tack_app::memory::MemoryQueue;
use tack_app::message::{DeadLetter, Job, QueueName, SlackWork, Work};
use tack_app::ports::{Queue, QueueConsumer};
use tack_aws::SqsQueue;
use tack_protocol::{Envelope, EpochMs};
use tack_tests::{Aws, EVENTS, INTERACTIONS};

const NOW: EpochMs = EpochMs(1_795_511_900_000);

/// A kind of queue, and how a test looks into it. What the ports do not say is left to the harness.
pub(crate) trait Queues {
    fn queue(&self) -> &dyn Queue;
    fn consumer(&self) -> &dyn QueueConsumer;
    /// Everything that waits in a queue, as the worker would be given it.
    fn receive(&self, queue: QueueName) -> LocalBoxFuture<'_, Vec<Record>>;
    /// Everything that was buried and not looked at before.
    fn letters(&self) -> LocalBoxFuture<'_, Vec<DeadLetter>>;
}

pub(crate) struct Memory(MemoryQueue);

pub(crate) struct Sqs {
    pub(crate) aws: Aws,
    pub(crate) queue: SqsQueue,
}

impl Sqs {
    pub(crate) fn new() -> Self {
        let aws = Aws::new(NOW.0).expect("a stack");
        Self { queue: aws.worker_queue(), aws }
    }
}

fn sqs_name(queue: QueueName) -> &'static str {
    match queue {
        QueueName::Interactions => INTERACTIONS,
        QueueName::Events => EVENTS,
    }
}

impl Queues for Memory {
    fn queue(&self) -> &dyn Queue {
        &self.0
    }

    fn consumer(&self) -> &dyn QueueConsumer {
        &self.0
    }

    fn receive(&self, queue: QueueName) -> LocalBoxFuture<'_, Vec<Record>> {
        let records = self.0.receive(queue);
        async move { records }.boxed_local()
    }

    fn letters(&self) -> LocalBoxFuture<'_, Vec<DeadLetter>> {
        let letters = self.0.letters();
        async move { letters }.boxed_local()
    }
}

impl Queues for Sqs {
    fn queue(&self) -> &dyn Queue {
        &self.queue
    }

    fn consumer(&self) -> &dyn QueueConsumer {
        &self.queue
    }

    fn receive(&self, queue: QueueName) -> LocalBoxFuture<'_, Vec<Record>> {
        async move {
            let sqs = self.aws.local().sqs();
            let received = sqs.receive(sqs_name(queue), 10, Duration::ZERO, None).await.expect("a queue");
            let record = |message: tack_local_aws::sqs::Received| Record {
                message_id: message.message_id,
                receipt: message.receipt_handle,
                queue,
                group: message.group_id,
                receive_count: message.receive_count,
                sent_at: EpochMs(message.sent_ms),
                body: message.body,
            };
            received.into_iter().map(record).collect()
        }
        .boxed_local()
    }

    fn letters(&self) -> LocalBoxFuture<'_, Vec<DeadLetter>> {
        async move {
            let mut letters = Vec::new();
            for queue in [QueueName::Interactions, QueueName::Events] {
                let name = format!("{}-dead", sqs_name(queue));
                let sqs = self.aws.local().sqs();
                for message in sqs.receive(&name, 10, Duration::ZERO, None).await.expect("a queue") {
                    let attribute = |name: &str| message.attributes.get(name).and_then(|value| value.string.clone());
                    assert_eq!(message.attributes["attempts"].data_type, "Number");
                    letters.push(DeadLetter {
                        queue,
                        group: message.group_id.clone().unwrap_or_default(),
                        reason: attribute("reason").unwrap_or_default(),
                        job: attribute("job"),
                        attempts: attribute("attempts").and_then(|count| count.parse().ok()).unwrap_or_default(),
                        delivery: attribute("delivery"),
                        body: message.body,
                    });
                }
            }
            letters
        }
        .boxed_local()
    }
}

type Rule = for<'a> fn(&'a dyn Queues) -> LocalBoxFuture<'a, ()>;

fn rules() -> Vec<(&'static str, Rule)> {
    vec![
        ("what was sent is received from its own queue byte for byte", |queues| sent(queues).boxed_local()),
        ("whatever the ingress may write is accepted", |queues| any_message(queues).boxed_local()),
        ("the largest message is accepted", |queues| largest(queues).boxed_local()),
        ("a received message can be put off for any time", |queues| postponed(queues).boxed_local()),
        ("a letter keeps its body, its reason and its count", |queues| buried(queues).boxed_local()),
        ("a letter without a job keeps what there is", |queues| buried_unread(queues).boxed_local()),
        ("no reason is too long or too odd for a letter", |queues| odd_reasons(queues).boxed_local()),
    ]
}

async fn every_rule<Q: Queues>(make: impl Fn() -> Q) {
    for (name, rule) in rules() {
        // Shown when the rule fails.
        println!("rule: {name}");
        rule(&make()).await;
    }
}

#[tokio::test]
async fn the_queues_in_memory_keep_the_contract() {
    every_rule(|| Memory(MemoryQueue::default())).await;
}

#[tokio::test(start_paused = true)]
async fn sqs_keeps_the_contract() {
    every_rule(Sqs::new).await;
}

async fn send(queues: &dyn Queues, queue: QueueName, group: &str, body: &str) {
    queues.queue().send(queue, group, body.to_owned()).await.expect("a queue that accepts");
}

async fn sent(queues: &dyn Queues) {
    send(queues, QueueName::Events, "T0ACME001", "an event 🍞").await;
    send(queues, QueueName::Interactions, "E0ACME", "a click").await;
    let events = queues.receive(QueueName::Events).await;
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((event.body.as_str(), event.group.as_deref()), ("an event 🍞", Some("T0ACME001")));
    assert_eq!((event.queue, event.receive_count), (QueueName::Events, 1));
    let clicks = queues.receive(QueueName::Interactions).await;
    let [click] = &clicks[..] else { panic!("{clicks:?}") };
    assert_eq!(
        (click.body.as_str(), click.group.as_deref(), click.queue),
        ("a click", Some("E0ACME"), QueueName::Interactions)
    );
}

fn carrying(body: Vec<u8>) -> String {
    let envelope = Envelope::from_body("application/json", body.into(), NOW);
    let mut job = Job::named("job");
    job.value = Some("\u{FFFE}\u{FFFF}\u{0}\u{7F}".into());
    SlackWork { id: "d1".to_owned(), envelope, jobs: vec![job], generation: 0, trace: None }.encode()
}

async fn any_message(queues: &dyn Queues) {
    let every_byte: Vec<u8> = (0..=255).collect();
    let every_control = (0..0x20).map(char::from).collect::<String>().into_bytes();
    let bodies = [every_byte, every_control, "\u{FFFD}\u{FFFE}\u{FFFF}\u{10FFFF}".into(), b"\xc3".to_vec(), Vec::new()];
    for body in bodies {
        send(queues, QueueName::Events, "T1", &carrying(body.clone())).await;
        let received = queues.receive(QueueName::Events).await.pop().expect("a message");
        let Ok(Work::Slack(work)) = Work::decode(&received.body) else { panic!("a message of ours") };
        assert_eq!(work.envelope.body, body);
    }
}

async fn largest(queues: &dyn Queues) {
    let body = "a".repeat(MESSAGE_BYTES_MAX);
    send(queues, QueueName::Events, &"T".repeat(128), &body).await;
    assert_eq!(queues.receive(QueueName::Events).await[0].body, body);
}

async fn postponed(queues: &dyn Queues) {
    for delay in [Duration::ZERO, Duration::from_millis(1), Duration::from_secs(30), Duration::from_secs(11 * 3600)] {
        send(queues, QueueName::Interactions, "T1", "a click").await;
        let received = queues.receive(QueueName::Interactions).await.pop().expect("a message");
        let put_off = queues.consumer().postpone(QueueName::Interactions, &received.receipt, delay).await;
        put_off.unwrap_or_else(|error| panic!("{delay:?}: {error}"));
    }
}

fn letter(queue: QueueName, reason: &str) -> DeadLetter {
    DeadLetter {
        queue,
        group: "T0ACME001".to_owned(),
        body: "the body 🍞".to_owned(),
        reason: reason.to_owned(),
        job: Some("order.fulfil".to_owned()),
        attempts: 10,
        delivery: Some("019ab5c2-9560-7b1f-8d6a-0123456789ab".to_owned()),
    }
}

async fn buried(queues: &dyn Queues) {
    let both = [letter(QueueName::Interactions, "no such order"), letter(QueueName::Events, "grüezi")];
    for letter in &both {
        queues.consumer().bury(letter.clone()).await.expect("a queue that accepts");
    }
    assert_eq!(queues.letters().await, both);
    assert!(queues.receive(QueueName::Events).await.is_empty());
}

async fn buried_unread(queues: &dyn Queues) {
    let unread = DeadLetter { job: None, delivery: None, attempts: 1, ..letter(QueueName::Events, "not one of ours") };
    queues.consumer().bury(unread.clone()).await.expect("a queue that accepts");
    assert_eq!(queues.letters().await, [unread]);
}

async fn odd_reasons(queues: &dyn Queues) {
    // The largest message there is, and the longest of everything that stands beside it.
    let crumbs = "🍞".repeat(5_000);
    for reason in ["", " ", "\u{0}\u{1}\n\u{FFFE}\u{FFFF}", &"r".repeat(5_000), &crumbs] {
        let large = DeadLetter {
            body: "a".repeat(MESSAGE_BYTES_MAX),
            group: "T".repeat(128),
            job: Some(crumbs.clone()),
            delivery: Some(crumbs.clone()),
            attempts: u32::MAX,
            ..letter(QueueName::Events, reason)
        };
        let buried = queues.consumer().bury(large).await;
        buried.unwrap_or_else(|error| panic!("{} bytes of reason: {error}", reason.len()));
    }
    let letters = queues.letters().await;
    assert_eq!(letters.len(), 5);
    assert!(letters.iter().all(|letter| letter.body.len() == MESSAGE_BYTES_MAX && letter.attempts == u32::MAX));
}
