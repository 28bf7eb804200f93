//! Slash commands.

pub(crate) mod order;
