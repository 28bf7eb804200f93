//! Finding the workbench that runs: where `--workbench` says, else where the workbench of this build wrote that it is.
//! Invariant: never another checkout's, and nothing is guessed: no file, no workbench.

use super::exit::Exit;
use super::failure::{Failure, Hint};
use crate::place::{FILE, Running};
use std::path::{Path, PathBuf};

/// Where the workbench of this build writes itself down.
///
/// # Errors
/// When this program does not know its own path.
pub(crate) fn run_file() -> std::io::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name(FILE))
}

/// What the file says, if the process that wrote it still lives.
fn read(file: &Path) -> Option<Running> {
    let text = std::fs::read_to_string(file).ok()?;
    let running: Running = serde_json::from_str(&text).ok()?;
    is_alive(running.pid).then_some(running)
}

fn is_alive(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else { return false };
    // A process that may not be signalled lives all the same.
    rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH)
}

/// No workbench runs.
pub(crate) fn nowhere(message: impl Into<String>) -> Failure {
    Failure::new(Exit::NoWorkbench, "no_workbench", message, Hint::Run)
}

/// The base address without a final slash.
///
/// # Errors
/// When none runs, or `given` is no address of one.
pub(crate) fn find(given: Option<&str>, file: &Path) -> Result<String, Failure> {
    match given {
        Some(given) => base(given),
        None => match read(file) {
            Some(running) => base(&running.workbench),
            None => Err(nowhere("no workbench of this build is running. Start it in another terminal")),
        },
    }
}

/// `localhost:4000` and `http://localhost:4000/` mean the same.
fn base(given: &str) -> Result<String, Failure> {
    let url = if given.contains("://") { given.to_owned() } else { format!("http://{given}") };
    let wrong = || Failure::usage(format!("{given:?} is no address of a workbench: http://localhost:4000 is one"), "");
    let uri: http::Uri = url.parse().map_err(|_| wrong())?;
    match (uri.scheme_str(), uri.authority(), uri.path_and_query().map_or("/", |path| path.as_str())) {
        (Some("http"), Some(authority), "/") => Ok(format!("http://{authority}")),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tests::Folder;

    fn written(folder: &Folder, pid: u32) -> PathBuf {
        let running = Running {
            pid,
            workbench: "http://localhost:4010".to_owned(),
            app: "http://127.0.0.1:3010".to_owned(),
            aws: "http://127.0.0.1:4576".to_owned(),
        };
        folder.write(FILE, &serde_json::to_string(&running).unwrap())
    }

    #[test]
    fn a_workbench_that_lives_is_found_by_its_file() {
        let folder = Folder::new();
        assert_eq!(find(None, &written(&folder, std::process::id())).unwrap(), "http://localhost:4010");
    }

    #[test]
    fn what_a_run_announces_is_what_is_looked_for() {
        let (folder, exe) = (Folder::new(), std::env::current_exe().unwrap());
        let addresses = crate::addresses::Addresses {
            workbench: "http://localhost:4010".to_owned(),
            app: "http://127.0.0.1:3010".to_owned(),
            aws: "http://127.0.0.1:4576".to_owned(),
        };
        let announced = crate::place::Place::announce(&folder.path("tack"), &addresses);
        assert_eq!(find(None, &folder.path(FILE)).unwrap(), "http://localhost:4010");
        drop(announced);
        assert_eq!(find(None, &folder.path(FILE)).unwrap_err().exit, Exit::NoWorkbench);
        assert_eq!(run_file().unwrap().parent(), exe.parent());
    }

    #[test]
    fn a_file_of_a_dead_process_counts_for_nothing() {
        let folder = Folder::new();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        for pid in [pid, 0, u32::MAX] {
            let failure = find(None, &written(&folder, pid)).unwrap_err();
            assert_eq!((failure.exit, failure.hint().as_str()), (Exit::NoWorkbench, "cargo run"), "{pid}");
        }
    }

    #[test]
    fn no_file_or_a_damaged_one_is_no_workbench() {
        let folder = Folder::new();
        assert_eq!(find(None, &folder.path("nothing.json")).unwrap_err().exit, Exit::NoWorkbench);
        assert_eq!(find(None, &folder.write(FILE, "{\"pid\":")).unwrap_err().exit, Exit::NoWorkbench);
    }

    #[test]
    fn a_given_address_wins_and_may_be_short() {
        let nothing = Path::new("/nonexistent");
        for given in ["localhost:4010", "http://localhost:4010", "http://localhost:4010/"] {
            assert_eq!(find(Some(given), nothing).unwrap(), "http://localhost:4010");
        }
        assert_eq!(find(Some("http://[::1]:4010"), nothing).unwrap(), "http://[::1]:4010");
        for wrong in ["https://localhost:4010", "http://localhost:4010/console", "http://", "a b", ""] {
            assert_eq!(find(Some(wrong), nothing).unwrap_err().exit, Exit::Usage, "{wrong}");
        }
    }
}
