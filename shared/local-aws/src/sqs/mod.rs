//! SQS in memory: standard queues with fair groups, and the native API that the event source and tests call. The wire operations call the same code.
//! Not here: FIFO queues, persistence, permissions.
//! Invariant: a waiting receive is woken by what makes a message visible, never by polling; the lock is never held across an await.
//! Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/>

mod account;
mod chosen;
mod digest;
mod error;
pub mod limits;
mod message;
mod moves;
mod queue;
mod receipt;
pub mod settings;
pub(crate) mod wire;

use crate::Clock;
use account::{Account, Sent};
use limits::{BATCH_MAX, IN_FLIGHT_MAX};
use queue::millis;
use settings::{RECEIVE_WAIT_MAX, VISIBILITY_TIMEOUT_MAX};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

pub use chosen::{DeletedMessages, MovedMessage, MovedMessages, SkipReason, SkippedMessage};
pub use error::SqsError;
pub use message::{Depth, MessageAttribute, MessageSnapshot, MessageState, NewMessage, Received};
pub use moves::{MOVES_PER_SECOND_MAX, MoveStatus, MoveTask};
pub use settings::{QueueSettings, Redrive};

/// Who the native API sends as.
const LOCAL_SENDER: &str = "local";

/// The queues of the account. Clones share them. Everywhere `queue` is a queue's name.
#[derive(Clone)]
pub struct Sqs(Arc<Shared>);

struct Shared {
    clock: Clock,
    account: Mutex<Account>,
    changed: Arc<Notify>,
}

impl Sqs {
    pub(crate) fn new(clock: Clock, endpoint: &str) -> Self {
        Self(Arc::new(Shared { clock, account: Mutex::new(Account::new(endpoint)), changed: Arc::new(Notify::new()) }))
    }

    /// Makes a standard queue and answers its URL. One that exists with these very settings is left as it is.
    ///
    /// # Errors
    /// A name or a setting that SQS refuses, a dead-letter queue that does not exist, other settings than those the queue has, a queue of that name
    /// deleted within the last minute.
    pub fn create_queue(&self, name: &str, settings: QueueSettings) -> Result<String, SqsError> {
        self.write(|account, now_ms| account.create_queue(name, settings, now_ms))
    }

    /// Deletes a queue with all its messages.
    ///
    /// # Errors
    /// [`SqsError::QueueDoesNotExist`].
    pub fn delete_queue(&self, queue: &str) -> Result<(), SqsError> {
        self.write(|account, now_ms| account.delete_queue(queue, now_ms))
    }

    /// Deletes all messages of a queue.
    ///
    /// # Errors
    /// [`SqsError::QueueDoesNotExist`]; [`SqsError::PurgeQueueInProgress`] within a minute after the last time.
    pub fn purge_queue(&self, queue: &str) -> Result<(), SqsError> {
        self.write(|account, now_ms| account.purge_queue(queue, now_ms))
    }

    /// The names of all queues, in alphabetical order.
    pub fn queue_names(&self) -> Vec<String> {
        self.read(|account| account.queues.keys().cloned().collect())
    }

    /// A queue's ARN.
    ///
    /// # Errors
    /// [`SqsError::QueueDoesNotExist`].
    pub fn queue_arn(&self, name: &str) -> Result<String, SqsError> {
        self.read(|account| account.queue(name).map(|queue| queue.arn.clone()))
    }

    /// A queue's URL.
    ///
    /// # Errors
    /// [`SqsError::QueueDoesNotExist`].
    pub fn queue_url(&self, name: &str) -> Result<String, SqsError> {
        self.read(|account| account.queue(name).map(|_| account.queue_url(name)))
    }

    /// A queue's settings.
    ///
    /// # Errors
    /// [`SqsError::QueueDoesNotExist`].
    pub fn settings(&self, queue: &str) -> Result<QueueSettings, SqsError> {
        self.read(|account| account.queue(queue).map(|queue| queue.settings.clone()))
    }

    /// Sends a message and answers its id.
    ///
    /// # Errors
    /// [`SqsError::QueueDoesNotExist`], or the limit that the message breaks.
    pub fn send(&self, queue: &str, message: NewMessage) -> Result<String, SqsError> {
        self.send_as(queue, message, LOCAL_SENDER, None).map(|sent| sent.message_id)
    }

    fn send_as(
        &self,
        queue: &str,
        message: NewMessage,
        sender_id: &str,
        trace_header: Option<String>,
    ) -> Result<Sent, SqsError> {
        self.write(|account, now_ms| account.send(queue, message, sender_id, trace_header, now_ms))
    }

