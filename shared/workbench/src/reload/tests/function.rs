//! A function's process: a loop over the Runtime API that answers with the version it was built from.
//! Started by Lambda it is the "test" [`function_process`] of this binary; without `AWS_LAMBDA_RUNTIME_API` that test does nothing.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;
use tack_local_aws::lambda::{Command, FunctionConfig};

/// The arguments that make this binary a function's process.
pub(super) const ARGUMENTS: [&str; 4] =
    ["--exact", "reload::tests::function::function_process", "--nocapture", "--test-threads=1"];

pub(super) fn config(program: &Path) -> FunctionConfig {
    FunctionConfig {
        name: "worker-events".into(),
        command: Command { program: program.to_owned(), args: Vec::new() },
        environment: BTreeMap::from([("STATE_TABLE".to_owned(), "state".to_owned())]),
        access_key: "AKIALOCALWORKEREVENTS".into(),
        memory_mb: 128,
        timeout: Duration::from_secs(60),
        max_processes: 2,
        region: "us-east-1".into(),
    }
}

pub(super) fn question() -> Bytes {
    Bytes::from_static(b"{}")
}

#[test]
fn function_process() {
    let Ok(address) = std::env::var("AWS_LAMBDA_RUNTIME_API") else { return };
    assert_eq!(std::env::var("STATE_TABLE").as_deref(), Ok("state"), "the environment that it will serve with");
    let version = std::env::var("VERSION").unwrap();
    loop {
        let head = call(&address, "GET", "next", "");
        let id = head
            .lines()
            .find_map(|line| line.to_lowercase().strip_prefix("lambda-runtime-aws-request-id: ").map(str::to_owned));
        let answer = format!("\"{version}\"");
        call(&address, "POST", &format!("{}/response", id.unwrap()), &answer);
    }
}

/// One HTTP call on a connection of its own.
fn call(address: &str, method: &str, what: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} /2018-06-01/runtime/invocation/{what} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "the Runtime API is gone");
    }
    let _ = reader.read_to_end(&mut Vec::new());
    head
}
