//! The job that every app has: a signed event of type `tack_probe` goes through ingress, queue and worker, is logged, and
//! calls nobody. "Ready" and health checks are proven with it.

use tack_protocol::Envelope;
use tack_protocol::payload::Payload;

/// The job's name.
pub const JOB: &str = "tack.probe";

/// The event's type.
pub const EVENT: &str = "tack_probe";

pub(crate) fn is_probe(envelope: &Envelope) -> bool {
    matches!(&envelope.payload, Payload::Event(event) if event.kind == EVENT)
}
