//! AWS around the framework: the only crate of the product that names an AWS type.
//!
//! [`ingress::run`], [`worker::run`] and [`oauth::run`] are whole Lambda functions; each `main.rs` names its app and calls one.
//! [`listing::run`] prints what an app registered.
//! Configuration is read once, at start; every missing or malformed variable is reported together, by name.

#![warn(missing_docs)]

mod browser;
mod client;
pub mod config;
mod connector;
mod dynamodb;
mod function;
mod http;
pub mod ingress;
mod kms;
pub mod listing;
pub mod oauth;
mod parameter_store;
mod sdk_error;
mod secrets;
mod sqs;
pub mod telemetry;
pub mod worker;
mod world;

pub use client::AwsClients;
pub use dynamodb::{DynamoIdempotencyStore, DynamoInstallationStore, DynamoStateStore};
pub use sqs::SqsQueue;
pub use world::{SystemClock, SystemRandom};