    /// Receives up to `max` (1 to 10) messages; when there is none, waits for the first up to `wait` (at most 20 s). They stay hidden for
    /// `visibility`, or for the queue's visibility timeout. Dropping the future takes nothing.
    ///
    /// # Errors
    /// [`SqsError::QueueDoesNotExist`], also when it is deleted meanwhile; [`SqsError::InvalidParameterValue`] for a value out of range;
    /// [`SqsError::OverLimit`] when it does not wait and 120,000 messages are in flight.
    pub async fn receive(
        &self,
        queue: &str,
        max: u32,
        wait: Duration,
        visibility: Option<Duration>,
    ) -> Result<Vec<Received>, SqsError> {
        check_receive(max, wait, visibility)?;
        let deadline = Instant::now() + wait;
        loop {
            let wake = self.read(|account| account.queue(queue).map(|queue| Arc::clone(&queue.wake)))?;
            // Made before the look, so that no send falls between the look and the wait.
            let woken = wake.notified();
            let (taken, next_ms, now_ms) = self.look(queue, max, visibility)?;
            if !taken.received.is_empty() || Instant::now() >= deadline {
                return if taken.full && wait.is_zero() && taken.received.is_empty() {
                    Err(SqsError::OverLimit(IN_FLIGHT_MAX))
                } else {
                    Ok(taken.received)
                };
            }
            let next = next_ms.map(|next_ms| Instant::now() + Duration::from_millis(next_ms.saturating_sub(now_ms)));
            let until = next.map_or(deadline, |next| next.min(deadline));
            tokio::select! {
                () = woken => {}
                () = sleep_until(until) => {}
            }
        }
    }

    fn look(
        &self,
        queue: &str,
        max: u32,
        visibility: Option<Duration>,
    ) -> Result<(account::Taken, Option<u64>, u64), SqsError> {
        let now_ms = self.0.clock.now_ms();
        let mut account = self.lock();
        account.advance(now_ms);
        let taken = account.receive(queue, max as usize, visibility, now_ms)?;
        let next_ms = account.next_visible_ms(queue);
        drop(account);
        if taken.changed {
            self.0.changed.notify_waiters();
        }
        Ok((taken, next_ms, now_ms))
    }

    /// Deletes a message. A handle older than the message's last receive, or of a message that is gone, succeeds and deletes nothing.
    ///
    /// # Errors
    /// [`SqsError::QueueDoesNotExist`], [`SqsError::ReceiptHandleIsInvalid`].
    pub fn delete(&self, queue: &str, receipt_handle: &str) -> Result<(), SqsError> {
        self.write(|account, _| account.queue_mut(queue)?.delete(receipt_handle))
    }

    /// Hides a message in flight for `timeout` (0 s to 12 h) from now.
    ///
    /// # Errors
    /// [`SqsError::QueueDoesNotExist`], [`SqsError::ReceiptHandleIsInvalid`]; [`SqsError::MessageNotInflight`] when it is visible again or was
    /// received since; [`SqsError::InvalidParameterValue`] when it is gone, or would be hidden for more than 12 h since its receive.
    pub fn change_visibility(&self, queue: &str, receipt_handle: &str, timeout: Duration) -> Result<(), SqsError> {
        check_visibility(timeout)?;
        self.write(|account, now_ms| account.queue_mut(queue)?.change_visibility(receipt_handle, timeout, now_ms))
    }

    /// How many messages a queue holds.
    ///
    /// # Errors
    /// [`SqsError::QueueDoesNotExist`].
    pub fn depth(&self, queue: &str) -> Result<Depth, SqsError> {
        self.read(|account| account.queue(queue).map(queue::Queue::depth))
    }

    /// All messages of a queue in the order they came in, without receiving any; none for a queue that does not exist.
    pub fn peek(&self, queue: &str) -> Vec<MessageSnapshot> {
        self.read(|account| account.queue(queue).map(|queue| queue.snapshots().collect()).unwrap_or_default())
    }

    /// The messages that came into a queue last, newest first, `max` at most, without receiving any; none for a queue that does not exist.
    pub fn peek_newest(&self, queue: &str, max: usize) -> Vec<MessageSnapshot> {
        let newest = |queue: &queue::Queue| queue.snapshots().rev().take(max).collect();
        self.read(|account| account.queue(queue).map(newest).unwrap_or_default())
    }

    /// The message with this id, without receiving it; `None` if the queue does not hold it.
    pub fn peek_message(&self, queue: &str, message_id: &str) -> Option<MessageSnapshot> {
        self.read(|account| account.queue(queue).ok().and_then(|queue| queue.snapshot_of(message_id)))
    }

    /// Moves the chosen messages of `from`, such as a dead-letter queue, to `to`, in the order given. Each arrives as a redriven one does: as a new
    /// message with the body, attributes and group it had. What is in flight, delayed or gone is skipped.
    ///
    /// # Errors
    /// [`SqsError::QueueDoesNotExist`] for either queue; [`SqsError::InvalidParameterValue`] if they are one. Nothing is moved then.
    pub fn move_messages(&self, from: &str, to: &str, message_ids: &[String]) -> Result<MovedMessages, SqsError> {
        self.write(|account, now_ms| account.move_messages(from, to, message_ids, now_ms))
    }

