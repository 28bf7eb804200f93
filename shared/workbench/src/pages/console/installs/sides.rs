//! The two sides of an install: what the simulated Slack has, and what the app stored in its table. They are read apart and put
//! beside each other by id, so that where they differ it is seen.
//! Invariant: of a row only what may be shown is read; its ciphertexts are never looked at.

use crate::pages::Workbench;
use crate::stack::Stack;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use tack_app::install::{Installation, Scopes};
use tack_simulator::InstallShown;

/// An install as both sides know it.
#[derive(Debug, Serialize)]
pub(super) struct Both {
    /// `T…` or `E…`.
    pub(super) id: String,
    /// The name of the workspace or organisation.
    pub(super) name: String,
    pub(super) standing: Standing,
    /// What Slack has, tokens masked.
    pub(super) slack: Option<InstallShown>,
    /// What the app stored, without tokens.
    pub(super) stored: Option<Stored>,
    /// Bot scopes the app asks for and does not have.
    pub(super) missing_scopes: Vec<String>,
}

/// How the two sides stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Standing {
    /// Slack and the app agree, and it works.
    Installed,
    /// This run stores nothing: the token is a setting.
    ByToken,
    /// Slack has it, and the app knows nothing of it.
    NotStored,
    /// The app has a token that Slack does not know.
    NotAtSlack,
    /// The token was taken back.
    Revoked,
    /// It is gone; the app keeps a note of it until it is purged.
    Uninstalled,
}

impl Standing {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::ByToken => "by_token",
            Self::NotStored => "not_stored",
            Self::NotAtSlack => "not_at_slack",
            Self::Revoked => "revoked",
            Self::Uninstalled => "uninstalled",
        }
    }

    /// In words, with a mark and a mood.
    pub(super) fn shown(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Installed => ("installed", "✓", "ok"),
            Self::ByToken => ("installed, by SLACK_BOT_TOKEN", "✓", "ok"),
            Self::NotStored => ("not stored by the app", "⚠", "warn"),
            Self::NotAtSlack => ("not at Slack", "✗", "bad"),
            Self::Revoked => ("token revoked", "✗", "bad"),
            Self::Uninstalled => ("uninstalled", "⊘", "plain"),
        }
    }
}

/// What the app stored.
#[derive(Debug, Default, Serialize)]
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) installed_at_ms: u64,
    /// `U…`.
    pub(super) installer: String,
    pub(super) scopes: Vec<String>,
    /// An encrypted token is there.
    pub(super) has_token: bool,
    /// Counts up with each token.
    pub(super) version: u64,
    pub(super) expires_at_ms: Option<u64>,
    /// A worker renews the token until then.
    pub(super) leased_until_ms: Option<u64>,
    pub(super) gone: Option<StoredGone>,
    /// Where its incoming webhook posts.
    pub(super) webhook_channel: Option<String>,
    pub(super) users: Vec<StoredUser>,
    /// Workspaces of the organisation, and whether the app was told that it may work there.
    pub(super) access: BTreeMap<String, bool>,
    /// When it was installed before, newest first.
    pub(super) former_ms: Vec<u64>,
}

/// A note of what is no more.
#[derive(Debug, Serialize)]
pub(super) struct StoredGone {
    pub(super) at_ms: u64,
    pub(super) why: String,
    pub(super) purge_at_ms: Option<u64>,
}

/// What was stored of one person.
#[derive(Debug, Serialize)]
pub(super) struct StoredUser {
    pub(super) user: String,
    pub(super) scopes: Vec<String>,
    pub(super) has_token: bool,
    pub(super) expires_at_ms: Option<u64>,
}

impl Both {
    pub(super) fn is_organisation(&self) -> bool {
        self.id.starts_with('E')
    }

    /// The bot scopes Slack granted; those that were stored, where Slack has none any more.
    pub(super) fn granted(&self) -> &[String] {
        let stored = self.stored.as_ref().map(|stored| stored.scopes.as_slice());
        self.slack.as_ref().map(|slack| slack.scopes.as_slice()).or(stored).unwrap_or_default()
    }

    /// When the bot's token expires, if it does.
    pub(super) fn expires_at_ms(&self) -> Option<u64> {
        self.slack.as_ref()?.expires_at_ms
    }
}

