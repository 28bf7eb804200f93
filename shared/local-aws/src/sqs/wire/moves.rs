//! Message move tasks over the wire.

use super::{nothing, required, without_nulls};
use crate::sqs::{MoveStatus, MoveTask, Sqs, SqsError};
use serde::Deserialize;
use serde_json::{Value, json};

const RESULTS_MAX: i64 = 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct StartMessageMoveTask {
    source_arn: Option<String>,
    destination_arn: Option<String>,
    max_number_of_messages_per_second: Option<i64>,
}

pub(super) fn start(sqs: &Sqs, request: &StartMessageMoveTask) -> Result<Value, SqsError> {
    let source_arn = required(request.source_arn.as_ref(), "SourceArn")?;
    // A rate that does not fit is out of range as zero is.
    let rate = request.max_number_of_messages_per_second.map(|rate| u32::try_from(rate).unwrap_or(0));
    let task_handle = sqs.start_message_move_task(source_arn, request.destination_arn.as_deref(), rate)?;
    Ok(json!({ "TaskHandle": task_handle }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ListMessageMoveTasks {
    source_arn: Option<String>,
    max_results: Option<i64>,
}

pub(super) fn list(sqs: &Sqs, request: &ListMessageMoveTasks) -> Result<Value, SqsError> {
    let source_arn = required(request.source_arn.as_ref(), "SourceArn")?;
    let max = request.max_results.unwrap_or(1);
    let max = usize::try_from(max).ok().filter(|_| (1..=RESULTS_MAX).contains(&max)).ok_or_else(|| {
        SqsError::InvalidParameterValue(format!(
            "Value {max} for parameter MaxResults is invalid. Reason: Must be between 1 and {RESULTS_MAX}."
        ))
    })?;
    let results: Vec<Value> = sqs.list_message_move_tasks(source_arn, max)?.iter().map(write_task).collect();
    Ok(if results.is_empty() { nothing() } else { json!({ "Results": results }) })
}

fn write_task(task: &MoveTask) -> Value {
    without_nulls(json!({
        // Only a running task can be cancelled, so only then is its handle told.
        "TaskHandle": (task.status == MoveStatus::Running).then_some(&task.task_handle),
        "Status": task.status.as_str(),
        "SourceArn": task.source_arn,
        "DestinationArn": task.destination_arn,
        "MaxNumberOfMessagesPerSecond": task.max_per_second,
        "ApproximateNumberOfMessagesMoved": task.moved,
        "ApproximateNumberOfMessagesToMove": task.to_move,
        "FailureReason": task.failure_reason,
        "StartedTimestamp": task.started_ms,
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CancelMessageMoveTask {
    task_handle: Option<String>,
}

pub(super) fn cancel(sqs: &Sqs, request: &CancelMessageMoveTask) -> Result<Value, SqsError> {
    let moved = sqs.cancel_message_move_task(required(request.task_handle.as_ref(), "TaskHandle")?)?;
    Ok(json!({ "ApproximateNumberOfMessagesMoved": moved }))
}
