//! The processes of one function and what each is doing.
//! Not here: waiting for anything; every method returns at once, under the pool's lock.
//! Invariant: never more than `max_processes` that serve or may serve, and none is handed out that is busy or about to end.

use super::InvokeError;
use super::config::{Command, FunctionConfig};
use super::facts::{ExitCause, Exits, FunctionStats, ProcessExit, ProcessInfo, ProcessState};
use super::output::OutputLine;
use super::process::Process;
use std::sync::Arc;
use tokio::sync::mpsc;

pub(super) struct Pool {
    command: Command,
    generation: u64,
    members: Vec<Member>,
    shut_down: bool,
    exits: Arc<Exits>,
    pub(super) stats: FunctionStats,
}

struct Member {
    process: Arc<Process>,
    state: MemberState,
}

/// ```text
/// Busy ──answered──▶ Finishing ──asked for the next──▶ Idle (paused) ──▶ Busy
///   └──────────────────┴──────── killed, exited, replaced ──────┴─────▶ Ending
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
enum MemberState {
    Busy,
    Finishing,
    Idle,
    Ending,
}

/// What an invocation gets.
pub(super) enum Checkout {
    /// A paused process.
    Idle(Arc<Process>),
    /// A process that must be waited for until it is initialised.
    New(Arc<Process>),
    /// None yet, but some process has answered and is about to ask for its next invocation.
    Soon,
}

impl Pool {
    pub(super) fn new(command: Command) -> Self {
        Self {
            command,
            generation: 0,
            members: Vec::new(),
            shut_down: false,
            exits: Arc::default(),
            stats: FunctionStats::default(),
        }
    }

    /// Finds or starts a process for one invocation. `may_wait` says whether [`Checkout::Soon`] is an acceptable answer.
    pub(super) fn check_out(
        &mut self,
        config: &FunctionConfig,
        on_output: &mpsc::UnboundedSender<OutputLine>,
        may_wait: bool,
    ) -> Result<Checkout, InvokeError> {
        self.forget_ended();
        if self.shut_down {
            return Err(InvokeError::ShutDown);
        }
        if let Some(member) = self.members.iter_mut().find(|member| member.state == MemberState::Idle) {
            member.state = MemberState::Busy;
            return Ok(Checkout::Idle(member.process.clone()));
        }
        if may_wait
            && self.members.iter().any(|member| member.state == MemberState::Finishing && !self.is_outdated(member))
        {
            return Ok(Checkout::Soon);
        }
        if self.members.iter().filter(|member| self.takes_a_place(member)).count() >= config.max_processes {
            self.stats.throttles += 1;
            return Err(InvokeError::Throttled);
        }
        let process = Process::spawn(config, &self.command, self.generation, on_output, &self.exits)?;
        let process = Arc::new(process);
        self.members.push(Member { process: process.clone(), state: MemberState::Busy });
        Ok(Checkout::New(process))
    }

    /// The process has answered. Of a process that is to end, nothing more is expected.
    pub(super) fn answered(&mut self, process: &Process) {
        if let Some(member) = self.member(process).filter(|member| member.state == MemberState::Busy) {
            member.state = MemberState::Finishing;
        }
    }

    /// The process waits for its next invocation. An error: it is not to have one, and must be ended, for this reason.
    pub(super) fn check_in(&mut self, process: &Process) -> Result<(), ExitCause> {
        let is_over = match (self.shut_down, process.generation != self.generation) {
            (true, _) => Some(ExitCause::ShutDown),
            (false, true) => Some(ExitCause::Replaced),
            (false, false) => None,
        };
        let Some(member) = self.member(process).filter(|member| member.state != MemberState::Ending) else {
            return Err(is_over.unwrap_or(ExitCause::Killed));
        };
        member.state = if is_over.is_some() { MemberState::Ending } else { MemberState::Idle };
        is_over.map_or(Ok(()), Err)
    }

