//! Where a running `tack` is found by `cargo tack …` of the same checkout: a small file beside the executable.

use crate::addresses::Addresses;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The file's name.
pub(crate) const FILE: &str = "tack-run.json";

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// The process.
    pub(crate) pid: u32,
    /// The simulated Slack and the console.
    pub(crate) workbench: String,
    /// The app's door.
    pub(crate) app: String,
    /// The AWS endpoint.
    pub(crate) aws: String,
}

/// The file of a running `tack`; it goes when this is dropped.
pub(crate) struct Place(Option<PathBuf>);

impl Place {
    /// Says beside `exe` where this process is found. A folder that cannot be written to only means that verbs need `--workbench`.
    pub(crate) fn announce(exe: &Path, addresses: &Addresses) -> Self {
        let Addresses { workbench, app, aws } = addresses;
        let running =
            Running { pid: std::process::id(), workbench: workbench.clone(), app: app.clone(), aws: aws.clone() };
        let file = exe.with_file_name(FILE);
        let written = serde_json::to_vec(&running).is_ok_and(|text| std::fs::write(&file, text).is_ok());
        Self(written.then_some(file))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(file) = &self.0 else { return };
        // Another one may have started meanwhile: its file stays.
        let is_own = std::fs::read(file)
            .ok()
            .and_then(|text| serde_json::from_slice::<Running>(&text).ok())
            .is_some_and(|running| running.pid == std::process::id());
        if is_own {
            // Nobody minds a file of a process that is gone.
            let _ = std::fs::remove_file(file);
        }
    }
}
