//! HTTP: the Web API, response URLs, webhooks, and the machine interface `/sim/*` as JSON; installs are in `oauth_routes`.
//! Every route calls a method of [`Simulator`] that tests can call too. Invariant: reading never changes state; nothing shows a token.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State as Shared};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, StatusCode, Uri, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::convert::Infallible;
use tokio_stream::wrappers::BroadcastStream;

use crate::act::Act;
use crate::delivery::Delivery;
use crate::faults::Faults;
use crate::guard;
use crate::history::HISTORY;
use crate::oauth_routes;
use crate::prepare::DeliveryRequest;
use crate::replay::ReplayMode;
use crate::simulator::{Refusal, Simulator};
use crate::state::messages_readable;
use crate::web_api;

/// Deliveries in one answer unless the reader says how many.
const NEWEST: usize = 200;

/// Largest body taken, so that tests can send what the app must refuse.
const BODY_BYTES: usize = 16 * 1024 * 1024;

pub(crate) type Answer = Result<Response, (StatusCode, String)>;

impl Simulator {
    /// The routes `/api/{method}`, `/response/{id}`, `/services/…` and `/sim/*`, guarded against foreign pages.
    pub fn router(&self) -> Router {
        let config = self.config();
        Router::new()
            .route("/api/{method}", any(api))
            .route("/response/{id}", post(response_url))
            .route("/services/{team}/{bot}/{secret}", post(incoming_webhook))
            .merge(oauth_routes::routes())
            .route("/sim/deliveries", get(deliveries).post(deliver))
            .route("/sim/deliveries/{id}", get(delivery))
            .route("/sim/deliveries/{id}/replay", post(replay))
            .route("/sim/calls", get(calls))
            .route("/sim/faults", get(faults).put(set_faults))
            .route("/sim/faults/struck", get(faults_struck))
            .route("/sim/act", post(act))
            .route("/sim/reset", post(reset))
            .route("/sim/stream", get(stream))
            .route("/sim/workspace", get(workspace))
            .route("/sim/views", get(views))
            .route("/sim/messages", get(messages))
            .layer(DefaultBodyLimit::max(BODY_BYTES))
            .layer(middleware::from_fn(move |request: Request, next: Next| {
                let checked = guard::guard(request.method(), request.uri().path(), request.headers(), &config.base_url);
                async move {
                    match checked {
                        Ok(()) => next.run(request).await,
                        Err(sentence) => (StatusCode::FORBIDDEN, sentence).into_response(),
                    }
                }
            }))
            .with_state(self.clone())
    }
}

pub(crate) fn ok(body: &Value) -> Answer {
    // The newline is for those who read it in a terminal.
    Ok(([(header::CONTENT_TYPE, "application/json")], format!("{body}\n")).into_response())
}

pub(crate) fn refused(refusal: Refusal) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, refusal.0)
}

/// Reads JSON whatever the content type says: it is typed by hand into curl.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(|error| (StatusCode::BAD_REQUEST, format!("this body does not fit: {error}")))
}

async fn api(
    Shared(simulator): Shared<Simulator>,
    Path(method): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answer = web_api::serve(&simulator, &method, uri.query().unwrap_or_default(), &headers, &body).await;
    answer.into_response()
}

async fn response_url(
    Shared(simulator): Shared<Simulator>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    web_api::serve_response_url(&simulator, &id, &headers, &body).await.into_response()
}

async fn incoming_webhook(Shared(simulator): Shared<Simulator>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    web_api::serve_incoming_webhook(&simulator, uri.path(), &headers, &body).await.into_response()
}

/// `{"delivery": the first, "copies": the others}`.
fn delivered(deliveries: &[Delivery]) -> Answer {
    let mut shown = deliveries.iter().map(Delivery::readable);
    let first = shown.next().unwrap_or_default();
    ok(&json!({"delivery": first, "copies": shown.collect::<Vec<_>>()}))
}

