//! Modals and Home tabs: what Slack refuses in them, the stack a person has open, hashes.
//! Which method may call what is in `web_api::views`. Invariant: a person has at most three modals open.
//! Source: <https://docs.slack.dev/surfaces/modals/>, <https://docs.slack.dev/reference/views/>

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

use crate::blocks::{self, VIEW_BLOCKS};
use crate::elements::{self, Values};
use crate::install::AppUser;
use crate::mint;
use crate::problems::{PLAIN, PLAIN_OPTIONAL, Problems};

/// Modals on top of each other.
pub(crate) const STACK: usize = 3;
/// Bytes of a view's JSON.
const VIEW_BYTES: usize = 250 * 1024;

/// Why a view is refused.
#[derive(Debug, PartialEq)]
pub(crate) enum ViewRefusal {
    /// `invalid_arguments`, with what is wrong.
    Invalid(Vec<String>),
    /// Another of Slack's names.
    Named(&'static str),
}

/// A view that is open or published.
#[derive(Clone, Debug)]
pub struct View {
    /// Who sees it.
    pub user: String,
    /// The view object as Slack returns it.
    pub body: Value,
    pub(crate) chosen: Values,
    pub(crate) errors: BTreeMap<String, String>,
    pub(crate) trouble: Option<String>,
    /// The `trigger_id` of a submission by this person that the app has not answered yet.
    pub(crate) submission: Option<String>,
}

impl View {
    /// `V…`.
    pub fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_default()
    }

    /// The view object with the state of now.
    pub fn with_state(&self) -> Value {
        let mut body = self.body.clone();
        body["state"] = json!({"values": self.chosen_values()});
        body
    }

    /// `state.values` of now.
    pub fn chosen_values(&self) -> Value {
        elements::state_values(&self.body["blocks"], &self.chosen)
    }

    /// Block id → sentence: what the app answered, or what the client did not send.
    pub fn errors(&self) -> &BTreeMap<String, String> {
        &self.errors
    }

    /// What Slack says of a submission or a press that the app failed.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// A submission is sent and not answered: until it is, a client neither submits the view again nor closes it.
    pub fn is_being_submitted(&self) -> bool {
        self.submission.is_some()
    }

    pub(crate) fn clear_problems(&mut self) {
        self.errors.clear();
        self.trouble = None;
    }

    fn new(user: &str, body: Value) -> Self {
        let (chosen, errors) = (Values::new(), BTreeMap::new());
        Self { user: user.to_owned(), body, chosen, errors, trouble: None, submission: None }
    }
}

/// All views.
#[derive(Clone, Debug, Default)]
pub(crate) struct Views {
    known: BTreeMap<String, View>,
    stacks: BTreeMap<String, Vec<String>>,
    homes: BTreeMap<String, String>,
}

/// Checks a view an app sent.
pub(crate) fn check(view: &Value, kinds: &[&str]) -> Result<(), ViewRefusal> {
    if view.to_string().len() > VIEW_BYTES {
        return Err(ViewRefusal::Named("view_too_large"));
    }
    let mut problems = Problems::default();
    if !view.is_object() {
        problems.add("/view", "must be an object");
        return Err(ViewRefusal::Invalid(problems.0));
    }
    let kind = view["type"].as_str().unwrap_or_default();
    if !kinds.contains(&kind) {
        problems.add("/view/type", format!("must be {}", kinds.join(" or ")));
    }
    if kind == "modal" {
        problems.text(view, "title", "/view", 24, PLAIN);
    }
    problems.text(view, "submit", "/view", 24, PLAIN_OPTIONAL);
    problems.text(view, "close", "/view", 24, PLAIN_OPTIONAL);
    problems.string(view, "private_metadata", "/view", 3_000);
    problems.string(view, "callback_id", "/view", 255);
    problems.string(view, "external_id", "/view", 255);
    match view.get("blocks") {
        Some(list) => {
            problems.0.extend(blocks::problems(list, "/view/blocks", VIEW_BLOCKS));
            let has_input = list.as_array().into_iter().flatten().any(|block| block["type"] == "input");
            if kind == "modal" && has_input && view["submit"].is_null() {
                problems.add("/view", "missing required field: submit, because there is an input block");
            }
        }
        None => problems.add("/view", "missing required field: blocks"),
    }
    if problems.0.is_empty() { Ok(()) } else { Err(ViewRefusal::Invalid(problems.0)) }
}

