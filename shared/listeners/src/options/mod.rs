//! Options of selects.

pub(crate) mod order_item;
