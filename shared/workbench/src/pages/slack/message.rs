//! One message: who, when, its text or blocks, what one can do with it, and the delivery behind it.

use super::{Scene, no_default_button, permalink};
use crate::history::{Outcome, Row};
use crate::pages::block_kit::{SurfaceKind, mrkdwn};
use crate::pages::clock::{clock_of, local};
use maud::{Markup, html};
use serde_json::Value;
use tack_simulator::Message;

impl Scene<'_> {
    pub(super) fn message(&self, channel: &str, message: &Message, with_thread_link: bool) -> Markup {
        let body = &message.body;
        let user = body["user"].as_str().unwrap_or_default();
        let is_app = user == self.bot || body.get("bot_id").is_some_and(|id| !id.is_null());
        let author = if is_app { self.directory.user(&self.bot).unwrap_or("tack") } else { self.name(user) };
        let is_ephemeral = message.ephemeral_to.is_some();
        let row = self.stories.of_message(message.ts());
        let replies = body["reply_count"].as_u64().unwrap_or_default();
        // A thread stands beside its channel, and both show the first message.
        let place = if with_thread_link { "m" } else { "t" };
        let id = format!("{place}-{}", message.ts().replace('.', "-"));
        html! {
            article.message.app[is_app] #(id) data-testid="message" data-id=(message.ts()) data-author=(author) {
                div.meta {
                    strong data-testid="message-author" { (author) }
                    @if is_app { span.badge { "APP" } }
                    span.muted data-testid="message-meta" { (local(message.ts())) }
                    @if is_ephemeral { span.muted data-testid="ephemeral-note" { span aria-hidden="true" { "👁 " } "Only visible to you" } }
                    @if !body["edited"].is_null() { span.muted { "(edited)" } }
                    (self.menu(channel, message, author, is_ephemeral))
                }
                div.text data-testid="message-text" { (self.content(channel, message, &id)) }
                (reactions(body, &self.me, channel, message.ts(), &self.path))
                @if with_thread_link && replies > 0 {
                    p { a.replies data-testid="message-thread-link" href=(permalink(channel, message.ts())) { (replies) @if replies == 1 { " reply" } @else { " replies" } } }
                }
                @if let Some(row) = row.filter(|row| is_app || is_notable(row)) { (link(row)) }
            }
        }
    }

    fn content(&self, channel: &str, message: &Message, id: &str) -> Markup {
        let body = &message.body;
        let text = body["text"].as_str().unwrap_or_default();
        let has_blocks = body["blocks"].as_array().is_some_and(|blocks| !blocks.is_empty());
        let form = format!("{id}-form");
        let has_attachments = body["attachments"].as_array().is_some_and(|list| !list.is_empty());
        let (chosen, problems) = (message.chosen_values(&self.me), message.problems(&self.me));
        html! {
            @if !has_blocks && !text.is_empty() { (mrkdwn(text, &self.directory, &self.me)) }
            @if has_blocks || has_attachments {
                form #(form) method="post" action="/act/press" data-act {
                    input type="hidden" name="back" value=(self.path);
                    input type="hidden" name="channel" value=(channel);
                    input type="hidden" name="ts" value=(message.ts());
                    (no_default_button())
                    @if has_blocks { (self.blocks(&body["blocks"], SurfaceKind::Message, &form, &chosen, problems)) }
                    @if has_attachments { (self.attachments(&body["attachments"], &form, &chosen, problems)) }
                }
            }
        }
    }

    fn menu(&self, channel: &str, message: &Message, author: &str, is_ephemeral: bool) -> Markup {
        let ts = message.ts();
        let hidden = html! {
            input type="hidden" name="back" value=(self.path);
            input type="hidden" name="channel" value=(channel);
            input type="hidden" name="ts" value=(ts);
        };
        html! {
            details.menu data-testid="message-menu" {
                summary aria-label={ "More for " (author) "’s message of " (clock_of(ts)) } { "⋮" }
                div.items {
                    @if is_ephemeral {
                        form method="post" action="/act/dismiss" data-act { (hidden) button.plain { "Dismiss" } }
                    } @else {
                        a.button href=(permalink(channel, ts)) { "Reply in thread" }
                        form method="post" action="/act/react" data-act {
                            (hidden)
                            @for (name, sign) in [("thumbsup", "👍"), ("eyes", "👀"), ("tada", "🎉")] {
                                button.plain name="name" value=(name) aria-label={ "React with " (name) } { (sign) }
                            }
                        }
                        @for callback in self.workbench.listing.patterns("message_shortcut") {
                            form method="post" action="/act/message_shortcut" data-act {
                                (hidden)
                                input type="hidden" name="callback_id" value=(callback);
                                button.plain data-testid="message-shortcut" { (callback) }
                            }
                        }
                        @if message.body["user"] == self.me.as_str() {
                            form method="post" action="/act/edit" data-act {
                                (hidden)
                                input name="text" value=(typed(&message.body)) aria-label="The message, to edit";
                                button { "Save" }
                            }
                            form method="post" action="/act/delete" data-act { (hidden) button.plain { "Delete message" } }
                        }
                    }
                }
            }
        }
    }

    /// A link to the story of what the simulated Slack calls so.
    pub(super) fn link_of(&self, delivery: &str) -> Markup {
        html! { @if let Some(row) = self.stories.of_delivery(delivery) { (link(row)) } }
    }
}

/// A message's text as it was typed.
fn typed(body: &Value) -> String {
    let text = body["text"].as_str().unwrap_or_default();
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// A person's own message leads to its delivery only where that did not simply go well.
fn is_notable(row: &Row) -> bool {
    row.outcome.is_trouble() || !row.outcome.is_settled() || row.outcome == Outcome::Discarded
}

fn link(row: &Row) -> Markup {
    html! { p.story { (chip(row)) } }
}

/// The chip that leads from what one sees to its story.
pub(super) fn chip(row: &Row) -> Markup {
    html! {
        a.chip data-testid="delivery-link" data-id=(row.id) data-state=(if row.outcome.is_trouble() { "bad" } else { "ok" })
            href={ "/console/deliveries/" (row.id) } {
            span.sign aria-hidden="true" { (row.outcome.mark()) }
            code { (row.short) }
            @if let Some(ms) = row.ack_ms { "ack " (ms) " ms · " }
            (row.outcome.as_str()) @if row.attempts > 1 { ", attempt " (row.attempts) }
            " · explain"
        }
    }
}

fn reactions(body: &Value, me: &str, channel: &str, ts: &str, path: &str) -> Markup {
    let reactions = body["reactions"].as_array().map(Vec::as_slice).unwrap_or_default();
    html! {
        @if !reactions.is_empty() {
            div.reactions {
                @for reaction in reactions {
                    @let name = reaction["name"].as_str().unwrap_or_default();
                    @let is_mine = reaction["users"].as_array().is_some_and(|users| users.iter().any(|user| user == me));
                    form method="post" action=(if is_mine { "/act/unreact" } else { "/act/react" }) data-act {
                        input type="hidden" name="back" value=(path);
                        input type="hidden" name="channel" value=(channel);
                        input type="hidden" name="ts" value=(ts);
                        button.chip data-testid="reaction" name="name" value=(name) aria-pressed=(is_mine.to_string()) {
                            (emojis::get_by_shortcode(name).map_or(name, emojis::Emoji::as_str)) " " (reaction["count"])
                        }
                    }
                }
            }
        }
    }
}
