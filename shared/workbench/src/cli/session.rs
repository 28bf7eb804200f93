//! What every verb has: the terminal, and the way to the workbench.

use super::client::Client;
use super::failure::Failure;
use super::output::Terminal;
use super::place;
use std::path::PathBuf;
use std::time::Duration;

/// How long a verb may take unless told otherwise.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// One run of a verb.
pub(crate) struct Session {
    pub(crate) terminal: Terminal,
    /// `--workbench`.
    pub(crate) workbench: Option<String>,
    /// `--timeout`.
    pub(crate) timeout: Option<Duration>,
    /// Where the workbenches of this build write themselves down.
    pub(crate) run_folder: PathBuf,
}

impl Session {
    /// The way to the workbench, for as long as a verb may take.
    ///
    /// # Errors
    /// When none runs.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        self.limited(Some(self.timeout.unwrap_or(TIMEOUT)))
    }

    /// The same for a verb that goes on until it is interrupted, or until a `--timeout` that was given.
    ///
    /// # Errors
    /// When none runs.
    pub(crate) fn patient_client(&self) -> Result<Client, Failure> {
        self.limited(self.timeout)
    }

    fn limited(&self, limit: Option<Duration>) -> Result<Client, Failure> {
        Ok(Client::new(place::find(self.workbench.as_deref(), &self.run_folder)?, limit))
    }
}
