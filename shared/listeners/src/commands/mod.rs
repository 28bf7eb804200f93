//! Slash commands.

pub(crate) mod order;
pub(crate) mod sample_command;
