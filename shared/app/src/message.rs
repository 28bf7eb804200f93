//! What waits in the queue: one versioned JSON object per delivery, with Slack's body byte for byte.
//! Frozen once released: a worker of any later version reads every `"v":1`.

use crate::error::place;
use crate::install::PURGE_DUE;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tack_protocol::{AppId, EnterpriseId, Envelope, EnvelopeKind, EpochMs, Retry, TeamId, Tenant};
use thiserror::Error;

/// The key of own work may hold this many bytes.
pub const KEY_BYTES_MAX: usize = 512;
const PLACE_BYTES_MAX: usize = 64;

/// The version this code writes.
pub const VERSION: u32 = 1;

/// The two queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueName {
    /// Somebody is waiting.
    Interactions,
    /// Nobody is waiting: events, and work that the app gave itself.
    Events,
}

impl QueueName {
    /// The queue for a kind of envelope.
    pub fn of(kind: EnvelopeKind) -> Self {
        match kind {
            EnvelopeKind::EventsApi => Self::Events,
            EnvelopeKind::SlashCommands | EnvelopeKind::Interactive => Self::Interactions,
        }
    }

    /// `interactions` or `events`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interactions => "interactions",
            Self::Events => "events",
        }
    }
}

/// One listener that is to run, by its name, with what its ack handed over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// The name it was registered under.
    pub name: String,
    /// What the ack handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Which action of a `block_actions` payload it was registered for; 0, the usual one, is left out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub action: usize,
}

impl Job {
    /// A job without a value.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), value: None, action: 0 }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Encoding {
    Text,
    Base64,
}

/// A delivery from Slack that was acknowledged.
#[derive(Clone, Debug)]
pub struct SlackWork {
    /// The delivery's name, a UUID v7: the same in logs, pages and commands.
    pub id: String,
    /// What Slack sent.
    pub envelope: Envelope,
    /// Which listeners are to run.
    pub jobs: Vec<Job>,
    /// 0 for what Slack sent, one more for each redrive.
    pub generation: u32,
    /// AWS's trace header, where there was one.
    pub trace: Option<String>,
}

/// Work that the app, a schedule or a partner gave itself.
#[derive(Clone, Debug)]
pub struct AppWork {
    /// The name of this piece of work; the key where the sender gave none.
    pub id: String,
    /// The registered job.
    pub job: String,
    /// The organisation it is for.
    pub enterprise: Option<EnterpriseId>,
    /// The workspace it is for; none when it is for the whole organisation.
    pub team: Option<TeamId>,
    /// Whether it was begun by a delivery to an org-wide installation, whose token comes first then. It need not be said where
    /// no workspace is named.
    pub is_enterprise_install: bool,
    /// Its idempotency key: the same key, job and workspace (or organisation, where that is all) run once.
    pub key: String,
    /// What the job is given.
    pub payload: Value,
    /// When it was sent, if the sender said so.
    pub received_at: Option<EpochMs>,
    /// 0 for what was sent, one more for each redrive.
    pub generation: u32,
    /// AWS's trace header, where there was one.
    pub trace: Option<String>,
}

/// A decoded message.
#[derive(Clone, Debug)]
pub enum Work {
    /// From Slack.
    Slack(Box<SlackWork>),
    /// From the app itself or its friends.
    App(Box<AppWork>),
}

