//! Tells open pages that something changed, so that they fetch themselves anew: server-sent events with the names of topics.
//! What changed is not told here; a page that was away has missed nothing it will not see when it asks.

use super::Workbench;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Changes that come within this time are told together.
const TOGETHER: Duration = Duration::from_millis(12);
/// Topics a slow page may lag behind.
const KEPT: usize = 4_096;

/// Where changes are announced: `slack`, `deliveries`, `faults`, `app`, `installs`. Clones share it.
#[derive(Clone)]
pub(crate) struct Topics(broadcast::Sender<&'static str>);

impl Topics {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(KEPT))
    }

    /// Something about `topic` changed.
    pub(crate) fn changed(&self, topic: &'static str) {
        // No page being open is no error.
        let _ = self.0.send(topic);
    }
}

/// `GET /live`: `data: deliveries slack` whenever these changed.
pub(super) async fn live(State(workbench): State<Workbench>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let topics = workbench.topics.0.subscribe();
    let hello = stream::iter([Ok(Event::default().retry(Duration::from_millis(500)).data("hello"))]);
    let changes = stream::unfold(topics, |mut topics| async move {
        let changed = next(&mut topics).await?;
        Some((Ok(Event::default().data(changed.into_iter().collect::<Vec<_>>().join(" "))), topics))
    });
    Sse::new(futures_util::StreamExt::chain(hello, changes)).keep_alive(KeepAlive::default())
}

async fn next(topics: &mut broadcast::Receiver<&'static str>) -> Option<BTreeSet<&'static str>> {
    let mut changed = BTreeSet::from([one(topics).await?]);
    let end = tokio::time::Instant::now() + TOGETHER;
    while let Ok(Some(topic)) = tokio::time::timeout_at(end, one(topics)).await {
        changed.insert(topic);
    }
    Some(changed)
}

async fn one(topics: &mut broadcast::Receiver<&'static str>) -> Option<&'static str> {
    match topics.recv().await {
        Ok(topic) => Some(topic),
        // Too slow: whatever was missed, the whole page is fetched.
        Err(RecvError::Lagged(_)) => Some("all"),
        Err(RecvError::Closed) => None,
    }
}
