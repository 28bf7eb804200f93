//! How Slack sends a browser back to the app: as agreed, or in one of the ways that go wrong in life. The app's own pages answer
//! each; nothing of the app is changed or left out for it.
//! Invariant: a way is chosen by the person in front of the page, never by the address of the page.

use crate::pages::Workbench;
use crate::stack::Stack;
use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use std::time::Duration;
use tack_local_aws::Clock;

/// How long the app's page may take that another browser asks for.
const PAGE_LIMIT: Duration = Duration::from_secs(10);
/// A code as Slack makes them, which Slack does not know.
const STALE_CODE: &str = "1234567890.1234567890.used-before";
/// What the names of states begin with, in the table they share with the records of jobs.
const STATES: &str = "S#";

/// A way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pages) enum WayBack {
    /// With the code, and the state that the app gave.
    Agreed,
    /// With an error instead of a code: the person says no.
    Denied,
    /// Without the state.
    WithoutState,
    /// With a code that Slack does not take any more.
    UsedCode,
    /// After the state's ten minutes.
    ExpiredState,
    /// With a state that was given to another browser.
    OtherBrowser,
}

impl WayBack {
    pub(in crate::pages) const ALL: [Self; 6] =
        [Self::Agreed, Self::Denied, Self::WithoutState, Self::UsedCode, Self::ExpiredState, Self::OtherBrowser];

    pub(in crate::pages) fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.word() == word)
    }

    /// Its name in forms and addresses.
    pub(in crate::pages) fn word(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Denied => "denied",
            Self::WithoutState => "without_state",
            Self::UsedCode => "used_code",
            Self::ExpiredState => "expired_state",
            Self::OtherBrowser => "other_browser",
        }
    }

    /// What it is, in words.
    pub(in crate::pages) fn title(self) -> &'static str {
        match self {
            Self::Agreed => "As agreed",
            Self::Denied => "You say no",
            Self::WithoutState => "Without state, as from the Marketplace or an admin page",
            Self::UsedCode => "With a code that was used before",
            Self::ExpiredState => "After the state has expired",
            Self::OtherBrowser => "With the state of another browser",
        }
    }

    /// What the app is to do then.
    pub(in crate::pages) fn promise(self) -> &'static str {
        match self {
            Self::Agreed => "The app exchanges the code for its tokens and stores them.",
            Self::Denied => "Nothing is installed, and the app says so.",
            Self::WithoutState => "The app does not exchange the code. It sends you back here once, with a state.",
            Self::UsedCode => "Slack refuses the exchange, and nothing is stored.",
            Self::ExpiredState => "The app does not exchange the code: a state is good for ten minutes.",
            Self::OtherBrowser => "The app does not exchange the code: somebody else began.",
        }
    }

    /// `url`, on which Slack would send the browser back, gone wrong this way.
    ///
    /// # Errors
    /// When the app or the embedded AWS cannot be asked for what this way needs.
    pub(super) async fn go_wrong(self, workbench: &Workbench, url: String) -> anyhow::Result<String> {
        match self {
            Self::Agreed | Self::Denied | Self::WithoutState => Ok(url),
            Self::UsedCode => Ok(replaced(&url, "code", STALE_CODE)),
            Self::ExpiredState => expire_states(workbench).await.map(|()| url),
            Self::OtherBrowser => Ok(replaced(&url, "state", &foreign_state(workbench).await?)),
        }
    }
}

/// `url` with another value for this field of its query.
fn replaced(url: &str, field: &str, value: &str) -> String {
    let Some((address, query)) = url.split_once('?') else { return url.to_owned() };
    let mut fields = form_urlencoded::Serializer::new(String::new());
    for (name, known) in form_urlencoded::parse(query.as_bytes()) {
        let value = if name == field { value } else { known.as_ref() };
        fields.append_pair(&name, value);
    }
    format!("{address}?{}", fields.finish())
}

/// Ends the ten minutes of every state that is out. They are kept by their hashes, so that one cannot be told from another.
async fn expire_states(workbench: &Workbench) -> anyhow::Result<()> {
    let over = (Clock::system().now_ms() / 1_000).saturating_sub(1);
    for item in workbench.stack.aws.dynamodb().items(Stack::STATE_TABLE) {
        if item["pk"]["S"].as_str().is_some_and(|name| name.starts_with(STATES)) {
            workbench.stack.set_number(Stack::STATE_TABLE, &json!({ "pk": item["pk"] }), "exp", over).await?;
        }
    }
    Ok(())
}

/// A state that the app gave to a browser which is not this one.
async fn foreign_state(workbench: &Workbench) -> anyhow::Result<String> {
    let browser: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let address = format!("{}/slack/install?direct=1", workbench.addresses.app);
    let answer = browser.request(Request::get(&address).body(Full::default())?);
    let answer = tokio::time::timeout(PAGE_LIMIT, answer).await.context("/slack/install took too long")??;
    anyhow::ensure!(answer.status() == StatusCode::FOUND, "/slack/install answered {}", answer.status());
    let location = answer.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    let query = location.and_then(|location| location.split_once('?')).map(|(_, query)| query).unwrap_or_default();
    let state = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "state");
    state.map(|(_, value)| value.into_owned()).context("/slack/install gave no state")
}

impl Stack {
    /// Sets a number of an item that exists, as nobody else does: so time passes for the app.
    ///
    /// # Errors
    /// DynamoDB's answer, if the item is not there or was not changed.
    pub(in crate::pages) async fn set_number(
        &self,
        table: &str,
        key: &Value,
        attribute: &str,
        number: u64,
    ) -> anyhow::Result<()> {
        let update = json!({
            "TableName": table,
            "Key": key,
            "UpdateExpression": "SET #attribute = :number",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeNames": { "#attribute": attribute },
            "ExpressionAttributeValues": { ":number": { "N": number.to_string() } },
        });
        let request = Request::post("/")
            .header("x-amz-target", "DynamoDB_20120810.UpdateItem")
            // The embedded AWS wants to know who calls, and believes it.
            .header(header::AUTHORIZATION, "AWS4-HMAC-SHA256 Credential=AKIALOCALWORKBENCH/-/-/dynamodb/aws4_request")
            .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
            .body(Bytes::from(update.to_string()))?;
        let answer = self.aws.handle(request).await;
        let words = String::from_utf8_lossy(answer.body());
        anyhow::ensure!(answer.status() == StatusCode::OK, "the table {table} was not changed: {words}");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_of_the_way_back_is_replaced_and_the_others_stay() {
        let url = "http://127.0.0.1:3000/slack/oauth_redirect?code=1.2&state=a%2Bb";
        assert_eq!(replaced(url, "code", "x y"), "http://127.0.0.1:3000/slack/oauth_redirect?code=x+y&state=a%2Bb");
        assert_eq!(replaced("http://127.0.0.1/", "code", "x"), "http://127.0.0.1/");
    }

    #[test]
    fn every_way_is_found_by_its_word() {
        for way in WayBack::ALL {
            assert_eq!(WayBack::named(way.word()), Some(way));
        }
        assert_eq!(WayBack::named("<script>"), None);
    }
}
