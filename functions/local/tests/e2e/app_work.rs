//! Work that Slack did not send: from any program with an AWS SDK, and from listeners, in large numbers and through a crash.

use crate::drill::POST;
use crate::message::{message_delivery, own_work};
use crate::world::{Setup, World, in_world};
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;

/// SQS as any program of the account has it.
pub(crate) fn sqs_of_a_stranger(world: &World) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(world.stack.aws.endpoint_url())
        .credentials_provider(Credentials::new("AKIASTRANGER", "secret", None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    aws_sdk_sqs::Client::from_conf(config)
}

#[test]
fn work_that_a_stranger_sends_twice_with_one_key_is_done_once() {
    in_world(Setup::drill(), async |world| {
        let sqs = sqs_of_a_stranger(world);
        let url = world.stack.aws.sqs().queue_url("events").unwrap();
        for body in [
            own_work(POST, "report-2026-11-24", &json!({ "text": "the report" })),
            own_work(POST, "report-2026-11-24", &json!({ "text": "the report" })),
            own_work(POST, "report-2026-11-25", &json!({ "text": "the next report" })),
        ] {
            // Without a message group, which only makes fair.
            sqs.send_message().queue_url(&url).message_body(body).send().await.unwrap();
        }
        world.settled().await;
        assert_eq!((world.effects("the report"), world.effects("the next report")), (1, 1));
        assert!(world.dead_letters().is_empty());
    });
}

#[test]
fn of_a_listener_that_enqueues_five_hundred_jobs_and_is_killed_half_way_each_job_is_done_once() {
    // A loaded machine needs a while for five hundred, and nobody takes over before the lease of the one that was killed has ended.
    let setup =
        Setup { worker_timeout: Duration::from_secs(20), visibility: Duration::from_secs(21), ..Setup::drill() };
    in_world(setup, async |world| {
        world.deliver(message_delivery("Ev0FANOUT01", "drill enqueue 500")).await;
        world.reached("half-way").await;
        assert!(world.stack.events.kill(world.caller_of("api.test").await).await);
        let again = world.step("another attempt", |step| {
            step.job.as_deref() == Some("drill.carry_out") && step.outcome.as_deref() == Some("done")
        });
        assert_eq!(again.await.attempt, Some(2));
        world.settled().await;
        let mut counts = BTreeMap::<String, usize>::new();
        for text in world.posted() {
            *counts.entry(text).or_default() += 1;
        }
        assert_eq!(counts.len(), 500);
        assert!(counts.values().all(|count| *count == 1), "{counts:?}");
        assert!(world.dead_letters().is_empty());
    });
}
