//! **Your code.** [`register`](SlackApp::register) is the table of contents of the Slack app; each listener has a file of its own.
//!
//! To add one: write its file, name it in its folder's `mod.rs` and here, and start again.

mod commands;
mod messages;
mod options;
mod views;

use tack_app::{App, Phase, Regex, Settings, SetupError, SlackApp};

/// What listeners are given besides their payload.
pub type Context = tack_app::Context<Resources>;

/// What listeners need besides Slack: tables, partners' APIs. Nothing yet.
pub type Resources = ();

/// This app.
pub struct Starter;

impl SlackApp for Starter {
    type Resources = Resources;
    type AckResources = ();

    fn register<P: Phase>(app: &mut App<P, Resources, ()>) {
        app.message(greeting()).lazy("sample_message.greet", messages::sample_message::greet);

        app.command("/order").ack(commands::order::ack).lazy("order.open", commands::order::open);
        app.options("order_item", options::order_item::search);
        app.view("order_modal").ack(views::order_modal::validate).lazy("order.place", views::order_modal::place);
    }

    async fn resources(_: &Settings) -> Result<Resources, SetupError> {
        Ok(())
    }

    async fn ack_resources(_: &Settings) -> Result<(), SetupError> {
        Ok(())
    }
}

fn greeting() -> Regex {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, and a test compiles it")]
    Regex::new(messages::sample_message::PATTERN).expect("the pattern is a constant")
}
