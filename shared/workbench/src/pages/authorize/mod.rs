//! Slack's own pages around an installation, simulated: the one on which a person agrees, the one that opens an app in a
//! workspace, and the one on which an organisation's admin chooses workspaces. The app's pages send people here.
//! What may be agreed to, and by whom, is the simulator's to say. Invariant: the page says whose it is, what is asked wrongly is
//! told here and sends nobody anywhere, and only a form of ours agrees.
//! Sources: <https://docs.slack.dev/authentication/installing-with-oauth/>, <https://docs.slack.dev/interactivity/deep-linking/>

mod organisation;
mod page;
mod scopes;
mod way_back;

pub(super) use organisation::workspaces;
pub(super) use way_back::WayBack;

use super::Workbench;
use super::answer::{html as answer, see};
use super::form::Fields;
use super::frame::bare;
use super::guard;
use super::person::{Viewer, remember};
use axum::Router;
use axum::extract::{RawQuery, State as Shared};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use maud::html;
use page::Question;
use tack_local_aws::Clock;
use tack_simulator::{AuthorizeProblem, Consent, State, Target};

/// Remembers which way a person wants to try, from the console to this page and no further.
const WAY_COOKIE: &str = "tack_way_back";
const PATH: &str = "/oauth/v2/authorize";

pub(super) fn routes() -> Router<Workbench> {
    Router::new()
        .route(PATH, get(show).post(decide))
        .route("/app_redirect", get(open_app))
        .route("/manage/{enterprise}/integrations/profile/{app}/workspaces/add", get(organisation::show))
}

/// Makes the consent page propose `way` to this browser; `None` ends that.
pub(super) fn propose(response: &mut Response, way: Option<WayBack>) {
    let (word, life) = way.map_or(("", 0), |way| (way.word(), 600));
    let cookie = format!("{WAY_COOKIE}={word}; Path={PATH}; SameSite=Lax; HttpOnly; Max-Age={life}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

fn proposed(headers: &HeaderMap) -> Option<WayBack> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    WayBack::named(pairs.find(|(name, _)| *name == WAY_COOKIE)?.1)
}

/// `GET /oauth/v2/authorize`.
async fn show(
    Shared(workbench): Shared<Workbench>,
    viewer: Viewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    let request = match workbench.simulator.authorize(&query) {
        Ok(request) => request,
        Err(problem) => return asked_wrongly(&problem),
    };
    let named = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "as").map(|(_, id)| id.into_owned());
    let way = proposed(&headers).unwrap_or(WayBack::Agreed);
    let app = &workbench.simulator.config().bot_name;
    let page = workbench.simulator.read(|state| {
        let person = in_front(state, &viewer, named.as_deref(), request.team.as_deref());
        Question { state, app, request: &request, query: &query, person: &person, way, refusal: None }.page()
    });
    with_way_back(answer(StatusCode::OK, page), &request.redirect_uri)
}

/// Who is asked: whoever was chosen on this page; else the one who sits here, if the workspace that the app would like is
/// theirs; else an admin there.
fn in_front(state: &State, viewer: &Viewer, named: Option<&str>, wanted: Option<&str>) -> String {
    let (people, me) = (&state.workspace().people, viewer.id(state));
    if let Some(person) = people.iter().find(|person| Some(person.id.as_str()) == named) {
        return person.id.clone();
    }
    let Some(wanted) = wanted else { return me };
    let is_there =
        |team: &str| team == wanted || state.workspace().organisation_of(team).is_some_and(|own| own.id == wanted);
    if is_there(&viewer.team(state)) {
        return me;
    }
    let there = || people.iter().filter(|person| is_there(&person.team));
    there().find(|person| person.is_admin).or_else(|| there().next()).map_or(me, |person| person.id.clone())
}

