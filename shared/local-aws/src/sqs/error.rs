//! What SQS refuses, with the names it refuses by.
//! Not here: which check raises which error.
//! Sources: the error lists of <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html>; the shape of an error in the JSON
//! protocol, <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait>.

/// A refusal by SQS. The text is for people; [`SqsError::code`] is for programs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SqsError {
    /// No such queue.
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    /// A queue of that name exists with other attributes.
    #[error("A queue already exists with the same name and a different value for attribute {0}")]
    QueueNameExists(String),
    /// The queue was deleted less than 60 s ago.
    #[error("You must wait 60 seconds after deleting a queue before you can create another with the same name.")]
    QueueDeletedRecently,
    /// The queue was purged less than 60 s ago.
    #[error("Only one PurgeQueue operation on {0} is allowed every 60 seconds.")]
    PurgeQueueInProgress(String),
    /// Not a queue's address.
    #[error("The address {0} is not valid for this endpoint.")]
    InvalidAddress(String),
    /// A receipt handle that this queue never gave out.
    #[error("The input receipt handle is invalid.")]
    ReceiptHandleIsInvalid,
    /// The message is not in flight under that receipt handle.
    #[error("The specified message isn't in flight.")]
    MessageNotInflight,
    /// A body with a character outside XML's, or none at all.
    #[error("{0}")]
    InvalidMessageContents(String),
    /// An unknown queue attribute.
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    /// A queue attribute with a value it cannot have.
    #[error("{0}")]
    InvalidAttributeValue(String),
    /// A parameter with a value it cannot have.
    #[error("{0}")]
    InvalidParameterValue(String),
    /// A parameter that is missing.
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(&'static str),
    /// Too many messages in flight.
    #[error("Too many messages in flight: the limit is {0}.")]
    OverLimit(usize),
    /// A batch without entries.
    #[error("There should be at least one entry in the request.")]
    EmptyBatchRequest,
    /// A batch of more than ten.
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntriesInBatchRequest(usize),
    /// Two entries with one id.
    #[error("Id {0} repeated.")]
    BatchEntryIdsNotDistinct(String),
    /// An entry id with other characters than letters, digits, `-` and `_`, or more than 80.
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
    )]
    InvalidBatchEntryId,
    /// A batch whose messages are too long together.
    #[error("Batch requests cannot be longer than {max} bytes. You have sent {sent} bytes.")]
    BatchRequestTooLong {
        /// The limit.
        max: usize,
        /// What was sent.
        sent: usize,
    },
    /// No such thing, for move tasks.
    #[error("{0}")]
    ResourceNotFound(String),
    /// Something that cannot be done here and now.
    #[error("{0}")]
    UnsupportedOperation(String),
}

impl SqsError {
    /// The error code, such as `AWS.SimpleQueueService.NonExistentQueue`: what boto3, the CLI and the Rust SDK report, and what a batch's failed
    /// entries carry.
    pub fn code(&self) -> &'static str {
        match self {
            Self::QueueDoesNotExist => "AWS.SimpleQueueService.NonExistentQueue",
            Self::QueueNameExists(_) => "QueueAlreadyExists",
            Self::QueueDeletedRecently => "AWS.SimpleQueueService.QueueDeletedRecently",
            Self::PurgeQueueInProgress(_) => "AWS.SimpleQueueService.PurgeQueueInProgress",
            Self::MessageNotInflight => "AWS.SimpleQueueService.MessageNotInflight",
            Self::EmptyBatchRequest => "AWS.SimpleQueueService.EmptyBatchRequest",
            Self::TooManyEntriesInBatchRequest(_) => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            Self::BatchEntryIdsNotDistinct(_) => "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
            Self::InvalidBatchEntryId => "AWS.SimpleQueueService.InvalidBatchEntryId",
            Self::BatchRequestTooLong { .. } => "AWS.SimpleQueueService.BatchRequestTooLong",
            Self::UnsupportedOperation(_) => "AWS.SimpleQueueService.UnsupportedOperation",
            other => other.shape(),
        }
    }

    /// The name of the error's shape in the service's model: `__type` is `com.amazonaws.sqs#` and this.
    pub fn shape(&self) -> &'static str {
        match self {
            Self::QueueDoesNotExist => "QueueDoesNotExist",
            Self::QueueNameExists(_) => "QueueNameExists",
            Self::QueueDeletedRecently => "QueueDeletedRecently",
            Self::PurgeQueueInProgress(_) => "PurgeQueueInProgress",
            Self::InvalidAddress(_) => "InvalidAddress",
            Self::ReceiptHandleIsInvalid => "ReceiptHandleIsInvalid",
            Self::MessageNotInflight => "MessageNotInflight",
            Self::InvalidMessageContents(_) => "InvalidMessageContents",
            Self::InvalidAttributeName(_) => "InvalidAttributeName",
            Self::InvalidAttributeValue(_) => "InvalidAttributeValue",
            Self::InvalidParameterValue(_) => "InvalidParameterValue",
            Self::MissingParameter(_) => "MissingParameter",
            Self::OverLimit(_) => "OverLimit",
            Self::EmptyBatchRequest => "EmptyBatchRequest",
            Self::TooManyEntriesInBatchRequest(_) => "TooManyEntriesInBatchRequest",
            Self::BatchEntryIdsNotDistinct(_) => "BatchEntryIdsNotDistinct",
            Self::InvalidBatchEntryId => "InvalidBatchEntryId",
            Self::BatchRequestTooLong { .. } => "BatchRequestTooLong",
            Self::ResourceNotFound(_) => "ResourceNotFoundException",
            Self::UnsupportedOperation(_) => "UnsupportedOperation",
        }
    }
}
