//! Block Kit as HTML: pure functions from Slack's JSON to markup.
//! Not here: the simulator's state, HTTP, what a press does. Invariant: foreign text reaches a page through `text` alone, and
//! a block or element that is not known is shown as such, never dropped.
//! Source: <https://docs.slack.dev/reference/block-kit/>

mod attachment;
mod block;
mod directory;
mod element;
#[cfg(test)]
mod hostile;
mod key;
mod markdown;
mod moment;
mod mrkdwn;
mod rich_text;
#[cfg(test)]
mod scan;
mod text;
mod unknown;

use maud::Markup;
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) use attachment::legacy_attachments;
pub(crate) use block::blocks;
pub(crate) use directory::Directory;
pub(crate) use key::{key, read_key};
pub(crate) use moment::epoch_of;
pub(crate) use text::plain_text;

/// What the blocks stand on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SurfaceKind {
    /// A message.
    Message,
    /// A modal.
    Modal,
    /// A Home tab.
    Home,
}

/// Where blocks stand, and all that is known about them besides their JSON.
#[derive(Clone, Copy)]
pub(crate) struct Surface<'a> {
    /// The names behind ids.
    pub(crate) directory: &'a Directory,
    /// The id of the person who looks.
    pub(crate) viewer: &'a str,
    /// `state.values` of now: block id → action id → `{"type": …, …}`.
    pub(crate) chosen: &'a Value,
    /// Action id → `options` or `option_groups` as the app answered.
    pub(crate) suggested: &'a BTreeMap<String, Value>,
    /// Block id → sentence: an input's error, or the warning of a press that failed.
    pub(crate) problems: &'a BTreeMap<String, String>,
    /// Message, modal or Home tab.
    pub(crate) kind: SurfaceKind,
    /// The id of the `<form>` that every control belongs to; all ids on the page begin with it.
    pub(crate) form: &'a str,
}

/// A message's `text` as HTML, line breaks kept; mentions of the person who looks are marked.
pub(crate) fn mrkdwn(text: &str, directory: &Directory, viewer: &str) -> Markup {
    mrkdwn::Reader { directory, viewer, is_verbatim: false }.read(text)
}
