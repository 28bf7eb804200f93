//! **Your code.** [`register`](SlackApp::register) is the table of contents of the Slack app; each listener has a file of its own.
//!
//! To add one:
//! 1. its file, in the folder of its kind, with its unit test below it: `commands/hello.rs`;
//! 2. its `mod` line in that folder's `mod.rs`: `pub(crate) mod hello;`;
//! 3. its line in `register`: `app.command("/hello").lazy("hello.say", commands::hello::say);`.
//!
//! `.lazy(name, f)` runs in the worker, durably, as often as it takes; its name waits in queues, so it is chosen once and
//! stays. `.ack(f)` before it runs within Slack's request, when there is something to answer or to refuse. What a workspace
//! has to know of (commands, shortcuts, events, scopes) stands in `infra/slack-manifest.json`, and a test compares the two.

mod actions;
mod commands;
mod events;
mod messages;
mod options;
mod shortcuts;
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
        // The samples of Bolt's starter, by the same names. Slack gets an empty 200; the rest is the worker's.
        app.message(greeting()).lazy("sample_message.greet", messages::sample_message::greet);
        app.command("/sample-command").lazy("sample_command.respond", commands::sample_command::respond);
        app.shortcut("sample_shortcut_id").lazy("sample_shortcut.open", shortcuts::sample_shortcut::open);
        app.action("sample_action_id").lazy("sample_action.update", actions::sample_action::update);
        app.view("sample_view_id").lazy("sample_view.post", views::sample_view::post);
        app.event("app_home_opened").lazy("app_home_opened.publish", events::app_home_opened::publish);

        // Both phases: what can be answered at once is, and what was found out goes along to the worker.
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
