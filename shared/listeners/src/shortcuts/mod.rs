//! Shortcuts.

pub(crate) mod sample_shortcut;
