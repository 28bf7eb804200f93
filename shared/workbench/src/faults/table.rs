//! The switches: what each does, the promise it tests, and how it may be counted. Which call or write it strikes is `slack`'s and `aws`'s matter.

use serde::Serialize;

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Group {
    /// What Slack sends.
    SlackToApp,
    /// What Slack answers.
    AppToSlack,
    /// What AWS answers.
    Aws,
    /// The processes themselves.
    Process,
}

impl Group {
    pub(crate) const ALL: [Self; 4] = [Self::SlackToApp, Self::AppToSlack, Self::Aws, Self::Process];

    /// Its heading.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::SlackToApp => "Slack → app",
            Self::AppToSlack => "app → Slack",
            Self::Aws => "AWS",
            Self::Process => "process",
        }
    }

    /// What is counted with "next 1", and what else is to be known.
    pub(crate) fn note(self) -> &'static str {
        match self {
            Self::SlackToApp => "One of these at a time. Counted in deliveries.",
            Self::AppToSlack => "One of the first three at a time. Counted in calls.",
            Self::Aws => "Counted in deliveries.",
            Self::Process => "A real SIGKILL. Counted in kills.",
        }
    }
}

/// A switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Switch {
    Duplicate,
    Reorder,
    Delay,
    BadSignature,
    RateLimited,
    ServerError,
    Slow,
    TokenRevoked,
    QueueRefuses,
    WorkerCrash,
    CrashBeforeComplete,
}

/// What is fixed about a switch.
pub(crate) struct Facts {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) group: Group,
    /// What ought to happen all the same.
    pub(crate) promise: &'static str,
}

impl Switch {
    /// All of them, in the order of the page.
    pub(crate) const ALL: [Self; 11] = [
        Self::Duplicate,
        Self::Reorder,
        Self::Delay,
        Self::BadSignature,
        Self::RateLimited,
        Self::ServerError,
        Self::Slow,
        Self::TokenRevoked,
        Self::QueueRefuses,
        Self::WorkerCrash,
        Self::CrashBeforeComplete,
    ];

    pub(crate) fn facts(self) -> Facts {
        let facts = |id, title, group, promise| Facts { id, title, group, promise };
        match self {
            Self::Duplicate => facts(
                "duplicate",
                "Duplicate delivery",
                Group::SlackToApp,
                "Done is final: two copies of an event have one effect.",
            ),
            Self::Reorder => facts(
                "reorder",
                "Reordered events",
                Group::SlackToApp,
                "Every event is done; their order is not promised, as Slack promises none.",
            ),
            Self::Delay => facts("delay", "Delay of 3 s", Group::SlackToApp, "What comes late is done all the same."),
            Self::BadSignature => facts(
                "bad-signature",
                "Bad signature",
                Group::SlackToApp,
                "What Slack did not sign is answered 401, and nothing runs.",
            ),
            Self::RateLimited => facts(
                "rate-limited",
                "429, Retry-After 3 s",
                Group::AppToSlack,
                "The job waits as long as Slack says, on nobody's time, and runs again.",
            ),
            Self::ServerError => facts(
                "server-error",
                "500 from Slack",
                Group::AppToSlack,
                "The job runs again until it is done, or ends in the dead letters with its reason.",
            ),
            Self::Slow => facts(
                "slow",
                "Slow Slack, 2 s a call",
                Group::AppToSlack,
                "The answer to Slack stays quick, since the work is behind a queue.",
            ),
            Self::TokenRevoked => facts(
                "token-revoked",
                "Revoked token",
                Group::AppToSlack,
                "Nothing is tried again that cannot work: the job is discarded for that reason.",
            ),
            Self::QueueRefuses => facts(
                "queue-refuses",
                "The queue refuses",
                Group::Aws,
                "Acknowledged means durable: Slack is told 500, and sends an event again.",
            ),
            Self::WorkerCrash => facts(
                "worker-crash",
                "Worker crash, right after its claim",
                Group::Process,
                "At least once: when the lease is over another attempt does the work, once.",
            ),
            Self::CrashBeforeComplete => facts(
                "crash-before-complete",
                "Worker crash, before its work is noted as done",
                Group::Process,
                "At least once: the job runs again. Its effect may be there twice; exactly once is not promised.",
            ),
        }
    }

    /// The switch with this id.
    pub(crate) fn named(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|switch| switch.facts().id == id)
    }

    /// How often it strikes if nobody says: a crash once, anything else until it is switched off.
    pub(crate) fn times(self) -> Option<u32> {
        (self.facts().group == Group::Process).then_some(1)
    }

    /// Whether it can be told to strike a number of times.
    pub(crate) fn is_counted(self) -> bool {
        self != Self::TokenRevoked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_is_found_by_its_id() {
        for switch in Switch::ALL {
            assert_eq!(Switch::named(switch.facts().id), Some(switch));
        }
        assert_eq!(Switch::named("Duplicate"), None);
    }
}
