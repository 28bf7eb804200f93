//! Runs cargo.
//! Not here: what it says ([`super::diagnostics`]), with which arguments ([`super::project`]).
//! Invariant: cargo sees the environment that it was started with itself, without what `cargo run` added for this program; a build without a change is fresh.

use super::diagnostics::{Diagnostic, Messages, of_cargo, plain};
use super::project::Project;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

/// How much of cargo's standard error is kept for a person: its end.
const STDERR_LINES_MAX: usize = 200;

/// What `cargo run` sets for the program it runs. What a person set, such as `CARGO_TARGET_DIR` or `CARGO_PROFILE_…`, is not among them and stays.
/// Source: <https://doc.rust-lang.org/cargo/reference/environment-variables.html>
pub(super) const SET_BY_CARGO: [&str; 20] = [
    "CARGO",
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_PATH",
    "CARGO_MANIFEST_LINKS",
    "CARGO_BIN_NAME",
    "CARGO_CRATE_NAME",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
    "CARGO_PKG_AUTHORS",
    "CARGO_PKG_DESCRIPTION",
    "CARGO_PKG_HOMEPAGE",
    "CARGO_PKG_REPOSITORY",
    "CARGO_PKG_LICENSE",
    "CARGO_PKG_LICENSE_FILE",
    "CARGO_PKG_README",
    "CARGO_PKG_RUST_VERSION",
];

/// A cargo that ends with the future that runs it.
pub(super) fn cargo(project: &Project) -> Command {
    let mut command = Command::new(&project.cargo);
    command.current_dir(&project.working_dir).stdin(Stdio::null()).kill_on_drop(true);
    for variable in SET_BY_CARGO {
        command.env_remove(variable);
    }
    command
}

/// Builds. `blocked` is told when cargo waits for another cargo, and when it no longer does.
///
/// # Errors
/// The errors of the build, at least one.
pub(super) async fn compile(
    project: &Project,
    arguments: &[String],
    blocked: impl Fn(bool),
) -> Result<PathBuf, Vec<Diagnostic>> {
    let broken = |error: std::io::Error| vec![of_cargo(&format!("error: {}: {error}", project.cargo.display()))];
    let mut command = cargo(project);
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(broken)?;
    let mut messages = Messages::default();
    let mut complaints: Vec<String> = Vec::new();
    let out = lines(child.stdout.take(), |line| messages.read(&line, &project.bin));
    let err = lines(child.stderr.take(), |line| {
        let line = plain(&line);
        blocked(line.contains("waiting for file lock"));
        if complaints.len() == STDERR_LINES_MAX {
            complaints.remove(0);
        }
        complaints.push(line);
    });
    let ((), (), status) = tokio::join!(out, err, child.wait());
    let status = status.map_err(broken)?;
    match messages.executable.take() {
        Some(executable) if status.success() => Ok(executable),
        _ if messages.errors.is_empty() => Err(vec![of_cargo(&complaints.join("\n"))]),
        _ => Err(messages.errors),
    }
}

/// A line that is not UTF-8 is no reason to stop reading.
async fn lines(source: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(String)) {
    let Some(source) = source else { return };
    let mut source = BufReader::new(source);
    let mut line = Vec::new();
    while source.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        take(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
        line.clear();
    }
}
