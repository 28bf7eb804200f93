//! One standard queue: which message is visible, in flight or delayed, who gets the next one, what has expired.
//! Not here: other queues (redrive and moves are [`super::account`]'s), waiting, the wire. Time is an argument.
//! Invariant: every message is in exactly one of `ready` and `hidden`, and `in_flight` counts the hidden ones that were received.
//! Sources: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>,
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html>

use super::receipt::ReceiptHandle;
use super::settings::VISIBILITY_TIMEOUT_MAX;
use super::{Depth, MessageAttribute, MessageSnapshot, MessageState, QueueSettings, Received, SkipReason, SqsError};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// A message as a queue keeps it.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: String,
    pub(super) md5_of_body: String,
    pub(super) attributes: BTreeMap<String, MessageAttribute>,
    pub(super) group_id: Option<String>,
    pub(super) sender_id: String,
    pub(super) trace_header: Option<String>,
    pub(super) sent_ms: u64,
    pub(super) first_received_ms: Option<u64>,
    /// Receives in all queues: what `ApproximateReceiveCount` tells.
    pub(super) receive_count: u32,
    pub(super) dead_letter_source_arn: Option<String>,
}

struct Slot {
    message: Message,
    state: MessageState,
    /// Since when it is visible; orders delivery, so that one that returns does not overtake those that waited.
    available_ms: u64,
    /// Receives in this queue: what the redrive policy counts, and the last receipt handle's number.
    receives: u32,
    received_ms: u64,
    expires_ms: u64,
}

/// A queue and its messages.
pub(super) struct Queue {
    pub(super) name: String,
    pub(super) arn: String,
    pub(super) settings: QueueSettings,
    /// Attributes that are kept and shown but change nothing here, such as `Policy`.
    pub(super) inert: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) created_ms: u64,
    pub(super) modified_ms: u64,
    pub(super) purged_ms: Option<u64>,
    /// Wakes those who wait for a message.
    pub(super) wake: Arc<Notify>,
    /// In the order they came in.
    slots: BTreeMap<u64, Slot>,
    numbers: HashMap<String, u64>,
    next_number: u64,
    /// Visible messages by group, oldest first. Those without a group are under `None`.
    ready: HashMap<Option<String>, BTreeSet<(u64, u64)>>,
    hidden: BTreeSet<(u64, u64)>,
    expiring: BTreeSet<(u64, u64)>,
    in_flight: usize,
    in_flight_by_group: HashMap<String, usize>,
}

impl Queue {
    pub(super) fn new(name: &str, arn: String, settings: QueueSettings, now_ms: u64) -> Self {
        Self {
            name: name.to_owned(),
            arn,
            settings,
            inert: BTreeMap::new(),
            tags: BTreeMap::new(),
            created_ms: now_ms,
            modified_ms: now_ms,
            purged_ms: None,
            wake: Arc::new(Notify::new()),
            slots: BTreeMap::new(),
            numbers: HashMap::new(),
            next_number: 0,
            ready: HashMap::new(),
            hidden: BTreeSet::new(),
            expiring: BTreeSet::new(),
            in_flight: 0,
            in_flight_by_group: HashMap::new(),
        }
    }

    /// Puts a message in, hidden for `delay`. Retention counts from its first sending, wherever that was.
    pub(super) fn put(&mut self, message: Message, delay: Duration, now_ms: u64) {
        let number = self.next_number;
        self.next_number += 1;
        let expires_ms = message.sent_ms.saturating_add(millis(self.settings.retention));
        self.numbers.insert(message.id.clone(), number);
        self.expiring.insert((expires_ms, number));
        let available_ms = now_ms.saturating_add(millis(delay));
        let delayed = available_ms > now_ms;
        let state = if delayed { MessageState::Delayed { until_ms: available_ms } } else { MessageState::Visible };
        if delayed {
            self.hidden.insert((available_ms, number));
        } else {
            self.ready.entry(message.group_id.clone()).or_default().insert((available_ms, number));
        }
        self.slots.insert(number, Slot { message, state, available_ms, receives: 0, received_ms: 0, expires_ms });
        self.wake.notify_waiters();
    }

    /// Lets time pass: what waited becomes visible, what is too old goes.
    pub(super) fn advance(&mut self, now_ms: u64) {
        while let Some(&(until_ms, number)) = self.hidden.first() {
            if until_ms > now_ms {
                break;
            }
            self.show(number, until_ms);
        }
        while let Some(&(expires_ms, number)) = self.expiring.first() {
            if expires_ms > now_ms {
                break;
            }
            self.remove(number);
        }
    }

    /// When time alone will next make a message visible.
    pub(super) fn next_visible_ms(&self) -> Option<u64> {
        self.hidden.first().map(|&(until_ms, _)| until_ms)
    }

