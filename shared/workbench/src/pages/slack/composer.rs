//! Where one types: a message, a slash command with its menu, or a global shortcut.

use super::Scene;
use super::message::chip;
use maud::{Markup, html};

/// Commands that are named below the composer; the menu has all of them.
const NAMED_MAX: usize = 5;

impl Scene<'_> {
    pub(super) fn composer(&self, channel: &str, title: &str, thread: Option<&str>) -> Markup {
        let listing = &self.workbench.listing;
        let last = self.stories.last_of(&self.me);
        // Where the app is not, there is nothing of it to choose.
        let of_app = |kind: &str| if self.is_installed { listing.patterns(kind) } else { Vec::new() };
        let (commands, shortcuts) = (of_app("command"), of_app("shortcut"));
        let id = if thread.is_some() { "thread-text" } else { "text" };
        html! {
            div.composer {
                form method="post" action="/act/say" data-act data-testid="composer" data-answer-clock {
                    input type="hidden" name="back" value=(self.path);
                    input type="hidden" name="channel" value=(channel);
                    @if let Some(ts) = thread { input type="hidden" name="thread_ts" value=(ts); }
                    label.visually-hidden for=(id) { "Message " (title) }
                    textarea #(id) name="text" rows="1" required data-testid="composer-input" data-composer autocomplete="off"
                        data-commands=[thread.is_none().then_some("command-menu")]
                        aria-controls=[thread.is_none().then_some("command-menu")]
                        aria-autocomplete=[thread.is_none().then_some("list")] placeholder={ "Message " (title) } {}
                    button.primary data-testid="composer-send" { "Send" }
                    @if thread.is_none() {
                        ul #command-menu.commands data-testid="command-menu" role="listbox" aria-label="Commands of the app" hidden {
                            @for (number, command) in commands.iter().enumerate() {
                                li id={ "command-" (number) } role="option" data-testid="command-option" data-command=(command) { code { (command) } }
                            }
                        }
                    }
                }
                @if thread.is_none() {
                    div.under {
                        @if let Some((what, row)) = last {
                            span data-testid="last-act" { "Your last: " code { (what) } " " (chip(row)) }
                        }
                        @if !commands.is_empty() {
                            span.muted {
                                "Commands: " @for command in commands.iter().take(NAMED_MAX) { code { (command) } " " }
                                @if commands.len() > NAMED_MAX { "and " (commands.len() - NAMED_MAX) " more: type " code { "/" } }
                            }
                        }
                        @if !shortcuts.is_empty() {
                            details.menu data-testid="global-shortcuts" {
                                summary { "⚡ Shortcuts" }
                                div.items {
                                    @for callback in &shortcuts {
                                        form method="post" action="/act/shortcut" data-act {
                                            input type="hidden" name="back" value=(self.path);
                                            input type="hidden" name="callback_id" value=(callback);
                                            button.plain data-testid="global-shortcut" { (callback) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
