//! The pages: the simulated Slack at `/`, the console at `/console`. Each is rendered whole by the server from what the simulated
//! Slack and the history hold; every surface is a form; one small script of our own only brings in what changed.
//! Everything a page shows is JSON for programs at the same address (`Accept: application/json`).
//! Invariant: reading never changes anything, and foreign text reaches a page only through maud and `block_kit`.

mod act;
mod answer;
mod answer_times;
mod assets;
mod authorize;
pub(crate) mod block_kit;
pub(crate) mod clock;
mod coach;
mod console;
mod flows;
mod form;
mod frame;
mod guard;
mod live;
mod person;
mod slack;

pub(crate) use answer_times::AnswerTimes;
pub(crate) use coach::Coach;
pub(crate) use console::Names;
pub(crate) use flows::Flows;
pub(crate) use live::Topics;

use crate::addresses::Addresses;
use crate::faults::FaultDesk;
use crate::history::History;
use crate::listing::{self, Listing};
use crate::reload::Builds;
use crate::stack::Stack;
use axum::Router;
use axum::routing::{get, post};
use std::future::IntoFuture;
use std::sync::Arc;
use tack_simulator::Simulator;
use tokio::net::TcpListener;

/// Everything the pages show and do. Clones share it.
#[derive(Clone)]
pub(crate) struct Workbench {
    pub(crate) simulator: Simulator,
    pub(crate) history: History,
    pub(crate) stack: Stack,
    pub(crate) builds: Builds,
    pub(crate) listing: Listing,
    pub(crate) faults: FaultDesk,
    pub(crate) coach: Coach,
    pub(crate) topics: Topics,
    pub(crate) answer_times: AnswerTimes,
    pub(crate) flows: Flows,
    pub(crate) addresses: Arc<Addresses>,
}

impl Workbench {
    pub(crate) fn new(simulator: Simulator, stack: Stack, addresses: Arc<Addresses>) -> Self {
        let (listing, topics) = (Listing::default(), Topics::new());
        Self {
            history: History::new(),
            builds: Builds::new(),
            faults: FaultDesk::new(simulator.clone(), stack.clone(), topics.clone()),
            coach: Coach::new(listing.clone()),
            answer_times: AnswerTimes::default(),
            flows: Flows::default(),
            simulator,
            stack,
            listing,
            topics,
            addresses,
        }
    }

    /// Serves the pages from now on.
    ///
    /// # Errors
    /// When the listener has no address.
    pub(crate) async fn serve(&self, listener: TcpListener) -> std::io::Result<()> {
        let router = self.clone().router();
        // "localhost" may mean either loopback address.
        if let Ok(other) = TcpListener::bind(("::1", listener.local_addr()?.port())).await {
            tokio::task::spawn_local(axum::serve(other, router.clone()).into_future());
        }
        tokio::task::spawn_local(axum::serve(listener, router).into_future());
        Ok(())
    }

    /// Asks the build that serves what it listens to.
    pub(crate) async fn find_listeners(&self) {
        if let Some(listed) = listing::of(&self.stack.ingress.command()).await {
            self.listing.set(listed);
            self.simulator.set_commands(self.listing.commands());
        }
    }

    /// The pages' routes and the simulated Slack's, guarded against foreign pages.
    pub(crate) fn router(self) -> Router {
        let base_url = self.addresses.workbench.clone();
        let simulated = self.simulator.router();
        let pages = Router::new()
            .route("/", get(slack::start))
            .route("/archives/{channel}", get(slack::conversation))
            .route("/archives/{channel}/{message}", get(slack::thread))
            .route("/app/home", get(slack::home))
            .route("/app/messages", get(slack::messages_of_app))
            .route("/act/{verb}", post(act::act))
            .route("/console/answer-times", post(answer_times::add))
            .route("/live", get(live::live))
            .route("/assets/{name}", get(assets::asset))
            .route("/favicon.ico", get(assets::icon))
            .merge(console::routes())
            .merge(authorize::routes())
            .fallback(answer::no_such_page)
            .with_state(self);
        guard::around(pages.merge(simulated), base_url)
    }
}
