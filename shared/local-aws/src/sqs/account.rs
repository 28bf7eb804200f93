//! All queues of the account and what happens between them: dead letters, move tasks, names and addresses.
//! Not here: waiting and locking ([`super::Sqs`]), the wire.
//! Invariant: every public step first lets time pass ([`Account::advance`]), so that what it sees is what AWS would show at that moment.
//! Sources: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html>,
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>

use super::limits::{self, IN_FLIGHT_MAX};
use super::moves::MoveTask;
use super::queue::{Message, Queue};
use super::{NewMessage, QueueSettings, Received, SqsError, digest};
use crate::{ACCOUNT, REGION};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// How long a deleted queue's name, and a purged queue, are blocked.
const AFTER_DELETE_OR_PURGE_MS: u64 = 60_000;

/// What a send answers.
pub(super) struct Sent {
    pub(super) message_id: String,
    pub(super) md5_of_body: String,
}

/// The state behind [`super::Sqs`].
pub(super) struct Account {
    pub(super) endpoint: String,
    pub(super) queues: BTreeMap<String, Queue>,
    pub(super) moves: Vec<MoveTask>,
    deleted: HashMap<String, u64>,
}

impl Account {
    pub(super) fn new(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            queues: BTreeMap::new(),
            moves: Vec::new(),
            deleted: HashMap::new(),
        }
    }

    /// Lets time pass everywhere.
    pub(super) fn advance(&mut self, now_ms: u64) {
        for queue in self.queues.values_mut() {
            queue.advance(now_ms);
        }
        self.advance_moves(now_ms);
    }

    /// When time alone will next change anything.
    pub(super) fn next_change_ms(&self) -> Option<u64> {
        self.queues.values().filter_map(Queue::next_change_ms).chain(self.next_move_ms()).min()
    }

    /// When time alone may next make a message visible in this queue.
    pub(super) fn next_visible_ms(&self, name: &str) -> Option<u64> {
        self.queues.get(name).and_then(Queue::next_visible_ms).into_iter().chain(self.next_move_ms()).min()
    }

    pub(super) fn queue(&self, name: &str) -> Result<&Queue, SqsError> {
        self.queues.get(name).ok_or(SqsError::QueueDoesNotExist)
    }

    pub(super) fn queue_mut(&mut self, name: &str) -> Result<&mut Queue, SqsError> {
        self.queues.get_mut(name).ok_or(SqsError::QueueDoesNotExist)
    }

    pub(super) fn queue_url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.endpoint)
    }

    /// The name of the queue that an ARN names, if there is such a queue.
    pub(super) fn name_of_arn(&self, arn: &str) -> Option<&str> {
        self.queues.values().find(|queue| queue.arn == arn).map(|queue| queue.name.as_str())
    }

    /// Makes a queue. One that exists with the same settings is left as it is, as `CreateQueue` does.
    pub(super) fn create_queue(
        &mut self,
        name: &str,
        settings: QueueSettings,
        now_ms: u64,
    ) -> Result<String, SqsError> {
        limits::check_queue_name(name)?;
        if let Some(queue) = self.queues.get(name) {
            return if queue.settings == settings {
                Ok(self.queue_url(name))
            } else {
                Err(SqsError::QueueNameExists(differing(&queue.settings, &settings).to_owned()))
            };
        }
        self.check_settings(&settings)?;
        if self
            .deleted
            .get(name)
            .is_some_and(|&deleted_ms| now_ms < deleted_ms.saturating_add(AFTER_DELETE_OR_PURGE_MS))
        {
            return Err(SqsError::QueueDeletedRecently);
        }
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}");
        self.queues.insert(name.to_owned(), Queue::new(name, arn, settings, now_ms));
        Ok(self.queue_url(name))
    }

    /// Gives a queue other settings.
    pub(super) fn set_settings(&mut self, name: &str, settings: QueueSettings, now_ms: u64) -> Result<(), SqsError> {
        self.queue(name)?;
        self.check_settings(&settings)?;
        let queue = self.queue_mut(name)?;
        queue.settings = settings;
        queue.modified_ms = now_ms;
        queue.apply_retention();
        queue.advance(now_ms);
        Ok(())
    }

    fn check_settings(&self, settings: &QueueSettings) -> Result<(), SqsError> {
        settings.check()?;
        match &settings.redrive {
            Some(redrive) if self.name_of_arn(&redrive.dead_letter_arn).is_none() => {
                Err(SqsError::InvalidParameterValue(format!(
                    "Value {} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.",
                    redrive.dead_letter_arn
                )))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn delete_queue(&mut self, name: &str, now_ms: u64) -> Result<(), SqsError> {
        let queue = self.queues.remove(name).ok_or(SqsError::QueueDoesNotExist)?;
        // A long poll on it wakes to an error.
        queue.wake.notify_waiters();
        self.deleted.insert(name.to_owned(), now_ms);
        Ok(())
    }

    pub(super) fn purge_queue(&mut self, name: &str, now_ms: u64) -> Result<(), SqsError> {
        let queue = self.queue_mut(name)?;
        if queue.purged_ms.is_some_and(|purged_ms| now_ms < purged_ms.saturating_add(AFTER_DELETE_OR_PURGE_MS)) {
            return Err(SqsError::PurgeQueueInProgress(name.to_owned()));
        }
        queue.purged_ms = Some(now_ms);
        queue.purge();
        Ok(())
    }

    pub(super) fn send(
        &mut self,
        name: &str,
        message: NewMessage,
        sender_id: &str,
        trace_header: Option<String>,
        now_ms: u64,
    ) -> Result<Sent, SqsError> {
        let queue = self.queue_mut(name)?;
        limits::check_message(&message, queue.settings.max_message_bytes)?;
        let delay = message.delay.unwrap_or(queue.settings.delay);
        let sent =
            Sent { message_id: uuid::Uuid::new_v4().to_string(), md5_of_body: digest::md5_of_body(&message.body) };
        let message = Message {
            id: sent.message_id.clone(),
            body: message.body,
            md5_of_body: sent.md5_of_body.clone(),
            attributes: message.attributes,
            group_id: message.group_id,
            sender_id: sender_id.to_owned(),
            trace_header,
            sent_ms: now_ms,
            first_received_ms: None,
            receive_count: 0,
            dead_letter_source_arn: None,
        };
        queue.put(message, delay, now_ms);
        Ok(sent)
    }

    /// Hands out up to `max` visible messages. One that was received as often as the redrive policy allows goes to the dead-letter queue instead.
    pub(super) fn receive(
        &mut self,
        name: &str,
        max: usize,
        visibility: Option<Duration>,
        now_ms: u64,
    ) -> Result<Taken, SqsError> {
        let redrive = self.queue(name)?.settings.redrive.clone();
        let dead_letter = redrive.and_then(|redrive| {
            let name = self.name_of_arn(&redrive.dead_letter_arn)?.to_owned();
            Some((name, redrive.max_receive_count))
        });
        let queue = self.queue_mut(name)?;
        let visibility = visibility.unwrap_or(queue.settings.visibility_timeout);
        let mut received = Vec::new();
        let mut exhausted = Vec::new();
        let mut full = false;
        while received.len() < max {
            full = queue.in_flight() >= IN_FLIGHT_MAX;
            let Some(number) = queue.next_visible().filter(|_| !full) else {
                break;
            };
            if dead_letter.as_ref().is_some_and(|(_, max_receive_count)| queue.receives(number) >= *max_receive_count) {
                exhausted.extend(queue.remove(number));
            } else {
                received.extend(queue.receive(number, visibility, now_ms));
            }
        }
        queue.advance(now_ms);
        let changed = !received.is_empty() || !exhausted.is_empty();
        if changed {
            // Others that wait must count the new visibility timeouts in.
            queue.wake.notify_waiters();
        }
        let arn = queue.arn.clone();
        if let Some((dead_letter, _)) = dead_letter
            && let Some(queue) = self.queues.get_mut(&dead_letter)
        {
            for mut message in exhausted {
                message.dead_letter_source_arn = Some(arn.clone());
                queue.put(message, Duration::ZERO, now_ms);
            }
            queue.advance(now_ms);
        }
        Ok(Taken { received, changed, full })
    }
}

/// What a receive found.
pub(super) struct Taken {
    pub(super) received: Vec<Received>,
    /// Whether anything moved, to a consumer or to the dead-letter queue.
    pub(super) changed: bool,
    /// Whether the queue has as many messages in flight as it may.
    pub(super) full: bool,
}

fn differing(one: &QueueSettings, other: &QueueSettings) -> &'static str {
    let same = [
        ("VisibilityTimeout", one.visibility_timeout == other.visibility_timeout),
        ("DelaySeconds", one.delay == other.delay),
        ("MessageRetentionPeriod", one.retention == other.retention),
        ("MaximumMessageSize", one.max_message_bytes == other.max_message_bytes),
        ("ReceiveMessageWaitTimeSeconds", one.receive_wait == other.receive_wait),
    ];
    same.iter().find(|(_, same)| !same).map_or("RedrivePolicy", |(name, _)| name)
}
