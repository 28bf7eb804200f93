//! Who sits in front of the page. The browser remembers it in a cookie, so two browsers can be two people.

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use maud::{Markup, html};
use std::convert::Infallible;
use tack_simulator::State;

/// The cookie's name.
const COOKIE: &str = "tack_as";

/// Who the browser says it is: an id or a name, not looked up yet.
pub(super) struct Viewer(Option<String>);

impl Viewer {
    fn of(headers: &HeaderMap) -> Self {
        let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
        Self(pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned()))
    }

    /// The id of that person; of the workspace's first one otherwise.
    pub(super) fn id(&self, state: &State) -> String {
        let workspace = state.workspace();
        let named = self.0.as_deref().and_then(|name| workspace.person(name));
        named.or_else(|| workspace.people.first()).map(|person| person.id.clone()).unwrap_or_default()
    }
}

impl Viewer {
    /// The id of that person's workspace.
    pub(super) fn team(&self, state: &State) -> String {
        state.workspace().person(&self.id(state)).map(|person| person.team.clone()).unwrap_or_default()
    }
}

/// From now on this browser is this person (an id). `Lax`, since the app's own pages lead here, and who comes from there is to
/// stay who they are; writes are refused by where they come from.
pub(super) fn remember(response: &mut Response, person: &str) {
    let cookie = format!("{COOKIE}={person}; Path=/; SameSite=Lax; HttpOnly; Max-Age=31536000");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// Everybody, by workspace, as the options of a `select`.
pub(super) fn people_options(state: &State, chosen: &str) -> Markup {
    let people = &state.workspace().people;
    html! {
        @for team in state.teams() {
            optgroup label=(team.name) {
                @for person in people.iter().filter(|person| person.team == team.id) {
                    option value=(person.id) selected[person.id == chosen] { (person.real_name) }
                }
            }
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}
