//! Message move tasks: a dead-letter queue's messages back to where they came from, or to a queue that is named.
//! A task without a rate is done when it is started; one with a rate moves a message whenever its time has come, without any task of the runtime.
//! Not here: messages that someone chose ([`super::chosen`]).
//! Invariant: a moved message is a new one (new id, new time, no receives, no dead-letter source).
//! Sources: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html>,
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html>

use super::SqsError;
use super::account::Account;
use super::queue::Message;
use std::time::Duration;

/// The highest rate that can be asked for.
pub const MOVES_PER_SECOND_MAX: u32 = 500;

/// How many finished tasks of one queue are remembered, as `ListMessageMoveTasks` shows.
const TASKS_KEPT_MAX: usize = 10;

/// A move task as `ListMessageMoveTasks` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveTask {
    /// What cancels it.
    pub task_handle: String,
    /// How it stands.
    pub status: MoveStatus,
    /// The dead-letter queue.
    pub source_arn: String,
    /// The queue that was named; `None`: each message to its own source.
    pub destination_arn: Option<String>,
    /// The rate that was asked for.
    pub max_per_second: Option<u32>,
    /// Messages moved so far.
    pub moved: u64,
    /// Visible messages when it started.
    pub to_move: u64,
    /// Why it failed.
    pub failure_reason: Option<String>,
    /// When it started, epoch milliseconds.
    pub started_ms: u64,
    pub(super) next_ms: u64,
}

/// How a move task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveStatus {
    /// Messages are left to move.
    Running,
    /// All are moved.
    Completed,
    /// Stopped by `CancelMessageMoveTask`.
    Cancelled,
    /// Stopped by a message without a destination.
    Failed,
}

impl MoveStatus {
    /// The status as SQS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
        }
    }
}

impl Message {
    /// The new message that this one becomes when it is moved back.
    pub(super) fn anew(self, now_ms: u64) -> Self {
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            sent_ms: now_ms,
            first_received_ms: None,
            receive_count: 0,
            dead_letter_source_arn: None,
            ..self
        }
    }
}

impl Account {
    pub(super) fn start_move(
        &mut self,
        source_arn: &str,
        destination_arn: Option<&str>,
        max_per_second: Option<u32>,
        now_ms: u64,
    ) -> Result<String, SqsError> {
        let missing = |what: &str| {
            SqsError::ResourceNotFound(format!(
                "The resource that you specified for the {what} parameter doesn't exist."
            ))
        };
        let source = self.name_of_arn(source_arn).ok_or_else(|| missing("SourceArn"))?.to_owned();
        if self.dead_letter_sources(source_arn).is_empty() {
            return Err(SqsError::InvalidParameterValue(
                "Source queue must be configured as a Dead Letter Queue.".to_owned(),
            ));
        }
        if let Some(destination_arn) = destination_arn {
            if destination_arn == source_arn {
                return Err(SqsError::InvalidParameterValue(
                    "Source queue arn and destination queue arn cannot be the same.".to_owned(),
                ));
            }
            self.name_of_arn(destination_arn).ok_or_else(|| missing("DestinationArn"))?;
        }
        if max_per_second.is_some_and(|rate| !(1..=MOVES_PER_SECOND_MAX).contains(&rate)) {
            return Err(SqsError::InvalidParameterValue(format!(
                "Value for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: must be between 1 and {MOVES_PER_SECOND_MAX}."
            )));
        }
        if self.moves.iter().any(|task| task.source_arn == source_arn && task.status == MoveStatus::Running) {
            return Err(SqsError::UnsupportedOperation(
                "There is already a task running. Only one active task is allowed for a source queue arn at a given time.".to_owned(),
            ));
        }
        let task_handle = uuid::Uuid::new_v4().to_string();
        let to_move = self.queue(&source)?.depth().visible as u64;
        self.moves.push(MoveTask {
            task_handle: task_handle.clone(),
            status: MoveStatus::Running,
            source_arn: source_arn.to_owned(),
            destination_arn: destination_arn.map(str::to_owned),
            max_per_second,
            moved: 0,
            to_move,
            failure_reason: None,
            started_ms: now_ms,
            next_ms: now_ms,
        });
        self.forget_old_moves(source_arn);
        self.advance_moves(now_ms);
        Ok(task_handle)
    }

