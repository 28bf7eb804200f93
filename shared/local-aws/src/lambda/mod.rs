//! Lambda on this machine: function processes behind the Runtime API, from none to `max_processes` of them.
//! Not here: what turns HTTP requests or SQS messages into invocations ([`crate::gateway`], [`crate::event_source`]).
//! Invariant: a process serves one invocation at a time, and none outlives its deadline.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

pub(crate) mod calendar;
mod config;
mod error;
mod exchange;
mod function;
mod output;
mod pool;
mod process;
mod runtime_api;
mod signal;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

pub use config::{Command, FunctionConfig, ReservedVariable};
pub use error::InvokeError;
pub use function::{Function, FunctionStats};
pub use output::{OutputLine, Stream};

/// The largest invocation payload and the largest answer of a synchronous invocation: 6 MB.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;

/// The one seam of the Lambda side: a process behind the Runtime API, or a call in this process (a simulation under virtual time).
///
/// Its futures are not `Send`: a worker's listeners are not.
pub trait Invoke {
    /// Runs one invocation to its end.
    fn invoke<'a>(&'a self, payload: Bytes) -> LocalBoxFuture<'a, Result<Bytes, InvokeError>>;
}

impl Invoke for Function {
    fn invoke<'a>(&'a self, payload: Bytes) -> LocalBoxFuture<'a, Result<Bytes, InvokeError>> {
        Box::pin(Self::invoke(self, payload))
    }
}
