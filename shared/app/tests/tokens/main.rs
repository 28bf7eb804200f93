//! Whose token a job works with: looked up, remembered, renewed and dropped, over the ports in memory and a small HTTP server in
//! Slack's place. What Slack says and does is taken from its documents:
//! <https://docs.slack.dev/authentication/using-token-rotation>, <https://docs.slack.dev/enterprise/developing-for-enterprise-orgs>.
//! Many workers at once, crashes and lost messages are in the simulation beside the code.
#![expect(clippy::expect_used, reason = "a test that cannot set up its world has failed")]

mod incoming_webhook;
mod lines;
mod lookups;
mod operator;
mod organisations;
mod people;
mod refusals;
mod rotation;
mod slack;
mod world;
