//! Modals.

pub(crate) mod order_modal;
pub(crate) mod sample_view;
