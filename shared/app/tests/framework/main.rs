//! The framework as an adopter and an operator see it: registration, the ack phase, the ingress, the queue message, the worker
//! and the Web API client, over the ports in memory. What Slack and AWS do is taken from their documents, not from this code.
#![expect(clippy::expect_used, reason = "a test that cannot set up its world has failed")]

mod ack_answers;
mod ack_failures;
mod ack_matching;
mod client_calls;
mod client_errors;
mod deliveries;
mod golden;
mod hints;
mod ingress;
mod ingress_limits;
mod ingress_secrets;
mod lines;
mod listing;
mod message;
mod ports;
mod registration;
mod settings;
mod slack;
mod worker_app_jobs;
mod worker_attempts;
mod worker_batch;
mod worker_chain;
mod worker_dispositions;
mod worker_duplicates;
mod worker_errors;
mod worker_failures;
mod worker_messages;
mod worker_parking;
mod worker_stale;
mod worker_suspects;
mod worker_trouble;
mod worker_waits;
mod world;