    /// What processes are started with.
    pub(super) fn command(&self) -> &Command {
        &self.command
    }

    /// From now on processes start with `command`. Returns the idle ones, which are to be ended; the others end when they check in.
    pub(super) fn replace(&mut self, command: Command) -> Vec<Arc<Process>> {
        self.command = command;
        self.generation += 1;
        self.mark_ending(|member| member.state == MemberState::Idle)
    }

    /// No invocation begins from now on. Returns all processes, which are to be ended.
    pub(super) fn shut_down(&mut self) -> Vec<Arc<Process>> {
        self.shut_down = true;
        self.mark_ending(|_| true)
    }

    /// Finds the process with this id, or without an id some process, a busy one if there is one. It is to be killed.
    pub(super) fn victim(&mut self, pid: Option<u32>) -> Option<Arc<Process>> {
        self.forget_ended();
        let chosen = match pid {
            Some(pid) => self.members.iter_mut().find(|member| member.process.pid == pid),
            None => self.members.iter_mut().min_by_key(|member| member.state != MemberState::Busy),
        }?;
        chosen.state = MemberState::Ending;
        Some(chosen.process.clone())
    }

    /// All processes that have not ended.
    pub(super) fn processes(&mut self) -> impl Iterator<Item = &Arc<Process>> {
        self.forget_ended();
        self.members.iter().map(|member| &member.process)
    }

    /// The processes that have not ended, oldest first.
    pub(super) fn infos(&mut self) -> Vec<ProcessInfo> {
        self.forget_ended();
        self.members.iter().map(|member| self.info(member)).collect()
    }

    fn info(&self, member: &Member) -> ProcessInfo {
        let process = &member.process;
        let last_request_id = process.last_request_id();
        let state = match member.state {
            MemberState::Busy if last_request_id.is_none() => ProcessState::Starting,
            MemberState::Busy | MemberState::Finishing => ProcessState::Busy,
            MemberState::Idle => ProcessState::Idle,
            MemberState::Ending => ProcessState::Ending,
        };
        ProcessInfo {
            pid: process.pid,
            started_ms: process.started_ms,
            state,
            invocations: process.invocations(),
            last_request_id,
            is_outdated: self.is_outdated(member),
        }
    }

    /// The last processes that ended, oldest first.
    pub(super) fn exits(&self) -> Vec<ProcessExit> {
        self.exits.snapshot()
    }

    /// The one process that serves an invocation; `None` if there are more.
    pub(super) fn only_busy(&mut self) -> Option<u32> {
        self.forget_ended();
        let mut busy = self.members.iter().filter(|member| member.state == MemberState::Busy);
        let first = busy.next()?;
        busy.next().is_none().then_some(first.process.pid)
    }

    pub(super) fn stats(&mut self) -> FunctionStats {
        self.forget_ended();
        let busy = self.members.iter().filter(|member| member.state != MemberState::Idle).count();
        FunctionStats { processes: self.members.len(), busy, ..self.stats }
    }

    fn mark_ending(&mut self, which: impl Fn(&Member) -> bool) -> Vec<Arc<Process>> {
        let chosen = self.members.iter_mut().filter(|member| which(member));
        chosen
            .map(|member| {
                member.state = MemberState::Ending;
                member.process.clone()
            })
            .collect()
    }

    /// Whether it counts as one of `max_processes`. What only ends, or has answered and will end, does not: or else a replaced command would have
    /// invocations throttled.
    fn takes_a_place(&self, member: &Member) -> bool {
        match member.state {
            MemberState::Busy | MemberState::Idle => true,
            MemberState::Finishing => !self.is_outdated(member),
            MemberState::Ending => false,
        }
    }

    fn is_outdated(&self, member: &Member) -> bool {
        member.process.generation != self.generation
    }

    fn member(&mut self, process: &Process) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| std::ptr::eq(&raw const *member.process, process))
    }

    fn forget_ended(&mut self) {
        self.members.retain(|member| !member.process.has_ended());
    }
}
