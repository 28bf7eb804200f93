//! The simulated Slack: conversations, threads, modals, the app's Home.

mod composer;
mod conversation;
mod message;
mod modal;
mod sidebar;
mod stories;

use super::Workbench;
use super::answer::{html as page, see};
use super::block_kit::{Directory, Surface, SurfaceKind, blocks, legacy_attachments};
use super::console::install_page;
use super::frame::{Frame, Half, frame};
use super::person::Viewer;
use axum::extract::{Path, Query, State as Shared};
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use tack_simulator::{ChannelType, State};

/// Where everybody starts.
const START: &str = "playground";

/// What the parts of a page look at. The simulated Slack is locked while one exists, so it lives only as long as the rendering.
struct Scene<'a> {
    workbench: &'a Workbench,
    state: &'a State,
    directory: Directory,
    /// The id of the person who looks.
    me: String,
    /// The workspace they are in.
    team: String,
    /// The app works there.
    is_installed: bool,
    bot: String,
    /// The path of this page: forms come back to it.
    path: String,
    stories: stories::Stories,
}

/// What is shown in the middle.
enum Place {
    /// A channel's id, and the stamp of the thread beside it.
    Conversation {
        channel: String,
        thread: Option<String>,
    },
    Home,
}

/// `/`: the first channel.
pub(super) async fn start(Shared(workbench): Shared<Workbench>, viewer: Viewer) -> Response {
    let id = workbench.simulator.read(|state| {
        let workspace = state.workspace().of_team(&viewer.team(state));
        workspace.channel(START).or_else(|| workspace.channels.first()).map(|channel| channel.id.clone())
    });
    see(&format!("/archives/{}", id.unwrap_or_default()))
}

/// `/archives/{channel}`.
pub(super) async fn conversation(
    Shared(workbench): Shared<Workbench>,
    viewer: Viewer,
    Path(channel): Path<String>,
) -> Response {
    show(&workbench, &viewer, Place::Conversation { channel, thread: None })
}

/// The query of a permalink to a reply.
#[derive(Deserialize)]
pub(super) struct InThread {
    thread_ts: Option<String>,
}

/// `/archives/{channel}/p{ts without its dot}`: Slack's permalinks. One to a reply names its thread.
pub(super) async fn thread(
    Shared(workbench): Shared<Workbench>,
    viewer: Viewer,
    Path((channel, message)): Path<(String, String)>,
    Query(InThread { thread_ts }): Query<InThread>,
) -> Response {
    let Some(ts) = stamp(&message) else { return nowhere() };
    show(&workbench, &viewer, Place::Conversation { channel, thread: Some(thread_ts.unwrap_or(ts)) })
}

/// `/app/messages`: the person's direct messages with the app.
pub(super) async fn messages_of_app(Shared(workbench): Shared<Workbench>, viewer: Viewer) -> Response {
    let channel = workbench.simulator.read(|state| {
        let me = viewer.id(state);
        let mut channels = state.workspace().channels.iter();
        let im = channels.find(|channel| channel.channel_type == ChannelType::Im && channel.name == me);
        im.map(|channel| channel.id.clone()).unwrap_or(me)
    });
    show(&workbench, &viewer, Place::Conversation { channel, thread: None })
}

/// `/app/home`.
pub(super) async fn home(Shared(workbench): Shared<Workbench>, viewer: Viewer) -> Response {
    show(&workbench, &viewer, Place::Home)
}

/// The path of a message's thread.
pub(super) fn permalink(channel: &str, ts: &str) -> String {
    format!("/archives/{channel}/p{}", ts.replace('.', ""))
}

/// The stamp in the last part of a permalink: six digits stand after the dot.
fn stamp(message: &str) -> Option<String> {
    const FRACTION: usize = 6;
    let digits = message.strip_prefix('p')?;
    let is_stamp = digits.len() > FRACTION && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_stamp.then(|| format!("{}.{}", &digits[..digits.len() - FRACTION], &digits[digits.len() - FRACTION..]))
}

fn show(workbench: &Workbench, viewer: &Viewer, place: Place) -> Response {
    let config = workbench.simulator.config();
    let rendered = workbench.simulator.read(|state| {
        let (me, team) = (viewer.id(state), viewer.team(state));
        let bot = state.app_user_of(&me).unwrap_or_else(|| config.bot_user_id.clone());
        let scene = Scene {
            workbench,
            state,
            directory: Directory::of(state.workspace(), &team, (&bot, &config.bot_name)),
            is_installed: state.is_installed(&team),
            me,
            team,
            bot,
            path: match &place {
                Place::Home => "/app/home".to_owned(),
                Place::Conversation { channel, thread: None } => format!("/archives/{channel}"),
                Place::Conversation { channel, thread: Some(ts) } => permalink(channel, ts),
            },
            stories: stories::Stories::of(state, &workbench.history),
        };
        scene.render(&place).map(|(title, body)| (title, scene.path.clone(), body))
    });
    match rendered {
        Some((title, path, body)) => {
            let content =
                Frame { half: Half::Slack, title: &title, path: &path, topics: "slack deliveries app faults", body };
            page(StatusCode::OK, frame(workbench, viewer, &content))
        }
        None => nowhere(),
    }
}

fn nowhere() -> Response {
    page(
        StatusCode::NOT_FOUND,
        super::frame::bare(
            "No such conversation",
            html! {
                p { "This workspace has no such channel or message, or you are not in it." }
                p { a href="/" { "Back to #" (START) } }
            },
        ),
    )
}

