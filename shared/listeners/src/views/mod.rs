//! Modals.

pub(crate) mod order_modal;
