//! What an operator reads of it, and what nobody may read.

use crate::slack::locally;
use crate::world::{HOUR, NOW, TEAM, World, error, expiring, installed, ok, pair, slot};
use futures_util::FutureExt;
use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use tack_app::install::Removal;
use tack_app::memory::MemoryInstallationStore;
use tack_app::ports::InstallationStore;
use tracing_subscriber::fmt::MakeWriter;

/// The lines of this thread, for as long as the guard lives.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        let lines = Self::default();
        let text = tracing_subscriber::fmt().with_ansi(false).with_writer(lines.clone()).finish();
        (lines, tracing::subscriber::set_default(text))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("lines").clone()).expect("UTF-8")
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("lines").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_workspace_without_installation_is_told_once_and_counted_in_every_line_of_a_job() {
    locally(async {
        let (lines, _guard) = Lines::listen();
        let world = World::new(|_| ok()).await;
        for _ in 0..5 {
            world.late_message().await;
        }
        let text = lines.text();
        assert_eq!(text.matches("there is no installation to run them with").count(), 1, "{text}");
        assert_eq!(text.matches(r#"outcome="discarded""#).count(), 5, "{text}");
    })
    .await;
}

#[tokio::test]
async fn a_refused_renewal_tells_how_long_the_present_token_lives() {
    locally(async {
        let (lines, _guard) = Lines::listen();
        let world = World::new(|request| match request.method.as_str() {
            "oauth.v2.access" => error("invalid_refresh_token"),
            _ => ok(),
        })
        .await;
        world.install(&expiring("xoxe.xoxb-canary-old", "xoxe-1-canary-old", HOUR)).await;
        world.message().await;
        let text = lines.text();
        assert!(text.contains("ERROR") && text.contains("60 minutes left"), "{text}");
        assert!(text.contains("after that the app has to be installed again"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn a_renewal_that_is_refused_because_the_app_was_uninstalled_is_no_error() {
    locally(async {
        let (lines, _guard) = Lines::listen();
        let store: Rc<RefCell<Option<MemoryInstallationStore>>> = Rc::default();
        let known = Rc::clone(&store);
        let world = World::new(move |request| {
            let Some(store) = known.borrow().clone().filter(|_| request.method == "oauth.v2.access") else {
                return ok();
            };
            let removal = Removal::Everything { purge_at: NOW };
            let key = slot().key;
            store.remove(&key, &removal, NOW.seconds()).now_or_never().expect("at once").expect("a store");
            error("invalid_refresh_token")
        })
        .await;
        *store.borrow_mut() = Some(world.store.inner.clone());
        world.install(&expiring("xoxe.xoxb-old", "xoxe-1-old", HOUR)).await;
        let end = world.message().await;
        assert!(end.starts_with("C1: not installed in T0ACME001: uninstalled"), "{end}");
        let text = lines.text();
        assert!(!text.contains("ERROR") && text.contains("a token was not renewed"), "{text}");
    })
    .await;
}

#[tokio::test]
async fn no_token_and_no_secret_is_in_any_line() {
    locally(async {
        let (lines, _guard) = Lines::listen();
        let world = World::new(|request| match request.method.as_str() {
            "oauth.v2.access" => pair("xoxe.xoxb-canary-new", "xoxe-1-canary-new"),
            _ if request.credentials.ends_with("new") => error("token_revoked"),
            _ => ok(),
        })
        .await;
        world.install(&expiring("xoxe.xoxb-canary-old", "xoxe-1-canary-old", HOUR)).await;
        world.message().await;
        world.install(&installed(TEAM, "xoxb-canary-again", NOW)).await;
        world.pass(HOUR);
        world.message().await;
        let text = lines.text();
        assert!(text.contains("token renewed"), "{text}");
        assert!(!text.contains("canary") && !text.contains("not-a-secret"), "{text}");
        assert!(!format!("{:?}", world.stored()).contains("canary"));
    })
    .await;
}