    /// The most recent tasks of a queue, newest first.
    pub(super) fn moves_of(&self, source_arn: &str, max: usize) -> Result<Vec<MoveTask>, SqsError> {
        if self.name_of_arn(source_arn).is_none() {
            return Err(SqsError::ResourceNotFound(
                "The resource that you specified for the SourceArn parameter doesn't exist.".to_owned(),
            ));
        }
        Ok(self.moves.iter().rev().filter(|task| task.source_arn == source_arn).take(max).cloned().collect())
    }

    /// Stops a running task; what it moved stays moved, and is told.
    pub(super) fn cancel_move(&mut self, task_handle: &str) -> Result<u64, SqsError> {
        let task = self.moves.iter_mut().find(|task| task.task_handle == task_handle);
        let task = task.ok_or_else(|| SqsError::ResourceNotFound("Task does not exist.".to_owned()))?;
        if task.status != MoveStatus::Running {
            return Err(SqsError::UnsupportedOperation("Only active tasks can be cancelled.".to_owned()));
        }
        task.status = MoveStatus::Cancelled;
        Ok(task.moved)
    }

    /// The names of the queues that have this one as their dead-letter queue.
    pub(super) fn dead_letter_sources(&self, dead_letter_arn: &str) -> Vec<&str> {
        let is_source = |redrive: &super::Redrive| redrive.dead_letter_arn == dead_letter_arn;
        self.queues
            .values()
            .filter(|queue| queue.settings.redrive.as_ref().is_some_and(is_source))
            .map(|queue| queue.name.as_str())
            .collect()
    }

    pub(super) fn next_move_ms(&self) -> Option<u64> {
        self.moves.iter().filter(|task| task.status == MoveStatus::Running).map(|task| task.next_ms).min()
    }

    /// Moves what is due, in the order it is due.
    pub(super) fn advance_moves(&mut self, now_ms: u64) {
        while let Some(index) = self.due_move(now_ms) {
            self.step_move(index);
        }
    }

    fn due_move(&self, now_ms: u64) -> Option<usize> {
        let due = |task: &MoveTask| task.status == MoveStatus::Running && task.next_ms <= now_ms;
        self.moves
            .iter()
            .enumerate()
            .filter(|(_, task)| due(task))
            .min_by_key(|(_, task)| task.next_ms)
            .map(|(index, _)| index)
    }

    fn step_move(&mut self, index: usize) {
        let task = self.moves[index].clone();
        let Some(source) = self.name_of_arn(&task.source_arn).map(str::to_owned) else {
            return self.fail_move(index, "AWS.SimpleQueueService.NonExistentQueue");
        };
        let queue = &self.queues[&source];
        let number = queue.next_visible().filter(|_| task.moved < task.to_move);
        let Some(number) = number else {
            self.moves[index].status = MoveStatus::Completed;
            return;
        };
        let source_of_letter = queue.dead_letter_source(number);
        let Some(destination_arn) = task.destination_arn.as_deref().or(source_of_letter.as_deref()) else {
            return self.fail_move(index, "CouldNotDetermineMessageSource");
        };
        let Some(destination) = self.name_of_arn(destination_arn).map(str::to_owned) else {
            return self.fail_move(index, "AWS.SimpleQueueService.NonExistentQueue");
        };
        let message = self.queues.get_mut(&source).and_then(|queue| queue.remove(number));
        if let (Some(message), Some(queue)) = (message, self.queues.get_mut(&destination)) {
            queue.put(message.anew(task.next_ms), Duration::ZERO, task.next_ms);
        }
        let task = &mut self.moves[index];
        task.moved += 1;
        if task.moved == task.to_move {
            task.status = MoveStatus::Completed;
        }
        if let Some(rate) = task.max_per_second {
            // Counted from the start, so that 300 a second is not rounded to 333.
            task.next_ms = task.started_ms + task.moved * 1000 / u64::from(rate);
        }
    }

    fn fail_move(&mut self, index: usize, reason: &str) {
        self.moves[index].status = MoveStatus::Failed;
        self.moves[index].failure_reason = Some(reason.to_owned());
    }

    fn forget_old_moves(&mut self, source_arn: &str) {
        let of_queue = self.moves.iter().filter(|task| task.source_arn == source_arn).count();
        if of_queue > TASKS_KEPT_MAX
            && let Some(oldest) = self.moves.iter().position(|task| task.source_arn == source_arn)
        {
            self.moves.remove(oldest);
        }
    }
}