/// `POST /oauth/v2/authorize`: a person agrees or says no, and goes back to the app.
async fn decide(Shared(workbench): Shared<Workbench>, viewer: Viewer, fields: Fields) -> Response {
    let query = fields.text("query");
    let request = match workbench.simulator.authorize(&query) {
        Ok(request) => request,
        Err(problem) => return asked_wrongly(&problem),
    };
    let chosen = WayBack::named(&fields.text("way")).unwrap_or(WayBack::Agreed);
    let way = if fields.get("answer") == Some("allow") { chosen } else { WayBack::Denied };
    let person = workbench.simulator.read(|state| in_front(state, &viewer, fields.get("as"), None));
    let (name, place) = workbench.simulator.read(|state| {
        let known = state.workspace().person(&person).map(|known| known.real_name.clone()).unwrap_or_default();
        (known, page::place_name(state, &fields.text("target")))
    });
    let decided = |verdict: &str, what: String| workbench.flows.decided(verdict, what, Clock::system().now_ms());
    if way == WayBack::Denied {
        decided("cancelled", name);
        workbench.topics.changed("installs");
        return match workbench.simulator.deny(&query) {
            Ok(back) => on_the_way(&back),
            Err(problem) => asked_wrongly(&problem),
        };
    }
    let consent = Consent {
        channel: fields.get("channel").map(str::to_owned),
        without_state: way == WayBack::WithoutState,
        ..Consent::new(&person, target(&fields.text("target")))
    };
    let back = match workbench.simulator.allow(&query, &consent) {
        Ok(back) => way.go_wrong(&workbench, back).await.map_err(|error| error.to_string()),
        Err(refusal) => Err(refusal.0),
    };
    match back {
        Ok(back) => {
            let how = if way == WayBack::Agreed { String::new() } else { format!(" · {}", way.title()) };
            decided("allowed", format!("{name}: {place}{how}"));
            workbench.topics.changed("installs");
            on_the_way(&back)
        }
        Err(sentence) => {
            let (app, refusal) = (&workbench.simulator.config().bot_name, Some(sentence.as_str()));
            let page = workbench.simulator.read(|state| {
                Question { state, app, request: &request, query: &query, person: &person, way: chosen, refusal }.page()
            });
            with_way_back(answer(StatusCode::FORBIDDEN, page), &request.redirect_uri)
        }
    }
}

fn target(id: &str) -> Target {
    if id.starts_with('E') { Target::Organisation(id.to_owned()) } else { Target::Workspace(id.to_owned()) }
}

/// Back to the app. What was tried is over.
fn on_the_way(back: &str) -> Response {
    let mut response = see(back);
    propose(&mut response, None);
    response
}

/// Lets the form of this page end where it has to.
fn with_way_back(mut response: Response, redirect_uri: &str) -> Response {
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, guard::policy_for_forms_to(redirect_uri));
    response
}

/// What Slack shows instead of its page. Nobody is sent to an address that cannot be trusted.
fn asked_wrongly(problem: &AuthorizeProblem) -> Response {
    let advice = match problem {
        AuthorizeProblem::InvalidClientId => "No app has this client id. Set SLACK_CLIENT_ID to that of the app.",
        AuthorizeProblem::BadRedirectUri => {
            "SLACK_REDIRECT_URI must be one of the Redirect URLs in the app's settings, or lie below one."
        }
        AuthorizeProblem::InvalidScope(_) => {
            "This is not how a scope is written. See SLACK_SCOPES and SLACK_USER_SCOPES."
        }
        AuthorizeProblem::NoScopes => "The app asks for nothing. Set SLACK_SCOPES or SLACK_USER_SCOPES.",
    };
    let body = html! {
        p data-testid="consent-problem" role="alert" { strong { (problem.to_string()) } " (" code { (problem.name()) } ")" }
        p { (advice) }
        p.muted { "This is the simulated Slack. Nothing was installed, and nobody was sent back to the app." }
        p { a href="/console/installs" { "Installs" } }
    };
    answer(StatusCode::BAD_REQUEST, bare("Slack cannot ask for this", body))
}

/// `/app_redirect?app=A…&team=T…`: Slack, at one's messages with the app. Who is not of that workspace becomes someone who is.
async fn open_app(Shared(workbench): Shared<Workbench>, viewer: Viewer, RawQuery(query): RawQuery) -> Response {
    let query = query.unwrap_or_default();
    let team = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "team").map(|(_, id)| id.into_owned());
    let person = workbench.simulator.read(|state| {
        let team = team.as_deref().filter(|team| state.workspace().team(team).is_some());
        in_front(state, &viewer, None, team)
    });
    let mut response = see("/app/messages");
    remember(&mut response, &person);
    response
}
