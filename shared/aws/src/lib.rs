//! AWS around the framework: the only crate of the product that names an AWS type.
//!
//! [`ingress::run`] and [`worker::run`] are whole Lambda functions; each `main.rs` names its app and calls one.
//! [`listing::run`] prints what an app registered.
//! Configuration is read once, at start; every missing or malformed variable is reported together, by name.

#![warn(missing_docs)]

mod client;
pub mod config;
mod connector;
mod dynamodb;
mod function;
mod http;
pub mod ingress;
pub mod listing;
mod sdk_error;
mod sqs;
pub mod telemetry;
pub mod worker;
mod world;

pub use client::AwsClients;
pub use dynamodb::DynamoIdempotencyStore;
pub use sqs::SqsQueue;
pub use world::{SystemClock, SystemRandom};
