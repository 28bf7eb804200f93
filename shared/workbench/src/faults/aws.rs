//! Switches of the embedded AWS: which call of whom fails, or costs the caller its life.
//! Source of the two writes: the module `dynamodb` of `tack-aws`, whose update expressions a claim and an end are told apart by.

use super::table::Switch;
use crate::stack::Stack;
use tack_local_aws::{Effect, Fault};

/// What only a claim's update expression holds.
const CLAIM: &str = "if_not_exists(att, :zero)";
/// What only the update expression of a job's end holds.
const END: &str = "fin = att";

/// The ingress tries to send a message this often, and all of them are to fail.
pub(super) const SENDS_PER_DELIVERY: u32 = 2;

/// The fault behind a switch; nothing for those of the simulated Slack.
pub(super) fn fault(switch: Switch, times: Option<u32>) -> Option<Fault> {
    let crash = |contains: &str, effect| Fault {
        service: "dynamodb".to_owned(),
        action: "UpdateItem".to_owned(),
        resource: Some(Stack::STATE_TABLE.to_owned()),
        // Whichever worker it is.
        caller: None,
        contains: Some(contains.to_owned()),
        effect,
        times,
    };
    match switch {
        Switch::QueueRefuses => Some(Fault {
            service: "sqs".to_owned(),
            action: "SendMessage".to_owned(),
            resource: None,
            caller: Some("ingress".to_owned()),
            contains: None,
            effect: Effect::Error { status: 500, code: "InternalFailure".to_owned() },
            times: times.map(|times| times.saturating_mul(SENDS_PER_DELIVERY)),
        }),
        Switch::WorkerCrash => Some(crash(CLAIM, Effect::CrashAfter)),
        Switch::CrashBeforeComplete => Some(crash(END, Effect::CrashBefore)),
        _ => None,
    }
}

/// What is left of a fault, in the unit of its switch.
pub(super) fn left(switch: Switch, calls: Option<u32>) -> Option<u32> {
    match switch {
        Switch::QueueRefuses => calls.map(|calls| calls.div_ceil(SENDS_PER_DELIVERY)),
        _ => calls,
    }
}
