//! How a flow ended, as the adopter's own pages get it. Invariant: no secret and nothing of the request is in it.

use super::problem::InstallProblem;
use crate::install::{Installation, Scopes};

/// An adopter's own pages, as whole HTML documents. They are answered with a policy that allows inline style and pictures, and
/// no script. Where one is missing, or panics, ours is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct InstallPages {
    /// After an installation. Org-wide ones go on to Slack's picker of workspaces instead.
    pub success: Option<fn(&InstallSuccess) -> String>,
    /// When it did not happen.
    pub failure: Option<fn(&InstallFailure) -> String>,
}

/// A finished installation. Names in it come from Slack: escape them.
#[derive(Clone, Debug)]
pub struct InstallSuccess {
    /// Where the app is now.
    pub installation: Installation,
    /// The word from `?ref=`.
    pub reference: Option<String>,
    /// Bot scopes that were asked for and not granted.
    pub missing: Scopes,
    /// User scopes that were asked for and not granted.
    pub missing_user: Scopes,
    /// Opens Slack at the app; `None` where it is not known which app this is.
    pub open_slack: Option<String>,
}

/// An installation that did not happen.
#[derive(Clone, Debug)]
pub struct InstallFailure {
    /// Why.
    pub problem: InstallProblem,
    /// Where a new try begins: a relative address.
    pub start_again: String,
}
