//! Installs the app into the simulated Slack's first workspace at the start, by the app's own pages: what a person does by
//! "Add to Slack", without the person. So "Ready" means that installing works too.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::time::Duration;
use tack_simulator::{Consent, Simulator};

/// How long one page may take.
const PAGE_LIMIT: Duration = Duration::from_secs(10);
const PAGE_BYTES_MAX: usize = 1024 * 1024;

/// Walks through the flow as this person agrees, and ends on the success page of the app at `app`.
///
/// # Errors
/// Which page did not do what it should, and what it said.
pub(crate) async fn install(simulator: &Simulator, app: &str, consent: &Consent) -> anyhow::Result<()> {
    let browser = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let began = get(&browser, &format!("{app}/slack/install?direct=1"), None).await?;
    let (Some(authorize), StatusCode::FOUND) = (&began.location, began.status) else {
        bail!("/slack/install answered {} and not a redirect to Slack: {}", began.status, began.text);
    };
    let query = authorize.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let back = simulator.allow(query, consent).map_err(|refusal| anyhow::anyhow!(refusal.0))?;
    let ended = get(&browser, &back, Some(&began.cookies)).await?;
    if ended.status.is_success() || ended.status.is_redirection() {
        return Ok(());
    }
    bail!("/slack/oauth_redirect answered {}: {}", ended.status, ended.text)
}

struct Page {
    status: StatusCode,
    location: Option<String>,
    /// As a browser sends them back.
    cookies: String,
    text: String,
}

async fn get(browser: &Client<HttpConnector, Full<Bytes>>, url: &str, cookies: Option<&str>) -> anyhow::Result<Page> {
    let mut request = Request::get(url);
    if let Some(cookies) = cookies {
        request = request.header(header::COOKIE, cookies);
    }
    let answer = async {
        let answer = browser.request(request.body(Full::default())?).await?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, PAGE_BYTES_MAX).collect().await.map_err(|error| anyhow::anyhow!(error))?;
        anyhow::Ok((head, body.to_bytes()))
    };
    let (head, body) = tokio::time::timeout(PAGE_LIMIT, answer).await.context("a page of the app took too long")??;
    let set = head.headers.get_all(header::SET_COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let cookies: Vec<&str> = set.filter_map(|cookie| cookie.split(';').next()).collect();
    Ok(Page {
        status: head.status,
        location: head.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned),
        cookies: cookies.join("; "),
        text: String::from_utf8_lossy(&body).chars().take(300).collect(),
    })
}
