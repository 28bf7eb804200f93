//! OAuth as Slack speaks it: where a browser is sent, what comes back with it, and what Slack's token answers say.
//!
//! Not here: states, cookies, calls. Answers are read tolerantly, for a code is spent by the call that is answered: what Slack
//! adds is passed over, and only what an installation cannot do without is asked for. Invariant: no token can be printed.
//! Sources: <https://docs.slack.dev/authentication/installing-with-oauth>,
//! <https://docs.slack.dev/reference/methods/oauth.v2.access>, <https://docs.slack.dev/authentication/using-token-rotation>

use crate::ids::{AppId, ChannelId, EnterpriseId, TeamId, UserId};
use secrecy::SecretString;
use serde_json::Value;
use std::fmt;

/// Slack's pages for people, beside a Web API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackSite {
    /// `https://slack.com`, no slash at the end.
    origin: String,
    /// `https://app.slack.com`, where organisations are managed.
    manage: String,
}

impl SlackSite {
    /// The site that belongs to a Web API: `https://slack.com/api/` to `https://slack.com`, `GovSlack` likewise; any other API
    /// has its pages at its own origin.
    pub fn of(slack_api_url: &str) -> Self {
        let host_at = slack_api_url.find("://").map_or(0, |at| at + 3);
        let host_end = slack_api_url[host_at..].find('/').map_or(slack_api_url.len(), |at| host_at + at);
        let (origin, host) = (&slack_api_url[..host_end], &slack_api_url[host_at..host_end]);
        let manage = match host {
            "slack.com" | "slack-gov.com" => format!("https://app.{host}"),
            _ => origin.to_owned(),
        };
        Self { origin: origin.to_owned(), manage }
    }

    /// Where a person is asked to allow the app. Empty scopes are left out.
    pub fn authorize(&self, request: &AuthorizeRequest<'_>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", request.client_id);
        for (name, value) in [("scope", request.scope), ("user_scope", request.user_scope)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        if let Some(redirect_uri) = request.redirect_uri {
            query.append_pair("redirect_uri", redirect_uri);
        }
        query.append_pair("state", request.state);
        format!("{}/oauth/v2/authorize?{}", self.origin, query.finish())
    }

    /// Opens Slack at the app's own place in a workspace.
    pub fn app(&self, app: &AppId, team: &TeamId) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("app", app.as_str()).append_pair("team", team.as_str());
        format!("{}/app_redirect?{}", self.origin, query.finish())
    }

    /// Where an organisation's admin chooses the workspaces that get an org-wide app: until then it is in none.
    pub fn workspace_picker(&self, enterprise: &EnterpriseId, app: &AppId) -> String {
        let segment = |id: &str| form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>();
        let (enterprise, app) = (segment(enterprise.as_str()), segment(app.as_str()));
        format!("{}/manage/{enterprise}/integrations/profile/{app}/workspaces/add", self.manage)
    }
}

/// What a person is asked to allow.
#[derive(Clone, Copy)]
pub struct AuthorizeRequest<'a> {
    /// The app's client id.
    pub client_id: &'a str,
    /// Bot scopes, with commas between.
    pub scope: &'a str,
    /// User scopes, with commas between.
    pub user_scope: &'a str,
    /// Where Slack sends the browser back to; the exchange must then name the same.
    pub redirect_uri: Option<&'a str>,
    /// What comes back with the browser.
    pub state: &'a str,
}

/// What came back with the browser. Nothing of it is believed yet.
pub enum OAuthCallback {
    /// The person agreed.
    Code {
        /// To be exchanged once, within ten minutes.
        code: SecretString,
        /// Ours, if it is; absent where Slack's own pages began the installation.
        state: Option<SecretString>,
    },
    /// They did not, or something was wrong with what was asked.
    Error {
        /// Slack's word, such as `access_denied`; `None` when it does not look like one.
        word: Option<String>,
        /// Ours, if it is.
        state: Option<SecretString>,
    },
    /// No code and no error: somebody opened the address by hand.
    Nothing {
        /// Ours, if it is.
        state: Option<SecretString>,
    },
    /// A parameter is there twice, which no OAuth answer may have (RFC 6749, section 3.1).
    Damaged,
}

