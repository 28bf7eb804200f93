//! Slack says when to come again, and nobody comes before.

use crate::message::message_delivery;
use crate::world::{Setup, in_world};
use tack_simulator::{Faults, WebApiFault};

#[test]
fn slack_is_not_called_again_before_its_retry_after_not_even_for_a_duplicate() {
    in_world(Setup::drill(), async |world| {
        let limited = WebApiFault { retry_after: Some(3), times: Some(1), ..WebApiFault::default() };
        let web_api = [("chat.postMessage".to_owned(), limited)].into();
        world.slack.set_faults(Faults { web_api, ..Faults::default() });
        let event = || message_delivery("Ev0LIMITED1", "drill say patience");
        world.deliver(event()).await;
        let refused = || (!world.jobs(crate::drill::CARRY_OUT, "retry").is_empty()).then_some(());
        world.wait_for("the first refusal", refused).await;
        // Slack sends the event again, and the job is waiting.
        world.deliver(event()).await;
        let duplicate = world.step("the duplicate", |step| step.outcome.as_deref() == Some("duplicate")).await;
        assert!(duplicate.again_ms.is_some_and(|ms| ms > 0), "it is to come again, when the job is due");
        world.settled().await;

        let calls =
            world.slack.read(|state| state.calls_of("chat.postMessage").into_iter().cloned().collect::<Vec<_>>());
        let [first, second] = &calls[..] else { panic!("{} calls", calls.len()) };
        assert_eq!((first.status, second.status), (429, 200));
        let pause = second.at_ms - first.at_ms;
        assert!(pause >= 3_000, "after {pause} ms");
        assert_eq!(world.effects("patience"), 1);
    });
}
