//! A function: invocations in, answers out, processes as needed.
//! Not here: bookkeeping of the processes ([`super::pool`]), one process ([`super::process`]).
//! Invariant: an invocation that began runs to its answer, its deadline or its process's end, whether or not its caller still waits.

use super::config::{Command, FunctionConfig, ReservedVariable};
use super::output::{OutputLine, Stream};
use super::pool::{Checkout, Pool};
use super::process::Process;
use super::{InvokeError, PAYLOAD_BYTES_MAX};
use bytes::Bytes;
use futures_util::future::join_all;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout_at};

/// How long an invocation waits for a process that has answered and is about to ask for its next, rather than start another one or be throttled.
const FINISHING_LIMIT: Duration = Duration::from_millis(500);

/// A function whose invocations run in processes of its own. Clones share it; when the last one is dropped the processes are killed.
#[derive(Clone)]
pub struct Function(Arc<Inner>);

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

    /// Runs one invocation. Must be called inside a tokio runtime.
    ///
    /// A new process is started when all are busy, and its init is not counted in the time-out; unlike Lambda, a failed init is not repeated.
    ///
    /// # Errors
    /// [`InvokeError`] says what became of it.
    pub async fn invoke(&self, payload: Bytes) -> Result<Bytes, InvokeError> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(InvokeError::PayloadTooLarge { bytes: payload.len() });
        }
        let (caller, answered) = oneshot::channel();
        tokio::spawn(self.0.clone().run(payload, caller));
        answered.await.unwrap_or(Err(InvokeError::ShutDown))
    }

    /// The function's name.
    pub fn name(&self) -> &str {
        &self.0.config.name
    }

    /// The processes that have not ended.
    pub fn pids(&self) -> Vec<u32> {
        self.0.lock().processes().map(|process| process.pid).collect()
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

    /// Invocations that begin from now on are served by processes of `command`; running ones finish. Resolves when the idle processes of the
    /// command before are gone.
    pub async fn replace(&self, command: Command) {
        let idle = self.0.lock().replace(command);
        end_all(&idle).await;
        self.0.changed.notify_waiters();
    }

    /// Ends every process, busy or not, and refuses invocations from now on. No process is left when the future resolves.
    pub async fn shutdown(&self) {
        let all = self.0.lock().shut_down();
        end_all(&all).await;
        self.0.changed.notify_waiters();
    }
}

async fn end_all(processes: &[Arc<Process>]) {
    join_all(processes.iter().map(|process| process.end())).await;
}

impl Inner {
    async fn run(self: Arc<Self>, payload: Bytes, caller: oneshot::Sender<Result<Bytes, InvokeError>>) {
        loop {
            let process = match self.acquire().await {
                Ok(process) => process,
                Err(error) => return give(caller, Err(error)),
            };
            let deadline = Instant::now() + self.config.timeout;
            let mut answered = process.begin(payload.clone(), self.config.timeout);
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
                    self.note(&process, format!("the process ended in the middle of an invocation: {status}"));
                    return give(caller, Err(InvokeError::ProcessExited { status }));
                }
                () = sleep_until(deadline) => {
                    process.kill();
                    process.exited().await;
                    self.changed.notify_waiters();
                    let mut pool = self.lock();
                    pool.stats.invocations += 1;
                    pool.stats.timeouts += 1;
                    drop(pool);
                    let seconds = self.config.timeout.as_secs_f64();
                    self.note(&process, format!("Task timed out after {seconds:.2} seconds, and its process was killed"));
                    return give(caller, Err(InvokeError::TimedOut { after: self.config.timeout }));
                }
            };
            {
                let mut pool = self.lock();
                pool.stats.invocations += 1;
                pool.answered(&process);
            }
            give(caller, answer);
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
                if !self.lock().check_in(process) {
                    process.end().await;
                }
            }
            _ = process.exited() => {}
            () = sleep_until(deadline) => {
                process.kill();
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
                        process.kill();
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
    fn note(&self, process: &Process, line: String) {
        let function = self.config.name.clone();
        let line = OutputLine { function, pid: process.pid, stream: Stream::Stderr, line, request_id: None };
        // Whoever reads the lines may be gone.
        let _ = self.on_output.send(line);
    }

    async fn kill(&self, pid: Option<u32>) -> Option<u32> {
        let process = self.lock().victim(pid)?;
        process.kill();
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
        self.lock().processes().for_each(|process| process.kill());
    }
}

/// The caller may have stopped waiting, which changes nothing.
fn give(caller: oneshot::Sender<Result<Bytes, InvokeError>>, answer: Result<Bytes, InvokeError>) {
    let _ = caller.send(answer);
}
