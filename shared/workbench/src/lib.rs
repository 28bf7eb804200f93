//! The binary `tack`: the world around an app on this machine. It puts the simulated Slack, the embedded AWS and the app's
//! own function processes together, says when the way through all of them works, and prints one line per delivery.
//!
//! Knows no listener: each function is a `main` that the binary is given, started as a process of its own by a hidden
//! argument of the same binary.

#![warn(missing_docs)]

mod addresses;
mod board;
mod cli;
mod faults;
mod history;
mod installing;
mod limits;
mod listing;
mod pages;
mod place;
mod port;
mod reload;
mod run;
mod sign;
mod stack;
mod telling;

pub use cli::{Functions, main};
pub use limits::local_limits;
pub use stack::{Credentials, FunctionCommands, OAuthClient, Serves, Stack, StackConfig};
