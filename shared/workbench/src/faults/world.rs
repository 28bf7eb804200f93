//! A stack whose functions are never called, for tests of what stands around it.

use crate::stack::{Credentials, FunctionCommands, Serves, Stack, StackConfig};
use std::time::Duration;
use tack_local_aws::lambda::Command;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Runs a test on a `LocalSet` of its own.
pub(crate) fn in_world(test: impl AsyncFnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        tokio::time::timeout(Duration::from_secs(60), test()).await.expect("the test takes too long");
    });
}

/// Queues, table and functions, none of which has a process before it is called.
pub(crate) async fn stack() -> Stack {
    let listen = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
    let command = Command { program: "/bin/false".into(), args: Vec::new() };
    let credentials = Credentials {
        signing_secret: "8f742231b10e8888abcd99yyyzzz85a5".to_owned().into(),
        serves: Serves::OneWorkspace { bot_token: "xoxb-simulated-secretsecretsecret9f3a".to_owned().into() },
        app_id: None,
    };
    let functions = FunctionCommands { ingress: command.clone(), worker: command, oauth: None };
    let config =
        StackConfig::new(functions, credentials, "http://127.0.0.1:9/api/".to_owned(), listen().await, listen().await);
    // What the functions print is nobody's concern here.
    Stack::start(config, mpsc::unbounded_channel().0).await.unwrap()
}
