//! The outer thing, whichever door it came through: kind, identity, retry marks, payload, and the raw body.
//! Does not know who listens.
//! Sources: <https://docs.slack.dev/apis/events-api/>, <https://docs.slack.dev/interactivity/handling-user-interaction/>

use crate::ids::{AppId, EnterpriseId, TeamId, UserId};
use crate::payload::{Payload, json};
use crate::time::EpochMs;
use bytes::Bytes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The three kinds of envelope, in Socket Mode's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvelopeKind {
    /// Something happened; Slack wants no answer and retries.
    EventsApi,
    /// Somebody typed a command; Slack waits for an answer and does not retry.
    SlashCommands,
    /// Somebody clicked, submitted or asked for options; Slack waits and does not retry.
    Interactive,
}

impl EnvelopeKind {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventsApi => "events_api",
            Self::SlashCommands => "slash_commands",
            Self::Interactive => "interactive",
        }
    }
}

/// Slack's marks on a repeated delivery of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// `x-slack-retry-num`: 1 to 3.
    pub num: u32,
    /// `x-slack-retry-reason`, such as `http_timeout`.
    pub reason: String,
}

/// Whose installation a delivery belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tenant {
    /// The organisation, on Enterprise Grid.
    pub enterprise: Option<EnterpriseId>,
    /// The workspace. Absent only where Slack names none.
    pub team: Option<TeamId>,
    /// Whether the app is installed on the whole organisation.
    pub is_enterprise_install: bool,
}

/// What makes two deliveries the same: `kind:value`, for example `event:Ev123`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(pub String);

/// One delivery from Slack, decoded as far as it is understood.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Which of the three kinds.
    pub kind: EnvelopeKind,
    /// The app it is for.
    pub app: Option<AppId>,
    /// The installation it belongs to.
    pub tenant: Tenant,
    /// The person behind it, where there is one.
    pub user: Option<UserId>,
    /// Slack's marks when this is a repeated delivery.
    pub retry: Option<Retry>,
    /// `Content-Type` as it came.
    pub content_type: String,
    /// The body as it came, byte for byte.
    pub body: Bytes,
    /// When it arrived.
    pub received_at: EpochMs,
    /// What listeners see.
    pub payload: Payload,
    authorization: Value,
}

impl Envelope {
    /// Reads a delivery that came over HTTP, or that waited in a queue since.
    pub(crate) fn from_http(headers: &HeaderMap, body: Bytes, received_at: EpochMs) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = header("content-type").to_owned();
        let retry = header("x-slack-retry-num")
            .trim()
            .parse()
            .ok()
            .map(|num| Retry { num, reason: header("x-slack-retry-reason").to_owned() });
        Self { retry, ..Self::from_body(&content_type, body, received_at) }
    }

    /// Reads a body whose signature was checked before; its kind is told by its content type, as over HTTP.
    pub fn from_body(content_type: &str, body: Bytes, received_at: EpochMs) -> Self {
        let (kind, root) = read(content_type, &body);
        Self::build(kind, root, content_type, body, received_at)
    }

    /// Reads a body that waited in a queue or came through a socket, where its kind is told beside it: an interaction
    /// through a socket is plain JSON.
    pub fn from_queue(kind: EnvelopeKind, content_type: &str, body: Bytes, received_at: EpochMs) -> Self {
        let (_, root) = read(content_type, &body);
        Self::build(kind, root, content_type, body, received_at)
    }

    fn build(kind: EnvelopeKind, root: Value, content_type: &str, body: Bytes, received_at: EpochMs) -> Self {
        let authorization = root.get("authorizations").and_then(|list| list.get(0)).cloned().unwrap_or(Value::Null);
        Self {
            kind,
            app: json::id(&root, "api_app_id"),
            tenant: tenant(&root, &authorization),
            user: user(&root),
            retry: None,
            content_type: content_type.to_owned(),
            body,
            received_at,
            authorization,
            payload: match kind {
                EnvelopeKind::EventsApi => Payload::events_api(root),
                EnvelopeKind::SlashCommands => Payload::slash_command(root),
                EnvelopeKind::Interactive => Payload::interactive(root),
            },
        }
    }

    /// Whether the app itself caused this event, so that handling it could go on for ever.
    /// True when the event's user is the bot user of this installation, or when the event names this app.
    /// Joining and leaving are excepted, as in Bolt. An installer who is a person is never taken for the app.
    pub fn is_own(&self) -> bool {
        let Payload::Event(event) = &self.payload else {
            return false;
        };
        if matches!(event.kind.as_str(), "member_joined_channel" | "member_left_channel") {
            return false;
        }
        let bot = self.authorization.get("is_bot").and_then(Value::as_bool) == Some(true);
        let by_bot_user = bot && event.user.is_some() && event.user == json::id(&self.authorization, "user_id");
        let app = self.app.as_ref().map(AppId::as_str);
        let by_app = app.is_some()
            && (event.raw.get("app_id").and_then(Value::as_str) == app
                || event.raw.pointer("/bot_profile/app_id").and_then(Value::as_str) == app);
        by_bot_user || by_app
    }

    /// What makes two deliveries of this kind the same, or `None` where Slack sent nothing to tell them apart by.
    ///
    /// A step's execution goes by its execution id, other events by `event_id`; whatever has a `trigger_id` goes by that
    /// (it is new for every click and submission); a closed view, which has none, by its id and hash.
    pub fn idempotency_key(&self) -> Option<IdempotencyKey> {
        let (kind, value) = match &self.payload {
            Payload::Event(event) => match event.raw.get("function_execution_id").and_then(Value::as_str) {
                Some(execution) if event.kind == "function_executed" => ("function", execution.to_owned()),
                _ => ("event", event.event_id.clone()),
            },
            Payload::SlashCommand(command) => ("trigger", command.trigger_id.clone()),
            Payload::ViewClosed(closed) => ("view", join(&closed.view.id, &closed.view.hash)),
            Payload::ViewSubmission(submission) if submission.trigger_id.is_empty() => {
                ("view", join(&submission.view.id, &submission.view.hash))
            }
            Payload::ViewSubmission(submission) => ("trigger", submission.trigger_id.clone()),
            Payload::BlockActions(actions) => ("trigger", actions.trigger_id.clone()),
            Payload::Shortcut(shortcut) => ("trigger", shortcut.trigger_id.clone()),
            Payload::MessageShortcut(shortcut) => ("trigger", shortcut.trigger_id.clone()),
            Payload::BlockSuggestion(_) => return None,
            Payload::Unknown(unknown) => ("trigger", json::text(&unknown.raw, "trigger_id").to_owned()),
        };
        (!value.is_empty()).then(|| IdempotencyKey(format!("{kind}:{value}")))
    }
}