    /// When time alone will next change anything.
    pub(super) fn next_change_ms(&self) -> Option<u64> {
        let expires_ms = self.expiring.first().map(|&(expires_ms, _)| expires_ms);
        self.next_visible_ms().into_iter().chain(expires_ms).min()
    }

    /// Chooses the next visible message: of the group with the fewest messages in flight, the one that has been visible longest. A message without a
    /// group is a group of its own, with nothing in flight.
    ///
    /// AWS calls a group noisy from 30 messages in flight on that are more than a tenth of all; here every message in flight counts, so that a test
    /// sees fairness with a handful.
    pub(super) fn next_visible(&self) -> Option<u64> {
        self.ready
            .iter()
            .filter_map(|(group, numbers)| {
                let in_flight =
                    group.as_ref().and_then(|group| self.in_flight_by_group.get(group)).copied().unwrap_or(0);
                numbers.first().map(|&(available_ms, number)| (in_flight, available_ms, number))
            })
            .min()
            .map(|(_, _, number)| number)
    }

    pub(super) fn receives(&self, number: u64) -> u32 {
        self.slots.get(&number).map_or(0, |slot| slot.receives)
    }

    pub(super) fn dead_letter_source(&self, number: u64) -> Option<String> {
        self.slots.get(&number).and_then(|slot| slot.message.dead_letter_source_arn.clone())
    }

    /// Hands a visible message out, hidden for `visibility`. With a visibility timeout of 0 the next [`Self::advance`] shows it again, so that one
    /// call never returns a message twice.
    pub(super) fn receive(&mut self, number: u64, visibility: Duration, now_ms: u64) -> Option<Received> {
        let slot = self.slots.get_mut(&number)?;
        slot.receives += 1;
        slot.received_ms = now_ms;
        slot.message.receive_count += 1;
        let first_received_ms = *slot.message.first_received_ms.get_or_insert(now_ms);
        let until_ms = now_ms.saturating_add(millis(visibility));
        let message = slot.message.clone();
        let receipt_handle =
            ReceiptHandle { queue: self.name.clone(), message_id: message.id.clone(), receive: slot.receives }.encode();
        self.hide(number, until_ms);
        Some(Received {
            message_id: message.id,
            receipt_handle,
            body: message.body,
            md5_of_body: message.md5_of_body,
            group_id: message.group_id,
            attributes: message.attributes,
            sent_ms: message.sent_ms,
            first_received_ms,
            receive_count: message.receive_count,
            sender_id: message.sender_id,
            trace_header: message.trace_header,
            dead_letter_source_arn: message.dead_letter_source_arn,
        })
    }

    /// Deletes the message of a receipt handle. As on AWS an older handle, or one of a message that is gone, succeeds and deletes nothing.
    pub(super) fn delete(&mut self, receipt_handle: &str) -> Result<(), SqsError> {
        let handle = self.decode(receipt_handle)?;
        if let Some(&number) = self.numbers.get(&handle.message_id)
            && self.receives(number) == handle.receive
        {
            self.remove(number);
        }
        Ok(())
    }

    /// Hides a message in flight for `timeout` from now, or shows it at once.
    pub(super) fn change_visibility(
        &mut self,
        receipt_handle: &str,
        timeout: Duration,
        now_ms: u64,
    ) -> Result<(), SqsError> {
        let handle = self.decode(receipt_handle)?;
        let found =
            self.numbers.get(&handle.message_id).and_then(|&number| self.slots.get(&number).map(|slot| (number, slot)));
        let Some((number, slot)) = found else {
            return Err(SqsError::InvalidParameterValue(
                "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change."
                    .to_owned(),
            ));
        };
        if slot.receives != handle.receive || !matches!(slot.state, MessageState::InFlight { .. }) {
            return Err(SqsError::MessageNotInflight);
        }
        let until_ms = now_ms.saturating_add(millis(timeout));
        if until_ms > slot.received_ms.saturating_add(millis(VISIBILITY_TIMEOUT_MAX)) {
            return Err(SqsError::InvalidParameterValue(format!(
                "Value for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout for the message is beyond the limit [{} seconds].",
                VISIBILITY_TIMEOUT_MAX.as_secs()
            )));
        }
        self.show(number, now_ms);
        if until_ms > now_ms {
            self.hide(number, until_ms);
        }
        self.wake.notify_waiters();
        Ok(())
    }

    /// Takes a message out, whatever its state.
    pub(super) fn remove(&mut self, number: u64) -> Option<Message> {
        let slot = self.slots.remove(&number)?;
        self.numbers.remove(&slot.message.id);
        self.expiring.remove(&(slot.expires_ms, number));
        match slot.state {
            MessageState::Visible => self.leave_ready(&slot.message.group_id, (slot.available_ms, number)),
            MessageState::Delayed { until_ms } => {
                self.hidden.remove(&(until_ms, number));
            }
            MessageState::InFlight { until_ms } => {
                self.hidden.remove(&(until_ms, number));
                self.count_out(slot.message.group_id.as_deref());
            }
        }
        Some(slot.message)
    }

