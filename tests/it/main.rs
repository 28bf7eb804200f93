//! What holds across crates: one contract for every implementation of a port, and the rules of the architecture.
#![expect(clippy::expect_used, reason = "a test that cannot set up its world has failed")]
#![expect(clippy::print_stdout, reason = "a failed contract names its rule")]

mod architecture;
mod idempotency_aws;
mod idempotency_contract;
mod idempotency_model;
mod ingress_time;
mod installations_aws;
mod installations_contract;
mod manifest;
mod queue_aws;
mod queue_contract;
mod sources;
mod states_contract;
mod template;
