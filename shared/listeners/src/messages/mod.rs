//! Messages.

pub(crate) mod sample_message;