/// Every install that either side knows, by id.
pub(super) fn all(workbench: &Workbench) -> Vec<Both> {
    let mut slack: BTreeMap<String, InstallShown> = workbench
        .simulator
        .read(|state| state.installs())
        .into_iter()
        .map(|install| (install.id.clone(), install))
        .collect();
    let is_kept = workbench.stack.oauth.is_some();
    let mut stored = if is_kept {
        stored(&workbench.stack.aws.dynamodb().items(Stack::INSTALLATIONS_TABLE))
    } else {
        BTreeMap::new()
    };
    let wanted = Scopes::parse(workbench.stack.environment.get("SLACK_SCOPES").map(String::as_str).unwrap_or_default());
    let mut ids: Vec<String> = slack.keys().chain(stored.keys()).cloned().collect();
    ids.sort();
    ids.dedup();
    let both = ids.into_iter().map(|id| {
        let (slack, stored) = (slack.remove(&id), stored.remove(&id));
        let name = slack.as_ref().map(|slack| slack.name.clone()).or(stored.as_ref().map(|stored| stored.name.clone()));
        let standing = if is_kept { standing(slack.as_ref(), stored.as_ref()) } else { Standing::ByToken };
        let mut both = Both { name: name.unwrap_or_default(), id, standing, slack, stored, missing_scopes: Vec::new() };
        if standing != Standing::Uninstalled {
            let granted = Scopes::parse(&both.granted().join(","));
            both.missing_scopes = wanted.missing_in(&granted).iter().map(str::to_owned).collect();
        }
        both
    });
    both.collect()
}

fn standing(slack: Option<&InstallShown>, stored: Option<&Stored>) -> Standing {
    match (slack, stored) {
        (_, None) => Standing::NotStored,
        (Some(slack), Some(_)) if slack.bot_token.is_none() && !slack.scopes.is_empty() => Standing::Revoked,
        (Some(_), Some(stored)) if stored.gone.is_some() => Standing::NotStored,
        (Some(_), Some(_)) => Standing::Installed,
        (None, Some(stored)) if stored.gone.is_some() => Standing::Uninstalled,
        (None, Some(_)) => Standing::NotAtSlack,
    }
}

