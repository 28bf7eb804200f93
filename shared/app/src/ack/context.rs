//! What an ack function knows: the delivery. It has nothing to do I/O with.

use tack_protocol::payload::Payload;
use tack_protocol::{AppId, Envelope, EpochMs, Tenant, UserId};

/// The delivery that is being acknowledged, or guarded.
#[derive(Clone, Copy, Debug)]
pub struct AckContext<'e> {
    envelope: &'e Envelope,
}

impl<'e> AckContext<'e> {
    /// Of a delivery; tests make their own.
    pub fn new(envelope: &'e Envelope) -> Self {
        Self { envelope }
    }

    /// The person.
    pub fn user(&self) -> Option<&'e UserId> {
        self.envelope.user.as_ref()
    }

    /// The installation.
    pub fn tenant(&self) -> &'e Tenant {
        &self.envelope.tenant
    }

    /// The app.
    pub fn app(&self) -> Option<&'e AppId> {
        self.envelope.app.as_ref()
    }

    /// The payload, typed by kind.
    pub fn payload(&self) -> &'e Payload {
        &self.envelope.payload
    }

    /// When it arrived.
    pub fn received_at(&self) -> EpochMs {
        self.envelope.received_at
    }
}

/// A guard's no, with the sentence that the person sees where the kind can show one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the person is told.
    pub text: String,
}

impl Refusal {
    /// A no with this sentence.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }
}
