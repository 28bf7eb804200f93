//! A function's process without any dependency: a loop over the Runtime API that does what its payload says.
//! Started by Lambda it is the "test" [`function_process`] of this binary; without `AWS_LAMBDA_RUNTIME_API` that test does nothing.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tack_local_aws::lambda::{Command, Function, FunctionConfig, OutputLine};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// What starts this binary as a function's process.
pub(crate) fn command() -> Command {
    let args = ["--exact", "process::function_process", "--nocapture", "--test-threads=1"];
    Command { program: std::env::current_exe().unwrap(), args: args.map(str::to_owned).to_vec() }
}

/// The same, told apart by an argument that changes nothing; `args` answers it.
pub(crate) fn version(name: &str) -> Command {
    let mut command = command();
    command.args.extend(["--skip".to_owned(), name.to_owned()]);
    command
}

/// The same, deaf to SIGTERM: what is ignored stays so across `exec`.
pub(crate) fn deaf() -> Command {
    let Command { program, args } = command();
    let shell = ["-c", r#"trap '' TERM; exec "$0" "$@""#, program.to_str().unwrap()];
    Command { program: "/bin/sh".into(), args: shell.into_iter().map(str::to_owned).chain(args).collect() }
}

/// A function with a time-out that no test reaches by accident.
pub(crate) fn config() -> FunctionConfig {
    FunctionConfig {
        name: "worker".into(),
        command: command(),
        environment: BTreeMap::new(),
        access_key: "AKIALOCALWORKER".into(),
        memory_mb: 256,
        timeout: Duration::from_secs(60),
        max_processes: 10,
        region: "us-east-1".into(),
    }
}

pub(crate) fn start(config: FunctionConfig) -> (Function, UnboundedReceiver<OutputLine>) {
    let (on_output, output) = unbounded_channel();
    (Function::start(config, on_output).unwrap(), output)
}

#[test]
fn function_process() {
    let Ok(address) = std::env::var("AWS_LAMBDA_RUNTIME_API") else {
        return;
    };
    match std::env::var("INIT").as_deref() {
        Ok("die") => {
            eprintln!("no table named state");
            std::process::exit(3);
        }
        Ok("report") => {
            let error = json!({"errorType": "Runtime.ConfigError", "errorMessage": "STATE_TABLE is missing"});
            call(&address, "POST", "/2018-06-01/runtime/init/error", error.to_string().as_bytes());
            std::process::exit(1);
        }
        Ok("extension") => {
            call(&address, "POST", "/2020-01-01/extension/register", b"{}");
        }
        _ => {}
    }
    loop {
        let (headers, payload) = call(&address, "GET", "/2018-06-01/runtime/invocation/next", b"");
        let id = &headers["lambda-runtime-aws-request-id"];
        let event: Value = serde_json::from_slice(&payload).unwrap();
        let (kind, answer) = serve(&event, &headers, &payload);
        let (answered, _) = call(&address, "POST", &format!("/2018-06-01/runtime/invocation/{id}/{kind}"), &answer);
        assert!(answered[":status"].starts_with("202") || answer.len() > 6_000_000, "{answered:?}");
        if event["do"] == "linger" {
            wait_at(&event["gate"]);
        }
    }
}

fn serve(event: &Value, headers: &BTreeMap<String, String>, payload: &[u8]) -> (&'static str, Vec<u8>) {
    let what = event["do"].as_str().or(event["headers"]["x-do"].as_str());
    match what.unwrap_or("echo") {
        "echo" => {}
        "pid" | "linger" => return ("response", std::process::id().to_string().into_bytes()),
        "about" => {
            let environment: BTreeMap<_, _> = std::env::vars().collect();
            return ("response", json!({"headers": headers, "environment": environment}).to_string().into_bytes());
        }
        "gate" => wait_at(if event["gate"].is_null() { &event["headers"]["x-gate"] } else { &event["gate"] }),
        "args" => return ("response", json!(std::env::args().collect::<Vec<_>>()).to_string().into_bytes()),
        "aws" => {
            let status = aws_call(event["endpoint"].as_str().unwrap(), &event["target"], &event["request"]);
            return ("response", status.into_bytes());
        }
        "print" => {
            // The test harness left its own line unfinished.
            println!("\nto standard output");
            eprintln!("to standard error");
        }
        "exit" => {
            eprintln!("about to exit");
            std::process::exit(7);
        }
        "fail" => {
            let error = json!({"errorType": "OrderError", "errorMessage": "no such order", "stackTrace": []});
            return ("error", error.to_string().into_bytes());
        }
        "large" => return ("response", vec![b'1'; 7 * 1024 * 1024]),
        "answer" => {
            return ("response", event["headers"]["x-answer"].as_str().unwrap().as_bytes().to_vec());
        }
        other => panic!("{other}?"),
    }
    ("response", payload.to_vec())
}

/// Connects, so that the test knows this invocation runs, and waits until the test hangs up.
fn wait_at(gate: &Value) {
    let mut gate = TcpStream::connect(gate.as_str().unwrap()).unwrap();
    gate.write_all(&std::process::id().to_be_bytes()).unwrap();
    let _ = gate.read(&mut [0]);
}

/// One call to the AWS endpoint, signed with this function's access key; answers the status line, or nothing if there was none.
fn aws_call(endpoint: &str, target: &Value, request: &Value) -> String {
    let (access_key, target) = (std::env::var("AWS_ACCESS_KEY_ID").unwrap(), target.as_str().unwrap());
    let body = request.to_string();
    let mut stream = TcpStream::connect(endpoint).unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {endpoint}\r\nx-amz-target: {target}\r\ncontent-length: {}\r\nauthorization: AWS4-HMAC-SHA256 Credential={access_key}/20261124/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=00\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut line = String::new();
    let _ = BufReader::new(stream).read_line(&mut line);
    line.trim().to_owned()
}

/// One HTTP call on a connection of its own; the status line is the header `:status`.
fn call(address: &str, method: &str, path: &str, body: &[u8]) -> (BTreeMap<String, String>, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // An answer over the limit is refused before it was sent completely.
    let _ = stream.write_all(body);
    let mut reader = BufReader::new(stream);
    let mut headers = BTreeMap::new();
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    headers.insert(":status".to_owned(), line.trim_start_matches("HTTP/1.1 ").trim().to_owned());
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = Vec::new();
    let _ = reader.read_to_end(&mut body);
    (headers, body)
}
