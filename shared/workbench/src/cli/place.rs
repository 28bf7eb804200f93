//! Finding the workbench that runs: where `--workbench` says, else where the newest of this build wrote that it is.
//! Invariant: never another checkout's, and nothing is guessed: no file, no workbench.

use super::exit::Exit;
use super::failure::{Failure, Hint};
use crate::place::newest;
use std::path::{Path, PathBuf};

/// Where the workbenches of this build write themselves down.
///
/// # Errors
/// When this program does not know its own path.
pub(crate) fn run_folder() -> std::io::Result<PathBuf> {
    let mut folder = std::env::current_exe()?;
    folder.pop();
    Ok(folder)
}

/// No workbench runs.
pub(crate) fn nowhere(message: impl Into<String>) -> Failure {
    Failure::new(Exit::NoWorkbench, "no_workbench", message, Hint::Run)
}

/// The base address without a final slash.
///
/// # Errors
/// When none runs, or `given` is no address of one.
pub(crate) fn find(given: Option<&str>, folder: &Path) -> Result<String, Failure> {
    match given {
        Some(given) => base(given),
        None => match newest(folder) {
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
    use crate::addresses::Addresses;
    use crate::cli::tests::Folder;
    use crate::place::{Place, Running};

    fn written(folder: &Folder, pid: u32, since_ms: u64) -> Running {
        let running = Running {
            pid,
            since_ms,
            workbench: format!("http://localhost:{since_ms}"),
            app: "http://127.0.0.1:3010".to_owned(),
            aws: "http://127.0.0.1:4576".to_owned(),
        };
        folder.write(&running.file_name(), &serde_json::to_string(&running).unwrap());
        running
    }

    fn found(folder: &Folder) -> Result<String, Exit> {
        find(None, &folder.path("")).map_err(|failure| failure.exit)
    }

    /// A process that is gone.
    fn gone() -> u32 {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        pid
    }

    #[test]
    fn of_the_workbenches_that_live_the_newest_is_meant() {
        let folder = Folder::new();
        let (own, parent) = (std::process::id(), std::os::unix::process::parent_id());
        written(&folder, own, 4010);
        assert_eq!(found(&folder), Ok("http://localhost:4010".to_owned()));
        let second = written(&folder, parent, 4020);
        written(&folder, gone(), 4030);
        assert_eq!(found(&folder), Ok("http://localhost:4020".to_owned()));
        std::fs::remove_file(folder.path(&second.file_name())).unwrap();
        assert_eq!(found(&folder), Ok("http://localhost:4010".to_owned()), "the first is there as before");
    }

    #[test]
    fn what_a_run_announces_is_what_is_looked_for() {
        let (folder, exe) = (Folder::new(), std::env::current_exe().unwrap());
        let addresses = Addresses {
            workbench: "http://localhost:4010".to_owned(),
            app: "http://127.0.0.1:3010".to_owned(),
            aws: "http://127.0.0.1:4576".to_owned(),
        };
        let other = written(&folder, std::os::unix::process::parent_id(), 1);
        let stale = written(&folder, gone(), 2);
        let announced = Place::announce(&folder.path("tack"), &addresses);
        assert_eq!(found(&folder), Ok("http://localhost:4010".to_owned()));
        assert!(!folder.path(&stale.file_name()).exists(), "its process is gone");
        drop(announced);
        assert_eq!(found(&folder), Ok(other.workbench.clone()), "another's file is left alone");
        std::fs::remove_file(folder.path(&other.file_name())).unwrap();
        assert_eq!(found(&folder), Err(Exit::NoWorkbench));
        assert_eq!(run_folder().unwrap(), exe.parent().unwrap());
    }

    #[test]
    fn a_file_of_a_dead_process_counts_for_nothing() {
        let folder = Folder::new();
        for pid in [gone(), 0, u32::MAX] {
            written(&folder, pid, 4010);
            let failure = find(None, &folder.path("")).unwrap_err();
            assert_eq!((failure.exit, failure.hint().as_str()), (Exit::NoWorkbench, "cargo run"), "{pid}");
        }
    }

    #[test]
    fn no_file_or_a_damaged_one_is_no_workbench() {
        let folder = Folder::new();
        assert_eq!(find(None, &folder.path("nothing")).unwrap_err().exit, Exit::NoWorkbench);
        let own = std::process::id();
        for (name, text) in [
            (format!("tack-run-{own}.json"), "{\"pid\":"),
            ("tack-run-.json".to_owned(), "{}"),
            ("tack-run-x.json".to_owned(), "{}"),
        ] {
            folder.write(&name, text);
            assert_eq!(found(&folder), Err(Exit::NoWorkbench), "{name}");
        }
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
