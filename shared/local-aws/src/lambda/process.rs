//! One function process: started, paused, resumed, killed, and waited for.
//! Not here: which process serves what ([`super::pool`]), what it is told ([`super::exchange`]).
//! Invariant: its end is announced once, after everything it printed was passed on.
//!
//! When our own process is killed, the Runtime API connection closes: a runtime that waits for `next`, or answers, gets an error and ends.
//! One that is paused cannot notice; it leads a process group of its own, so the kernel finds the group orphaned with a stopped member
//! and sends it SIGHUP and SIGCONT, which ends it (POSIX, `_exit`, consequences of process termination). Only where its new parent
//! belongs to our session (some containers' process 1) is a group not orphaned, and a paused process stays.

use super::config::{Command, FunctionConfig, LogStream};
use super::exchange::{Answer, Exchange, Offer};
use super::facts::{ExitCause, Exits, ProcessExit};
use super::output::{OutputLine, Stream, read_lines};
use super::{Invocation, InvokeError, runtime_api, signal};
use crate::Clock;
use std::collections::VecDeque;
use std::process::Stdio;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::process::Child;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

/// How long a process may take until it asks for its first invocation.
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// How long a process with an internal extension has between SIGTERM and SIGKILL; the same source.
const TERM_LIMIT: Duration = Duration::from_millis(500);
/// How long after its end a process's last lines are waited for: whatever it started may hold the pipe open for ever.
const DRAIN_LIMIT: Duration = Duration::from_secs(1);
/// How many of its last lines explain a failed start.
const TAIL_LINES: usize = 20;

pub(super) struct Process {
    pub(super) pid: u32,
    /// Which command it was started from; the function counts them.
    pub(super) generation: u64,
    /// When it was started, epoch milliseconds.
    pub(super) started_ms: u64,
    exchange: Arc<Exchange>,
    tail: Arc<Tail>,
    /// Why we ended it; the first reason counts.
    cause: Arc<OnceLock<ExitCause>>,
    exited: watch::Receiver<Option<String>>,
}

impl Process {
    /// Starts a process; it is initialised later ([`Self::initialised`]).
    pub(super) fn spawn(
        config: &FunctionConfig,
        command: &Command,
        generation: u64,
        on_output: &mpsc::UnboundedSender<OutputLine>,
        exits: &Arc<Exits>,
    ) -> Result<Self, InvokeError> {
        let failed = |error: std::io::Error| InvokeError::InitFailed {
            reason: format!("{}: {error}", command.program.display()),
        };
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let runtime_api = listener.local_addr().map_err(failed)?;
        let listener = TcpListener::from_std(listener).map_err(failed)?;
        let started_ms = Clock::system().now_ms();
        let log_stream = LogStream::new(started_ms);
        let mut child = tokio::process::Command::new(&command.program)
            .args(&command.args)
            .env_clear()
            .envs(config.environment(command, &log_stream, runtime_api))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own: signals reach what it started, and Ctrl-C in a terminal is ours alone.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let pid = child.id().ok_or_else(|| InvokeError::InitFailed { reason: "it ended at once".into() })?;

        let exchange = Arc::new(Exchange::new());
        let tail = Arc::new(Tail::default());
        let pump = Pump {
            function: config.name.clone(),
            pid,
            exchange: exchange.clone(),
            tail: tail.clone(),
            on_output: on_output.clone(),
        };
        let stdout = child.stdout.take().map(|source| tokio::spawn(pump.clone().run(Stream::Stdout, source)));
        let stderr = child.stderr.take().map(|source| tokio::spawn(pump.run(Stream::Stderr, source)));
        let about = runtime_api::About { name: config.name.clone(), arn: config.arn() };
        let server = tokio::spawn(runtime_api::serve(listener, exchange.clone(), about));
        let (announce, exited) = watch::channel(None);
        let cause = Arc::new(OnceLock::new());
        let end = End { pid, exchange: exchange.clone(), cause: cause.clone(), exits: exits.clone(), announce };
        tokio::spawn(end.wait(child, server, [stdout, stderr]));
        Ok(Self { pid, generation, started_ms, exchange, tail, cause, exited })
    }

    /// Resolves when the process asks for its first invocation; kills it when that takes too long.
    pub(super) async fn initialised(&self) -> Result<(), InvokeError> {
        let limit = Instant::now() + INIT_LIMIT;
        let how = tokio::select! {
            biased;
            () = self.exchange.asked_for_next() => return Ok(()),
            status = self.exited() => status,
            () = tokio::time::sleep_until(limit) => {
                self.kill(ExitCause::InitTooLong);
                self.exited().await;
                format!("it did not ask for an invocation within {INIT_LIMIT:?}")
            }
        };
        let reason = self.exchange.init_error().unwrap_or(how);
        Err(InvokeError::InitFailed { reason: self.tail.append_to(reason) })
    }

