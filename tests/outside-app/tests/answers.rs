//! The app outside the workspace builds, runs its own functions, and answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// Ends the process whatever happens.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn http(address: &str, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn an_app_outside_the_workspace_answers_with_its_own_listener() {
    let mut tack = Command::new(env!("CARGO_BIN_EXE_tack"));
    tack.args(["--app-port", "0", "--workbench-port", "0", "--aws-port", "0"]).env_clear().stdout(Stdio::piped());
    let mut running = Running(tack.spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let slack = lines
        .find_map(|line| Some(line.strip_prefix("  Slack ")?.split_whitespace().next()?.to_owned()))
        .expect("it says where the simulated Slack is");
    let address = slack.trim_start_matches("http://");

    let said = r#"{"as": "Ada", "act": "say", "channel": "playground", "text": "ping"}"#;
    assert!(http(address, "POST", "/sim/act", said).starts_with("HTTP/1.1 200"));
    // One line per delivery is printed at its end; waiting for it is waiting for the answer.
    lines.find(|line| line.contains("[pong]")).expect("it says that the job ended");

    let messages = http(address, "GET", "/sim/messages?channel=playground", "");
    assert!(messages.contains("pong, says the-word-of-the-resources"), "{messages}");
}
