//! Methods that must be told the workspace when the token is for a whole organisation.
//! Sources: <https://docs.slack.dev/enterprise/developing-for-enterprise-orgs>, and the `team_id` of each method's page.

use serde_json::{Value, json};
use tack_protocol::TeamId;

/// Methods with a `team_id` that is "required if org token is used".
const METHODS: [&str; 31] = [
    "bots.info",
    "chat.scheduledMessages.list",
    "conversations.create",
    "conversations.list",
    "dnd.info",
    "dnd.teamInfo",
    "files.list",
    "migration.exchange",
    "reactions.list",
    "reminders.add",
    "reminders.complete",
    "reminders.delete",
    "reminders.info",
    "reminders.list",
    "search.all",
    "search.files",
    "search.messages",
    "stars.list",
    "team.accessLogs",
    "team.billableInfo",
    "team.integrationLogs",
    "team.profile.get",
    "usergroups.create",
    "usergroups.disable",
    "usergroups.enable",
    "usergroups.list",
    "usergroups.update",
    "usergroups.users.list",
    "usergroups.users.update",
    "users.conversations",
    "users.list",
];

/// Names the workspace in a call's arguments, if the method wants it and they do not say.
pub(super) fn name_team(method: &str, team: &TeamId, arguments: &mut Value) {
    if METHODS.binary_search(&method).is_err() {
        return;
    }
    if arguments.is_null() {
        *arguments = json!({});
    }
    if let Value::Object(fields) = arguments
        && fields.get("team_id").is_none_or(Value::is_null)
    {
        fields.insert("team_id".to_owned(), json!(team));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_methods_are_in_the_order_that_a_search_needs() {
        assert!(METHODS.is_sorted());
    }
}
