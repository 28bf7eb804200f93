//! What a listener is given besides its payload.

use crate::client::{Client, ClientError};
use crate::error::ListenerError;
use crate::install::Installation;
use crate::message::{AppWork, KEY_BYTES_MAX, QueueName, Work, group_of};
use crate::ports::{Clock, Queue};
use serde::Serialize;
use serde_json::{Value, json};
use std::rc::Rc;
use tack_protocol::payload::Payload;
use tack_protocol::{ChannelId, EpochMs, Tenant, UserId};
use tokio::time::Instant;

/// One run of one job.
pub struct Context<R = ()> {
    pub(crate) resources: Rc<R>,
    pub(crate) client: Client,
    pub(crate) queue: Rc<dyn Queue>,
    pub(crate) clock: Rc<dyn Clock>,
    pub(crate) own_jobs: Rc<[&'static str]>,
    pub(crate) delivery: String,
    pub(crate) key: String,
    pub(crate) job: String,
    pub(crate) attempt: u32,
    pub(crate) generation: u32,
    pub(crate) tenant: Tenant,
    pub(crate) installation: Option<Rc<Installation>>,
    pub(crate) user: Option<UserId>,
    pub(crate) channel: Option<ChannelId>,
    pub(crate) response_url: Option<String>,
    pub(crate) trace: Option<String>,
    pub(crate) deadline: Instant,
}

impl<R> Context<R> {
    /// The adopter's own things.
    pub fn resources(&self) -> &R {
        &self.resources
    }

    /// Slack's Web API, as the installation that this delivery belongs to.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Slack's Web API as a person who granted the app user scopes here; `None` if they did not, or take it back since.
    ///
    /// # Errors
    /// [`ClientError::TokenRenewal`] when it is not known, or their token is being renewed; `?` has the job run again.
    pub async fn user_client(&self, user: &UserId) -> Result<Option<Client>, ClientError> {
        self.client.of_user(user).await
    }

    /// The delivery's name: the same in logs, pages and commands.
    pub fn delivery(&self) -> &str {
        &self.delivery
    }

    /// What makes two deliveries the same: useful as an idempotency key for others.
    pub fn idempotency_key(&self) -> &str {
        &self.key
    }

    /// This job's name.
    pub fn job(&self) -> &str {
        &self.job
    }

    /// Which attempt this is, from 1. Above 1 an earlier one may have done its work and not lived to say so.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// How often this delivery was redriven from the dead letters.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The workspace and organisation.
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// What is known of the installation: its scopes, who installed it. None in single-workspace mode.
    pub fn installation(&self) -> Option<&Installation> {
        self.installation.as_deref()
    }

    /// The person, where there is one.
    pub fn user(&self) -> Option<&UserId> {
        self.user.as_ref()
    }

    /// The conversation, where there is one.
    pub fn channel(&self) -> Option<&ChannelId> {
        self.channel.as_ref()
    }

    /// Log lines that carry this delivery and job.
    pub fn logger(&self) -> Logger<'_> {
        Logger { delivery: &self.delivery, job: &self.job }
    }

    /// Now.
    pub fn now(&self) -> EpochMs {
        self.clock.now()
    }

    /// How long this run may still take before it is dropped.
    pub fn remaining(&self) -> std::time::Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Posts into the conversation that this delivery came from: one `chat.postMessage`.
    ///
    /// # Errors
    /// [`ClientError::NoTarget`] when the payload names no conversation (a modal, a global shortcut): use
    /// [`Self::client`] with a channel of your own. Otherwise what Slack said.
    pub async fn say(&self, message: impl Into<Post>) -> Result<Value, ClientError> {
        let Some(channel) = &self.channel else {
            return Err(ClientError::NoTarget(
                "say: this payload names no conversation; call chat.postMessage with a channel",
            ));
        };
        let mut message = message.into().0;
        message["channel"] = json!(channel);
        self.client.call("chat.postMessage", &message).await
    }

    /// Answers through the delivery's `response_url`: ephemeral unless the message says otherwise, 5 times in 30 minutes.
    ///
    /// # Errors
    /// [`ClientError::NoTarget`] when the payload has none. Otherwise what Slack said.
    pub async fn respond(&self, message: impl Into<Post>) -> Result<(), ClientError> {
        let Some(url) = &self.response_url else {
            return Err(ClientError::NoTarget("respond: this payload has no response_url"));
        };
        self.client.respond(url, &message.into().0).await
    }

