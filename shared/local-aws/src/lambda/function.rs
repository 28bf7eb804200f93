//! A function: invocations in, answers out, processes as needed.
//! Not here: bookkeeping of the processes ([`super::pool`]), one process ([`super::process`]).
//! Invariant: an invocation that began runs to its answer, its deadline or its process's end, whether or not its caller still waits.

use super::config::{Command, FunctionConfig, ReservedVariable};
use super::facts::{ExitCause, FunctionStats, ProcessExit, ProcessInfo};
use super::output::{OutputLine, Stream};
use super::peer;
use super::pool::{Checkout, Pool};
use super::process::Process;
use super::{Invocation, InvokeError, PAYLOAD_BYTES_MAX, Served};
use bytes::Bytes;
use futures_util::future::join_all;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout_at};

/// How long an invocation waits for a process that has answered and is about to ask for its next, rather than start another one or be throttled.
const FINISHING_LIMIT: Duration = Duration::from_millis(500);

/// A function whose invocations run in processes of its own. Clones share it; when the last one is dropped the processes are killed.
#[derive(Clone)]
pub struct Function(Arc<Inner>);

struct Inner {
    config: FunctionConfig,
    pool: Mutex<Pool>,
    /// Told whenever a process became idle or ended.
    changed: Notify,
    on_output: mpsc::UnboundedSender<OutputLine>,
}

impl Function {
    /// Makes the function. Its first process starts with its first invocation; what processes print goes to `on_output`.
    ///
    /// # Errors
    /// [`ReservedVariable`] if the function's own variables name one that Lambda reserves.
    pub fn start(
        config: FunctionConfig,
        on_output: mpsc::UnboundedSender<OutputLine>,
    ) -> Result<Self, ReservedVariable> {
        config.check()?;
        let pool = Mutex::new(Pool::new(config.command.clone()));
        Ok(Self(Arc::new(Inner { config, pool, changed: Notify::new(), on_output })))
    }

    /// Runs one invocation with an id of its own: [`Self::serve`] for who wants nothing but the answer.
    ///
    /// # Errors
    /// [`InvokeError`] says what became of it.
    pub async fn invoke(&self, payload: Bytes) -> Result<Bytes, InvokeError> {
        self.serve(Invocation::new(payload)).await.answer
    }

    /// Runs one invocation. Must be called inside a tokio runtime.
    ///
    /// A new process is started when all are busy, and its init is not counted in the time-out; unlike Lambda, a failed init is not repeated.
    pub async fn serve(&self, invocation: Invocation) -> Served {
        let bytes = invocation.payload.len();
        if bytes > PAYLOAD_BYTES_MAX {
            return Served { pid: None, answer: Err(InvokeError::PayloadTooLarge { bytes }) };
        }
        let (caller, answered) = oneshot::channel();
        tokio::spawn(self.0.clone().run(invocation, caller));
        answered.await.unwrap_or(Served { pid: None, answer: Err(InvokeError::ShutDown) })
    }

    /// The function's name.
    pub fn name(&self) -> &str {
        &self.0.config.name
    }

    /// The processes that have not ended.
    pub fn pids(&self) -> Vec<u32> {
        self.0.lock().processes().map(|process| process.pid).collect()
    }

    /// The processes that have not ended, oldest first.
    pub fn processes(&self) -> Vec<ProcessInfo> {
        self.0.lock().infos()
    }

    /// The process that was given this invocation last, as long as it has not ended or begun another one.
    pub fn process_of(&self, request_id: &str) -> Option<u32> {
        let is_it = |info: &ProcessInfo| info.last_request_id.as_deref() == Some(request_id);
        self.processes().into_iter().find(is_it).map(|info| info.pid)
    }

    /// The last processes that ended, oldest first, [`super::EXITS_KEPT_MAX`] at most.
    pub fn exits(&self) -> Vec<ProcessExit> {
        self.0.lock().exits()
    }

    /// What its processes are started with.
    pub fn command(&self) -> Command {
        self.0.lock().command().clone()
    }

    /// What it did and does.
    pub fn stats(&self) -> FunctionStats {
        self.0.lock().stats()
    }

    /// Kills the process with this id (SIGKILL). It is gone when the future resolves; `false` if there was none.
    pub async fn kill(&self, pid: u32) -> bool {
        self.0.kill(Some(pid)).await.is_some()
    }

    /// Kills one process (SIGKILL), a busy one if there is one. It is gone when the future resolves with its id; `None` if there was none.
    pub async fn kill_one(&self) -> Option<u32> {
        self.0.kill(None).await
    }

    /// Kills the process (SIGKILL) whose end of a TCP connection has the address `peer`, such as the one whose AWS call is held
    /// ([`crate::Crash`]). It is gone when the future resolves with its id.
    ///
    /// Where the system does not tell who that is (no `/proc`), it is the process that serves an invocation, if there is only one; else nobody is
    /// killed: `None`.
    pub async fn kill_by_peer(&self, peer: SocketAddr) -> Option<u32> {
        let pid = peer::holder(peer, &self.pids()).or_else(|| self.0.lock().only_busy())?;
        self.0.kill(Some(pid)).await
    }