impl Scene<'_> {
    fn render(&self, place: &Place) -> Option<(String, Markup)> {
        let (title, middle, thread) = match place {
            Place::Home => ("Home".to_owned(), self.home(), None),
            Place::Conversation { channel, thread } => {
                let thread = match thread {
                    Some(ts) => Some(self.thread(channel, ts)?),
                    None => None,
                };
                let (title, middle) = self.conversation(channel)?;
                (title, middle, thread)
            }
        };
        let layout = if thread.is_some() { "columns has-thread" } else { "columns" };
        let body = html! {
            div class=(layout) {
                (self.sidebar(place))
                main #main { (middle) }
                @match thread {
                    Some(thread) => (thread),
                    None => aside.pane aria-label="Things to try" { (self.workbench.coach.card()) },
                }
            }
            (self.modals())
        };
        Some((title, body))
    }

    fn home(&self) -> Markup {
        let name = self.name(&self.me);
        html! {
            div.head {
                h1 data-testid="channel-header" { "tack " span.muted { "Home" } }
                nav.tabs aria-label="App" {
                    a href="/app/home" aria-current="page" { "Home" }
                    a href="/app/messages" { "Messages" }
                }
            }
            div.page data-testid="home-view" data-user=(self.me) {
                @match self.state.home(&self.me) {
                    _ if !self.is_installed => (self.not_installed()),
                    Some(view) => {
                        (self.view_form("home", view, &view.body["blocks"], SurfaceKind::Home))
                    }
                    None => div.empty data-testid="empty-state" {
                        p { "This app has not published a Home tab for " (name) "." }
                        p { "Opening the tab tells the app (" code { "app_home_opened" } "); a listener may answer with " code { "views.publish" } "." }
                        (self.open_home("Open Home as Slack does", "primary"))
                    },
                }
                @if let Some(trouble) = self.state.home(&self.me).and_then(|view| view.trouble()) { (trouble_note(trouble)) }
            }
        }
    }

    /// What is said where the app is not, with the way to it.
    fn not_installed(&self) -> Markup {
        let workspace = self.state.workspace().team(&self.team).map(|team| team.name.as_str()).unwrap_or_default();
        html! {
            div.notice data-testid="not-installed" {
                p { strong { "tack is not installed in " (workspace) "." } " It hears nothing of what is said here." }
                @if self.workbench.stack.oauth.is_some() {
                    p { a.button.primary href=(install_page(self.workbench)) data-testid="add-to-slack" { "Add to Slack" } }
                } @else {
                    p.muted { "This run serves one workspace, by " code { "SLACK_BOT_TOKEN" } "." }
                }
            }
        }
    }

    /// A form around a view's blocks.
    fn view_form(&self, id: &str, view: &tack_simulator::View, list: &Value, kind: SurfaceKind) -> Markup {
        html! {
            form #(id) method="post" action="/act/press" data-act {
                input type="hidden" name="back" value=(self.path);
                input type="hidden" name="view_id" value=(view.id());
                (no_default_button())
                (self.blocks(list, kind, id, &view.chosen_values(), view.errors()))
            }
        }
    }

    fn blocks(
        &self,
        list: &Value,
        kind: SurfaceKind,
        form: &str,
        chosen: &Value,
        problems: &BTreeMap<String, String>,
    ) -> Markup {
        let suggested = self.suggested(list);
        let (directory, viewer) = (&self.directory, self.me.as_str());
        blocks(list, &Surface { directory, viewer, chosen, suggested: &suggested, problems, kind, form })
    }

    fn attachments(&self, list: &Value, form: &str, chosen: &Value, problems: &BTreeMap<String, String>) -> Markup {
        let (directory, viewer, suggested) = (&self.directory, self.me.as_str(), &BTreeMap::new());
        let kind = SurfaceKind::Message;
        legacy_attachments(list, &Surface { directory, viewer, chosen, suggested, problems, kind, form })
    }

    /// The options that the app gave for the external selects among these blocks.
    fn suggested(&self, list: &Value) -> BTreeMap<String, Value> {
        let mut suggested = BTreeMap::new();
        for block in list.as_array().into_iter().flatten() {
            let single = [&block["element"], &block["accessory"]];
            for element in single.into_iter().chain(block["elements"].as_array().into_iter().flatten()) {
                let Some(action_id) = element["action_id"].as_str() else { continue };
                if self.state.has_suggested(&self.me, action_id) {
                    let options = self.state.suggested(&self.me, action_id);
                    suggested.insert(action_id.to_owned(), Value::Array(options.to_vec()));
                }
            }
        }
        suggested
    }

    fn open_home(&self, words: &str, class: &str) -> Markup {
        html! {
            form method="post" action="/act/home" data-act {
                input type="hidden" name="back" value="/app/home";
                button class=(class) data-testid="open-home" { (words) }
            }
        }
    }

    /// A person's name, or the id where there is none.
    fn name<'b>(&'b self, id: &'b str) -> &'b str {
        self.directory.user(id).unwrap_or(id)
    }
}

/// Enter in a field would press the first button of its form: this one does nothing.
fn no_default_button() -> Markup {
    html! { button.visually-hidden disabled aria-hidden="true" tabindex="-1" {} }
}

/// What Slack says when the app did not answer well.
fn trouble_note(text: &str) -> Markup {
    html! { p.trouble data-testid="slack-error" role="alert" { span aria-hidden="true" { "⚠ " } (text) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permalink_is_slacks_and_is_read_back() {
        assert_eq!(permalink("C0PLAY001", "1795511642.118000"), "/archives/C0PLAY001/p1795511642118000");
        assert_eq!(stamp("p1795511642118000").as_deref(), Some("1795511642.118000"));
        for other in ["", "p", "p123456", "1795511642118000", "p17955116421180x0"] {
            assert_eq!(stamp(other), None, "{other}");
        }
    }
}
