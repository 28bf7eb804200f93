//! Lambda on this machine: function processes behind the Runtime API, from none to `max_processes` of them.
//! Not here: what turns HTTP requests or SQS messages into invocations ([`crate::gateway`], [`crate::event_source`]).
//! Invariant: a process serves one invocation at a time, and none outlives its deadline.
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

pub(crate) mod calendar;
mod config;
mod error;
mod exchange;
mod facts;
mod function;
mod output;
mod peer;
mod pool;
mod process;
mod runtime_api;
mod signal;

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;

pub use config::{Command, FunctionConfig, ReservedVariable};
pub use error::InvokeError;
pub use facts::{EXITS_KEPT_MAX, ExitCause, FunctionStats, ProcessExit, ProcessInfo, ProcessState};
pub use function::Function;
pub use output::{OutputLine, Stream};

/// The largest invocation payload and the largest answer of a synchronous invocation: 6 MB.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
pub const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;

/// One invocation that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Lambda's id of it: the process sees it, and what the process prints carries it. Whoever asks draws it, so as to know it before the end.
    pub request_id: String,
    /// The event.
    pub payload: Bytes,
}

impl Invocation {
    /// An invocation with an id of its own.
    pub fn new(payload: Bytes) -> Self {
        Self { request_id: uuid::Uuid::new_v4().to_string(), payload }
    }
}

/// What became of an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The process that had it; `None` where none had, or where the function is a call in this process.
    pub pid: Option<u32>,
    /// The function's answer, or why there is none.
    pub answer: Result<Bytes, InvokeError>,
}

/// The one seam of the Lambda side: a process behind the Runtime API, or a call in this process (a simulation under virtual time).
///
/// Its futures are not `Send`: a worker's listeners are not.
pub trait Invoke {
    /// The function's name.
    fn name(&self) -> &str;

    /// Runs one invocation to its end.
    fn invoke<'a>(&'a self, invocation: Invocation) -> LocalBoxFuture<'a, Served>;
}

impl Invoke for Function {
    fn name(&self) -> &str {
        Self::name(self)
    }

    fn invoke<'a>(&'a self, invocation: Invocation) -> LocalBoxFuture<'a, Served> {
        Box::pin(self.serve(invocation))
    }
}
