//! What was written: `conversations.history` and `conversations.replies`.
//! Invariant: ephemeral messages are in no history, and replies only in that of their thread unless they were broadcast.
//! Sources: <https://docs.slack.dev/reference/methods/conversations.history/> and the page beside it.

use serde_json::{Value, json};

use super::args::Args;
use super::conversations::visible;
use super::error::{Answer, ApiError};
use super::paging::Paging;
use crate::state::State;
use crate::threads;
use crate::workspace::Channel;

const HISTORY: Paging = Paging { usual: 100, most: 999, is_strict: false, word: "next_ts" };
const REPLIES: Paging = Paging { usual: 1_000, most: 1_000, is_strict: false, word: "next_ts" };

/// The channel, if the app reads along there.
fn readable(state: &State, args: &Args) -> Result<Channel, ApiError> {
    let channel = visible(state, args, "history")?;
    if args.caller()?.is_in(&channel) { Ok(channel) } else { Err("not_in_channel".into()) }
}

/// A stamp in microseconds.
pub(super) fn micros(stamp: &str) -> Option<u128> {
    let (seconds, fraction) = stamp.split_once('.').unwrap_or((stamp, ""));
    let is_number = !seconds.is_empty() && stamp.chars().all(|c| c.is_ascii_digit() || c == '.');
    let fraction = format!("{fraction:0<6}");
    if !is_number || fraction.len() > 6 {
        return None;
    }
    Some(seconds.parse::<u128>().ok()? * 1_000_000 + fraction.parse::<u128>().ok()?)
}

/// The span of time that is asked for.
struct Span {
    oldest: u128,
    latest: u128,
    is_inclusive: bool,
}

impl Span {
    fn of(args: &Args) -> Result<Self, ApiError> {
        let stamp = |name: &str, missing: u128| match args.word(name).as_str() {
            "" | "now" => Some(missing),
            stamp => micros(stamp),
        };
        Ok(Self {
            oldest: stamp("oldest", 0).ok_or("invalid_ts_oldest")?,
            latest: stamp("latest", u128::MAX).ok_or("invalid_ts_latest")?,
            is_inclusive: args.is("inclusive"),
        })
    }

    fn holds(&self, body: &Value) -> bool {
        let at = body["ts"].as_str().and_then(micros).unwrap_or_default();
        let is_end = at == self.oldest || at == self.latest;
        if is_end { self.is_inclusive } else { at > self.oldest && at < self.latest }
    }
}

/// A message as a reader with this token gets it.
fn shown(args: &Args, body: &Value) -> Result<Value, ApiError> {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut()
        && !args.is("include_all_metadata")
    {
        fields.remove("metadata");
    }
    if body["reply_count"].is_u64() {
        let user = &args.caller()?.user;
        let is_in = body["reply_users"].as_array().is_some_and(|users| users.iter().any(|known| known == user));
        body["subscribed"] = json!(is_in || body["user"] == *user);
    }
    Ok(body)
}

fn ts(body: &&Value) -> String {
    body["ts"].as_str().unwrap_or_default().to_owned()
}

/// Pages over stamped messages.
fn page<'a>(args: &Args, paging: &Paging, bodies: &[&'a Value]) -> Result<(Vec<&'a Value>, String), ApiError> {
    let stamped: Vec<(String, &Value)> = bodies.iter().map(|body| (ts(body), *body)).collect();
    let (page, next) = paging.page(args, &stamped, |(ts, _)| ts)?;
    Ok((page.iter().map(|(_, body)| *body).collect(), next))
}

pub(super) fn history(state: &State, args: &Args) -> Answer {
    args.require(&["channel"])?;
    let channel = readable(state, args)?;
    let span = Span::of(args)?;
    let all = state.workspace().messages(&channel.id).iter().filter(|message| message.ephemeral_to.is_none());
    let all = all.map(|message| &message.body).filter(|body| threads::is_in_channel(body) && span.holds(body));
    let mut bodies: Vec<&Value> = all.collect();
    // Those closest to `oldest` if only that is given, else those closest to `latest`; newest first either way.
    let is_forward = args.has("oldest") && !args.has("latest");
    if !is_forward {
        bodies.reverse();
    }
    let (mut page, next) = page(args, &HISTORY, &bodies)?;
    if is_forward {
        page.reverse();
    }
    let messages: Vec<Value> = page.into_iter().map(|body| shown(args, body)).collect::<Result<_, _>>()?;
    let mut answer = json!({
        "ok": true, "messages": messages, "has_more": !next.is_empty(), "pin_count": 0,
        "channel_actions_ts": null, "channel_actions_count": 0,
    });
    if !next.is_empty() {
        answer["response_metadata"] = json!({"next_cursor": next});
    }
    Ok(answer)
}

pub(super) fn replies(state: &State, args: &Args) -> Answer {
    args.require(&["channel", "ts"])?;
    let channel = readable(state, args)?;
    let span = Span::of(args)?;
    let thread = threads::thread(state, &channel.id, &args.word("ts"));
    let (first, replies) = thread.split_first().ok_or("thread_not_found")?;
    let replies = replies.iter().map(|message| &message.body).filter(|body| span.holds(body));
    // The first message comes along whatever span is asked for.
    let bodies: Vec<&Value> = std::iter::once(&first.body).chain(replies).collect();
    let (page, next) = page(args, &REPLIES, &bodies)?;
    let messages: Vec<Value> = page.into_iter().map(|body| shown(args, body)).collect::<Result<_, _>>()?;
    let mut answer = json!({"ok": true, "messages": messages, "has_more": !next.is_empty()});
    if !next.is_empty() {
        answer["response_metadata"] = json!({"next_cursor": next});
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_read_with_and_without_a_fraction() {
        assert_eq!(micros("1795511642.118000"), Some(1_795_511_642_118_000));
        assert_eq!(micros("1795511642"), Some(1_795_511_642_000_000));
        assert_eq!(micros("1.5"), Some(1_500_000));
        for wrong in ["", "x", "1.2.3", "-1", "1.1234567", ".5"] {
            assert_eq!(micros(wrong), None, "{wrong}");
        }
    }
}
