//! Signals to a function process and whatever it started (each process leads a group of its own), and a look at whether it lives.
//! Not here: when to send one ([`super::process`]).

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Stops the group, as Lambda freezes an environment between invocations.
pub(super) fn pause(pid: u32) {
    send(pid, Signal::STOP);
}

/// Lets a stopped group run on.
pub(super) fn resume(pid: u32) {
    send(pid, Signal::CONT);
}

/// Asks the group to end.
pub(super) fn terminate(pid: u32) {
    send(pid, Signal::TERM);
}

/// Ends the group at once, stopped or not.
pub(super) fn kill(pid: u32) {
    send(pid, Signal::KILL);
}

/// Whether our child has ended, without waiting for it: it stays for who does.
pub(super) fn has_ended(pid: u32) -> bool {
    let Some(pid) = pid_from(pid) else {
        return true;
    };
    // Who has been waited for is no child any more, which is the error here.
    !matches!(waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT), Ok(None))
}

fn pid_from(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

fn send(pid: u32, signal: Signal) {
    let Some(group) = pid_from(pid) else { return };
    // It may have ended by itself a moment ago; then there is nothing to signal, and its exit is reported by who waits for it.
    if let Err(error) = kill_process_group(group, signal) {
        tracing::debug!(pid, ?signal, %error, "no signal sent");
    }
}