    /// Posts to the installation's incoming webhook, into the channel that whoever installed the app chose: what a scope of
    /// `incoming-webhook` alone allows. [`Installation::webhook`] names the channel.
    ///
    /// # Errors
    /// [`ClientError::NoTarget`] when the installation has none, and with a single workspace. Otherwise what Slack said;
    /// a webhook that was taken away since discards the job.
    pub async fn post_to_incoming_webhook(&self, message: impl Into<Post>) -> Result<(), ClientError> {
        self.client.post_to_incoming_webhook(self.installation(), &message.into().0).await
    }

    /// Queues a piece of the app's own work for this workspace (for its organisation, where no workspace is named): durable, retried, run once per `key`.
    /// Enqueueing the same job and key again has no second effect for 19 days, so a listener may simply start over; for work
    /// that comes back every week, put the week into the key.
    ///
    /// # Errors
    /// When no job of this name is registered, the key is empty or longer than 512 bytes, or the queue refuses.
    pub async fn enqueue(&self, job: &str, key: &str, payload: &impl Serialize) -> Result<(), ListenerError> {
        if !self.own_jobs.contains(&job) {
            return Err(ListenerError::permanent(format!("enqueue: no job named {job:?} is registered with app.job")));
        }
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            let text = format!("enqueue: the key of {job:?} must have 1 to {KEY_BYTES_MAX} bytes");
            return Err(ListenerError::permanent(text));
        }
        if self.tenant.team.is_none() && self.tenant.enterprise.is_none() {
            return Err(ListenerError::permanent("enqueue: this delivery names neither workspace nor organisation"));
        }
        let work = AppWork {
            // Named after the delivery that began it all: a chain of own work must not grow names without end.
            id: format!("{}:{key}", self.delivery.split(':').next().unwrap_or_default()),
            job: job.to_owned(),
            enterprise: self.tenant.enterprise.clone(),
            team: self.tenant.team.clone(),
            is_enterprise_install: self.tenant.is_enterprise_install,
            key: key.to_owned(),
            payload: serde_json::to_value(payload)?,
            received_at: Some(self.clock.now()),
            generation: 0,
            trace: self.trace.clone(),
        };
        let body = work.encode();
        if body.len() > crate::limits::MESSAGE_BYTES_MAX {
            return Err(ListenerError::permanent(format!(
                "enqueue: the payload of {job:?} is too large for a message of 1 MiB; store it and pass its name"
            )));
        }
        self.queue.send(QueueName::Events, &group_of(&self.tenant), body).await?;
        Ok(())
    }
}

/// Writes the adopter's own log lines, found by the same delivery as Tack's. What they say is the adopter's to answer for.
#[derive(Clone, Copy, Debug)]
pub struct Logger<'c> {
    delivery: &'c str,
    job: &'c str,
}

impl Logger<'_> {
    /// For the record.
    pub fn info(&self, text: &str) {
        tracing::info!(delivery = self.delivery, job = self.job, "{text}");
    }

    /// Worth a look.
    pub fn warn(&self, text: &str) {
        tracing::warn!(delivery = self.delivery, job = self.job, "{text}");
    }

    /// Something failed.
    pub fn error(&self, text: &str) {
        tracing::error!(delivery = self.delivery, job = self.job, "{text}");
    }
}

/// A message to post: a text, or JSON with `text`, `blocks`, `thread_ts` and so on.
#[derive(Clone, Debug, PartialEq)]
pub struct Post(Value);

impl From<&str> for Post {
    fn from(text: &str) -> Self {
        Self(json!({ "text": text }))
    }
}

impl From<String> for Post {
    fn from(text: String) -> Self {
        Self(json!({ "text": text }))
    }
}

impl From<Value> for Post {
    fn from(message: Value) -> Self {
        // Anything but an object is taken as its text, so that building a message cannot fail.
        match message {
            Value::Object(_) => Self(message),
            Value::String(text) => Self(json!({ "text": text })),
            other => Self(json!({ "text": other.to_string() })),
        }
    }
}

/// Where a delivery came from and where it may be answered.
pub(crate) fn origin(work: &Work) -> (Option<UserId>, Option<ChannelId>, Option<String>) {
    let Work::Slack(work) = work else { return (None, None, None) };
    let user = work.envelope.user.clone();
    let (channel, response_url) = match &work.envelope.payload {
        Payload::Event(event) => (event.channel.clone(), None),
        Payload::SlashCommand(command) => (command.channel.clone(), command.response_url.clone()),
        Payload::BlockActions(actions) => (actions.channel.clone(), actions.response_url.clone()),
        Payload::MessageShortcut(shortcut) => (shortcut.channel.clone(), shortcut.response_url.clone()),
        Payload::ViewSubmission(submission) => (None, submission.response_urls.first().cloned()),
        Payload::BlockSuggestion(_) | Payload::ViewClosed(_) | Payload::Shortcut(_) | Payload::Unknown(_) => {
            (None, None)
        }
    };
    (user, channel, response_url)
}
