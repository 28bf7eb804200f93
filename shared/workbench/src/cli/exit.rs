//! How a verb ends: the exit codes, one list that the code and `tack --help` share.

/// An exit code of `tack`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was done, and the expectation held.
    Done = 0,
    /// It ran, and the expectation was not met.
    Unmet = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// Configuration is missing or malformed.
    Configuration = 3,
    /// No workbench runs.
    NoWorkbench = 4,
    /// There is no such thing.
    NotFound = 5,
    /// Refused by policy.
    Refused = 6,
    /// The workbench that runs, or this machine, cannot do it.
    Missing = 69,
    /// Input, output or the network failed.
    Io = 74,
    /// `--timeout` ran out.
    Timeout = 124,
    /// Interrupted, after a clean stop.
    Interrupted = 130,
}

impl Exit {
    /// Every code with its meaning, in the order of the help.
    pub(crate) const ALL: [(Self, &'static str); 11] = [
        (Self::Done, "did it, and the expectation held"),
        (Self::Unmet, "ran, but the expectation was not met: --wait done ended dead, an entry was skipped"),
        (Self::Usage, "the command line makes no sense"),
        (Self::Configuration, "configuration is missing or malformed; all names are listed"),
        (Self::NoWorkbench, "no workbench is running"),
        (Self::NotFound, "not found: an id, a sample, a fault"),
        (Self::Refused, "refused: a redrive, a discard or a reset without --yes where nobody can be asked"),
        (Self::Missing, "the workbench that runs does not have this, or a tool is missing"),
        (Self::Io, "input, output or the network failed"),
        (Self::Timeout, "--timeout ran out"),
        (Self::Interrupted, "interrupted, after a clean stop"),
    ];

    /// The number the shell sees.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// The list as the help shows it.
    pub(crate) fn help() -> String {
        let lines = Self::ALL.iter().map(|(exit, meaning)| format!("  {:>3}  {meaning}\n", exit.code()));
        format!("Exit codes:\n{}", lines.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_the_documented_ones_and_the_help_lists_each() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 69, 74, 124, 130]);
        for code in codes {
            assert!(Exit::help().lines().any(|line| line.trim_start().starts_with(&format!("{code} "))), "{code}");
        }
    }
}
