//! The app as one install shows it to one workspace: its user there, and through which install it came.
//! What an install holds is in the module above.

use crate::config::{Config, Team};
use crate::install::Target;
use crate::workspace::{Organisation, Workspace};
use crate::world;

/// The app in a workspace.
#[derive(Clone, Debug)]
pub(crate) struct AppUser {
    /// Its user, `U…`.
    pub(crate) id: String,
    /// `B…`.
    pub(crate) bot_id: String,
    /// The name people mention.
    pub(crate) name: String,
    /// `A…`.
    pub(crate) app_id: String,
    /// The workspace.
    pub(crate) team: Team,
    /// The organisation the workspace is part of.
    pub(crate) organisation: Option<Organisation>,
    /// What it is installed in: the workspace, or its organisation.
    pub(crate) target: Target,
}

impl AppUser {
    /// The app in `team`, installed in `target`.
    pub(crate) fn new(config: &Config, workspace: &Workspace, target: &Target, team: &Team) -> Self {
        let (id, bot_id) = world::app_user(config, target.id());
        Self {
            id,
            bot_id,
            name: config.bot_name.clone(),
            app_id: config.app_id.clone(),
            organisation: team.enterprise.as_deref().and_then(|id| workspace.organisation(id)).cloned(),
            team: team.clone(),
            target: target.clone(),
        }
    }

    /// It came with its organisation and not with its workspace.
    pub(crate) fn is_org_wide(&self) -> bool {
        matches!(self.target, Target::Organisation(_))
    }

    /// `E…` of the workspace's organisation.
    pub(crate) fn enterprise_id(&self) -> Option<&str> {
        self.organisation.as_ref().map(|organisation| organisation.id.as_str())
    }
}
