//! The time limits of this machine: small, so that a crash heals while one watches.

use std::time::Duration;
use tack_app::Limits;

/// How long an invocation of a worker may take here. In production it is 30 s and 5 min.
pub(crate) const WORKER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a received message stays hidden here. In production it is six times the time-out.
pub(crate) const VISIBILITY: Duration = Duration::from_secs(6);

/// How long an invocation of the ingress may take.
pub(crate) const INGRESS_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an invocation of the install pages may take; Slack's answer to the exchange is waited for in it.
pub(crate) const OAUTH_TIMEOUT: Duration = Duration::from_secs(10);

/// Production's limits with a ladder that one can sit through: 1 s, 2 s, 4 s, then every 5 s.
pub fn local_limits() -> Limits {
    Limits { ladder_ms: vec![1_000, 2_000, 4_000, 5_000], ..Limits::default() }
}
