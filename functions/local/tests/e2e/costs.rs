//! What one event costs at AWS and at Slack, counted by those who are called.

use crate::message::message_delivery;
use crate::world::{Setup, World, in_world};

/// Delivers an event and says what was called meanwhile, as `caller action resource`, and how many units DynamoDB would bill.
async fn calls_of(world: &World, event_id: &str, text: &str) -> (Vec<String>, f64) {
    world.stack.aws.calls().clear();
    world.deliver(message_delivery(event_id, text)).await;
    world.settled().await;
    let calls = world.stack.aws.calls().snapshot();
    let units = calls.iter().filter_map(|call| call.consumed_units).sum();
    let name = |call: &tack_local_aws::Call| {
        let caller = call.caller.as_deref().unwrap_or("nobody");
        format!("{caller} {} {}", call.action, call.resource.as_deref().unwrap_or_default())
    };
    (calls.iter().map(name).collect(), units)
}

#[test]
fn an_event_costs_one_send_two_writes_no_read_and_its_listeners_calls_and_a_duplicate_costs_one_write() {
    in_world(Setup::drill(), async |world| {
        for n in 0..2 {
            let text = format!("counted {n}");
            let (calls, units) = calls_of(world, &format!("Ev0COUNTED{n}"), &format!("drill say {text}")).await;
            assert_eq!(
                calls,
                ["ingress SendMessage events", "worker-events UpdateItem state", "worker-events UpdateItem state"]
            );
            assert!((units - 2.0).abs() < f64::EPSILON, "{units} units");
            assert_eq!(world.effects(&text), 1);
        }
        let before = world.slack.calls().len();
        assert_eq!(before, 2, "one call for each event");
        let (calls, _) = calls_of(world, "Ev0COUNTED0", "drill say counted 0").await;
        assert_eq!(calls, ["ingress SendMessage events", "worker-events UpdateItem state"]);
        assert_eq!(world.slack.calls().len(), before);
    });
}