    /// Resumes the process and hands it an invocation; the receiver yields its answer.
    pub(super) fn begin(&self, invocation: Invocation, time_limit: Duration) -> oneshot::Receiver<Answer> {
        let now_ms = Clock::system().now_ms();
        let limit_ms = u64::try_from(time_limit.as_millis()).unwrap_or(u64::MAX);
        let answered = self.exchange.offer(Offer {
            request_id: invocation.request_id,
            payload: invocation.payload,
            deadline_ms: now_ms.saturating_add(limit_ms),
            trace_id: trace_id(now_ms),
        });
        signal::resume(self.pid);
        answered
    }

    /// Whether the process never saw what [`Self::begin`] handed it; it will not see it any more.
    pub(super) fn withdraw(&self) -> bool {
        self.exchange.withdraw()
    }

    /// Resolves as soon as the process waits for an invocation.
    pub(super) async fn asked_for_next(&self) {
        self.exchange.asked_for_next().await;
    }

    /// Stops the process until the next invocation begins.
    pub(super) fn pause(&self) {
        signal::pause(self.pid);
    }

    /// How many invocations it began.
    pub(super) fn invocations(&self) -> u64 {
        self.exchange.begun()
    }

    /// The invocation it was given last.
    pub(super) fn last_request_id(&self) -> Option<String> {
        self.exchange.last_request_id()
    }

    /// Ends the process at once. It is gone when [`Self::exited`] resolves.
    pub(super) fn kill(&self, cause: ExitCause) {
        self.cause.get_or_init(|| cause);
        if !self.has_exited() {
            signal::kill(self.pid);
        }
    }

    /// Ends the process as Lambda ends an environment: SIGTERM first if it registered an extension, then SIGKILL.
    pub(super) async fn end(&self, cause: ExitCause) {
        self.cause.get_or_init(|| cause);
        if self.exchange.has_extension() && !self.has_exited() {
            signal::terminate(self.pid);
            signal::resume(self.pid);
            // Whether or not it ended by itself, it is killed next.
            let _ = timeout(TERM_LIMIT, self.exited()).await;
        }
        self.kill(cause);
        self.exited().await;
    }

    /// Whether it has ended, even if [`Self::exited`] does not say so yet.
    pub(super) fn has_ended(&self) -> bool {
        self.has_exited() || signal::has_ended(self.pid)
    }

    fn has_exited(&self) -> bool {
        self.exited.borrow().is_some()
    }

    /// Resolves with the exit status once the process is gone and its output was passed on.
    pub(super) async fn exited(&self) -> String {
        let mut exited = self.exited.clone();
        let status = exited.wait_for(Option::is_some).await.ok().and_then(|status| status.clone());
        status.unwrap_or_else(|| "no longer watched".into())
    }
}

/// What is done when a process has ended.
struct End {
    pid: u32,
    exchange: Arc<Exchange>,
    cause: Arc<OnceLock<ExitCause>>,
    exits: Arc<Exits>,
    announce: watch::Sender<Option<String>>,
}

impl End {
    async fn wait(self, mut child: Child, server: JoinHandle<()>, pumps: [Option<JoinHandle<()>>; 2]) {
        let status = match child.wait().await {
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let exit = ProcessExit {
            pid: self.pid,
            at_ms: Clock::system().now_ms(),
            status: status.clone(),
            cause: self.cause.get().copied().unwrap_or(ExitCause::Itself),
            request_id: self.exchange.owed(),
        };
        let limit = Instant::now() + DRAIN_LIMIT;
        for mut pump in pumps.into_iter().flatten() {
            if timeout_at(limit, &mut pump).await.is_err() {
                pump.abort();
            }
        }
        server.abort();
        self.exits.push(exit);
        self.announce.send_replace(Some(status));
    }
}

#[derive(Clone)]
struct Pump {
    function: String,
    pid: u32,
    exchange: Arc<Exchange>,
    tail: Arc<Tail>,
    on_output: mpsc::UnboundedSender<OutputLine>,
}

impl Pump {
    async fn run(self, stream: Stream, source: impl tokio::io::AsyncRead + Unpin) {
        read_lines(source, |line| {
            if stream == Stream::Stderr {
                self.tail.push(line.clone());
            }
            let request_id = self.exchange.last_request_id();
            // Nobody may be listening any more; the process must still be able to write.
            let _ = self.on_output.send(OutputLine {
                function: self.function.clone(),
                pid: self.pid,
                stream,
                line,
                request_id,
            });
        })
        .await;
    }
}

/// The last lines of standard error.
#[derive(Default)]
struct Tail(Mutex<VecDeque<String>>);

impl Tail {
    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == TAIL_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn append_to(&self, reason: String) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().fold(reason, |text, line| format!("{text}\n{line}"))
    }
}

/// An X-Ray trace header: eight hex digits of epoch seconds, then random ones.
/// Source: <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html>
fn trace_id(now_ms: u64) -> String {
    let (root, parent) = (uuid::Uuid::new_v4().simple().to_string(), uuid::Uuid::new_v4().simple().to_string());
    format!("Root=1-{:08x}-{};Parent={};Sampled=0", now_ms / 1000, &root[..24], &parent[..16])
}