#[derive(Serialize, Deserialize)]
struct SlackWire {
    v: u32,
    origin: String,
    id: String,
    received_at: EpochMs,
    kind: EnvelopeKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    app: Option<AppId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enterprise: Option<EnterpriseId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team: Option<TeamId>,
    enc: Encoding,
    content_type: String,
    body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_num: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_reason: Option<String>,
    jobs: Vec<Job>,
    #[serde(rename = "gen", default)]
    generation: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct AppWire {
    v: u32,
    origin: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    job: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enterprise: Option<EnterpriseId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    team: Option<TeamId>,
    #[serde(default, skip_serializing_if = "is_false")]
    is_enterprise_install: bool,
    key: String,
    #[serde(default)]
    payload: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    received_at: Option<EpochMs>,
    #[serde(rename = "gen", default)]
    generation: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
}

/// All that a later version is sure to have is its number.
#[derive(Deserialize)]
struct Head {
    v: u64,
    #[serde(default)]
    origin: Value,
}

/// A message that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MessageError {
    /// A later version wrote it: a deployment is under way, so it heals with time.
    #[error("the message has version {0}, this worker reads up to {VERSION}")]
    Newer(u32),
    /// It will never be readable.
    #[error("the message is not one of ours: {0}")]
    Undecodable(String),
}

impl Work {
    /// Reads a message.
    ///
    /// # Errors
    /// [`MessageError::Newer`] heals with a deployment; [`MessageError::Undecodable`] does not.
    pub fn decode(text: &str) -> Result<Self, MessageError> {
        // Nearly every message is this one, and then it is read once.
        if let Ok(wire) = serde_json::from_str::<SlackWire>(text)
            && (wire.v, wire.origin.as_str()) == (VERSION, "slack")
        {
            return wire.into_work().map(|work| Self::Slack(Box::new(work)));
        }
        let undecodable = |error: serde_json::Error| MessageError::Undecodable(place(&error));
        let head: Head = serde_json::from_str(text).map_err(undecodable)?;
        let version = u32::try_from(head.v).unwrap_or(u32::MAX);
        if version > VERSION {
            return Err(MessageError::Newer(version));
        }
        match (version, head.origin.as_str()) {
            (VERSION, Some("slack")) => {
                let wire: SlackWire = serde_json::from_str(text).map_err(undecodable)?;
                wire.into_work().map(|work| Self::Slack(Box::new(work)))
            }
            (VERSION, Some("app")) => {
                let wire: AppWire = serde_json::from_str(text).map_err(undecodable)?;
                wire.into_work().map(|work| Self::App(Box::new(work)))
            }
            (v, _) => Err(MessageError::Undecodable(format!("version {v} from this origin is unknown"))),
        }
    }

    /// The name of the delivery.
    pub fn id(&self) -> &str {
        match self {
            Self::Slack(work) => &work.id,
            Self::App(work) => &work.id,
        }
    }

    /// The Slack app it is for, where Slack said so.
    pub fn app(&self) -> Option<&str> {
        match self {
            Self::Slack(work) => work.envelope.app.as_ref().map(AppId::as_str),
            Self::App(_) => None,
        }
    }

    /// What makes two messages the same delivery: `kind:key`.
    pub fn idempotency_key(&self) -> String {
        match self {
            Self::Slack(work) => match work.envelope.idempotency_key() {
                Some(key) => key.0,
                // Slack sent nothing to go by, but its own repetitions carry the same bytes.
                None => format!("body:{}", crate::idempotency::body_hash(&work.envelope.body)),
            },
            Self::App(work) => format!("app:{}:{}", work.place(), work.key),
        }
    }

    /// Which listeners are to run.
    pub fn jobs(&self) -> Vec<Job> {
        match self {
            Self::Slack(work) => work.jobs.clone(),
            Self::App(work) => vec![Job::named(work.job.clone())],
        }
    }

    /// 0 for what was sent, one more for each redrive.
    pub fn generation(&self) -> u32 {
        match self {
            Self::Slack(work) => work.generation,
            Self::App(work) => work.generation,
        }
    }

    /// When it arrived, where that is known.
    pub fn received_at(&self) -> Option<EpochMs> {
        match self {
            Self::Slack(work) => Some(work.envelope.received_at),
            Self::App(work) => work.received_at,
        }
    }

    /// Whose installation it belongs to.
    pub fn tenant(&self) -> Tenant {
        match self {
            Self::Slack(work) => work.envelope.tenant.clone(),
            Self::App(work) => Tenant {
                enterprise: work.enterprise.clone(),
                team: work.team.clone(),
                is_enterprise_install: work.enterprise.is_some() && (work.is_enterprise_install || work.team.is_none()),
            },
        }
    }

