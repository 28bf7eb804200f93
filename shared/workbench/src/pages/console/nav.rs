//! The frame of the console's pages: its navigation at the left with counts, the page beside it.

use crate::pages::Workbench;
use crate::pages::answer::html as answer;
use crate::pages::frame::{Frame, Half, frame};
use crate::pages::person::Viewer;
use crate::stack::Stack;
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};

/// The console's pages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    Deliveries,
    DeadLetters,
    Installs,
    Listeners,
    Faults,
    App,
    Help,
}

impl Here {
    const ALL: [Self; 7] =
        [Self::Deliveries, Self::DeadLetters, Self::Installs, Self::Listeners, Self::Faults, Self::App, Self::Help];

    fn path(self) -> &'static str {
        match self {
            Self::Deliveries => "/console/deliveries",
            Self::DeadLetters => "/console/dead-letters",
            Self::Installs => "/console/installs",
            Self::Listeners => "/console/listeners",
            Self::Faults => "/console/faults",
            Self::App => "/console/app",
            Self::Help => "/console/help",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Deliveries => "Deliveries",
            Self::DeadLetters => "Dead letters",
            Self::Installs => "Installs",
            Self::Listeners => "Listeners",
            Self::Faults => "Faults",
            Self::App => "App",
            Self::Help => "Help",
        }
    }

    fn test_id(self) -> String {
        format!("nav-{}", self.path().trim_start_matches("/console/"))
    }

    /// What a person may want to know before going there.
    fn count(self, workbench: &Workbench) -> Option<String> {
        let number = match self {
            Self::DeadLetters => dead_letters(workbench),
            Self::Installs => workbench.simulator.read(|state| state.installs().len()),
            Self::Listeners => workbench.listing.all().len(),
            Self::Faults => workbench.faults.on(),
            Self::Deliveries | Self::App | Self::Help => 0,
        };
        let text = if self == Self::Faults { format!("{number} on") } else { number.to_string() };
        (number > 0).then_some(text)
    }
}

/// A page of the console.
pub(super) struct Page<'a> {
    pub(super) here: Here,
    /// For the tab of the browser.
    pub(super) title: &'a str,
    /// The path that forms come back to.
    pub(super) path: &'a str,
    /// Topics at whose change the page is fetched anew.
    pub(super) topics: &'a str,
    pub(super) main: Markup,
}

/// Answers with a page in its frame.
pub(super) fn page(workbench: &Workbench, viewer: &Viewer, status: StatusCode, page: Page<'_>) -> Response {
    let body = html! {
        div.columns.two {
            (nav(workbench, page.here))
            main #main.console { div.page { (page.main) } }
        }
    };
    let framed = Frame { half: Half::Console, title: page.title, path: page.path, topics: page.topics, body };
    answer(status, frame(workbench, viewer, &framed))
}

fn nav(workbench: &Workbench, here: Here) -> Markup {
    html! {
        nav.side aria-label="Console" {
            ul {
                @for page in Here::ALL {
                    li {
                        a href=(page.path()) data-testid=(page.test_id()) aria-current=[(page == here).then_some("page")] {
                            span { (page.title()) }
                            @if let Some(count) = page.count(workbench) { span.count { (count) } }
                        }
                    }
                }
            }
        }
    }
}

/// How many letters lie in the dead-letter queues.
fn dead_letters(workbench: &Workbench) -> usize {
    let sqs = workbench.stack.aws.sqs();
    let depth = |queue: &str| sqs.depth(&format!("{queue}-dlq")).map(|depth| depth.total()).unwrap_or_default();
    Stack::QUEUES.into_iter().map(depth).sum()
}
