//! Who and what there is in the simulated workspace: ids for names, and the app's own ids in place of the published ones.

use super::super::exit::Exit;
use super::super::failure::{Failure, Hint};
use super::super::nearest::nearest;
use serde_json::{Value, json};
use tack_simulator::{Config, Simulator};

/// The workspace, as `GET /sim/workspace` tells it.
pub(crate) struct Facts(Value);

/// A person.
pub(crate) struct Person<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
}

/// A conversation.
pub(crate) struct Channel<'a> {
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    /// `channel`, `group` or `im`.
    pub(crate) channel_type: &'a str,
}

impl Facts {
    /// Of a workbench that runs.
    pub(crate) fn of(workspace: Value) -> Self {
        Self(workspace)
    }

    /// Of the workspace that every workbench starts with.
    pub(crate) fn at_the_start() -> Self {
        let simulator = Simulator::new(Config::default());
        let config = simulator.config();
        simulator.read(|state| {
            let own = state.workspace().of_team(&config.team.id);
            Self(json!({
                "team": {"id": config.team.id},
                "app": {"id": config.app_id, "bot_id": config.bot_id, "bot_user_id": config.bot_user_id},
                "people": own.people,
                "channels": own.channels,
            }))
        })
    }

    /// The app's user.
    pub(crate) fn bot_user(&self) -> &str {
        self.0["app"]["bot_user_id"].as_str().unwrap_or_default()
    }

    fn named<'a>(&'a self, list: &str, given: &str) -> Result<&'a Value, Vec<&'a str>> {
        let all = self.0[list].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_meant = |it: &&Value| {
            let name = it["name"].as_str().unwrap_or_default();
            it["id"] == given || name.eq_ignore_ascii_case(given)
        };
        all.iter().find(is_meant).ok_or_else(|| all.iter().filter_map(|it| it["name"].as_str()).collect())
    }

    /// The person with this id or name.
    ///
    /// # Errors
    /// If there is none; the names there are come along.
    pub(crate) fn person(&self, given: &str) -> Result<Person<'_>, Failure> {
        let found = self.named("people", given.trim_start_matches('@'));
        let person = found.map_err(|names| nobody("person", given, &names, "--as"))?;
        let text = |field: &str| person[field].as_str().unwrap_or_default();
        Ok(Person { id: text("id"), name: text("name") })
    }

    /// The conversation with this id or name, or a person's direct messages with the app.
    ///
    /// # Errors
    /// If there is none; the names there are come along.
    pub(crate) fn channel(&self, given: &str) -> Result<Channel<'_>, Failure> {
        let given = given.trim_start_matches('#');
        let found = match self.named("channels", given) {
            Ok(channel) => Ok(channel),
            Err(names) => match self.person(given).map(|person| self.named("channels", person.id)) {
                Ok(Ok(direct)) => Ok(direct),
                _ => Err(nobody("channel", given, &names, "--in")),
            },
        };
        found.map(|channel| Channel {
            id: channel["id"].as_str().unwrap_or_default(),
            name: channel["name"].as_str().unwrap_or_default(),
            channel_type: channel["channel_type"].as_str().unwrap_or_default(),
        })
    }

    /// Puts the ids of this app and workspace where a published body has the usual ones.
    pub(crate) fn adopt(&self, payload: &mut Value) {
        let usual = Config::default();
        let own = |pointer: &str| self.0.pointer(pointer).and_then(Value::as_str);
        let pairs = [
            (usual.app_id.as_str(), own("/app/id")),
            (usual.bot_id.as_str(), own("/app/bot_id")),
            (usual.bot_user_id.as_str(), own("/app/bot_user_id")),
            (usual.team.id.as_str(), own("/team/id")),
        ];
        for (usual, own) in pairs {
            if let Some(own) = own.filter(|own| *own != usual) {
                replace(payload, usual, own);
            }
        }
    }
}

fn nobody(what: &str, given: &str, names: &[&str], flag: &str) -> Failure {
    // Direct messages are named by an id, which nobody types.
    let names: Vec<&str> = names.iter().filter(|name| !name.starts_with("U0")).copied().collect();
    let near = nearest(given, names.iter().copied()).or(names.first().copied()).unwrap_or("ada");
    let message = format!("there is no {what} {given:?} (there are: {})", names.join(", "));
    Failure::new(Exit::NotFound, "not_found", message, Hint::Command(format!("trigger message hi {flag} {near}")))
}

/// Every text that is or mentions `usual`.
fn replace(value: &mut Value, usual: &str, own: &str) {
    match value {
        Value::String(text) if text.contains(usual) => *text = text.replace(usual, own),
        Value::Array(list) => list.iter_mut().for_each(|item| replace(item, usual, own)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, usual, own)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_channels_are_found_by_name_or_id() {
        let facts = Facts::at_the_start();
        assert_eq!(facts.person("Ada").unwrap().id, "U0ADA0001");
        assert_eq!(facts.person("@grace").unwrap().id, "U0GRACE01");
        assert_eq!(facts.channel("#playground").unwrap().id, "C0PLAY001");
        assert_eq!(facts.channel("C0OPS0001").unwrap().channel_type, "group");
        let direct = facts.channel("ada").unwrap();
        assert_eq!((direct.id, direct.channel_type), ("D0ADA0001", "im"));
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones_and_suggests_the_nearest() {
        let facts = Facts::at_the_start();
        let failure = facts.person("garce").err().unwrap();
        assert_eq!(failure.exit, Exit::NotFound);
        assert!(failure.message.contains("ada, grace, linus"), "{}", failure.message);
        assert!(failure.hint().ends_with("--as grace"), "{}", failure.hint());
        let failure = facts.channel("#playgruond").err().unwrap();
        assert!(failure.hint().ends_with("--in playground"), "{}", failure.hint());
        assert!(!failure.message.contains("U0ADA0001"), "{}", failure.message);
    }

    #[test]
    fn another_app_id_takes_the_place_of_the_usual_one() {
        let facts =
            Facts::of(json!({"app": {"id": "A0MINE", "bot_user_id": "U0TACKBOT"}, "team": {"id": "T0ACME001"}}));
        let mut payload = json!({"api_app_id": "A0TACK001", "view": {"app_id": "A0TACK001"}, "text": "<@U0TACKBOT>"});
        facts.adopt(&mut payload);
        assert_eq!(payload, json!({"api_app_id": "A0MINE", "view": {"app_id": "A0MINE"}, "text": "<@U0TACKBOT>"}));
    }
}