impl OAuthCallback {
    /// Reads a query string, without its `?`. Parameters without a value count as absent (RFC 6749, section 3.1); others than
    /// `code`, `state` and `error` are passed over.
    pub fn parse(query: &str) -> Self {
        let (mut code, mut state, mut error) = (None, None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "code" => &mut code,
                "state" => &mut state,
                "error" => &mut error,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return Self::Damaged;
            }
        }
        let secret = |text: Option<String>| text.filter(|text| !text.is_empty()).map(SecretString::from);
        let state = secret(state);
        if let Some(word) = error.filter(|word| !word.is_empty()) {
            return Self::Error { word: is_error_word(&word).then_some(word), state };
        }
        match secret(code) {
            Some(code) => Self::Code { code, state },
            None => Self::Nothing { state },
        }
    }
}

/// Whether this looks like one of Slack's words for errors, so that it may be put into a log line.
pub fn is_error_word(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// A token as Slack hands it out.
#[derive(Clone)]
pub struct NewToken {
    /// The token itself.
    pub access: SecretString,
    /// What renews it, with token rotation.
    pub refresh: Option<SecretString>,
    /// For how many seconds it is good; `None` until it is revoked.
    pub expires_in: Option<u64>,
}

impl NewToken {
    /// Reads the answer to a refresh or to `oauth.v2.exchange`: the token is at the top, a person's too.
    pub fn read(answer: &Value) -> Option<Self> {
        let access = secret(answer, "access_token")?;
        Some(Self { access, refresh: secret(answer, "refresh_token"), expires_in: seconds(answer, "expires_in") })
    }
}

/// Not the token: how long it lives.
impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// The bot's side of a grant.
#[derive(Clone, Debug)]
pub struct GrantedBot {
    /// Its token.
    pub token: NewToken,
    /// The bot user.
    pub user: Option<UserId>,
    /// Granted scopes, with commas between.
    pub scope: String,
}

/// The side of the person who installed.
#[derive(Clone, Debug)]
pub struct GrantedUser {
    /// Who.
    pub id: UserId,
    /// Their token; none when no user scope was asked for.
    pub token: Option<NewToken>,
    /// Granted user scopes, with commas between.
    pub scope: String,
}

/// An incoming webhook.
#[derive(Clone, Debug)]
pub struct GrantedWebhook {
    /// Where to post: whoever has it may.
    pub url: SecretString,
    /// `#channel`.
    pub channel: String,
    /// The channel's id.
    pub channel_id: ChannelId,
    /// Where it may be changed.
    pub configuration_url: Option<String>,
}

/// What `oauth.v2.access` gives for a code.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The app it was granted to.
    pub app: Option<AppId>,
    /// The workspace; none when it is the whole organisation.
    pub team: Option<TeamId>,
    /// What the workspace is called.
    pub team_name: Option<String>,
    /// The organisation, on Enterprise Grid.
    pub enterprise: Option<EnterpriseId>,
    /// What the organisation is called.
    pub enterprise_name: Option<String>,
    /// The bot; none when only user scopes were granted.
    pub bot: Option<GrantedBot>,
    /// Who installed.
    pub user: GrantedUser,
    /// The incoming webhook, if that was granted.
    pub webhook: Option<GrantedWebhook>,
}

impl Granted {
    /// Reads an answer whose `ok` is true. `Err` names the first thing that an installation cannot do without.
    ///
    /// # Errors
    /// The name of what is missing.
    pub fn read(answer: &Value) -> Result<Self, &'static str> {
        let enterprise: Option<EnterpriseId> = id(answer, "/enterprise/id");
        let org_wide =
            answer.get("is_enterprise_install").and_then(Value::as_bool) == Some(true) && enterprise.is_some();
        let team: Option<TeamId> = if org_wide { None } else { id(answer, "/team/id") };
        if team.is_none() && enterprise.is_none() {
            return Err("team and enterprise");
        }
        let bot = NewToken::read(answer).map(|token| GrantedBot {
            token,
            user: id(answer, "/bot_user_id"),
            scope: text(answer, "/scope").unwrap_or_default(),
        });
        let person = answer.get("authed_user").unwrap_or(&Value::Null);
        let user = GrantedUser {
            id: id(person, "/id").ok_or("authed_user.id")?,
            token: NewToken::read(person),
            scope: text(person, "/scope").unwrap_or_default(),
        };
        if bot.is_none() && user.token.is_none() {
            return Err("access_token");
        }
        Ok(Self {
            app: id(answer, "/app_id"),
            team_name: team.as_ref().and_then(|_| text(answer, "/team/name")),
            team,
            enterprise,
            enterprise_name: text(answer, "/enterprise/name"),
            bot,
            user,
            webhook: webhook(answer),
        })
    }
}