/// The kind that a content type speaks of, and the JSON inside.
fn read(content_type: &str, body: &Bytes) -> (EnvelopeKind, Value) {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_type != "application/x-www-form-urlencoded" {
        return (EnvelopeKind::EventsApi, json::parse(body));
    }
    let form: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    // Of a repeated field the last one counts, as in Bolt for Python; Slack repeats none.
    match form.iter().rfind(|(name, _)| name == "payload") {
        Some((_, text)) => (EnvelopeKind::Interactive, json::parse(text.as_bytes())),
        None => {
            let fields = form.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
            (EnvelopeKind::SlashCommands, Value::Object(fields))
        }
    }
}

fn join(id: &str, hash: &str) -> String {
    if id.is_empty() { String::new() } else { format!("{id}:{hash}") }
}

/// `authorizations[0]` wins (Slack Connect); then the view's installation, the team, the person's team.
/// An organisation-wide installation names no team there, so the workspace comes from the outside.
/// Where an app is installed on an organisation Slack may put the organisation's id where a team's is looked for.
fn tenant(root: &Value, authorization: &Value) -> Tenant {
    let is_enterprise_install = authorization
        .get("is_enterprise_install")
        .or_else(|| root.get("is_enterprise_install"))
        .is_some_and(|flag| flag == true || flag == "true");
    let installed_on = root.pointer("/view/app_installed_team_id");
    let team = [
        (authorization.get("team_id")),
        installed_on,
        root.pointer("/team/id"),
        root.get("team").filter(|team| team.is_string()),
        root.get("team_id"),
        root.pointer("/user/team_id"),
        root.pointer("/view/team_id"),
    ];
    let enterprise = [
        (authorization.get("enterprise_id")),
        root.pointer("/enterprise/id"),
        root.pointer("/team/enterprise_id"),
        // An organisation is only taken from outside where no authorization names the workspace alone.
        root.get("enterprise_id").filter(|_| authorization.is_null()),
        installed_on.filter(|id| is_organisation(id)),
    ];
    Tenant {
        enterprise: first(&enterprise).map(EnterpriseId::new),
        team: first(&team.map(|id| id.filter(|id| !is_organisation(id)))).map(TeamId::new),
        is_enterprise_install,
    }
}

fn is_organisation(id: &Value) -> bool {
    id.as_str().is_some_and(|id| id.starts_with('E'))
}

fn first<'v>(candidates: &[Option<&'v Value>]) -> Option<&'v str> {
    candidates.iter().flatten().filter_map(|value| value.as_str()).find(|text| !text.is_empty())
}

fn user(root: &Value) -> Option<UserId> {
    let candidates = [
        root.pointer("/user/id"),
        root.get("user_id"),
        root.get("user").filter(|user| user.is_string()),
        root.pointer("/event/user/id"),
        root.pointer("/event/user"),
        root.pointer("/event/user_id"),
    ];
    first(&candidates).map(UserId::new)
}
