//! Where everything is.

/// The addresses of a run.
pub(crate) struct Addresses {
    /// The simulated Slack and the console.
    pub(crate) workbench: String,
    /// The app's door.
    pub(crate) app: String,
    /// The AWS endpoint.
    pub(crate) aws: String,
}