fn webhook(answer: &Value) -> Option<GrantedWebhook> {
    let webhook = answer.get("incoming_webhook")?;
    Some(GrantedWebhook {
        url: secret(webhook, "url")?,
        channel: text(webhook, "/channel").unwrap_or_default(),
        channel_id: id(webhook, "/channel_id")?,
        configuration_url: text(webhook, "/configuration_url"),
    })
}

/// A text that is there and not empty.
fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn id<T: for<'a> From<&'a str>>(value: &Value, pointer: &str) -> Option<T> {
    text(value, pointer).map(|id| T::from(&id))
}

fn secret(value: &Value, name: &str) -> Option<SecretString> {
    value.get(name)?.as_str().filter(|text| !text.is_empty()).map(SecretString::from)
}

/// A number of seconds, also where it is written as a text.
fn seconds(value: &Value, name: &str) -> Option<u64> {
    let value = value.get(name)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).filter(|seconds| *seconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use serde_json::json;

    fn request<'a>(user_scope: &'a str, redirect_uri: Option<&'a str>) -> AuthorizeRequest<'a> {
        AuthorizeRequest {
            client_id: "33336676.569200954261",
            scope: "chat:write,commands",
            user_scope,
            redirect_uri,
            state: "s",
        }
    }

    // The example in https://docs.slack.dev/authentication/installing-with-oauth, with a state.
    #[test]
    fn slacks_pages_are_where_its_api_is() {
        let (app, team, enterprise) = (AppId::from("A1"), TeamId::from("T1"), EnterpriseId::from("E1"));
        for (api, origin, manage) in [
            ("https://slack.com/api/", "https://slack.com", "https://app.slack.com"),
            ("https://slack-gov.com/api/", "https://slack-gov.com", "https://app.slack-gov.com"),
            ("http://localhost:4000/api/", "http://localhost:4000", "http://localhost:4000"),
            ("http://127.0.0.1:4000/", "http://127.0.0.1:4000", "http://127.0.0.1:4000"),
            ("https://slack.com", "https://slack.com", "https://app.slack.com"),
            ("https://evil-slack.com/api/", "https://evil-slack.com", "https://evil-slack.com"),
        ] {
            let site = SlackSite::of(api);
            let asked = "client_id=33336676.569200954261&scope=chat%3Awrite%2Ccommands&state=s";
            assert_eq!(site.authorize(&request("", None)), format!("{origin}/oauth/v2/authorize?{asked}"));
            assert_eq!(site.app(&app, &team), format!("{origin}/app_redirect?app=A1&team=T1"));
            let picker = format!("{manage}/manage/E1/integrations/profile/A1/workspaces/add");
            assert_eq!(site.workspace_picker(&enterprise, &app), picker);
        }
    }

    #[test]
    fn what_is_asked_for_is_percent_encoded() {
        let site = SlackSite::of("https://slack.com/api/");
        let url = site.authorize(&request("search:read", Some("https://app.example/cb?a=b&c=#")));
        assert!(
            url.ends_with(
                "&user_scope=search%3Aread&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fa%3Db%26c%3D%23&state=s"
            ),
            "{url}"
        );
        let odd = site.workspace_picker(&EnterpriseId::from("E1/../x?"), &AppId::from("A\"1"));
        assert_eq!(odd, "https://app.slack.com/manage/E1%2F..%2Fx%3F/integrations/profile/A%221/workspaces/add");
    }

    /// A callback in a word, with what was in it.
    fn read(query: &str) -> String {
        let of =
            |secret: Option<SecretString>| secret.map_or("-".to_owned(), |secret| secret.expose_secret().to_owned());
        match OAuthCallback::parse(query) {
            OAuthCallback::Code { code, state } => format!("code {} {}", code.expose_secret(), of(state)),
            OAuthCallback::Error { word, state } => format!("error {} {}", word.unwrap_or("-".to_owned()), of(state)),
            OAuthCallback::Nothing { state } => format!("nothing {}", of(state)),
            OAuthCallback::Damaged => "damaged".to_owned(),
        }
    }

    #[test]
    fn a_callback_is_read_by_the_rules_of_oauth() {
        for (query, expected) in [
            ("code=c.1&state=s", "code c.1 s"),
            ("code=c%2B1&state=", "code c+1 -"),
            ("state=s&code=c&scope=x&code_challenge=y", "code c s"),
            ("error=access_denied&state=s", "error access_denied s"),
            ("error=access_denied&code=c&state=s", "error access_denied s"),
            ("error=Access%20Denied", "error - -"),
            ("error=&code=c", "code c -"),
            ("state=s", "nothing s"),
            ("", "nothing -"),
            ("code=c&code=c", "damaged"),
            ("code=c&state=s&%73tate=s", "damaged"),
            ("error=&error=access_denied", "damaged"),
        ] {
            assert_eq!(read(query), expected, "{query}");
        }
        assert_eq!(read(&format!("error={}", "e".repeat(65))), "error - -");
    }

    // After the example in https://docs.slack.dev/reference/methods/oauth.v2.access
    fn granted() -> Value {
        json!({
            "ok": true, "access_token": "xoxb-1", "token_type": "bot", "scope": "commands,incoming-webhook",
            "bot_user_id": "U0KRQLJ9H", "app_id": "A0KRD7HC3",
            "team": { "name": "Slack Pickleball Team", "id": "T9TK3CUKW" },
            "enterprise": { "name": "slack-pickleball", "id": "E12345678" },
            "authed_user": { "id": "U1234", "scope": "chat:write", "access_token": "xoxp-1234", "token_type": "user" },
        })
    }

    #[test]
    fn slacks_own_example_is_read() {
        let granted = Granted::read(&granted()).unwrap();
        let (bot, user) = (granted.bot.unwrap(), granted.user);
        assert_eq!((bot.token.access.expose_secret(), bot.scope.as_str()), ("xoxb-1", "commands,incoming-webhook"));
        assert_eq!((granted.team, granted.enterprise), (Some("T9TK3CUKW".into()), Some("E12345678".into())));
        assert_eq!((user.id.as_str(), user.scope.as_str()), ("U1234", "chat:write"));
        assert_eq!(user.token.unwrap().access.expose_secret(), "xoxp-1234");
        assert!(granted.webhook.is_none() && bot.token.refresh.is_none());
    }

    #[test]
    fn an_org_wide_grant_has_no_workspace_even_if_one_is_named() {
        let mut answer = granted();
        answer["is_enterprise_install"] = json!(true);
        let granted = Granted::read(&answer).unwrap();
        assert_eq!((granted.team, granted.team_name), (None, None));
    }

    #[test]
    fn what_an_installation_cannot_do_without_is_named() {
        for (missing, changes) in [
            ("team and enterprise", json!({ "team": null, "enterprise": null })),
            ("team and enterprise", json!({ "team": "T1", "enterprise": {} })),
            ("authed_user.id", json!({ "authed_user": {} })),
            ("access_token", json!({ "access_token": "", "authed_user": { "id": "U1" } })),
        ] {
            let mut answer = granted();
            for (name, value) in changes.as_object().unwrap() {
                answer[name] = value.clone();
            }
            assert_eq!(Granted::read(&answer).err(), Some(missing), "{changes}");
        }
        assert!(Granted::read(&json!(null)).is_err() && Granted::read(&json!([])).is_err());
    }

    // https://docs.slack.dev/authentication/using-token-rotation
    #[test]
    fn a_renewed_token_is_at_the_top_of_the_answer() {
        let answer =
            json!({ "ok": true, "access_token": "xoxe.xoxp-1", "expires_in": 43200, "refresh_token": "xoxe-1-a" });
        let token = NewToken::read(&answer).unwrap();
        assert_eq!((token.access.expose_secret(), token.expires_in), ("xoxe.xoxp-1", Some(43200)));
        assert_eq!(token.refresh.unwrap().expose_secret(), "xoxe-1-a");
        assert_eq!(
            NewToken::read(&json!({ "access_token": "x", "expires_in": "43200" })).unwrap().expires_in,
            Some(43200)
        );
        assert!(NewToken::read(&json!({ "ok": true })).is_none());
    }

    #[test]
    fn no_token_can_be_printed() {
        let mut answer = granted();
        answer["refresh_token"] = json!("xoxe-1-a");
        answer["incoming_webhook"] = json!({ "url": "https://hooks.slack.com/services/x", "channel_id": "C1" });
        let printed = format!("{:?}", Granted::read(&answer).unwrap());
        assert!(!printed.contains("xox") && !printed.contains("hooks.slack.com"), "{printed}");
    }
}