async fn deliver(Shared(simulator): Shared<Simulator>, body: Bytes) -> Answer {
    let request: DeliveryRequest = parse(&body)?;
    delivered(&simulator.deliver(request).await.map_err(refused)?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    /// At most so many, the newest: up to [`HISTORY`], without it [`NEWEST`], for the text of all takes long to write.
    limit: Option<usize>,
    /// Only those after this delivery, or after this time in milliseconds since the Unix epoch.
    since: Option<String>,
}

/// The newest deliveries, oldest first: `{"deliveries": […]}`. Without `limit` at most 200 of them, with `limit` up to 2000.
async fn deliveries(Shared(simulator): Shared<Simulator>, Query(asked): Query<Which>) -> Answer {
    let limit = asked.limit.unwrap_or(NEWEST);
    if limit > HISTORY {
        return Err((StatusCode::BAD_REQUEST, format!("limit is at most {HISTORY}: no more are remembered")));
    }
    let mut list = simulator.read(|state| {
        let since = asked.since.as_deref();
        let is_after = |delivery: &&Delivery| match since.map(str::parse::<u64>) {
            None => true,
            Some(Ok(at_ms)) => delivery.at_ms > at_ms,
            Some(Err(_)) => since != Some(delivery.id.as_str()),
        };
        let newest = state.deliveries().rev().take_while(is_after).take(limit);
        newest.map(Delivery::readable).collect::<Vec<_>>()
    });
    list.reverse();
    ok(&json!({"deliveries": list}))
}

async fn delivery(Shared(simulator): Shared<Simulator>, Path(id): Path<String>) -> Answer {
    let found = simulator.read(|state| state.delivery(&id).map(Delivery::readable));
    let found = found.ok_or_else(|| (StatusCode::NOT_FOUND, format!("there is no delivery {id}")))?;
    ok(&json!({"delivery": found}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replay {
    mode: ReplayMode,
    /// Sent instead of the old body.
    body: Option<String>,
}

async fn replay(Shared(simulator): Shared<Simulator>, Path(id): Path<String>, body: Bytes) -> Answer {
    let Replay { mode, body } = parse(&body)?;
    let sent = match (mode, body) {
        (_, None) => simulator.replay(&id, mode).await,
        (ReplayMode::Redeliver, Some(_)) => Err(Refusal("a redelivery has the same body".to_owned())),
        (_, Some(text)) => match simulator.original(&id) {
            Ok(original) => simulator.replay_edited(original, &text, mode == ReplayMode::Rerun).await,
            Err(refusal) => Err(refusal),
        },
    };
    delivered(&sent.map_err(refused)?)
}

async fn calls(Shared(simulator): Shared<Simulator>) -> Answer {
    ok(&json!({"calls": simulator.calls()}))
}

async fn faults(Shared(simulator): Shared<Simulator>) -> Answer {
    ok(&simulator.read(|state| json!(state.faults())))
}

async fn faults_struck(Shared(simulator): Shared<Simulator>) -> Answer {
    ok(&simulator.read(|state| json!(state.faults_struck())))
}

async fn set_faults(Shared(simulator): Shared<Simulator>, body: Bytes) -> Answer {
    let faults: Faults = parse(&body)?;
    simulator.set_faults(faults.clone());
    ok(&json!(faults))
}

async fn act(Shared(simulator): Shared<Simulator>, body: Bytes) -> Answer {
    let act: Act = parse(&body)?;
    ok(&simulator.act(act).await.map_err(refused)?.readable())
}

async fn reset(Shared(simulator): Shared<Simulator>) -> Answer {
    simulator.reset();
    ok(&json!({"ok": true}))
}

/// The first workspace; all of them are at `/sim/teams`.
async fn workspace(Shared(simulator): Shared<Simulator>) -> Answer {
    let config = simulator.config();
    ok(&simulator.read(|state| {
        let own = state.workspace().of_team(&config.team.id);
        json!({
            "team": {"id": config.team.id, "name": config.team.name, "domain": config.team.domain},
            "app": {"id": config.app_id, "bot_id": config.bot_id, "bot_user_id": config.bot_user_id, "name": config.bot_name},
            "people": own.people,
            "channels": own.channels,
        })
    }))
}

#[derive(Deserialize)]
struct OfUser {
    user: String,
}

async fn views(Shared(simulator): Shared<Simulator>, Query(OfUser { user }): Query<OfUser>) -> Answer {
    let shown = simulator.read(|state| {
        let id = state.workspace().person(&user)?.id.clone();
        Some(state.views_readable(&id))
    });
    ok(&shown.ok_or_else(|| (StatusCode::NOT_FOUND, format!("there is no person {user}")))?)
}

#[derive(Deserialize)]
struct OfChannel {
    channel: String,
}

async fn messages(Shared(simulator): Shared<Simulator>, Query(OfChannel { channel }): Query<OfChannel>) -> Answer {
    let shown = simulator.read(|state| {
        state.workspace().channel(&channel)?;
        Some(json!(messages_readable(state.messages(&channel))))
    });
    ok(&shown.ok_or_else(|| (StatusCode::NOT_FOUND, format!("there is no channel {channel}")))?)
}

async fn stream(
    Shared(simulator): Shared<Simulator>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let resync = || Event::default().event("resync").data("{}");
    let events = BroadcastStream::new(simulator.subscribe()).map(move |event| match event {
        Ok(event) => Event::default().id(event.id.to_string()).event(event.name).data(event.data.to_string()),
        // The reader was too slow and missed some: it had better load everything anew.
        Err(_) => resync(),
    });
    // So had one who comes back after something happened.
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let is_behind = last.is_some_and(|last: u64| last != simulator.last_told());
    let first = futures_util::stream::iter(is_behind.then(resync));
    Sse::new(first.chain(events).map(Ok)).keep_alive(KeepAlive::default())
}
