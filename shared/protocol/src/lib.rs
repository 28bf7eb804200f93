//! What Slack says on the wire, as types: the path of a request is [`RawRequest`] → [`VerifiedRequest`] → [`Inbound`].
//!
//! Pure: no I/O, no clock, no async, no AWS, no environment. Secrets and the time are arguments.
//! Invariant: a [`VerifiedRequest`] exists only if its signature held, and nothing but the unsigned `ssl_check` is read before that.
//! Typed payloads never fail to build: what Slack did not send is empty or `None`, and the raw JSON stays beside them.

#![warn(missing_docs)]

mod ack;
mod envelope;
mod ids;
pub mod oauth;
pub mod payload;
mod request;
mod signature;
mod time;

pub use ack::{CommandReply, NoReply, OptionsReply, Reply, ViewReply};
pub use envelope::{Envelope, EnvelopeKind, IdempotencyKey, Retry, Tenant};
pub use ids::{AppId, ChannelId, EnterpriseId, TeamId, UserId};
pub use request::{Inbound, RawRequest, VerifiedRequest};
pub use signature::{SignatureError, SigningSecrets, TIMESTAMP_TOLERANCE_SECONDS, sign};
pub use time::{EpochMs, EpochSeconds};
