//! Installs over HTTP, as JSON: the consent page without a page, and what is installed where.
//! Invariant: but for the address a person is sent to, which holds the code, nothing shows a secret.

use axum::Router;
use axum::extract::State as Shared;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use bytes::Bytes;
use http::{StatusCode, Uri};
use serde::Deserialize;
use serde_json::json;

use crate::install::{AuthorizeProblem, Consent, Target};
use crate::routes::{Answer, ok, parse, refused};
use crate::simulator::{Refusal, Simulator};

/// `/sim/oauth/*`, `/sim/installs`, `/sim/teams`.
pub(crate) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/sim/oauth/authorize", get(authorize))
        .route("/sim/oauth/allow", post(allow))
        .route("/sim/oauth/deny", post(deny))
        .route("/sim/installs", get(installs))
        .route("/sim/teams", get(teams))
}

fn problem(problem: &AuthorizeProblem) -> Answer {
    let body = json!({"error": problem.name(), "message": problem.to_string()});
    Ok((StatusCode::BAD_REQUEST, axum::Json(body)).into_response())
}

/// What the app asks for with the query it sends people to `/oauth/v2/authorize` with.
async fn authorize(Shared(simulator): Shared<Simulator>, uri: Uri) -> Answer {
    match simulator.authorize(uri.query().unwrap_or_default()) {
        Ok(request) => ok(&json!(request)),
        Err(refusal) => problem(&refusal),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    /// The query of `/oauth/v2/authorize`.
    query: String,
    /// Id or name of the person who agrees.
    #[serde(rename = "as")]
    person: String,
    /// `T…`, or
    team: Option<String>,
    /// `E…`.
    enterprise: Option<String>,
    channel: Option<String>,
    #[serde(default)]
    without_state: bool,
}

async fn allow(Shared(simulator): Shared<Simulator>, body: Bytes) -> Answer {
    let asked: Allow = parse(&body)?;
    let target = match (asked.team, asked.enterprise) {
        (Some(team), None) => Target::Workspace(team),
        (None, Some(enterprise)) => Target::Organisation(enterprise),
        _ => return Err(refused(Refusal("allow wants a team or an enterprise".to_owned()))),
    };
    let consent = Consent { person: asked.person, target, channel: asked.channel, without_state: asked.without_state };
    ok(&json!({"redirect": simulator.allow(&asked.query, &consent).map_err(refused)?}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deny {
    query: String,
}

async fn deny(Shared(simulator): Shared<Simulator>, body: Bytes) -> Answer {
    let Deny { query } = parse(&body)?;
    match simulator.deny(&query) {
        Ok(redirect) => ok(&json!({"redirect": redirect})),
        Err(refusal) => problem(&refusal),
    }
}

async fn installs(Shared(simulator): Shared<Simulator>) -> Answer {
    ok(&json!({"installs": simulator.read(|state| state.installs())}))
}

async fn teams(Shared(simulator): Shared<Simulator>) -> Answer {
    ok(&simulator.read(|state| {
        let teams = state.teams().iter().map(|team| {
            let own = state.workspace().of_team(&team.id);
            json!({
                "id": team.id, "name": team.name, "domain": team.domain, "enterprise": team.enterprise,
                "is_installed": state.is_installed(&team.id), "people": own.people, "channels": own.channels,
            })
        });
        json!({"teams": teams.collect::<Vec<_>>(), "enterprises": state.workspace().organisations})
    }))
}
