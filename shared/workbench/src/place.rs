//! Where a running `tack` is found by `cargo tack …` of the same checkout: a small file beside the executable, one for each process, since
//! several may run from one executable. Of those that live, the one that was started last is meant.
//! Invariant: a process writes and removes its own file, and besides only those of processes that are gone.

use crate::addresses::Addresses;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tack_local_aws::Clock;

/// How a file's name begins and ends; between stands the process.
const PREFIX: &str = "tack-run-";
const SUFFIX: &str = ".json";

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// The process.
    pub(crate) pid: u32,
    /// Since when, in epoch milliseconds.
    pub(crate) since_ms: u64,
    /// The simulated Slack and the console.
    pub(crate) workbench: String,
    /// The app's door.
    pub(crate) app: String,
    /// The AWS endpoint.
    pub(crate) aws: String,
}

impl Running {
    /// The name of its file.
    pub(crate) fn file_name(&self) -> String {
        format!("{PREFIX}{}{SUFFIX}", self.pid)
    }
}

/// The file of a running `tack`; it goes when this is dropped.
pub(crate) struct Place(Option<PathBuf>);

impl Place {
    /// Says beside `exe` where this process is found. A folder that cannot be written to only means that verbs need `--workbench`.
    pub(crate) fn announce(exe: &Path, addresses: &Addresses) -> Self {
        let Addresses { workbench, app, aws } = addresses;
        let running = Running {
            pid: std::process::id(),
            since_ms: Clock::system().now_ms(),
            workbench: workbench.clone(),
            app: app.clone(),
            aws: aws.clone(),
        };
        for (pid, file) in exe.parent().map(files).unwrap_or_default() {
            if !is_alive(pid) {
                // Nobody minds a file of a process that is gone.
                let _ = std::fs::remove_file(file);
            }
        }
        let file = exe.with_file_name(running.file_name());
        let written = serde_json::to_vec(&running).is_ok_and(|text| std::fs::write(&file, text).is_ok());
        Self(written.then_some(file))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            // The next one that starts removes it then.
            let _ = std::fs::remove_file(file);
        }
    }
}

/// The one in `folder` that lives and was started last.
pub(crate) fn newest(folder: &Path) -> Option<Running> {
    let living = files(folder).into_iter().filter(|(pid, _)| is_alive(*pid));
    let read = living.filter_map(|(pid, file)| {
        let running: Running = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        (running.pid == pid).then_some(running)
    });
    read.max_by_key(|running| running.since_ms)
}

/// Every such file in a folder, with the process that its name tells.
fn files(folder: &Path) -> Vec<(u32, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let of_process = |entry: std::fs::DirEntry| {
        let pid = entry.file_name().to_str()?.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()?;
        Some((pid, entry.path()))
    };
    entries.filter_map(of_process).collect()
}

fn is_alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else { return false };
    // A process that may not be signalled lives all the same.
    rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}
