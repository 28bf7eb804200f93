//! The switches over a real simulated Slack and a real embedded AWS.

use super::world::{in_world, stack};
use super::*;
use serde_json::json;
use tack_local_aws::Effect;
use tack_simulator::{Answering, Config, DeliveryRequest};

/// A Slack whose app answers 200 to everything.
fn slack() -> Simulator {
    Simulator::in_process(Config::default(), |_| -> Answering {
        Box::pin(async { Ok(http::Response::new(bytes::Bytes::new())) })
    })
}

async fn desk() -> FaultDesk {
    FaultDesk::new(slack(), stack().await, Topics::new())
}

impl FaultDesk {
    fn state(&self, id: &str) -> FaultState {
        self.list(&History::new()).into_iter().find(|fault| fault.id == id).unwrap()
    }

    async fn event(&self) {
        let event =
            json!({ "type": "message", "channel": "C0PLAY001", "user": "U0ADA0001", "text": "hi", "ts": "1.0" });
        self.simulator.deliver(DeliveryRequest::event(event)).await.unwrap();
    }
}

#[test]
fn every_switch_goes_on_and_off() {
    in_world(async || {
        let desk = desk().await;
        assert_eq!(desk.on(), 0);
        for switch in Switch::ALL {
            let id = switch.facts().id;
            desk.switch_on(switch, None).unwrap();
            let state = desk.state(id);
            assert_eq!((desk.on(), state.on, state.times_left), (1, true, switch.times()), "{id}");
            desk.switch_off(switch);
            assert_eq!((desk.on(), desk.state(id).on), (0, false), "{id}");
        }
        for switch in [Switch::Duplicate, Switch::Slow, Switch::TokenRevoked, Switch::QueueRefuses, Switch::WorkerCrash]
        {
            desk.switch_on(switch, None).unwrap();
        }
        assert_eq!(desk.on(), 5);
        desk.all_off();
        assert_eq!(desk.on(), 0);
        assert!(desk.stack.aws.faults().snapshot().is_empty());
    });
}

#[test]
fn a_switch_that_is_used_up_is_off_and_still_says_how_often_it_struck() {
    in_world(async || {
        let desk = desk().await;
        desk.switch_on(Switch::Duplicate, Some(2)).unwrap();
        assert_eq!(desk.state("duplicate").times_left, Some(2));
        desk.event().await;
        assert_eq!((desk.state("duplicate").times_left, desk.on()), (Some(1), 1));
        desk.event().await;
        let used_up = desk.state("duplicate");
        assert_eq!((used_up.on, used_up.struck, desk.on()), (false, 2, 0));
        // Setting another one makes the simulated Slack forget its counts.
        desk.switch_on(Switch::Delay, Some(1)).unwrap();
        desk.switch_on(Switch::BadSignature, Some(1)).unwrap();
        assert_eq!(desk.state("duplicate").struck, 2);
        assert!(!desk.state("delay").on, "one of this group at a time");
        desk.switch_on(Switch::Duplicate, Some(1)).unwrap();
        assert_eq!(desk.state("duplicate").struck, 0, "it counts anew");
    });
}

#[test]
fn switches_that_share_a_place_keep_their_counts_apart() {
    in_world(async || {
        let desk = desk().await;
        desk.switch_on(Switch::RateLimited, Some(1)).unwrap();
        desk.switch_on(Switch::Slow, None).unwrap();
        let on: Vec<&str> = desk.list(&History::new()).iter().filter(|fault| fault.on).map(|fault| fault.id).collect();
        assert_eq!(on, ["slow"]);
        assert_eq!((desk.state("rate-limited").struck, desk.state("slow").struck), (0, 0));
    });
}

#[test]
fn what_was_set_elsewhere_is_counted_and_kept() {
    in_world(async || {
        let desk = desk().await;
        let elsewhere =
            serde_json::from_value(json!({ "web_api": { "auth.test": { "error": "fatal_error" } } })).unwrap();
        desk.simulator.set_faults(elsewhere);
        assert_eq!((desk.on(), desk.others()), (1, vec!["web_api auth.test: fatal_error".to_owned()]));
        desk.switch_on(Switch::Duplicate, None).unwrap();
        assert_eq!(desk.on(), 2);
        desk.switch_off(Switch::Duplicate);
        assert_eq!(desk.on(), 1);
        desk.all_off();
        assert_eq!(desk.on(), 0);
    });
}

#[test]
fn what_makes_no_sense_is_refused() {
    in_world(async || {
        let desk = desk().await;
        assert!(desk.switch_on(Switch::Duplicate, Some(0)).unwrap_err().contains("at least 1"));
        assert!(desk.switch_on(Switch::TokenRevoked, Some(1)).unwrap_err().contains("token-revoked"));
        assert_eq!(desk.on(), 0);
    });
}

#[test]
fn a_refusing_queue_fails_every_try_of_a_delivery() {
    in_world(async || {
        let desk = desk().await;
        desk.switch_on(Switch::QueueRefuses, Some(1)).unwrap();
        let (_, fault) = desk.stack.aws.faults().snapshot().remove(0);
        assert_eq!((fault.caller.as_deref(), fault.action.as_str()), (Some("ingress"), "SendMessage"));
        // The framework's limits: two attempts of SendMessage a delivery.
        assert_eq!(fault.times, Some(2));
        assert_eq!(desk.state("queue-refuses").times_left, Some(1));
    });
}

#[test]
fn the_crash_is_told_apart_from_other_writes_by_the_update_expression() {
    in_world(async || {
        let desk = desk().await;
        desk.switch_on(Switch::WorkerCrash, None).unwrap();
        desk.switch_on(Switch::CrashBeforeComplete, None).unwrap();
        let source = include_str!("../../../aws/src/dynamodb/idempotency.rs");
        for (_, fault) in desk.stack.aws.faults().snapshot() {
            let contains = fault.contains.unwrap();
            assert!(source.contains(&contains), "{contains}");
            assert!(matches!(fault.effect, Effect::CrashAfter | Effect::CrashBefore));
            assert_eq!((fault.resource.as_deref(), fault.times), (Some("state"), Some(1)));
        }
    });
}
