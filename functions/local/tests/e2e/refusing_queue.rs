//! A queue that refuses or is silent: Slack hears of it in time, and what Slack sends again is not lost.

use crate::message::message_delivery;
use crate::world::{Setup, in_world};
use tack_local_aws::{Effect, Fault};
use tack_simulator::Outcome;

fn the_queue_fails_and_slack_sends_again(effect: Effect, event_id: &str) {
    in_world(Setup::drill(), async |world| {
        // The first process is up and connected, as nearly always.
        world.deliver(message_delivery("Ev0WARM0001", "nobody listens to this")).await;
        let fault = world.stack.aws.faults().add(Fault {
            service: "sqs".to_owned(),
            action: "SendMessage".to_owned(),
            resource: Some("events".to_owned()),
            caller: Some("ingress".to_owned()),
            contains: None,
            effect,
            times: None,
        });
        let refused = world.deliver(message_delivery(event_id, "drill say not lost")).await;
        assert_eq!(refused[0].attempts[0].status, Some(500));
        assert!(
            refused[0].attempts[0].ms < 3_000,
            "Slack gives up after 3 s, and this took {} ms",
            refused[0].attempts[0].ms
        );
        assert_eq!(refused[0].outcome, Outcome::Retrying);
        assert!(world.posted().is_empty());
        let step = world.step("the refusal", |step| step.verdict.as_deref() == Some("queue_refused")).await;
        assert_eq!(step.status, Some(500));
        world.stack.aws.faults().remove(fault);

        let id = refused[0].id.clone();
        let accepted = || {
            let delivery = world.slack.read(|state| state.delivery(&id).cloned())?;
            (delivery.outcome == Outcome::Accepted).then_some(delivery)
        };
        let delivery = world.wait_for("a retry that is accepted", accepted).await;
        let last = delivery.attempts.last().unwrap();
        assert!(last.retry_num >= 1 && last.status == Some(200));
        let posted = || (world.effects("not lost") > 0).then_some(());
        world.wait_for("the effect", posted).await;
        world.settled().await;
        assert_eq!(world.effects("not lost"), 1);
    });
}

#[test]
fn an_event_that_the_queue_refuses_is_answered_500_in_time_and_taken_when_it_comes_again() {
    let effect = Effect::Error { status: 500, code: "InternalFailure".to_owned() };
    the_queue_fails_and_slack_sends_again(effect, "Ev0REFUSED1");
}

#[test]
fn an_event_that_the_queue_does_not_answer_is_answered_500_in_time_and_taken_when_it_comes_again() {
    the_queue_fails_and_slack_sends_again(Effect::Hang, "Ev0SILENT01");
}
