//! Events other than messages.

pub(crate) mod app_home_opened;
