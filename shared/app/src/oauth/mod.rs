//! Installing the app: from "Add to Slack" to a saved installation.
//!
//! ```text
//! install ─▶ page ─▶ install?direct=1 ─▶ state + cookie ─▶ Slack ─▶ oauth_redirect
//!   ─▶ state used up ─▶ code exchanged ─▶ tack.installed queued ─▶ installation saved ─▶ page, or Slack's workspace picker
//! ```
//!
//! `begin` is the way to Slack, `callback` the way back, `finish` what an exchange brought; `cookie` binds the two ways to one
//! browser, `problem` and `page` say what went wrong. No HTTP server and no AWS: a request comes in as text and cookies.
//! Invariant: nothing is exchanged unless a state that this browser began was used up by this very request, and no page or
//! header repeats what came in.
//! Sources: <https://docs.slack.dev/authentication/installing-with-oauth>, <https://www.rfc-editor.org/rfc/rfc9700>

mod begin;
mod callback;
mod cookie;
mod exchange;
mod finish;
mod outcome;
mod page;
mod problem;

pub(crate) use exchange::{ExchangeError, SlackOAuth};
pub use outcome::{InstallFailure, InstallPages, InstallSuccess};
pub use problem::InstallProblem;

use crate::client::HttpClient;
use crate::ingress::Arrival;
use crate::install::Scopes;
use crate::limits::Limits;
use crate::ports::{Clock, InstallationStore, Queue, Random, StateStore};
use crate::step::{Step, millis};
use http::Method;
use secrecy::SecretString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::AppId;
use tack_protocol::oauth::SlackSite;
use tokio::time::Instant;

/// API Gateway gives up after 30 s, and the person before that.
const EXCHANGE_MAX: Duration = Duration::from_secs(10);

/// Longer than any address that Slack makes.
const QUERY_BYTES_MAX: usize = 4096;

/// From either route to the way to Slack: relative, so it holds behind stages and base paths.
const START_AGAIN: &str = "install?direct=1";

/// What the flow works with.
pub struct OAuthParts {
    /// The app's client id.
    pub client_id: String,
    /// The app's client secret.
    pub client_secret: SecretString,
    /// Bot scopes to ask for.
    pub scopes: Scopes,
    /// User scopes to ask for.
    pub user_scopes: Scopes,
    /// Where Slack sends browsers back to, if the app has more than one such address. Sent as it is, in both steps.
    pub redirect_uri: Option<String>,
    /// The one app that is served, if that is to be checked.
    pub app_id: Option<AppId>,
    /// Where installations are kept.
    pub store: Rc<dyn InstallationStore>,
    /// Where states are kept.
    pub states: Rc<dyn StateStore>,
    /// Where the work goes that follows an installation.
    pub queue: Rc<dyn Queue>,
    /// Connections to Slack.
    pub http: HttpClient,
    /// Where Slack's Web API is.
    pub slack_api_url: String,
    /// The time.
    pub clock: Rc<dyn Clock>,
    /// Randomness; a secret one, since states are drawn from it.
    pub random: Rc<dyn Random>,
    /// The adopter's own pages.
    pub pages: InstallPages,
    /// Time limits.
    pub limits: Limits,
}

/// The flow's logic, the same in a Lambda and in a test.
pub struct OAuth {
    client_id: String,
    scopes: Scopes,
    user_scopes: Scopes,
    redirect_uri: Option<String>,
    app_id: Option<AppId>,
    store: Rc<dyn InstallationStore>,
    states: Rc<dyn StateStore>,
    queue: Rc<dyn Queue>,
    slack: SlackOAuth,
    site: SlackSite,
    clock: Rc<dyn Clock>,
    random: Rc<dyn Random>,
    pages: InstallPages,
}

/// The two routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthRoute {
    /// `/slack/install`
    Install,
    /// `/slack/oauth_redirect`
    Redirect,
}

/// What a browser sent.
#[derive(Clone)]
pub struct OAuthRequest {
    /// Which route it asked for.
    pub route: OAuthRoute,
    /// How.
    pub method: Method,
    /// The query as on the request line, without its `?`; it may hold a code.
    pub query: String,
    /// `Cookie` headers, or single cookies: `name=value`.
    pub cookies: Vec<String>,
    /// What the front door calls the request.
    pub arrival: Arrival,
}