/// The view object Slack makes of what an app sent.
fn complete(view: &Value, id: &str, now: Duration, app: &AppUser) -> Value {
    let mut body = json!({
        "id": id,
        "team_id": app.team.id,
        "type": view["type"],
        "title": view["title"],
        "submit": view["submit"],
        "close": view["close"],
        "blocks": view["blocks"],
        "private_metadata": view["private_metadata"].as_str().unwrap_or_default(),
        "callback_id": view["callback_id"].as_str().unwrap_or_default(),
        "external_id": view["external_id"].as_str().unwrap_or_default(),
        "clear_on_close": view["clear_on_close"] == json!(true),
        "notify_on_close": view["notify_on_close"] == json!(true),
        "state": {"values": {}},
        "hash": mint::view_hash(now),
        "previous_view_id": null,
        "root_view_id": id,
        "app_id": app.app_id,
        "app_installed_team_id": app.target.id(),
        "bot_id": app.bot_id,
    });
    blocks::fill_ids(&mut body["blocks"]);
    body
}

impl Views {
    pub(crate) fn get(&self, id: &str) -> Option<&View> {
        self.known.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut View> {
        self.known.get_mut(id)
    }

    pub(crate) fn by_external_id(&self, external_id: &str) -> Option<&View> {
        self.known.values().find(|view| view.body["external_id"] == external_id)
    }

    /// The modals `user` has open, the one on top last.
    pub(crate) fn stack(&self, user: &str) -> Vec<&View> {
        self.stacks.get(user).into_iter().flatten().filter_map(|id| self.known.get(id)).collect()
    }

    pub(crate) fn top(&self, user: &str) -> Option<&View> {
        self.stack(user).into_iter().next_back()
    }

    pub(crate) fn home(&self, user: &str) -> Option<&View> {
        self.known.get(self.homes.get(user)?)
    }

    /// Puts a modal on top of what `user` has open. `views.open` does so too, with the same limit.
    pub(crate) fn push(
        &mut self,
        user: &str,
        view: &Value,
        now: Duration,
        app: &AppUser,
    ) -> Result<Value, &'static str> {
        if let Some(external_id) = view["external_id"].as_str().filter(|id| !id.is_empty())
            && self.by_external_id(external_id).is_some()
        {
            return Err("duplicate_external_id");
        }
        let stack = self.stacks.entry(user.to_owned()).or_default();
        if stack.len() >= STACK {
            return Err("push_limit_reached");
        }
        let id = mint::id("V0", 9);
        let mut body = complete(view, &id, now, app);
        if let (Some(first), Some(last)) = (stack.first(), stack.last()) {
            body["root_view_id"] = json!(first);
            body["previous_view_id"] = json!(last);
        }
        if let Some(below) = stack.last().and_then(|id| self.known.get_mut(id)) {
            below.clear_problems();
        }
        stack.push(id.clone());
        self.known.insert(id, View::new(user, body.clone()));
        Ok(body)
    }

    /// Replaces the content of view `id`; what was chosen stays where block and action ids stay.
    pub(crate) fn replace(&mut self, id: &str, view: &Value, now: Duration, app: &AppUser) -> Option<Value> {
        let known = self.known.get_mut(id)?;
        let mut body = complete(view, id, now, app);
        for field in ["root_view_id", "previous_view_id"] {
            body[field] = known.body[field].clone();
        }
        let keys: Vec<_> = elements::placed(&body["blocks"]).iter().map(elements::Placed::key).collect();
        known.chosen.retain(|key, _| keys.contains(key));
        known.body = body.clone();
        known.clear_problems();
        Some(body)
    }

