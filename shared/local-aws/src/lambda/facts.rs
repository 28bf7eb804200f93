//! What can be told of a function and its processes: counts, what each process is doing, how the last ones ended.
//! Not here: deciding any of it ([`super::pool`], [`super::process`]).
//! Invariant: memory is bounded; the oldest exit goes first.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many exits of one function are kept.
pub const EXITS_KEPT_MAX: usize = 100;

/// What a function did and does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FunctionStats {
    /// Processes that have not ended.
    pub processes: usize,
    /// Those of them that are not idle.
    pub busy: usize,
    /// Invocations that a process began.
    pub invocations: u64,
    /// Invocations refused because every process was busy.
    pub throttles: u64,
    /// Invocations killed at their time-out.
    pub timeouts: u64,
}

/// One process that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Its process id.
    pub pid: u32,
    /// When it was started, epoch milliseconds.
    pub started_ms: u64,
    /// What it is doing.
    pub state: ProcessState,
    /// Invocations it began.
    pub invocations: u64,
    /// The Lambda request id of the one it was given last.
    pub last_request_id: Option<String>,
    /// Whether it runs a command that was replaced since; then it ends with what it is doing.
    pub is_outdated: bool,
}

/// What a process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// It has not asked for its first invocation yet.
    Starting,
    /// It serves an invocation, or has answered and is not back for the next.
    Busy,
    /// It is paused until the next invocation.
    Idle,
    /// It is being ended.
    Ending,
}

/// A process that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessExit {
    /// Its process id.
    pub pid: u32,
    /// When it ended, epoch milliseconds.
    pub at_ms: u64,
    /// How, such as `exit status: 1` or `signal: 9 (SIGKILL)`.
    pub status: String,
    /// Who or what ended it.
    pub cause: ExitCause,
    /// The Lambda request id of the invocation that it had not answered.
    pub request_id: Option<String>,
}

/// Who or what ended a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCause {
    /// It ended by itself: it exited, crashed, or someone else killed it.
    Itself,
    /// It was killed at the time-out of its invocation.
    TimedOut,
    /// It was killed because it did not ask for a first invocation in time.
    InitTooLong,
    /// It was killed on request.
    Killed,
    /// Its command was replaced.
    Replaced,
    /// The function was shut down.
    ShutDown,
}

/// The last exits of one function.
#[derive(Default)]
pub(super) struct Exits(Mutex<VecDeque<ProcessExit>>);

impl Exits {
    pub(super) fn push(&self, exit: ProcessExit) {
        let mut kept = self.lock();
        if kept.len() == EXITS_KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back(exit);
    }

    /// Oldest first.
    pub(super) fn snapshot(&self) -> Vec<ProcessExit> {
        self.lock().iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<ProcessExit>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_exits_go_first() {
        let exits = Exits::default();
        for at_ms in 0..EXITS_KEPT_MAX as u64 + 3 {
            let status = "exit status: 1".to_owned();
            exits.push(ProcessExit { pid: 7, at_ms, status, cause: ExitCause::Itself, request_id: None });
        }
        let kept = exits.snapshot();
        assert_eq!((kept.len(), kept[0].at_ms), (EXITS_KEPT_MAX, 3));
    }
}
