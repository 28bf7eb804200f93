//! The framework: listeners registered in Bolt's words, run in two phases.
//!
//! ```text
//! delivery ─▶ Ingress: verify ▶ decode ▶ ack (pure, or with the adopter's own I/O) ─▶ queue ─▶ 200
//! queue    ─▶ Worker:  per job claim ▶ authorize ▶ listener(&Context, &payload) ▶ complete | release | park
//! ```
//!
//! No AWS, no environment, no HTTP server: the world comes in through [`ports`]; `tack-aws` and [`memory`] implement them.

#![warn(missing_docs)]

mod ack;
mod app;
mod authorize;
mod client;
mod context;
mod error;
mod hints;
pub mod idempotency;
mod ingress;
pub mod install;
mod kind;
pub mod limits;
mod listener;
mod listing;
mod matcher;
pub mod memory;
pub mod message;
mod middleware;
pub mod oauth;
pub mod ports;
pub mod probe;
mod running;
mod settings;
mod signing;
pub mod step;
mod worker;

pub use ack::{Ack, AckContext, AckDecision, CommandAck, EmptyAck, HandedOver, Nothing, Refusal, Verdict, ViewAck};
pub use app::{AckPhase, App, LazyPhase, Phase, SlackApp};
pub use authorize::Authorize;
pub use client::{Client, ClientError, HttpClient, SLACK_API_URL, connector as tls_connector};
pub use context::{Context, Logger, Post};
pub use error::{AckError, Disposition, ListenerError, chain as error_chain};
pub use ingress::{Arrival, HttpAnswer, Ingress};
pub use kind::{
    Acked, Actions, BlockAction, Closed, Command, Events, Functions, GlobalShortcut, Kind, Lazy, Messages, OnMessage,
    Submission, Suggestions,
};
pub use limits::Limits;
pub use listener::{HandOver, On};
pub use listing::{Listed, listing};
pub use matcher::{ActionPattern, Pattern};
pub use middleware::Next;
pub use regex_lite::Regex;
pub use running::{Running, running};
pub use settings::{Settings, SetupError};
pub use signing::AcceptedSecrets;
pub use tack_protocol as protocol;
pub use tack_protocol::payload;
pub use tack_protocol::{CommandReply, NoReply, OptionsReply, ViewReply};
pub use worker::{Record, Worker, WorkerParts};
