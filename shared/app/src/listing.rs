//! What an app registered, as data: for a page, a command, a test that compares it with a manifest.
//!
//! Built from the same registration that runs. Places are kept in the lazy phase alone, so the ingress holds none.

use crate::app::{App, LazyPhase, Phase, Place, Route, SlackApp};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// One listener, or one job of the app's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The method that registered it: `command`, `event`, `message`, `action`, `shortcut`, `message_shortcut`, `view`,
    /// `view_closed`, `options`, `function`, `job`, `installed`, `uninstalled` or `purge`.
    pub kind: String,
    /// What it takes: `/order`, `app_home_opened`, `regex ^hi`, `approve in block order`; of a job its name.
    pub pattern: String,
    /// Whether it has an ack of its own; otherwise Slack gets an empty 200.
    pub acks: bool,
    /// The jobs that it starts, in order.
    pub jobs: Vec<String>,
    /// File and line of the registration, from the crate's folder on: `src/lib.rs:31`. Absent in the ack phase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// Everything that an app registers, in that order, the app's own jobs last.
///
/// # Errors
/// All problems of the registration, such as two jobs of one name.
pub fn listing<A: SlackApp>() -> Result<Vec<Listed>, Vec<String>> {
    App::<LazyPhase, A::Resources, A::AckResources>::build(A::register).map(|app| app.listing())
}

impl<P: Phase, R: 'static, K: 'static> App<P, R, K> {
    /// Everything that is registered, in that order, the app's own jobs last. Without places in the ack phase.
    pub fn listing(&self) -> Vec<Listed> {
        let listener = |route: &Route<K>| Listed {
            kind: route.name.to_owned(),
            pattern: route.pattern.to_string(),
            acks: route.answers,
            jobs: route.jobs.iter().map(|job| (*job).to_owned()).collect(),
            place: route.place.map(shown),
        };
        let job = |(name, place): &(&'static str, Option<Place>)| Listed {
            kind: "job".to_owned(),
            pattern: (*name).to_owned(),
            acks: false,
            jobs: vec![(*name).to_owned()],
            place: place.map(shown),
        };
        let hook = |(method, name, place): &(&'static str, &'static str, Option<Place>)| Listed {
            kind: (*method).to_owned(),
            ..job(&(*name, *place))
        };
        let own = self.own_jobs.iter().map(job).chain(self.hooks.iter().map(hook));
        self.routes.iter().map(listener).chain(own).collect()
    }
}

/// Of listeners of which only the first match runs: those that never will, since an earlier one takes all that they take.
pub(crate) fn unreachable<P: Phase, K>(routes: &[Route<K>]) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, route) in routes.iter().enumerate().filter(|(_, route)| !route.every_match) {
        let covers = |earlier: &&Route<K>| {
            earlier.name == route.name && earlier.constraints.is_empty() && earlier.pattern.covers(&route.pattern)
        };
        let Some(first) = routes[..index].iter().find(covers) else { continue };
        let mut problem = format!("two listeners for {} {}", route.name, route.pattern);
        if P::LAZY
            && let (Some(one), Some(two)) = (first.place, route.place)
        {
            let _ = write!(problem, ", at {} and {}", shown(one), shown(two));
        }
        problem.push_str(": only the first would ever run; remove one, or tell the first apart with .when");
        problems.push(problem);
    }
    problems
}

/// A place as one finds it: from the workspace's folder. Of a crate outside the workspace cargo names the whole path, of which the
/// machine's part is left out.
fn shown(place: Place) -> String {
    let file = place.file().replace('\\', "/");
    let is_whole = file.starts_with('/') || file.as_bytes().get(1) == Some(&b':');
    let from = if is_whole { file.rfind("/src/").map_or(0, |at| at + 1) } else { 0 };
    format!("{}:{}", &file[from..], place.line())
}
