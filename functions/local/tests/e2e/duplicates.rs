//! One event, however often it comes and however it is delivered: one effect.

use crate::drill::CARRY_OUT;
use crate::message::{message_delivery, message_event, now_ms, queued_event};
use crate::world::{Setup, in_world};
use std::collections::{BTreeMap, BTreeSet};
use tack_local_aws::event_source::event::sqs_event;
use tack_local_aws::sqs::Received;
use tack_simulator::{DeliveryFaults, Faults, Outcome};

#[test]
fn twenty_copies_at_once_in_any_order_have_one_effect() {
    in_world(Setup::drill(), async |world| {
        let deliveries = DeliveryFaults { reorder: true, ..DeliveryFaults::default() };
        world.slack.set_faults(Faults { deliveries, ..Faults::default() });
        let first = message_delivery("Ev0TWENTY01", "drill say once").times(10);
        let again = message_delivery("Ev0TWENTY01", "drill say once").times(10);
        let again = again.header("x-slack-retry-num", "1").header("x-slack-retry-reason", "http_timeout");
        let (first, again) = tokio::join!(world.deliver(first), world.deliver(again));
        assert_eq!(first.len() + again.len(), 20);
        let all_accepted =
            || world.slack.deliveries().iter().all(|delivery| delivery.outcome == Outcome::Accepted).then_some(());
        world.wait_for("twenty times 200", all_accepted).await;
        world.settled().await;
        assert_eq!(world.effects("once"), 1);
        assert_eq!(world.jobs(CARRY_OUT, "done").len(), 1);
        assert!(world.dead_letters().is_empty());
    });
}

#[test]
fn an_event_that_comes_only_as_its_first_retry_has_its_effect() {
    in_world(Setup::drill(), async |world| {
        let retry = message_delivery("Ev0RETRY001", "drill say late")
            .header("x-slack-retry-num", "1")
            .header("x-slack-retry-reason", "http_error");
        world.deliver(retry).await;
        world.settled().await;
        assert_eq!(world.effects("late"), 1);
        assert!(world.steps().iter().any(|step| step.retry_num == Some(1)));
    });
}

#[test]
fn twenty_copies_in_one_batch_have_one_effect_and_cost_two_writes() {
    in_world(Setup::drill(), async |world| {
        let envelope = message_event("Ev0BATCH001", "drill slow once");
        let records: Vec<_> =
            (0..20).map(|n| record(n, queued_event(&format!("copy-{n}"), &envelope, &[CARRY_OUT]))).collect();
        let arn = world.stack.aws.sqs().queue_arn("events").unwrap();
        let answer = world.stack.events.invoke(sqs_event(&records, &arn).unwrap()).await.unwrap();
        assert_eq!(answer, r#"{"batchItemFailures":[]}"#);
        assert_eq!(world.effects("once"), 1);
        let calls = world.stack.aws.calls().snapshot();
        let actions: Vec<_> = calls.iter().map(|call| call.action.as_str()).collect();
        assert_eq!(actions, ["UpdateItem", "UpdateItem"]);
    });
}

/// A message as SQS would hand it over; larger batches than ten come from a batch window, which this stack has not.
fn record(number: usize, body: String) -> Received {
    Received {
        message_id: format!("message-{number}"),
        receipt_handle: format!("receipt-{number}"),
        body,
        md5_of_body: String::new(),
        group_id: Some("T0ACME001".to_owned()),
        attributes: BTreeMap::new(),
        sent_ms: now_ms(),
        first_received_ms: now_ms(),
        receive_count: 1,
        sender_id: "test".to_owned(),
        trace_header: None,
        dead_letter_source_arn: None,
    }
}

#[test]
fn copies_in_two_workers_at_once_have_one_effect() {
    in_world(Setup::drill(), async |world| {
        let envelope = message_event("Ev0WORKERS1", "drill slow once");
        world.send_events((0..20).map(|n| queued_event(&format!("copy-{n}"), &envelope, &[CARRY_OUT])));
        world.settled().await;
        assert_eq!(world.effects("once"), 1);
        assert_eq!(world.jobs(CARRY_OUT, "done").len(), 1);
        let workers: BTreeSet<_> = world
            .lines()
            .into_iter()
            .filter(|line| crate::world::step_of(line).is_some_and(|step| step.step == "job"))
            .map(|line| line.pid)
            .collect();
        assert!(workers.len() >= 2, "ten copies fill a batch, and two batches run in two processes");
    });
}

#[test]
fn an_owner_that_is_killed_before_its_effect_is_followed_by_another_attempt() {
    in_world(Setup::drill(), async |world| {
        world.deliver(message_delivery("Ev0KILLED01", "drill wait survived").times(2)).await;
        world.reached("survived").await;
        assert!(world.stack.events.kill(world.caller_of("api.test").await).await);
        let done = world.step("another attempt", |step| step.outcome.as_deref() == Some("done")).await;
        assert_eq!(done.attempt, Some(2));
        world.settled().await;
        assert_eq!(world.effects("survived"), 1);
        assert!(world.dead_letters().is_empty());
    });
}
