//! Installing the app as a browser sees it, against the real flow, the ports in memory and a small HTTP server in Slack's place.
//! What Slack sends and answers is taken from its documents:
//! <https://docs.slack.dev/authentication/installing-with-oauth>, <https://docs.slack.dev/reference/methods/oauth.v2.access>.
#![expect(clippy::expect_used, reason = "a test that cannot set up its world has failed")]

mod answers;
mod begin;
mod browser;
mod finish;
mod lines;
mod own_pages;
#[path = "../framework/slack.rs"]
mod slack;
mod vectors;
mod world;