    /// Takes everything out.
    pub(super) fn purge(&mut self) {
        self.slots.clear();
        self.numbers.clear();
        self.ready.clear();
        self.hidden.clear();
        self.expiring.clear();
        self.in_flight = 0;
        self.in_flight_by_group.clear();
    }

    /// Counts retention anew after the setting changed.
    pub(super) fn apply_retention(&mut self) {
        let retention_ms = millis(self.settings.retention);
        self.expiring.clear();
        for (&number, slot) in &mut self.slots {
            slot.expires_ms = slot.message.sent_ms.saturating_add(retention_ms);
            self.expiring.insert((slot.expires_ms, number));
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(super) fn depth(&self) -> Depth {
        Depth {
            visible: self.slots.len() - self.hidden.len(),
            in_flight: self.in_flight,
            delayed: self.hidden.len() - self.in_flight,
        }
    }

    /// All messages in the order they came in.
    pub(super) fn snapshots(&self) -> impl DoubleEndedIterator<Item = MessageSnapshot> {
        self.slots.values().map(Slot::snapshot)
    }

    /// The message with this id.
    pub(super) fn snapshot_of(&self, message_id: &str) -> Option<MessageSnapshot> {
        let number = self.numbers.get(message_id)?;
        self.slots.get(number).map(Slot::snapshot)
    }

    /// Takes the message with this id out, if a consumer could have it now.
    pub(super) fn take_visible(&mut self, message_id: &str) -> Result<Message, SkipReason> {
        let number = *self.numbers.get(message_id).ok_or(SkipReason::Gone)?;
        match self.slots.get(&number).map(|slot| slot.state) {
            Some(MessageState::Visible) => self.remove(number).ok_or(SkipReason::Gone),
            Some(MessageState::InFlight { .. }) => Err(SkipReason::InFlight),
            Some(MessageState::Delayed { .. }) => Err(SkipReason::Delayed),
            None => Err(SkipReason::Gone),
        }
    }

    fn hide(&mut self, number: u64, until_ms: u64) {
        let Some(slot) = self.slots.get_mut(&number) else {
            return;
        };
        let key = (slot.available_ms, number);
        slot.state = MessageState::InFlight { until_ms };
        let group_id = slot.message.group_id.clone();
        self.leave_ready(&group_id, key);
        self.hidden.insert((until_ms, number));
        self.in_flight += 1;
        if let Some(group_id) = group_id {
            *self.in_flight_by_group.entry(group_id).or_default() += 1;
        }
    }

    fn show(&mut self, number: u64, available_ms: u64) {
        let Some(slot) = self.slots.get_mut(&number) else {
            return;
        };
        let before = std::mem::replace(&mut slot.state, MessageState::Visible);
        slot.available_ms = available_ms;
        let group_id = slot.message.group_id.clone();
        match before {
            MessageState::Visible => {}
            MessageState::Delayed { until_ms } => {
                self.hidden.remove(&(until_ms, number));
            }
            MessageState::InFlight { until_ms } => {
                self.hidden.remove(&(until_ms, number));
                self.count_out(group_id.as_deref());
            }
        }
        self.ready.entry(group_id).or_default().insert((available_ms, number));
    }

    fn leave_ready(&mut self, group_id: &Option<String>, key: (u64, u64)) {
        if let Some(numbers) = self.ready.get_mut(group_id) {
            numbers.remove(&key);
            if numbers.is_empty() {
                self.ready.remove(group_id);
            }
        }
    }

    fn count_out(&mut self, group_id: Option<&str>) {
        self.in_flight -= 1;
        let Some(group_id) = group_id else { return };
        if let Some(count) = self.in_flight_by_group.get_mut(group_id) {
            *count -= 1;
            if *count == 0 {
                self.in_flight_by_group.remove(group_id);
            }
        }
    }

    fn decode(&self, receipt_handle: &str) -> Result<ReceiptHandle, SqsError> {
        ReceiptHandle::decode(receipt_handle)
            .filter(|handle| handle.queue == self.name)
            .ok_or(SqsError::ReceiptHandleIsInvalid)
    }
}

impl Slot {
    fn snapshot(&self) -> MessageSnapshot {
        let message = &self.message;
        MessageSnapshot {
            message_id: message.id.clone(),
            body: message.body.clone(),
            group_id: message.group_id.clone(),
            attributes: message.attributes.clone(),
            sent_ms: message.sent_ms,
            first_received_ms: message.first_received_ms,
            receive_count: message.receive_count,
            sender_id: message.sender_id.clone(),
            dead_letter_source_arn: message.dead_letter_source_arn.clone(),
            visible_at_ms: match self.state {
                MessageState::Visible => self.available_ms,
                MessageState::InFlight { until_ms } | MessageState::Delayed { until_ms } => until_ms,
            },
            state: self.state,
        }
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
