//! Why an invocation has no answer.

use bytes::Bytes;
use std::time::Duration;

/// Why an invocation has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// Every process is busy and there may be no more of them. Nothing ran; try again.
    #[error("throttled: every process of the function is busy")]
    Throttled,
    /// The payload is over [`super::PAYLOAD_BYTES_MAX`]. Nothing ran.
    #[error("a payload of {bytes} bytes is over the limit of 6 MB")]
    PayloadTooLarge {
        /// The payload's size.
        bytes: usize,
    },
    /// The function had not answered at its time-out and was killed.
    #[error("timed out after {after:?}")]
    TimedOut {
        /// The function's time-out.
        after: Duration,
    },
    /// The function answered with an error.
    #[error("function error {error_type}: {message}")]
    FunctionError {
        /// The error's type, such as `Runtime.UnknownReason`.
        error_type: String,
        /// The function's own words.
        message: String,
        /// The error document as the function sent it.
        payload: Bytes,
    },
    /// The process ended during the invocation.
    #[error("the function's process ended during the invocation: {status}")]
    ProcessExited {
        /// How it ended, such as `exit status: 1` or `signal: 9 (SIGKILL)`.
        status: String,
    },
    /// A new process did not come as far as asking for its first invocation.
    #[error("the function's process did not start: {reason}")]
    InitFailed {
        /// What is known: the error it reported, or how it ended and its last lines.
        reason: String,
    },
    /// The function was shut down.
    #[error("the function is shut down")]
    ShutDown,
}
