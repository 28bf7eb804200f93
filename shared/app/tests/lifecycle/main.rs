//! Installations that come, go and come again: what Slack's events change, and which of the app's own jobs follow.
//! Slack's documents say what comes and what it means: <https://docs.slack.dev/reference/events/app_uninstalled> and
//! <https://docs.slack.dev/reference/events/tokens_revoked>; what it sends on Grid is as its SDKs' recorded bodies have it.
#![expect(clippy::expect_used, reason = "a test that cannot set up its world has failed")]

mod access;
mod changes;
mod door;
mod grid;
mod installed;
mod purge;
mod registration;
mod stale_reads;
mod uninstalled;
mod world;