    /// Sets the Home tab of `user`.
    pub(crate) fn publish(&mut self, user: &str, view: &Value, now: Duration, app: &AppUser) -> Value {
        if let Some(id) = self.homes.get(user).cloned()
            && let Some(body) = self.replace(&id, view, now, app)
        {
            return body;
        }
        let id = mint::id("V0", 9);
        let body = complete(view, &id, now, app);
        self.homes.insert(user.to_owned(), id.clone());
        self.known.insert(id, View::new(user, body.clone()));
        body
    }

    /// Takes a modal away. The one below shows again.
    pub(crate) fn close(&mut self, id: &str) {
        if let Some(view) = self.known.remove(id)
            && let Some(stack) = self.stacks.get_mut(&view.user)
        {
            stack.retain(|open| open != id);
        }
    }

    /// Takes all modals of `user` away, and returns them, the one on top first.
    pub(crate) fn clear(&mut self, user: &str) -> Vec<View> {
        let ids = self.stacks.remove(user).unwrap_or_default();
        ids.iter().rev().filter_map(|id| self.known.remove(id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::state::State;
    use std::sync::Arc;

    fn app() -> AppUser {
        State::new(Arc::new(Config::default())).app_of_first()
    }

    fn modal() -> Value {
        json!({"type": "modal", "title": {"type": "plain_text", "text": "Order"}, "blocks": [{"type": "divider"}]})
    }

    fn refused(view: &Value, word: &str) {
        match check(view, &["modal"]) {
            Err(ViewRefusal::Invalid(messages)) => {
                assert!(messages.iter().any(|message| message.contains(word)), "{messages:?} lacks {word}");
            }
            other => panic!("{other:?} instead of {word}"),
        }
    }

    #[test]
    fn what_slack_refuses_in_a_view_is_refused() {
        assert_eq!(check(&modal(), &["modal"]), Ok(()));
        let with = |field: &str, value: Value| {
            let mut view = modal();
            view[field] = value;
            view
        };
        refused(&with("type", json!("home")), "/view/type");
        refused(&with("title", Value::Null), "missing required field: title");
        refused(&with("title", json!({"type": "plain_text", "text": "x".repeat(25)})), "less than 25 characters");
        refused(&with("submit", json!({"type": "mrkdwn", "text": "x"})), "/view/submit/type");
        refused(&with("private_metadata", json!("x".repeat(3_001))), "/view/private_metadata");
        refused(&with("callback_id", json!("x".repeat(256))), "/view/callback_id");
        refused(&with("blocks", json!(vec![json!({"type": "divider"}); 101])), "no more than 100 items");
        let input = json!([{"type": "input", "label": {"type": "plain_text", "text": "x"}, "element": {"type": "plain_text_input"}}]);
        refused(&with("blocks", input), "missing required field: submit");
        let large = with("blocks", json!([{"type": "markdown", "text": "x".repeat(260_000)}]));
        assert_eq!(check(&large, &["modal"]), Err(ViewRefusal::Named("view_too_large")));
    }

    #[test]
    fn a_stack_holds_three() {
        let (mut views, app) = (Views::default(), app());
        let now = Duration::from_secs(1_795_511_642);
        let first = views.push("U1", &modal(), now, &app).unwrap();
        let second = views.push("U1", &modal(), now, &app).unwrap();
        assert_eq!(second["root_view_id"], first["id"]);
        assert_eq!(second["previous_view_id"], first["id"]);
        views.push("U1", &modal(), now, &app).unwrap();
        assert_eq!(views.push("U1", &modal(), now, &app), Err("push_limit_reached"));
        views.close(views.top("U1").unwrap().id().to_owned().as_str());
        assert_eq!(views.top("U1").unwrap().body["id"], second["id"]);
    }

    #[test]
    fn an_external_id_is_used_once() {
        let (mut views, app) = (Views::default(), app());
        let mut view = modal();
        view["external_id"] = json!("order-1");
        views.push("U1", &view, Duration::ZERO, &app).unwrap();
        assert_eq!(views.push("U2", &view, Duration::ZERO, &app), Err("duplicate_external_id"));
    }
}
