//! SQS's adapter where it does what the queues in memory cannot: hiding messages, refusing, timing out.

use crate::queue_contract::{Queues, Sqs};
use std::time::Duration;
use tack_app::Limits;
use tack_app::message::QueueName;
use tack_app::ports::{Queue, QueueConsumer};
use tack_local_aws::{Effect, Fault};
use tack_tests::EVENTS;
use tokio::time::advance;

fn fault(sqs: &Sqs, action: &str, effect: Effect, times: Option<u32>) {
    sqs.aws.local().faults().add(Fault {
        service: "sqs".to_owned(),
        action: action.to_owned(),
        resource: Some(EVENTS.to_owned()),
        caller: None,
        contains: None,
        effect,
        times,
    });
}

async fn visible(sqs: &Sqs) -> usize {
    sqs.receive(QueueName::Events).await.len()
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_put_off_is_hidden_for_that_time_rounded_up_to_seconds() {
    for (delay_ms, seconds) in
        [(1, 1), (1_000, 1), (1_001, 2), (90_000, 90), (40_000_000, 40_000), (99_000_000, 43_200)]
    {
        let sqs = Sqs::new();
        sqs.queue.send(QueueName::Events, "T1", "hello".to_owned()).await.expect("a queue that accepts");
        let record = sqs.receive(QueueName::Events).await.pop().expect("a message");
        let delay = Duration::from_millis(delay_ms);
        sqs.queue.postpone(QueueName::Events, &record.receipt, delay).await.expect("a queue that accepts");
        advance(Duration::from_millis(seconds * 1000 - 1)).await;
        assert_eq!(visible(&sqs).await, 0, "{delay_ms} ms");
        advance(Duration::from_millis(1)).await;
        assert_eq!(visible(&sqs).await, 1, "{delay_ms} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_put_off_for_no_time_comes_again_at_once() {
    let sqs = Sqs::new();
    sqs.queue.send(QueueName::Events, "T1", "hello".to_owned()).await.expect("a queue that accepts");
    let record = sqs.receive(QueueName::Events).await.pop().expect("a message");
    assert_eq!(visible(&sqs).await, 0);
    sqs.queue.postpone(QueueName::Events, &record.receipt, Duration::ZERO).await.expect("a queue that accepts");
    assert_eq!(visible(&sqs).await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_sqs_refuses_is_an_error_with_its_code_and_without_the_message() {
    let sqs = Sqs::new();
    let body = "only-for-the-queue\u{FFFF}".to_owned();
    let error = sqs.queue.send(QueueName::Events, "T1", body).await.expect_err("a character that SQS refuses");
    assert!(error.to_string().contains("InvalidMessageContents"), "{error}");
    assert!(!error.to_string().contains("only-for-the-queue"), "{error}");
    let error = sqs.queue.postpone(QueueName::Events, "no-such-receipt", Duration::ZERO).await.expect_err("no receipt");
    assert!(error.to_string().contains("ReceiptHandleIsInvalid"), "{error}");
    assert_eq!(visible(&sqs).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_function_without_dead_letter_queues_buries_nothing() {
    let sqs = Sqs::new();
    let sender = sqs.aws.ingress_queue(&Limits::default());
    let letter = tack_app::message::DeadLetter {
        queue: QueueName::Events,
        group: "T1".to_owned(),
        body: "hello".to_owned(),
        reason: "why".to_owned(),
        job: None,
        attempts: 1,
        delivery: None,
    };
    assert!(sender.bury(letter).await.is_err());
    assert!(sqs.letters().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_throttled_send_is_tried_again_and_one_message_waits() {
    let sqs = Sqs::new();
    fault(&sqs, "SendMessage", Effect::Throttle, Some(2));
    sqs.queue.send(QueueName::Events, "T1", "hello".to_owned()).await.expect("the third try");
    assert_eq!(visible(&sqs).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_send_whose_reply_was_lost_is_repeated_so_that_nothing_is_lost() {
    let sqs = Sqs::new();
    fault(&sqs, "SendMessage", Effect::LoseReply, Some(1));
    sqs.queue.send(QueueName::Events, "T1", "hello".to_owned()).await.expect("the second try");
    assert_eq!(visible(&sqs).await, 2, "two copies, which one record makes one");
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_never_answers_is_an_error_within_the_workers_patience() {
    let sqs = Sqs::new();
    fault(&sqs, "SendMessage", Effect::Hang, None);
    let started = tokio::time::Instant::now();
    assert!(sqs.queue.send(QueueName::Events, "T1", "hello".to_owned()).await.is_err());
    assert!(started.elapsed() <= Duration::from_secs(8), "{:?}", started.elapsed());
}
