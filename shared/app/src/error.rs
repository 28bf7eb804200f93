//! Errors of listeners, and what the queue does about them.
//! Every error answers one question: does this job run again, is it dropped, or is it for a person to look at?

use crate::client::ClientError;
use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What becomes of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Finished.
    Done,
    /// Runs again, after the given wait or the next one of the ladder.
    Retry {
        /// Not before this much time has passed.
        after: Option<Duration>,
        /// Why.
        reason: String,
    },
    /// Finished without success, for a reason that nobody needs to mend: an expired trigger, a revoked token.
    Discard {
        /// Why.
        reason: String,
    },
    /// For a person: into the dead-letter queue, at once.
    Park {
        /// Why.
        reason: String,
    },
}

/// Why a listener failed. `?` turns any error into one: errors of Slack's Web API are sorted by what Slack said,
/// everything else runs again until its attempts are used up.
#[derive(Debug)]
pub enum ListenerError {
    /// Slack's Web API did not do it.
    Slack(ClientError),
    /// The listener asks to be run again.
    Retry {
        /// Not before this much time has passed; `None` takes the next wait of the ladder.
        after: Option<Duration>,
        /// Why.
        reason: String,
    },
    /// The listener asks to be dropped.
    Discard(String),
    /// The listener says that trying again is of no use.
    Permanent(String),
    /// The listener panicked; its text.
    Panicked(String),
    /// The listener was still running shortly before its invocation's deadline, and was dropped.
    Overran {
        /// Which attempt.
        attempt: u32,
    },
    /// Anything else.
    Other(Box<dyn Error + Send + Sync>),
}

impl ListenerError {
    /// Run again, not before `after`.
    pub fn retry_in(after: Duration, reason: impl Into<String>) -> Self {
        Self::Retry { after: Some(after), reason: reason.into() }
    }

    /// From a reason of any kind: a text, a boxed error, an `anyhow` error. It is sorted as by `?`: what Slack said decides,
    /// anything else runs again on the ladder.
    pub fn other(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error = reason.into();
        // An adopter's own error around Slack's must not hide what Slack said.
        let mut cause: Option<&(dyn Error + 'static)> = Some(&*error);
        while let Some(inner) = cause {
            if let Some(client) = inner.downcast_ref::<ClientError>() {
                return Self::Slack(client.clone());
            }
            cause = inner.source();
        }
        Self::Other(error)
    }

    /// Drop the job for this reason.
    pub fn discard(reason: impl Into<String>) -> Self {
        Self::Discard(reason.into())
    }

    /// Give the job to a person, for this reason.
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self::Permanent(reason.into())
    }

    /// What becomes of the job.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Slack(error) => error.disposition(),
            Self::Retry { after, reason } => Disposition::Retry { after: *after, reason: reason.clone() },
            Self::Discard(reason) => Disposition::Discard { reason: reason.clone() },
            Self::Permanent(reason) => Disposition::Park { reason: reason.clone() },
            Self::Panicked(_) | Self::Overran { .. } => Disposition::Retry { after: None, reason: self.to_string() },
            Self::Other(error) => Disposition::Retry { after: None, reason: chain(error.as_ref()) },
        }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for ListenerError {
    fn from(error: E) -> Self {
        Self::other(error)
    }
}

impl fmt::Display for ListenerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slack(error) => write!(f, "{error}"),
            Self::Retry { reason, .. } | Self::Discard(reason) | Self::Permanent(reason) => f.write_str(reason),
            Self::Panicked(text) => write!(f, "the listener panicked: {text}"),
            Self::Overran { attempt } => write!(f, "attempt {attempt} was still running shortly before its deadline"),
            Self::Other(error) => f.write_str(&chain(error.as_ref())),
        }
    }
}

/// An error and its causes, in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Why an ack failed. Whatever it says is logged and never shown: the person gets a safe answer of the right kind.
#[derive(Debug)]
pub struct AckError(Box<dyn Error + Send + Sync>);

impl AckError {
    /// From a sentence.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into().into())
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for AckError {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl fmt::Display for AckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&chain(self.0.as_ref()))
    }
}

/// A value of another shape than the code expects: a deployment under way mends it. serde's own text would repeat the value.
pub(crate) fn misfit(what: &str, error: &serde_json::Error) -> ListenerError {
    ListenerError::Retry { after: None, reason: format!("{what} does not fit: {}", place(error)) }
}

/// What serde did not like and where, without repeating it.
pub(crate) fn place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if text.starts_with("missing field") {
        return text;
    }
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
}
