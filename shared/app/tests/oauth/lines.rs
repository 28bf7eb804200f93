//! The log of one test.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, Once};
use tack_app::step::Step;
use tracing_subscriber::fmt::MakeWriter;

static EVERYWHERE: Once = Once::new();

/// The lines of this thread, for as long as the guard lives.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        // Without one for all threads, a line that another test's thread reaches first counts as wanted by nobody.
        EVERYWHERE.call_once(|| {
            let nowhere = tracing_subscriber::fmt().with_writer(io::sink).finish();
            tracing::subscriber::set_global_default(nowhere).expect("the first one");
        });
        let lines = Self::default();
        let json = tracing_subscriber::fmt().json().flatten_event(true).with_writer(lines.clone()).finish();
        (lines, tracing::subscriber::set_default(json))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("lines").clone()).expect("UTF-8")
    }

    /// The lines of answered browsers, in order.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let steps = self.text();
        let steps = steps.lines().map(|line| serde_json::from_str::<Step>(line).expect("a line of JSON"));
        steps.filter(|step| step.step == "oauth").collect()
    }

    /// The last of them.
    pub(crate) fn last(&self) -> Step {
        self.steps().pop().expect("a line")
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
