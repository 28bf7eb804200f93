//! `tack` as a program: it comes up on free ports, says where, names a port that is taken, and takes all its processes with it.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);
const PORTS: [&str; 3] = ["--app-port", "--workbench-port", "--aws-port"];

fn tack() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tack"));
    // Whoever runs the tests may have an app of their own in the environment.
    for name in [
        "SLACK_SIGNING_SECRET",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_ID",
        "SLACK_API_URL",
        "SLACK_CLIENT_ID",
        "SLACK_CLIENT_SECRET",
        "SLACK_SCOPES",
        "SLACK_USER_SCOPES",
    ] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

fn on_free_ports() -> Command {
    let mut command = tack();
    command.args(PORTS.map(|flag| [flag, "0"]).as_flattened());
    command
}

async fn line_with(lines: &mut Lines<BufReader<ChildStdout>>, text: &str) -> String {
    let found = async {
        loop {
            let line = lines.next_line().await.unwrap().unwrap_or_else(|| panic!("ended without {text:?}"));
            if line.contains(text) {
                return line;
            }
        }
    };
    timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("waited in vain for {text:?}"))
}

fn interrupt(child: &Child) {
    let pid = rustix::process::Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
}

/// The processes that a process has started. Only Linux says so.
fn children(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let lists = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<_>>()).collect()
}

fn lives(pid: u32) -> bool {
    PathBuf::from(format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn tack_comes_up_on_free_ports_says_where_and_ends_everything_at_ctrl_c() {
    let mut child = on_free_ports().spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ports = line_with(&mut lines, "ports").await;
    let ready = line_with(&mut lines, "Ready in").await;
    assert!(ready.contains(" s"), "{ready}");
    let slack = line_with(&mut lines, "Slack ").await;
    let app = line_with(&mut lines, "/slack/events").await;
    let aws = line_with(&mut lines, "AWS ").await;
    line_with(&mut lines, "Signing secret").await;
    line_with(&mut lines, "/slack/install").await;
    for (line, is_on) in [(&slack, "http://localhost:"), (&app, "http://127.0.0.1:"), (&aws, "http://127.0.0.1:")] {
        let address = line.split_whitespace().find(|word| word.starts_with(is_on)).unwrap_or_else(|| panic!("{line}"));
        assert!(!address.ends_with(":0"), "{line}");
        assert!(ports.contains(address.trim_end_matches("/slack/events")), "{ports}: {address}");
    }

    // Ingress, the worker of events, install pages.
    ends_with_its_functions(child, 3).await;
}

#[tokio::test]
async fn ctrl_c_during_the_start_ends_everything_too() {
    let mut child = on_free_ports().spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    line_with(&mut lines, "answered a signed url_verification").await;
    ends_with_its_functions(child, 1).await;
}

/// Ctrl-C ends the program as if nothing had gone wrong, and none of its functions' processes is left.
async fn ends_with_its_functions(mut child: Child, at_least: usize) {
    let functions = children(child.id().unwrap());
    if cfg!(target_os = "linux") {
        assert!(functions.len() >= at_least, "{} function processes", functions.len());
    }
    interrupt(&child);
    let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert_eq!(status.code(), Some(0));
    for pid in functions {
        assert!(!lives(pid), "function process {pid} outlived tack");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_an_error_that_names_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for flag in PORTS {
        let mut command = tack();
        command.args(PORTS.map(|other| [other, if other == flag { port.as_str() } else { "0" }]).as_flattened());
        let ended = timeout(PATIENCE, command.output()).await.unwrap().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(3), "{said}");
        assert!(said.contains(&format!("port {port} is held by")) && said.contains(flag), "{said}");
    }
}
