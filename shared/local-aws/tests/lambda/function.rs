//! Processes of a function: how many, one invocation each, frozen between, killed at the time-out.

use crate::gate::Gate;
use crate::process::{command, config, deaf, start, version};
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;
use tack_local_aws::Clock;
use tack_local_aws::lambda::{
    Command, ExitCause, Function, FunctionConfig, Invocation, InvokeError, ProcessState, Served, Stream,
};

fn payload(value: &Value) -> Bytes {
    value.to_string().into()
}

async fn ask(function: &Function, what: &str) -> Result<Bytes, InvokeError> {
    function.invoke(payload(&json!({"do": what}))).await
}

async fn pid_of(function: &Function) -> u32 {
    let answer = ask(function, "pid").await.unwrap();
    std::str::from_utf8(&answer).unwrap().parse().unwrap()
}

fn is_gone(pid: u32) -> bool {
    // A zombie would still be listed, so this proves that it was waited for as well.
    !std::path::Path::new(&format!("/proc/{pid}")).exists()
}

/// The letter of the process's state in `/proc/PID/stat`: R, S, T (stopped) …
fn state(pid: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

async fn until(mut condition: impl FnMut() -> bool) {
    tokio::time::timeout(Duration::from_secs(30), async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await
    .expect("the condition holds within 30 s");
}

#[tokio::test]
async fn an_invocation_is_answered_byte_for_byte() {
    let (function, _output) = start(config());
    let event = json!({"do": "echo", "text": "Grüße, \u{1f44b} \u{0} \"quoted\""}).to_string();
    assert_eq!(function.invoke(Bytes::from(event.clone())).await, Ok(Bytes::from(event)));
    let large = json!({"do": "echo", "text": "x".repeat(4_000_000)}).to_string();
    assert_eq!(function.invoke(Bytes::from(large.clone())).await, Ok(Bytes::from(large)));
    function.shutdown().await;
}

#[tokio::test]
async fn a_process_sees_only_what_lambda_gives_it() {
    let mut config = config();
    config.environment.insert("STATE_TABLE".into(), "state".into());
    config.timeout = Duration::from_secs(30);
    let (function, _output) = start(config);
    let about: Value = serde_json::from_slice(&ask(&function, "about").await.unwrap()).unwrap();
    let variables: Vec<_> = about["environment"].as_object().unwrap().keys().collect();
    assert_eq!(
        variables,
        [
            "AWS_ACCESS_KEY_ID",
            "AWS_DEFAULT_REGION",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            "AWS_LAMBDA_FUNCTION_NAME",
            "AWS_LAMBDA_FUNCTION_VERSION",
            "AWS_LAMBDA_INITIALIZATION_TYPE",
            "AWS_LAMBDA_LOG_GROUP_NAME",
            "AWS_LAMBDA_LOG_STREAM_NAME",
            "AWS_LAMBDA_RUNTIME_API",
            "AWS_REGION",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "LAMBDA_RUNTIME_DIR",
            "LAMBDA_TASK_ROOT",
            "LANG",
            "PATH",
            "STATE_TABLE",
            "TZ",
            "_HANDLER",
        ]
    );
    let headers = &about["headers"];
    assert_eq!(headers["lambda-runtime-invoked-function-arn"], "arn:aws:lambda:us-east-1:000000000000:function:worker");
    assert_eq!(headers["lambda-runtime-aws-request-id"].as_str().unwrap().len(), 36);
    assert!(headers["lambda-runtime-trace-id"].as_str().unwrap().starts_with("Root=1-"));
    let deadline_ms: u128 = headers["lambda-runtime-deadline-ms"].as_str().unwrap().parse().unwrap();
    let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    assert!((1..=30_000).contains(&(deadline_ms - now_ms)), "epoch milliseconds, one time-out ahead");
    function.shutdown().await;
}

#[tokio::test]
async fn one_invocation_after_the_other_needs_one_process() {
    let (function, _output) = start(config());
    let first = pid_of(&function).await;
    for _ in 0..20 {
        assert_eq!(pid_of(&function).await, first);
    }
    assert_eq!(function.pids(), [first]);
    assert_eq!(function.stats().invocations, 21);
    function.shutdown().await;
    assert!(is_gone(first));
}

#[tokio::test]
async fn invocations_at_once_have_processes_of_their_own_up_to_the_limit_and_are_throttled_beyond_it() {
    let (function, _output) = start(config());
    let gate = Gate::new().await;
    let mut running = Vec::new();
    let mut waiting = Vec::new();
    for _ in 0..10 {
        running.push(tokio::spawn({
            let (function, payload) = (function.clone(), gate.payload("gate"));
            async move { function.invoke(payload).await }
        }));
        waiting.push(gate.arrival().await);
    }
    let mut pids: Vec<_> = waiting.iter().map(|waiting| waiting.pid).collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 10, "ten at once, each in its own process");
    assert_eq!(ask(&function, "echo").await, Err(InvokeError::Throttled));
    let stats = function.stats();
    assert_eq!((stats.processes, stats.busy, stats.throttles), (10, 10, 1));
    drop(waiting);
    for one in running {
        assert_eq!(one.await.unwrap(), Ok(gate.payload("gate")));
    }
    assert!(ask(&function, "echo").await.is_ok(), "a process is free again");
    assert_eq!(function.pids().len(), 10);
    function.shutdown().await;
    assert!(pids.into_iter().all(is_gone));
}

#[tokio::test]
async fn at_its_time_out_a_process_is_killed_and_the_next_invocation_starts_another() {
    let timeout = Duration::from_millis(1500);
    let (function, mut output) = start(FunctionConfig { timeout, ..config() });
    let gate = Gate::new().await;
    let invocation = Invocation::new(gate.payload("gate"));
    let request_id = Some(invocation.request_id.clone());
    let (served, waiting) = tokio::join!(function.serve(invocation), gate.arrival());
    assert_eq!(served, Served { pid: Some(waiting.pid), answer: Err(InvokeError::TimedOut { after: timeout }) });
    let exit = function.exits().pop().unwrap();
    assert_eq!((exit.pid, exit.cause, &exit.request_id), (waiting.pid, ExitCause::TimedOut, &request_id));
    let mut last = output.try_recv().unwrap();
    while let Ok(line) = output.try_recv() {
        last = line;
    }
    assert_eq!(last.line, "Task timed out after 1.50 seconds, and its process was killed");
    assert_eq!(last.request_id, request_id);
    assert!(is_gone(waiting.pid));
    assert_eq!((function.stats().timeouts, function.stats().processes), (1, 0));
    assert_ne!(pid_of(&function).await, waiting.pid);
    function.shutdown().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn between_invocations_a_process_is_frozen() {
    let (function, _output) = start(config());
    let gate = Gate::new().await;
    let pid = pid_of(&function).await;
    until(|| state(pid) == Some('T')).await;
    let ((), answer) = tokio::join!(
        async {
            let waiting = gate.arrival().await;
            assert_eq!(waiting.pid, pid);
            until(|| state(pid) == Some('S')).await;
        },
        function.invoke(gate.payload("gate")),
    );
    assert!(answer.is_ok());
    until(|| state(pid) == Some('T')).await;
    function.shutdown().await;
    assert!(is_gone(pid), "a stopped process is ended as well");
}

#[tokio::test]
async fn a_process_that_exits_during_an_invocation_says_how_and_is_replaced() {
    let (function, mut output) = start(config());
    let before = pid_of(&function).await;
    let status = "exit status: 7".to_owned();
    let invocation = Invocation::new(payload(&json!({"do": "exit"})));
    let request_id = Some(invocation.request_id.clone());
    let served = function.serve(invocation).await;
    assert_eq!(
        served,
        Served { pid: Some(before), answer: Err(InvokeError::ProcessExited { status: status.clone() }) }
    );
    let mut lines = Vec::new();
    while let Ok(line) = output.try_recv() {
        lines.push((line.line, line.request_id));
    }
    let words = ("about to exit".to_owned(), request_id.clone());
    assert!(lines.contains(&words), "its last words are passed on before its end is told");
    let end = format!("the process ended in the middle of an invocation: {status}");
    assert_eq!(lines.last(), Some(&(end, request_id.clone())));
    let exit = function.exits().pop().unwrap();
    assert_eq!((exit.pid, exit.status, exit.cause, exit.request_id), (before, status, ExitCause::Itself, request_id));
    assert_ne!(pid_of(&function).await, before);
    function.shutdown().await;
}

#[tokio::test]
async fn a_killed_process_fails_the_invocation_it_served() {
    let (function, _output) = start(config());
    let gate = Gate::new().await;
    let (answer, waiting) = tokio::join!(function.invoke(gate.payload("gate")), async {
        let waiting = gate.arrival().await;
        assert_eq!(function.kill_one().await, Some(waiting.pid));
        waiting
    });
    assert_eq!(answer, Err(InvokeError::ProcessExited { status: "signal: 9 (SIGKILL)".into() }));
    assert!(is_gone(waiting.pid));
    assert!(!function.kill(waiting.pid).await, "there is no such process any more");
    function.shutdown().await;
}

#[tokio::test]
async fn a_process_killed_while_idle_costs_no_invocation() {
    let (function, _output) = start(config());
    let first = pid_of(&function).await;
    let (killed, second) = tokio::join!(function.kill(first), pid_of(&function));
    assert!(killed);
    assert_ne!(second, first);
    function.shutdown().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_that_died_unseen_while_idle_costs_no_invocation() {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let (function, _output) = start(config());
    let pid = pid_of(&function).await;
    until(|| state(pid) == Some('T')).await;
    let status = std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
    assert!(status.success());
    // Blocks until the last of its threads is gone. The runtime does not run meanwhile, so nobody has waited for the process when the
    // next invocation begins.
    let child = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let only_look = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    waitid(WaitId::Pid(child), only_look).unwrap();
    assert_ne!(pid_of(&function).await, pid);
    function.shutdown().await;
}

#[tokio::test]
async fn a_process_that_dies_before_its_first_invocation_leaves_its_last_lines() {
    let mut config = config();
    config.environment.insert("INIT".into(), "die".into());
    let (function, _output) = start(config);
    let Err(InvokeError::InitFailed { reason }) = ask(&function, "echo").await else { panic!("it started") };
    assert!(reason.contains("exit status: 3"), "{reason}");
    assert!(reason.contains("no table named state"), "{reason}");
    assert_eq!(function.pids(), [0; 0]);
}

#[tokio::test]
async fn an_init_error_that_the_process_reports_is_the_reason() {
    let mut config = config();
    config.environment.insert("INIT".into(), "report".into());
    let (function, _output) = start(config);
    let Err(InvokeError::InitFailed { reason }) = ask(&function, "echo").await else { panic!("it started") };
    assert!(reason.contains("Runtime.ConfigError: STATE_TABLE is missing"), "{reason}");
}

#[tokio::test]
async fn a_program_that_does_not_exist_is_a_failed_init() {
    let command = Command { program: "/nowhere/worker".into(), args: Vec::new() };
    let (function, _output) = start(FunctionConfig { command, ..config() });
    let Err(InvokeError::InitFailed { reason }) = ask(&function, "echo").await else { panic!("it started") };
    assert!(reason.starts_with("/nowhere/worker: "), "{reason}");
}

#[tokio::test]
async fn a_function_error_keeps_type_message_and_document_and_the_process() {
    let (function, _output) = start(config());
    let pid = pid_of(&function).await;
    let Err(InvokeError::FunctionError { error_type, message, payload }) = ask(&function, "fail").await else {
        panic!("no error")
    };
    assert_eq!((error_type.as_str(), message.as_str()), ("OrderError", "no such order"));
    assert_eq!(serde_json::from_slice::<Value>(&payload).unwrap()["stackTrace"], json!([]));
    assert_eq!(pid_of(&function).await, pid);
    function.shutdown().await;
}

#[tokio::test]
async fn payloads_over_six_megabytes_are_refused_in_both_directions() {
    let (function, _output) = start(config());
    let too_large = Bytes::from(vec![b'1'; 6 * 1024 * 1024 + 1]);
    assert_eq!(function.invoke(too_large).await, Err(InvokeError::PayloadTooLarge { bytes: 6_291_457 }));
    let Err(InvokeError::FunctionError { error_type, .. }) = ask(&function, "large").await else { panic!("no error") };
    assert_eq!(error_type, "Function.ResponseSizeTooLarge");
    assert!(ask(&function, "echo").await.is_ok());
    function.shutdown().await;
}

#[tokio::test]
async fn what_a_process_prints_carries_the_invocation_it_was_printed_in() {
    let (function, mut output) = start(config());
    ask(&function, "print").await.unwrap();
    ask(&function, "print").await.unwrap();
    function.shutdown().await;
    drop(function);
    let mut printed = Vec::new();
    while let Some(line) = output.recv().await {
        if line.line.starts_with("to standard ") {
            printed.push((line.stream, line.line, line.request_id.unwrap(), line.function));
        }
    }
    let ids: std::collections::BTreeSet<_> = printed.iter().map(|(_, _, id, _)| id.clone()).collect();
    assert_eq!((printed.len(), ids.len()), (4, 2));
    for id in ids {
        let of_one: Vec<_> = printed.iter().filter(|(_, _, other, _)| *other == id).collect();
        assert!(of_one.iter().any(|(stream, line, _, _)| *stream == Stream::Stdout && line == "to standard output"));
        assert!(of_one.iter().any(|(stream, line, _, name)| *stream == Stream::Stderr
            && line == "to standard error"
            && name == "worker"));
    }
}

#[tokio::test]
async fn a_process_that_answered_and_is_not_back_yet_is_waited_for() {
    let (function, _output) = start(config());
    let gate = Gate::new().await;
    let (answer, waiting) = tokio::join!(function.invoke(gate.payload("linger")), gate.arrival());
    assert!(answer.is_ok());
    assert_eq!(function.stats().busy, 1, "it has answered, and works on");
    let (second, ()) = tokio::join!(pid_of(&function), async { drop(waiting) });
    assert_eq!(function.pids(), [second]);
    function.shutdown().await;
}

#[tokio::test]
async fn a_process_that_works_on_after_its_answer_is_killed_at_the_deadline() {
    let timeout = Duration::from_millis(1500);
    let (function, _output) = start(FunctionConfig { timeout, ..config() });
    let gate = Gate::new().await;
    let (answer, waiting) = tokio::join!(function.invoke(gate.payload("linger")), gate.arrival());
    assert!(answer.is_ok(), "its answer was in time");
    until(|| is_gone(waiting.pid)).await;
    function.shutdown().await;
}

#[tokio::test]
async fn an_invocation_runs_to_its_end_when_its_caller_has_gone() {
    let (function, _output) = start(config());
    let gate = Gate::new().await;
    let caller = tokio::spawn({
        let (function, payload) = (function.clone(), gate.payload("gate"));
        async move { function.invoke(payload).await }
    });
    let waiting = gate.arrival().await;
    caller.abort();
    let pid = waiting.pid;
    drop(waiting);
    until(|| {
        function.stats() == tack_local_aws::lambda::FunctionStats { processes: 1, invocations: 1, ..Default::default() }
    })
    .await;
    assert_eq!(pid_of(&function).await, pid);
    function.shutdown().await;
}

#[tokio::test]
async fn a_replaced_command_serves_new_invocations_while_running_ones_finish() {
    let (function, _output) = start(config());
    let gate = Gate::new().await;
    let idle = pid_of(&function).await;
    let running = tokio::spawn({
        let (function, payload) = (function.clone(), gate.payload("gate"));
        async move { function.invoke(payload).await }
    });
    let waiting = gate.arrival().await;
    assert_eq!(waiting.pid, idle);
    let second = pid_of(&function).await;
    until(|| function.stats().busy == 1).await;
    function.replace(command()).await;
    assert!(is_gone(second), "the idle process of the old command is gone");
    let third = pid_of(&function).await;
    assert!(third != second && third != waiting.pid);
    let old = waiting.pid;
    drop(waiting);
    assert!(running.await.unwrap().is_ok());
    until(|| is_gone(old)).await;
    assert_eq!(pid_of(&function).await, third);
    function.shutdown().await;
}

#[tokio::test]
async fn a_function_under_load_loses_nothing_while_its_command_is_replaced() {
    let (function, _output) = start(FunctionConfig { command: version("version-0"), max_processes: 32, ..config() });
    let asked = std::rc::Rc::new(std::cell::Cell::new(0));
    let load = futures_util::future::join_all((0..4).map(|_| async {
        while asked.get() < 200 {
            asked.set(asked.get() + 1);
            assert_eq!(ask(&function, "args").await.map(|_| ()), Ok(()));
        }
    }));
    let replacements = async {
        for number in 1..=5 {
            let before = asked.get();
            until(|| asked.get() > before + 20).await;
            function.replace(version(&format!("version-{number}"))).await;
            assert_eq!(function.command(), version(&format!("version-{number}")));
        }
        let answer: Vec<String> = serde_json::from_slice(&ask(&function, "args").await.unwrap()).unwrap();
        assert_eq!(answer.last().map(String::as_str), Some("version-5"));
    };
    tokio::join!(load, replacements);
    until(|| function.processes().iter().all(|process| !process.is_outdated)).await;
    let exits = function.exits();
    assert!(exits.len() >= 5, "each command had a process: {exits:?}");
    for exit in exits {
        assert_eq!((exit.cause, exit.request_id), (ExitCause::Replaced, None));
    }
    function.shutdown().await;
}

#[tokio::test]
async fn processes_of_a_replaced_command_take_no_place_once_they_have_answered() {
    let (function, _output) = start(FunctionConfig { max_processes: 1, ..config() });
    let gate = Gate::new().await;
    // One that has answered and is not back yet.
    let (answer, lingering) = tokio::join!(function.invoke(gate.payload("linger")), gate.arrival());
    assert!(answer.is_ok());
    function.replace(version("version-1")).await;
    let second = pid_of(&function).await;
    assert_ne!(second, lingering.pid);
    drop(lingering);
    until(|| function.pids() == [second]).await;
    assert_eq!(function.stats().throttles, 0);
    function.shutdown().await;
}

#[tokio::test]
async fn processes_of_a_replaced_command_take_no_place_while_they_end() {
    // With an extension and deaf to SIGTERM, it takes half a second to end.
    let environment = [("INIT".to_owned(), "extension".to_owned())].into();
    let (function, _output) = start(FunctionConfig { max_processes: 1, command: deaf(), environment, ..config() });
    let first = pid_of(&function).await;
    until(|| function.stats().busy == 0).await;
    let ((), second) = tokio::join!(function.replace(command()), pid_of(&function));
    assert_ne!(second, first);
    assert!(is_gone(first));
    function.shutdown().await;
}

#[tokio::test]
async fn a_process_is_described_by_what_it_does() {
    let (function, _output) = start(config());
    assert_eq!((function.processes(), function.exits()), (Vec::new(), Vec::new()));
    let before_ms = Clock::system().now_ms();
    let gate = Gate::new().await;
    let invocation = Invocation::new(gate.payload("gate"));
    let request_id = invocation.request_id.clone();
    let described = async {
        let waiting = gate.arrival().await;
        let process = function.processes().pop().unwrap();
        assert_eq!((process.pid, process.state, process.invocations), (waiting.pid, ProcessState::Busy, 1));
        assert!((before_ms..=Clock::system().now_ms()).contains(&process.started_ms));
        assert_eq!(process.last_request_id.as_ref(), Some(&request_id));
        assert_eq!(function.process_of(&request_id), Some(waiting.pid));
        function.replace(version("version-1")).await;
        assert!(function.processes()[0].is_outdated);
        waiting.pid
    };
    let (served, pid) = tokio::join!(function.serve(invocation), described);
    assert_eq!(served.pid, Some(pid));
    until(|| is_gone(pid)).await;
    assert_eq!(function.process_of(&request_id), None);
    let second = pid_of(&function).await;
    until(|| function.processes()[0].state == ProcessState::Idle).await;
    assert_eq!((function.processes()[0].pid, function.processes()[0].is_outdated), (second, false));
    function.shutdown().await;
    let ended: Vec<_> = function.exits().iter().map(|exit| (exit.pid, exit.cause)).collect();
    assert_eq!(ended, [(pid, ExitCause::Replaced), (second, ExitCause::ShutDown)]);
}

#[tokio::test]
async fn after_shutdown_nothing_runs_and_nothing_begins() {
    let (function, _output) = start(config());
    let gate = Gate::new().await;
    let running = tokio::spawn({
        let (function, payload) = (function.clone(), gate.payload("gate"));
        async move { function.invoke(payload).await }
    });
    let waiting = gate.arrival().await;
    function.shutdown().await;
    assert!(is_gone(waiting.pid));
    assert!(matches!(running.await.unwrap(), Err(InvokeError::ProcessExited { .. })));
    assert_eq!(ask(&function, "echo").await, Err(InvokeError::ShutDown));
}

#[tokio::test]
async fn dropping_the_function_kills_its_processes() {
    let (function, _output) = start(config());
    let pid = pid_of(&function).await;
    until(|| function.stats().busy == 0).await;
    drop(function);
    until(|| is_gone(pid)).await;
}