    /// The bytes that stand for this work: Slack's body, or the payload.
    pub fn body_hash(&self) -> String {
        match self {
            Self::Slack(work) => crate::idempotency::body_hash(&work.envelope.body),
            Self::App(work) => crate::idempotency::body_hash(work.payload.to_string().as_bytes()),
        }
    }

    /// The message of one job alone, one generation on: what a dead letter holds, so that a redrive runs it once more.
    pub fn next_generation(&self, job: &Job) -> String {
        match self {
            Self::Slack(work) => {
                let next = SlackWork {
                    jobs: vec![job.clone()],
                    generation: work.generation.saturating_add(1),
                    ..(**work).clone()
                };
                next.encode()
            }
            Self::App(work) => AppWork { generation: work.generation.saturating_add(1), ..(**work).clone() }.encode(),
        }
    }
}

impl SlackWork {
    /// Writes the message. The body travels as text or as base64, whichever is smaller; SQS refuses some characters in text.
    pub fn encode(&self) -> String {
        let envelope = &self.envelope;
        let (enc, body) = encode_body(&envelope.body);
        let wire = SlackWire {
            v: VERSION,
            origin: "slack".to_owned(),
            id: self.id.clone(),
            received_at: envelope.received_at,
            kind: envelope.kind,
            app: envelope.app.clone(),
            enterprise: envelope.tenant.enterprise.clone(),
            team: envelope.tenant.team.clone(),
            enc,
            content_type: envelope.content_type.clone(),
            body,
            retry_num: envelope.retry.as_ref().map(|retry| retry.num),
            retry_reason: envelope.retry.as_ref().map(|retry| retry.reason.clone()),
            jobs: self.jobs.clone(),
            generation: self.generation,
            trace: self.trace.clone(),
        };
        to_json(&wire)
    }
}

impl AppWork {
    /// The workspace, or the organisation where that is all; nothing for what is for every installation.
    fn place(&self) -> &str {
        let team = self.team.as_ref().map(TeamId::as_str);
        team.or(self.enterprise.as_ref().map(EnterpriseId::as_str)).unwrap_or_default()
    }

    /// Writes the message.
    pub fn encode(&self) -> String {
        to_json(&AppWire {
            v: VERSION,
            origin: "app".to_owned(),
            id: Some(self.id.clone()),
            job: self.job.clone(),
            enterprise: self.enterprise.clone(),
            team: self.team.clone(),
            is_enterprise_install: self.is_enterprise_install,
            key: self.key.clone(),
            payload: self.payload.clone(),
            received_at: self.received_at,
            generation: self.generation,
            trace: self.trace.clone(),
        })
    }
}

impl SlackWire {
    fn into_work(self) -> Result<SlackWork, MessageError> {
        let body = match self.enc {
            Encoding::Text => Bytes::from(self.body),
            Encoding::Base64 => BASE64
                .decode(self.body)
                .map(Bytes::from)
                .map_err(|error| MessageError::Undecodable(format!("body: {error}")))?,
        };
        let mut envelope = Envelope::from_queue(self.kind, &self.content_type, body, self.received_at);
        envelope.retry = self.retry_num.map(|num| Retry { num, reason: self.retry_reason.unwrap_or_default() });
        Ok(SlackWork { id: self.id, envelope, jobs: self.jobs, generation: self.generation, trace: self.trace })
    }
}

