//! What a person types becomes what Slack stores: escaped text, and a rich text block. What becomes of it is `messages`' matter.
//! Source: <https://docs.slack.dev/messaging/formatting-message-text/>

use serde_json::{Value, json};

use crate::install::AppUser;
use crate::mint;
use crate::state::State;
use crate::world;

/// What `user` typed in a channel (an id) as Slack stores it: `& < >` escaped, `@name` and `#name` linked. Second: its blocks.
pub(crate) fn compose(state: &State, user: &str, channel: &str, typed: &str) -> (String, Value) {
    let (mut text, mut plain, mut elements) = (String::new(), String::new(), Vec::new());
    let around = Around { state, app: state.app_before(user, channel), teams: state.teams_of(user) };
    let mut rest = typed;
    while let Some(first) = rest.chars().next() {
        let link = matches!(first, '<' | '@' | '#').then(|| link(&around, rest)).flatten();
        if let Some((length, wire, element)) = link {
            if !plain.is_empty() {
                elements.push(json!({"type": "text", "text": std::mem::take(&mut plain)}));
            }
            text.push_str(&wire);
            elements.push(element);
            rest = &rest[length..];
            continue;
        }
        match first {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            other => text.push(other),
        }
        plain.push(first);
        rest = &rest[first.len_utf8()..];
    }
    if !plain.is_empty() {
        elements.push(json!({"type": "text", "text": plain}));
    }
    let section = json!({"type": "rich_text_section", "elements": elements});
    (text, json!([{"type": "rich_text", "block_id": mint::block_kit_id(), "elements": [section]}]))
}

/// What names mean to the one who types.
struct Around<'a> {
    state: &'a State,
    app: Option<AppUser>,
    teams: Vec<String>,
}

/// The link at the start of `rest`: its length as typed, its form on the wire, its element.
fn link(around: &Around<'_>, rest: &str) -> Option<(usize, String, Value)> {
    let user = |id: &str, length| Some((length, format!("<@{id}>"), json!({"type": "user", "user_id": id})));
    if let Some(inside) = rest.strip_prefix("<@") {
        let id = &inside[..inside.find('>')?];
        let workspace = &around.state.workspace;
        let is_known = world::app_users(&around.state.config).any(|known| known == id)
            || workspace.people.iter().any(|person| person.id == id);
        return if is_known { user(id, id.len() + 3) } else { None };
    }
    let sigil = rest.chars().next()?;
    let name: String = rest.chars().skip(1).take_while(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect();
    match sigil {
        '@' => {
            let app = around.app.as_ref().filter(|app| name.eq_ignore_ascii_case(&app.name));
            let id = match app {
                Some(app) => &app.id,
                None => {
                    let person = around.state.workspace.person(&name)?;
                    &Some(person).filter(|person| around.state.workspace.knows(&around.teams, person))?.id
                }
            };
            user(id, 1 + name.len())
        }
        '#' if !name.is_empty() => {
            let id = &around.state.workspace.channel_in(&around.teams, &name)?.id;
            Some((1 + name.len(), format!("<#{id}>"), json!({"type": "channel", "channel_id": id})))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::sync::Arc;

    fn state() -> State {
        State::new(Arc::new(Config::default()))
    }

    #[test]
    fn typed_text_is_escaped_and_linked_as_slack_does() {
        let check =
            |typed: &str, wire: &str| assert_eq!(compose(&state(), "U0ADA0001", "C0GENERAL", typed).0, wire, "{typed}");
        check("a & b < c > d", "a &amp; b &lt; c &gt; d");
        check("@tack hi", "<@U0TACKBOT> hi");
        check("<@U0TACKBOT> hi", "<@U0TACKBOT> hi");
        check("<@U0NOBODY1> hi", "&lt;@U0NOBODY1&gt; hi");
        check("ask @grace in #general", "ask <@U0GRACE01> in <#C0GENERAL>");
        check("me@example.com #1", "me@example.com #1");
    }
}