/// What goes back to the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case; `set-cookie` may be there more than once.
    pub headers: Vec<(&'static str, String)>,
    /// HTML, or nothing.
    pub body: String,
}

/// A flow that ended here: why for the person, and in other words for the operator.
struct Failed {
    problem: InstallProblem,
    reason: Option<String>,
    hint: Option<String>,
    /// The adopter's word, so that the next try has it again.
    reference: Option<String>,
}

impl From<InstallProblem> for Failed {
    fn from(problem: InstallProblem) -> Self {
        Self { problem, reason: None, hint: None, reference: None }
    }
}

impl InstallProblem {
    /// With what the operator is to know of it.
    fn because(self, reason: impl ToString) -> Failed {
        Failed { reason: Some(reason.to_string()), ..self.into() }
    }
}

impl OAuth {
    /// The flow of one app.
    pub fn new(parts: OAuthParts) -> Self {
        let site = SlackSite::of(&parts.slack_api_url);
        let slack = SlackOAuth {
            http: Rc::new(parts.http),
            base_url: parts.slack_api_url.into(),
            client_id: parts.client_id.clone(),
            client_secret: parts.client_secret,
            timeout: EXCHANGE_MAX.min(Duration::from_millis(parts.limits.client_call_ms)),
        };
        Self {
            client_id: parts.client_id,
            scopes: parts.scopes,
            user_scopes: parts.user_scopes,
            redirect_uri: parts.redirect_uri,
            app_id: parts.app_id,
            store: parts.store,
            states: parts.states,
            queue: parts.queue,
            slack,
            site,
            clock: parts.clock,
            random: parts.random,
            pages: parts.pages,
        }
    }

    /// Answers a browser. Every answer is a page or leads to one, whatever came in.
    pub async fn answer(&self, request: OAuthRequest) -> OAuthAnswer {
        let started = Instant::now();
        let mut step = Step { request: request.arrival.request.clone(), ..Step::new("oauth") };
        let mut answer = self.route(&request, &mut step).await;
        if request.method == Method::HEAD {
            answer.body.clear();
        }
        step.status = Some(u64::from(answer.status));
        step.ms = Some(millis(started.elapsed()));
        step.emit();
        answer
    }

    async fn route(&self, request: &OAuthRequest, step: &mut Step) -> OAuthAnswer {
        let allowed = match (request.route, &request.method) {
            (_, &Method::GET) | (OAuthRoute::Install, &Method::HEAD) => None,
            (OAuthRoute::Install, _) => Some("GET, HEAD"),
            // A callback uses its state up, which HEAD must not do.
            (OAuthRoute::Redirect, _) => Some("GET"),
        };
        if let Some(allowed) = allowed {
            step.verdict = Some("method_not_allowed".to_owned());
            let mut answer = page::bare(405);
            answer.headers.push(("allow", allowed.to_owned()));
            return answer;
        }
        let answer = match (request.query.len() <= QUERY_BYTES_MAX, request.route) {
            (false, _) => Err(InstallProblem::Damaged.into()),
            (true, OAuthRoute::Install) => self.begin(request, step).await,
            (true, OAuthRoute::Redirect) => self.callback(request, step).await,
        };
        let mut answer = answer.unwrap_or_else(|failed| self.failed(failed, step));
        if request.route == OAuthRoute::Redirect && callback::ends_a_restart(request) {
            // The next installation from Slack's own pages may be restarted again.
            answer.headers.push(("set-cookie", cookie::forget_restarted()));
        }
        answer
    }

    fn failed(&self, failed: Failed, step: &mut Step) -> OAuthAnswer {
        step.verdict = Some(failed.problem.as_str().to_owned());
        step.reason = failed.reason;
        step.hint = failed.hint;
        let start_again = begin::start(failed.reference.as_deref());
        let failure = InstallFailure { problem: failed.problem, start_again };
        match own_page(self.pages.failure, &failure) {
            Some(body) => page::adopters(failed.problem.status(), body),
            None => page::failure(&failure),
        }
    }
}

/// The adopter's page, if there is one and it does not panic: by now the installation has happened, or has not.
fn own_page<T>(page: Option<fn(&T) -> String>, told: &T) -> Option<String> {
    let page = page?;
    let body = catch_unwind(AssertUnwindSafe(|| page(told)));
    if body.is_err() {
        tracing::error!("the app's own page panicked; Tack's is shown");
    }
    body.ok()
}
