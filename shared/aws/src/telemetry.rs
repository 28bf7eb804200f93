//! JSON log lines on standard output, one a step; what Lambda forwards to CloudWatch as it is.

use std::panic::PanicHookInfo;
use tracing::Level;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt;

/// Starts logging; `level` is `trace` to `error` in any case, `info` when it is none of them.
/// A panic becomes a line as well, with its place and with the delivery and the job it ended.
pub fn start(level: Option<&str>) {
    let level = level.and_then(|level| level.trim().parse().ok()).unwrap_or(LevelFilter::INFO);
    let lines =
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    // Spans are nobody's here: the SDK and the runtime open a dozen a request, each of which would be kept and written.
    let events = filter_fn(|metadata| {
        metadata.is_event() && (*metadata.level() <= Level::INFO || !is_library(metadata.target()))
    });
    let subscriber = Registry::default().with(lines).with(level).with(events);
    // A second start in one process keeps the first.
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

/// Below "info" these print whole requests, tokens and people's words among them.
fn is_library(target: &str) -> bool {
    const LIBRARIES: [&str; 7] = ["aws_", "hyper", "lambda_", "rustls", "tokio", "tower", "want"];
    LIBRARIES.iter().any(|library| target.starts_with(library))
}

fn log_panic(info: &PanicHookInfo<'_>) {
    let place = info.location().map(|place| format!("{}:{}", place.file(), place.line())).unwrap_or_default();
    let running = tack_app::running();
    let delivery = running.as_deref().map(|running| running.delivery.as_str());
    let job = running.as_deref().and_then(|running| running.job.as_deref());
    tracing::error!(delivery, job, place, "{}", info.payload_as_str().unwrap_or("panic"));
}