    /// Invocations that begin from now on are served by processes of `command`; running ones finish, and then their processes end. Nothing is lost
    /// or throttled for it: processes of the command before take none of the places once they have answered. Resolves when its idle processes are
    /// gone.
    pub async fn replace(&self, command: Command) {
        let idle = self.0.lock().replace(command);
        // Who waits for a process of the command before to be free waits in vain.
        self.0.changed.notify_waiters();
        end_all(&idle, ExitCause::Replaced).await;
        self.0.changed.notify_waiters();
    }

    /// Ends every process, busy or not, and refuses invocations from now on. No process is left when the future resolves.
    pub async fn shutdown(&self) {
        let all = self.0.lock().shut_down();
        end_all(&all, ExitCause::ShutDown).await;
        self.0.changed.notify_waiters();
    }
}

async fn end_all(processes: &[Arc<Process>], cause: ExitCause) {
    join_all(processes.iter().map(|process| process.end(cause))).await;
}

impl Inner {
    async fn run(self: Arc<Self>, invocation: Invocation, caller: oneshot::Sender<Served>) {
        loop {
            let process = match self.acquire().await {
                Ok(process) => process,
                Err(error) => return give(caller, None, Err(error)),
            };
            let pid = Some(process.pid);
            let deadline = Instant::now() + self.config.timeout;
            let mut answered = process.begin(invocation.clone(), self.config.timeout);
            let answer = tokio::select! {
                biased;
                Ok(answer) = &mut answered => answer,
                status = process.exited() => {
                    self.changed.notify_waiters();
                    if process.withdraw() {
                        // It was dead before it saw the invocation; another process can have it.
                        continue;
                    }
                    self.lock().stats.invocations += 1;
                    let line = format!("the process ended in the middle of an invocation: {status}");
                    self.note(&process, &invocation, line);
                    return give(caller, pid, Err(InvokeError::ProcessExited { status }));
                }
                () = sleep_until(deadline) => {
                    process.kill(ExitCause::TimedOut);
                    process.exited().await;
                    self.changed.notify_waiters();
                    let mut pool = self.lock();
                    pool.stats.invocations += 1;
                    pool.stats.timeouts += 1;
                    drop(pool);
                    let seconds = self.config.timeout.as_secs_f64();
                    let line = format!("Task timed out after {seconds:.2} seconds, and its process was killed");
                    self.note(&process, &invocation, line);
                    return give(caller, pid, Err(InvokeError::TimedOut { after: self.config.timeout }));
                }
            };
            {
                let mut pool = self.lock();
                pool.stats.invocations += 1;
                pool.answered(&process);
            }
            give(caller, pid, answer);
            return self.finish(&process, deadline).await;
        }
    }

    /// Waits until a process that has answered asks for more, and pauses it. The deadline holds for this as well.
    async fn finish(&self, process: &Process, deadline: Instant) {
        tokio::select! {
            biased;
            () = process.asked_for_next() => {
                // Paused before it is handed out again, so that pause and resume cannot change places.
                process.pause();
                let checked_in = self.lock().check_in(process);
                if let Err(cause) = checked_in {
                    process.end(cause).await;
                }
            }
            _ = process.exited() => {}
            () = sleep_until(deadline) => {
                process.kill(ExitCause::TimedOut);
                process.exited().await;
            }
        }
        self.changed.notify_waiters();
    }

    /// An initialised process that is ours alone.
    async fn acquire(&self) -> Result<Arc<Process>, InvokeError> {
        let patience = Instant::now() + FINISHING_LIMIT;
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            // Before the look at the pool, or a change between the look and the wait would be missed.
            changed.as_mut().enable();
            let may_wait = Instant::now() < patience;
            let checkout = self.lock().check_out(&self.config, &self.on_output, may_wait)?;
            match checkout {
                Checkout::Idle(process) => return Ok(process),
                Checkout::New(process) => {
                    let initialised = process.initialised().await;
                    if initialised.is_err() {
                        process.kill(ExitCause::InitTooLong);
                    }
                    return initialised.map(|()| process);
                }
                Checkout::Soon => {
                    // Whether something changed or patience ran out, the next look tells.
                    let _ = timeout_at(patience, changed).await;
                }
            }
        }
    }

    /// Says among the process's own lines what became of it, as Lambda does in the log.
    fn note(&self, process: &Process, ended: &Invocation, line: String) {
        let function = self.config.name.clone();
        let request_id = Some(ended.request_id.clone());
        let line = OutputLine { function, pid: process.pid, stream: Stream::Stderr, line, request_id };
        // Whoever reads the lines may be gone.
        let _ = self.on_output.send(line);
    }

    async fn kill(&self, pid: Option<u32>) -> Option<u32> {
        let process = self.lock().victim(pid)?;
        process.kill(ExitCause::Killed);
        process.exited().await;
        self.changed.notify_waiters();
        Some(process.pid)
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.lock().processes().for_each(|process| process.kill(ExitCause::ShutDown));
    }
}

/// The caller may have stopped waiting, which changes nothing.
fn give(caller: oneshot::Sender<Served>, pid: Option<u32>, answer: Result<Bytes, InvokeError>) {
    let _ = caller.send(Served { pid, answer });
}