    /// Deletes the chosen messages of a queue. What is in flight, delayed or gone is skipped.
    ///
    /// # Errors
    /// [`SqsError::QueueDoesNotExist`].
    pub fn delete_messages(&self, queue: &str, message_ids: &[String]) -> Result<DeletedMessages, SqsError> {
        self.write(|account, _| account.delete_messages(queue, message_ids))
    }

    /// Starts moving a dead-letter queue's visible messages to a queue, or each to where it came from. Answers the task's handle.
    ///
    /// # Errors
    /// [`SqsError::ResourceNotFound`] for a queue that does not exist; [`SqsError::InvalidParameterValue`] when the source is no queue's dead-letter
    /// queue or the rate is not within 1 to 500; [`SqsError::UnsupportedOperation`] when a task is running.
    pub fn start_message_move_task(
        &self,
        source_arn: &str,
        destination_arn: Option<&str>,
        max_per_second: Option<u32>,
    ) -> Result<String, SqsError> {
        self.write(|account, now_ms| account.start_move(source_arn, destination_arn, max_per_second, now_ms))
    }

    /// The last ten move tasks of a dead-letter queue at most, newest first.
    ///
    /// # Errors
    /// [`SqsError::ResourceNotFound`].
    pub fn list_message_move_tasks(&self, source_arn: &str, max: usize) -> Result<Vec<MoveTask>, SqsError> {
        self.read(|account| account.moves_of(source_arn, max))
    }

    /// Stops a running move task and answers how many messages it moved.
    ///
    /// # Errors
    /// [`SqsError::ResourceNotFound`]; [`SqsError::UnsupportedOperation`] when it is over.
    pub fn cancel_message_move_task(&self, task_handle: &str) -> Result<u64, SqsError> {
        self.write(|account, _| account.cancel_move(task_handle))
    }

    /// Resolves when any queue changed since this call, by someone's doing or because time passed. Make the future, look, then await it, and nothing is
    /// missed.
    pub fn changed(&self) -> impl Future<Output = ()> + Send + use<> {
        let changed = Arc::clone(&self.0.changed).notified_owned();
        let now_ms = self.0.clock.now_ms();
        let next_ms = self.read(|account| account.next_change_ms());
        let next = next_ms.map(|next_ms| Instant::now() + Duration::from_millis(next_ms.saturating_sub(now_ms)));
        async move {
            let time_passed = async {
                match next {
                    Some(next) => sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = changed => {}
                () = time_passed => {}
            }
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn set_endpoint(&self, url: &str) {
        url.trim_end_matches('/').clone_into(&mut self.lock().endpoint);
    }

    pub(crate) fn endpoint_url(&self) -> String {
        self.lock().endpoint.clone()
    }

    /// Looks at the account as it is now. Letting time pass is no change that anyone could tell from none.
    fn read<T>(&self, look: impl FnOnce(&Account) -> T) -> T {
        let now_ms = self.0.clock.now_ms();
        let mut account = self.lock();
        account.advance(now_ms);
        look(&account)
    }

    fn write<T>(&self, change: impl FnOnce(&mut Account, u64) -> Result<T, SqsError>) -> Result<T, SqsError> {
        let now_ms = self.0.clock.now_ms();
        let mut account = self.lock();
        account.advance(now_ms);
        let outcome = change(&mut account, now_ms);
        drop(account);
        if outcome.is_ok() {
            self.0.changed.notify_waiters();
        }
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.0.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_receive(max: u32, wait: Duration, visibility: Option<Duration>) -> Result<(), SqsError> {
    if !(1..=BATCH_MAX).contains(&(max as usize)) {
        return Err(SqsError::InvalidParameterValue(format!(
            "Value {max} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and {BATCH_MAX}, if provided."
        )));
    }
    if wait > RECEIVE_WAIT_MAX {
        return Err(SqsError::InvalidParameterValue(format!(
            "Value {} for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= {}, if provided.",
            wait.as_secs(),
            RECEIVE_WAIT_MAX.as_secs()
        )));
    }
    visibility.map_or(Ok(()), check_visibility)
}

fn check_visibility(timeout: Duration) -> Result<(), SqsError> {
    if millis(timeout) > millis(VISIBILITY_TIMEOUT_MAX) {
        return Err(SqsError::InvalidParameterValue(format!(
            "Value {} for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and {}.",
            timeout.as_secs(),
            VISIBILITY_TIMEOUT_MAX.as_secs()
        )));
    }
    Ok(())
}
