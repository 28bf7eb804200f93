//! A channel's messages with its composer, and a thread beside it.

use super::{Scene, trouble_note};
use maud::{Markup, html};
use tack_simulator::{Channel, ChannelType, Message};

/// Messages of a channel that are shown: the newest.
const SHOWN_MAX: usize = 120;

impl Scene<'_> {
    /// Title and content of a channel, or of direct messages that do not exist yet (the id of the person).
    pub(super) fn conversation(&self, id: &str) -> Option<(String, Markup)> {
        let workspace = self.state.workspace();
        let channel = workspace.channels.iter().find(|channel| channel.id == id);
        if channel.is_none() && id != self.me {
            return None;
        }
        if channel.is_some_and(|channel| !self.may_see(channel)) {
            return None;
        }
        let is_im = channel.is_none_or(|channel| channel.channel_type == ChannelType::Im);
        let title =
            channel.filter(|_| !is_im).map_or_else(|| "tack".to_owned(), |channel| format!("#{}", channel.name));
        let messages: Vec<&Message> = workspace.messages(id).iter().filter(|message| self.sees(message)).collect();
        let top: Vec<&&Message> = messages.iter().filter(|message| is_top(message)).collect();
        let first = top.len().saturating_sub(SHOWN_MAX);
        let body = html! {
            div.head {
                h1 data-testid="channel-header" { (title) }
                @if is_im {
                    nav.tabs aria-label="App" {
                        (self.open_home("Home", "plain"))
                        a href="/app/messages" aria-current="page" { "Messages" }
                    }
                } @else if let Some(channel) = channel { (self.members(channel)) }
            }
            div.messages data-testid="message-list" role="log" aria-label={ "Messages in " (title) } tabindex="0" {
                @if first > 0 { p.muted { "Older messages are not shown." } }
                @if top.is_empty() { (self.nothing_yet(channel, &title)) }
                @for message in &top[first..] { (self.message(id, message, true)) }
                @for notice in self.state.notices_of(&self.me).iter().filter(|notice| notice.channel == id) {
                    div.notice {
                        (trouble_note(&notice.text))
                        p.muted { strong { "why? " } (notice.why) " " (self.link_of(&notice.delivery_id)) }
                        form method="post" action="/act/dismiss" data-act {
                            input type="hidden" name="back" value=(self.path);
                            input type="hidden" name="channel" value=(notice.channel);
                            input type="hidden" name="delivery_id" value=(notice.delivery_id);
                            button.plain { "Dismiss" }
                        }
                    }
                }
            }
            @if !channel.map_or(self.is_installed, |channel| self.may_hear(channel)) { (self.not_installed()) }
            @if channel.is_some_and(|channel| channel.is_archived) { p.empty { "This channel is archived." } }
            @else if let Some(channel) = channel.filter(|channel| !channel.members.contains(&self.me)) {
                div.composer data-testid="not-a-member" { "You are not in this channel. " (self.membership(&channel.id, "join", "Join it")) }
            } @else { (self.composer(id, &title, None)) }
        };
        Some((title, body))
    }

    /// The thread pane.
    pub(super) fn thread(&self, channel: &str, ts: &str) -> Option<Markup> {
        let known = self.state.workspace().channels.iter().find(|known| known.id == channel)?;
        let messages = self.state.workspace().messages(channel);
        let parent = messages.iter().find(|message| message.ts() == ts && self.sees(message))?;
        if !self.may_see(known) {
            return None;
        }
        let of_thread =
            |message: &&Message| message.body["thread_ts"] == ts && message.ts() != ts && self.sees(message);
        Some(html! {
            aside.pane data-testid="thread-pane" aria-label="Thread" {
                div.head {
                    h2 { "Thread" }
                    a.button href={ "/archives/" (channel) } aria-label="Close the thread" { "✕" }
                }
                div.messages role="log" aria-label="Thread" tabindex="0" {
                    (self.message(channel, parent, false))
                    @for reply in messages.iter().filter(of_thread) { (self.message(channel, reply, false)) }
                }
                (self.composer(channel, "thread", Some(ts)))
            }
        })
    }

    fn may_see(&self, channel: &Channel) -> bool {
        match channel.channel_type {
            ChannelType::Channel => channel.is_in(&self.team),
            ChannelType::Group | ChannelType::Im => channel.members.contains(&self.me),
        }
    }

    fn sees(&self, message: &Message) -> bool {
        message.ephemeral_to.as_deref().is_none_or(|to| to == self.me)
    }

    fn members(&self, channel: &Channel) -> Markup {
        let has_app = channel.members.contains(&self.bot) && self.may_hear(channel);
        let is_person = |id: &&String| self.state.workspace().people.iter().any(|person| person.id == **id);
        let people = channel.members.iter().filter(is_person).count();
        html! {
            span.muted { (people) " people" @if has_app { ", and @tack" } }
            @if channel.is_ext_shared() { span.muted data-testid="shared-channel" { "shared with " (self.shared_with(channel)) } }
            @if !has_app && self.is_installed { (self.invite(&channel.id)) }
            details.menu data-testid="channel-menu" {
                summary aria-label={ "More for #" (channel.name) } { "⋯" }
                div.items {
                    @if channel.members.contains(&self.me) { (self.membership(&channel.id, "leave", "Leave the channel")) }
                    @if has_app { (self.membership(&channel.id, "remove_app", "Remove @tack")) }
                }
            }
        }
    }

    /// The app is installed for a workspace that the channel is in.
    fn may_hear(&self, channel: &Channel) -> bool {
        self.state.teams().iter().any(|team| channel.is_in(&team.id) && self.state.is_installed(&team.id))
    }

    /// The names of the other workspaces a channel is in.
    fn shared_with(&self, channel: &Channel) -> String {
        let others = self.state.teams().iter().filter(|team| team.id != self.team && channel.is_in(&team.id));
        others.map(|team| team.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn invite(&self, channel: &str) -> Markup {
        html! {
            form method="post" action="/act/invite_app" data-act {
                input type="hidden" name="back" value=(self.path);
                input type="hidden" name="channel" value=(channel);
                button data-testid="invite-app" { "Invite @tack" }
            }
        }
    }

    fn membership(&self, channel: &str, act: &str, words: &str) -> Markup {
        html! {
            form method="post" action={ "/act/" (act) } data-act {
                input type="hidden" name="back" value=(self.path);
                input type="hidden" name="channel" value=(channel);
                button.plain { (words) }
            }
        }
    }

    fn nothing_yet(&self, channel: Option<&Channel>, title: &str) -> Markup {
        let has_app = channel.is_none_or(|channel| channel.members.contains(&self.bot));
        html! {
            div.empty data-testid="empty-state" {
                p { "No messages in " (title) " yet." }
                @if !self.is_installed {} @else if has_app { p { "Say " strong { "hi" } ": the app listens here, and answers." } }
                @else { p { "@tack is not in this channel, so it hears nothing here. Invite it with the button above." } }
            }
        }
    }
}

/// Replies are shown in their thread, and here only where they were sent to the channel as well.
fn is_top(message: &Message) -> bool {
    let thread = message.body["thread_ts"].as_str();
    thread.is_none_or(|thread| thread == message.ts()) || message.body["subtype"] == "thread_broadcast"
}