/// The rows of the table, by the id of what they are of. Their shape is that of the app's store in AWS.
fn stored(items: &[Value]) -> BTreeMap<String, Stored> {
    let text = |item: &Value, name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
    let number = |item: &Value, name: &str| item[name]["N"].as_str().and_then(|number| number.parse::<u64>().ok());
    let mut all: BTreeMap<String, Stored> = BTreeMap::new();
    for item in items {
        let (name, row) = (text(item, "pk"), text(item, "sk"));
        let Some((_, id)) = name.split_once('#') else { continue };
        let stored = all.entry(id.to_owned()).or_default();
        let has_token = item.get("ct").is_some();
        match row.split_once('#') {
            None if row == "BOT" => {
                let known = serde_json::from_str::<Installation>(&text(item, "doc")).ok();
                if let Some(known) = known {
                    stored.name = known.team_name.or(known.enterprise_name).unwrap_or_default();
                    stored.installer = known.installer.to_string();
                    stored.scopes = known.scopes.iter().map(str::to_owned).collect();
                    stored.webhook_channel = known.webhook.map(|webhook| webhook.channel);
                }
                stored.installed_at_ms = number(item, "ins").unwrap_or_default();
                stored.has_token = has_token;
                stored.version = number(item, "ver").unwrap_or_default();
                stored.expires_at_ms = number(item, "tex");
                stored.leased_until_ms = number(item, "ref_lea");
                stored.gone = number(item, "gone_at").map(|at_ms| StoredGone {
                    at_ms,
                    why: text(item, "gone_why"),
                    purge_at_ms: number(item, "purge_at"),
                });
            }
            Some(("USER", user)) => {
                let doc: Value = serde_json::from_str(&text(item, "doc")).unwrap_or_default();
                let scopes = serde_json::from_value::<Scopes>(doc["scopes"].clone()).unwrap_or_default();
                stored.users.push(StoredUser {
                    user: user.to_owned(),
                    scopes: scopes.iter().map(str::to_owned).collect(),
                    has_token,
                    expires_at_ms: number(item, "tex"),
                });
            }
            Some(("TEAM", team)) => {
                stored.access.insert(team.to_owned(), item["granted"]["BOOL"] == true);
            }
            Some(("H", _)) => stored.former_ms.extend(number(item, "ins")),
            _ => {}
        }
    }
    for stored in all.values_mut() {
        stored.former_ms.sort_unstable_by(|one, other| other.cmp(one));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(pk: &str, sk: &str, more: &Value) -> Value {
        let mut item = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
        for (name, value) in more.as_object().into_iter().flatten() {
            item[name] = value.clone();
        }
        item
    }

    /// A row as the table's description has it.
    fn bot(more: &Value) -> Value {
        let doc = json!({ "team": "T0GLOBEX1", "team_name": "Globex", "installer": "U0HANK001", "scopes": "chat:write,commands", "installed_at": 7 });
        let mut item = row(
            "T#T0GLOBEX1",
            "BOT",
            &json!({ "ins": { "N": "7" }, "doc": { "S": doc.to_string() }, "ct": { "B": "c2VjcmV0" }, "ver": { "N": "7000" } }),
        );
        for (name, value) in more.as_object().into_iter().flatten() {
            item[name] = value.clone();
        }
        item
    }

    #[test]
    fn rows_of_one_installation_are_put_together_and_no_ciphertext_is_among_them() {
        let items = [
            row("T#T0GLOBEX1", "H#0000000000005", &json!({ "ins": { "N": "5" } })),
            bot(&json!({ "tex": { "N": "43207" } })),
            row(
                "T#T0GLOBEX1",
                "USER#U0HANK001",
                &json!({ "doc": { "S": "{\"scopes\":\"search:read\"}" }, "ct": { "B": "c2VjcmV0" } }),
            ),
            row("E#E0HOOLI01", "TEAM#T0HOOLIX1", &json!({ "granted": { "BOOL": true } })),
            json!({ "pk": { "S": "odd" } }),
        ];
        let all = stored(&items);
        let globex = &all["T0GLOBEX1"];
        assert_eq!(
            (globex.name.as_str(), globex.installer.as_str(), globex.installed_at_ms),
            ("Globex", "U0HANK001", 7)
        );
        assert_eq!(globex.scopes, ["chat:write", "commands"]);
        assert!(globex.has_token && globex.expires_at_ms == Some(43_207) && globex.version == 7_000);
        assert_eq!((globex.users[0].user.as_str(), globex.users[0].scopes[0].as_str()), ("U0HANK001", "search:read"));
        assert_eq!(globex.former_ms, [5]);
        assert!(all["E0HOOLI01"].access["T0HOOLIX1"]);
        let json = serde_json::to_string(&all).unwrap();
        assert!(!json.contains("c2VjcmV0"), "{json}");
    }

    #[test]
    fn the_sides_are_told_apart() {
        let there = |more: Value| stored(&[bot(&more)]).remove("T0GLOBEX1").unwrap();
        let slack = |token: Option<&str>| InstallShown {
            id: "T0GLOBEX1".to_owned(),
            name: "Globex".to_owned(),
            is_enterprise_install: false,
            bot_user_id: String::new(),
            bot_id: String::new(),
            scopes: vec!["commands".to_owned()],
            bot_token: token.map(str::to_owned),
            expires_at_ms: None,
            installed_by: String::new(),
            installed_at_ms: 7,
            users: Vec::new(),
            teams: Vec::new(),
            incoming_webhook: None,
        };
        let (works, revoked) = (slack(Some("xoxb-…")), slack(None));
        let gone =
            there(json!({ "gone_at": { "N": "9" }, "gone_why": { "S": "uninstalled" }, "purge_at": { "N": "10" } }));
        assert_eq!(gone.gone.as_ref().unwrap().purge_at_ms, Some(10));
        assert_eq!(standing(Some(&works), Some(&there(json!({})))), Standing::Installed);
        assert_eq!(standing(Some(&revoked), Some(&there(json!({})))), Standing::Revoked);
        assert_eq!(standing(Some(&works), None), Standing::NotStored);
        assert_eq!(standing(Some(&works), Some(&gone)), Standing::NotStored);
        assert_eq!(standing(None, Some(&gone)), Standing::Uninstalled);
        assert_eq!(standing(None, Some(&there(json!({})))), Standing::NotAtSlack);
    }
}
