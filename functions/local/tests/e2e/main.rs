//! The whole way with real processes: the simulated Slack, the gateway, the ingress, SQS, the workers, DynamoDB, and back to the simulated Slack.
//! The functions are `tack`'s own (the starter app), or the drill app in this very binary, whose listeners misbehave on request.
//! Invariant: a test waits for what it expects and never for a time to pass; what it counts is what Slack and AWS saw from outside.

// Clippy takes functions outside `#[test]` for test code only under `cfg(test)`.
#[cfg(test)]
mod app_work;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod costs;
#[cfg(test)]
mod door;
#[cfg(test)]
mod drill;
#[cfg(test)]
mod duplicates;
#[cfg(test)]
mod front_door;
#[cfg(test)]
mod install_costs;
#[cfg(test)]
mod installs;
#[cfg(test)]
mod late_acks;
#[cfg(test)]
mod message;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod program;
#[cfg(test)]
mod rate_limit;
#[cfg(test)]
mod redrive;
#[cfg(test)]
mod refusing_queue;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod secrets_parameter;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod signed_samples;
#[cfg(test)]
mod starter;
#[cfg(test)]
mod visitor;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod world;
