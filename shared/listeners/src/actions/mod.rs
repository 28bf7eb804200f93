//! Interactive elements: buttons, selects and the like.

pub(crate) mod sample_action;
