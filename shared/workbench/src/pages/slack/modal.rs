//! The stack of modals a person has open: the one on top, with inline errors, and how many are below.

use super::{Scene, trouble_note};
use crate::pages::block_kit::{SurfaceKind, plain_text};
use maud::{Markup, html};
use serde_json::Value;
use tack_simulator::View;

impl Scene<'_> {
    pub(super) fn modals(&self) -> Markup {
        let stack = self.state.modals(&self.me);
        html! { @if let Some(view) = stack.last() { (self.modal(view, stack.len())) } }
    }

    fn modal(&self, view: &View, depth: usize) -> Markup {
        let body = &view.body;
        let form = format!("view-{}", view.id());
        let words = |field: &str, without: &str| match &body[field] {
            Value::Null => html! { (without) },
            text => plain_text(text),
        };
        html! {
            dialog open data-modal data-testid="modal" data-view-id=(view.id()) data-callback-id=(body["callback_id"].as_str().unwrap_or_default())
                aria-labelledby="modal-title" {
                form #(form) method="post" action="/act/press" novalidate data-act {
                    input type="hidden" name="back" value=(self.path);
                    input type="hidden" name="view_id" value=(view.id());
                    // Enter in a field presses the first button of a form: it must be the one that submits.
                    @if !body["submit"].is_null() { button.visually-hidden name="submit" value="1" tabindex="-1" aria-hidden="true" {} }
                    div.head {
                        h2 #modal-title data-testid="modal-title" { (plain_text(&body["title"])) }
                        button.plain name="close" value="1" data-testid="modal-close" data-close aria-label="Close" { "✕" }
                    }
                    @if depth > 1 { p.muted { (depth) " modals are open; closing this one goes back to the one before." } }
                    div.inside {
                        (self.blocks(&body["blocks"], SurfaceKind::Modal, &form, &view.chosen_values(), view.errors()))
                        @if let Some(trouble) = view.trouble() { (trouble_note(trouble)) }
                    }
                    div.foot {
                        button name="close" value="1" data-testid="modal-back" { (words("close", "Cancel")) }
                        @if !body["submit"].is_null() {
                            button.primary name="submit" value="1" data-testid="modal-submit" { (words("submit", "Submit")) }
                        }
                    }
                }
            }
        }
    }
}
