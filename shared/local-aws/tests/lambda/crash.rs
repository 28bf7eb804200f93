//! A crash at the boundary of an AWS call: exactly the calling process ends, before or after the work was done.

use crate::gate::Gate;
use crate::process::{config, start};
use bytes::Bytes;
use serde_json::json;
use tack_local_aws::lambda::{ExitCause, Function, Invocation, InvokeError};
use tack_local_aws::sqs::QueueSettings;
use tack_local_aws::{CALLER_GONE, Clock, Crash, Effect, Fault, LocalAws};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

struct World {
    aws: LocalAws,
    endpoint: String,
    function: Function,
    crashes: UnboundedReceiver<Crash>,
}

/// A worker beside an endpoint with one queue; the first call whose body holds `poison` meets `effect`.
async fn world(effect: Effect) -> World {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = listener.local_addr().unwrap().to_string();
    let aws = LocalAws::new(Clock::system()).with_endpoint(&format!("http://{endpoint}"));
    aws.sqs().create_queue("events", QueueSettings::default()).unwrap();
    aws.name_caller("AKIALOCALWORKER", "worker");
    let (observer, crashes) = unbounded_channel();
    aws.faults().on_crash(observer);
    aws.faults().add(Fault {
        service: "sqs".into(),
        action: "SendMessage".into(),
        resource: None,
        caller: Some("worker".into()),
        contains: Some("poison".into()),
        effect,
        times: Some(1),
    });
    tokio::spawn(aws.clone().serve(listener));
    let (function, _) = start(config());
    World { aws, endpoint, function, crashes }
}

impl World {
    /// The invocation that sends a message with this body.
    fn sending(&self, body: &str) -> Bytes {
        let request = json!({"QueueUrl": self.aws.sqs().queue_url("events").unwrap(), "MessageBody": body});
        json!({"do": "aws", "endpoint": self.endpoint, "target": "AmazonSQS.SendMessage", "request": request})
            .to_string()
            .into()
    }

    fn bodies(&self) -> Vec<String> {
        self.aws.sqs().peek("events").into_iter().map(|message| message.body).collect()
    }
}

async fn crash(effect: Effect, left: &[&str]) {
    let mut world = world(effect).await;
    let gate = Gate::new().await;
    let neighbour = tokio::spawn({
        let (function, payload) = (world.function.clone(), gate.payload("gate"));
        async move { function.invoke(payload).await }
    });
    let waiting = gate.arrival().await;
    assert_eq!(world.function.invoke(world.sending("healthy")).await, Ok(Bytes::from_static(b"HTTP/1.1 200 OK")));

    let invocation = Invocation::new(world.sending("poison"));
    let request_id = invocation.request_id.clone();
    let (served, killed) = tokio::join!(world.function.serve(invocation), async {
        let crash = world.crashes.recv().await.unwrap();
        assert_eq!((crash.caller.as_deref(), crash.access_key.as_str()), (Some("worker"), "AKIALOCALWORKER"));
        let caller = world.function.process_of(&request_id);
        let killed = world.function.kill_by_peer(crash.peer).await;
        assert_eq!(killed, caller, "of two processes that serve, the one that called");
        killed.unwrap()
    });
    assert_ne!(killed, waiting.pid);
    assert_eq!(served.pid, Some(killed));
    assert_eq!(served.answer, Err(InvokeError::ProcessExited { status: "signal: 9 (SIGKILL)".into() }));
    assert_eq!(world.bodies(), left);
    let exit = world.function.exits().pop().unwrap();
    assert_eq!((exit.pid, exit.cause, exit.request_id), (killed, ExitCause::Killed, Some(request_id)));

    drop(waiting);
    assert!(neighbour.await.unwrap().is_ok(), "its neighbour runs on");
    assert_eq!(world.function.invoke(world.sending("poison")).await, Ok(Bytes::from_static(b"HTTP/1.1 200 OK")));
    while world.aws.calls().snapshot()[1].error.is_none() {
        tokio::task::yield_now().await;
    }
    let calls = world.aws.calls().snapshot();
    assert_eq!((calls.len(), calls[1].status, calls[1].error.as_deref()), (3, None, Some(CALLER_GONE)));
    world.function.shutdown().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_killed_after_its_call_was_served_leaves_the_work_done() {
    crash(Effect::CrashAfter, &["healthy", "poison"]).await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_killed_before_its_call_is_served_leaves_nothing_done() {
    crash(Effect::CrashBefore, &["healthy"]).await;
}

#[tokio::test]
async fn where_nobody_holds_the_connection_the_only_busy_process_is_the_caller_and_one_of_two_is_not_guessed() {
    let (function, _output) = start(config());
    let gate = Gate::new().await;
    let stranger = "127.0.0.1:1".parse().unwrap();
    assert_eq!(function.kill_by_peer(stranger).await, None, "there is no process at all");
    let mut running = Vec::new();
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let (function, payload) = (function.clone(), gate.payload("gate"));
        running.push(tokio::spawn(async move { function.invoke(payload).await }));
        waiting.push(gate.arrival().await);
    }
    assert_eq!(function.kill_by_peer(stranger).await, None);
    waiting.pop();
    assert!(running.pop().unwrap().await.unwrap().is_ok());
    assert_eq!(function.kill_by_peer(stranger).await, Some(waiting[0].pid));
    function.shutdown().await;
}