impl AppWire {
    /// Anybody who may send to the queue may have written this, so what becomes part of a record's key is looked at.
    fn into_work(self) -> Result<AppWork, MessageError> {
        let undecodable = |text: &str| Err(MessageError::Undecodable(text.to_owned()));
        if self.key.is_empty() || self.key.len() > KEY_BYTES_MAX {
            return undecodable("the key must have 1 to 512 bytes");
        }
        if !is_job_name(&self.job) {
            return undecodable("the job is not a job's name");
        }
        let fits = |id: &str| (1..=PLACE_BYTES_MAX).contains(&id.len());
        if !self.team.as_ref().is_none_or(|team| fits(team.as_str())) {
            return undecodable("the team must have 1 to 64 bytes");
        }
        if !self.enterprise.as_ref().is_none_or(|enterprise| fits(enterprise.as_str())) {
            return undecodable("the enterprise must have 1 to 64 bytes");
        }
        if self.team.is_none() && self.enterprise.is_none() && self.job != PURGE_DUE {
            return undecodable("it names neither team nor enterprise");
        }
        Ok(AppWork {
            id: self.id.unwrap_or_else(|| self.key.clone()),
            job: self.job,
            enterprise: self.enterprise,
            team: self.team,
            is_enterprise_install: self.is_enterprise_install,
            key: self.key,
            payload: self.payload,
            received_at: self.received_at,
            generation: self.generation,
            trace: self.trace,
        })
    }
}

/// Whether this can be a job's name: 1 to 128 visible ASCII characters, none of those that records and logs put between names.
pub(crate) fn is_job_name(name: &str) -> bool {
    (1..=128).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic() && !b"#,@".contains(&b))
}

fn to_json(wire: &impl Serialize) -> String {
    #[expect(clippy::expect_used, reason = "the wire structs hold only what JSON can hold")]
    let json = serde_json::to_string(wire).expect("the wire structs hold only what JSON can hold");
    if !holds_refused(&json) {
        return json;
    }
    json.replace(REFUSED[0], "\\ufffe").replace(REFUSED[1], "\\uffff")
}

/// Refused by SQS and not escaped by JSON.
const REFUSED: [char; 2] = ['\u{FFFE}', '\u{FFFF}'];

/// Whether a text holds one of them.
fn holds_refused(text: &str) -> bool {
    // Both begin with this byte, which is rare and quickly looked for.
    text.as_bytes().contains(&0xEF) && text.contains(REFUSED)
}

/// SQS takes `#x9 #xA #xD #x20-#xD7FF #xE000-#xFFFD #x10000-#x10FFFF`. JSON escapes the control characters,
/// so only U+FFFE and U+FFFF are left to be hidden, besides bytes that are no UTF-8.
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
fn encode_body(body: &Bytes) -> (Encoding, String) {
    let base64_len = body.len().div_ceil(3) * 4;
    if let Ok(text) = std::str::from_utf8(body)
        && !holds_refused(text)
        && escaped_len(text) <= base64_len
    {
        return (Encoding::Text, text.to_owned());
    }
    (Encoding::Base64, BASE64.encode(body))
}

/// How many bytes a text takes inside a JSON string.
fn escaped_len(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 2,
            0x00..0x20 => 6,
            _ => 1,
        })
        .sum()
}

/// A message for the dead-letter queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The queue whose dead-letter queue it goes to.
    pub queue: QueueName,
    /// The tenant.
    pub group: String,
    /// The message.
    pub body: String,
    /// Why, in a sentence without secrets.
    pub reason: String,
    /// The job that was given up, where the message could be read.
    pub job: Option<String>,
    /// How many attempts were made.
    pub attempts: u32,
    /// The delivery's name, where the message could be read.
    pub delivery: Option<String>,
}

/// The message group of a tenant: its workspace, else its organisation.
pub fn group_of(tenant: &Tenant) -> String {
    let name = tenant
        .team
        .as_ref()
        .map(TeamId::as_str)
        .or(tenant.enterprise.as_ref().map(EnterpriseId::as_str))
        .unwrap_or("none");
    // SQS takes 128 letters, digits and punctuation marks; a hostile id must not turn into a refused message.
    let clean: String = name.chars().filter(char::is_ascii_graphic).take(128).collect();
    if clean.is_empty() { "none".to_owned() } else { clean }
}
