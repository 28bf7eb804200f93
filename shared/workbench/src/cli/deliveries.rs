//! `deliveries list`, `show` and `tail`: the history, one delivery, and what happens from now on.

use super::client::segment;
use super::delivery::{self, text, words};
use super::failure::{Failure, Hint};
use super::output::clean;
use super::session::Session;
use super::span;
use crate::history::Kind;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use serde_json::Value;
use std::time::Duration;

/// How deliveries travel.
const KINDS: [Kind; 6] = [Kind::Event, Kind::Command, Kind::Interactive, Kind::Options, Kind::Own, Kind::Other];

#[derive(clap::Subcommand)]
pub(crate) enum DeliveriesVerb {
    /// The history, newest first.
    #[command(after_help = "Example:\n  cargo tack deliveries list --state failed --since 10m")]
    List(ListArgs),
    /// One delivery: its jobs, attempts, Web API calls, log lines.
    #[command(after_help = "Example:\n  cargo tack deliveries show 3f9a1 --body")]
    Show {
        /// Its id or a unique ending of it, an event_id, or API Gateway's request id.
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        id: String,
        /// With the request's headers and body.
        #[arg(long)]
        body: bool,
    },
    /// What happens from now on, until Ctrl-C; with --json one object a line.
    #[command(after_help = "Example:\n  cargo tack deliveries tail --listener sample_message --json")]
    Tail(Filter),
}

#[derive(clap::Args)]
pub(crate) struct Filter {
    /// Only this outcome; `failed` means every bad one: dead, rejected, failed, retrying.
    #[arg(long, value_name = "OUTCOME", value_parser = PossibleValuesParser::new(words()))]
    state: Option<String>,
    /// Only this kind.
    #[arg(long, value_parser = PossibleValuesParser::new(KINDS.map(Kind::as_str)))]
    kind: Option<String>,
    /// Only what this listener's jobs did.
    #[arg(long, value_name = "NAME")]
    listener: Option<String>,
    /// Only this workspace.
    #[arg(long)]
    team: Option<String>,
    /// Words to look for: in ids, names, texts, causes; also is:failed, kind:, listener:, team:, ack:>100, event_id:.
    #[arg(long, value_name = "WORDS")]
    q: Option<String>,
}

#[derive(clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: Filter,
    /// Only what is younger: 30s, 10m, 2h, 1d.
    #[arg(long, value_name = "SPAN", value_parser = span::parse)]
    since: Option<Duration>,
    /// At most this many.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
}

/// Does what was asked.
///
/// # Errors
/// As the workbench says, or when it cannot be asked.
pub(crate) async fn run(verb: DeliveriesVerb, session: &mut Session) -> Result<(), Failure> {
    match verb {
        DeliveriesVerb::List(args) => list(&args, session).await,
        DeliveriesVerb::Show { id, body } => show(&id, body, session).await,
        DeliveriesVerb::Tail(filter) => tail(&filter, session).await,
    }
}

impl Filter {
    fn pairs(&self) -> impl Iterator<Item = (&'static str, String)> {
        let Self { state, kind, listener, team, q } = self;
        let all = [("state", state), ("kind", kind), ("listener", listener), ("team", team), ("q", q)];
        all.map(|(name, value)| Some((name, value.clone()?))).into_iter().flatten()
    }

    fn path(&self, more: &[(&'static str, String)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.pairs());
        query.extend_pairs(more);
        match query.finish() {
            query if query.is_empty() => "/console/deliveries".to_owned(),
            query => format!("/console/deliveries?{query}"),
        }
    }
}

async fn list(args: &ListArgs, session: &mut Session) -> Result<(), Failure> {
    let mut more = vec![("limit", args.limit.to_string())];
    if let Some(since) = args.since {
        let since = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        more.push(("since", span::now_ms().saturating_sub(since).to_string()));
    }
    let answer = session.client()?.get(&args.filter.path(&more)).await;
    let answer = answer.map_err(|failure| failure.hinted(Hint::Help("deliveries list")))?;
    let terminal = &mut session.terminal;
    if terminal.json {
        return terminal.object(&answer);
    }
    let rows = answer["deliveries"].as_array().map(Vec::as_slice).unwrap_or_default();
    super::wait::print(terminal, rows)?;
    let (total, matching) = (answer["total"].as_u64().unwrap_or(0), answer["matching"].as_u64().unwrap_or(0));
    terminal.note(&match (total, rows.len()) {
        (0, _) => "Nothing has arrived yet.\n  try: cargo tack trigger app_mention".to_owned(),
        (_, 0) => format!("None of {total} deliveries matches."),
        (_, shown) if (shown as u64) < matching => format!("{shown} of {matching} that match, {total} in all"),
        (_, shown) => format!("{shown} of {total}"),
    });
    Ok(())
}

async fn show(id: &str, with_body: bool, session: &mut Session) -> Result<(), Failure> {
    let answer = one(id, session).await?;
    let terminal = &mut session.terminal;
    if terminal.json {
        return terminal.object(&answer);
    }
    if terminal.quiet {
        return terminal.line(&clean(text(&answer["delivery"], "id")));
    }
    delivery::story(&answer["delivery"], with_body).iter().try_for_each(|line| terminal.line(line))
}

/// `why`: the sentence and the time line.
///
/// # Errors
/// As [`run`].
pub(crate) async fn why(id: &str, session: &mut Session) -> Result<(), Failure> {
    let answer = one(id, session).await?;
    let terminal = &mut session.terminal;
    if terminal.json {
        return terminal.object(&answer);
    }
    delivery::why(&answer["delivery"]).iter().try_for_each(|line| terminal.line(line))
}

async fn one(id: &str, session: &Session) -> Result<Value, Failure> {
    let answer = session.client()?.get(&format!("/console/deliveries/{}", segment(id))).await;
    answer.map_err(|failure| failure.hinted(Hint::List("deliveries list")))
}

async fn tail(filter: &Filter, session: &mut Session) -> Result<(), Failure> {
    let events = session.patient_client()?.stream(&filter.path(&[])).await;
    let mut events = events.map_err(|failure| failure.hinted(Hint::Help("deliveries tail")))?;
    let terminal = &mut session.terminal;
    terminal.note("Waiting for deliveries. Ctrl-C ends this.");
    let mut told = Told::default();
    while let Some(event) = events.next().await? {
        if event.name == "resync" {
            terminal.note("Some changes were missed: the workbench was quicker than this terminal.");
        }
        if event.name != "delivery" {
            continue;
        }
        let row: Value = serde_json::from_str(&event.data).unwrap_or_default();
        if terminal.json {
            terminal.object(&row)?;
        } else if told.is_news(&row) {
            super::wait::print(terminal, std::slice::from_ref(&row))?;
        }
    }
    Err(super::place::nowhere("the workbench has ended"))
}

/// What people were told already: a line for an outcome, not for every change.
#[derive(Default)]
struct Told(std::collections::VecDeque<(String, String)>);

impl Told {
    const MOST: usize = 2_000;

    fn is_news(&mut self, row: &Value) -> bool {
        let outcome = text(row, "outcome");
        // On its way is no news; that it comes again is. What has no id yet is told of once more when it has.
        if matches!(outcome, "queued" | "running") || text(row, "id").is_empty() {
            return false;
        }
        let news = (text(row, "id").to_owned(), format!("{outcome} {}", row["attempts"]));
        if self.0.contains(&news) {
            return false;
        }
        if self.0.len() == Self::MOST {
            self.0.pop_front();
        }
        self.0.push_back(news);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn filters_become_a_query() {
        let filter = Filter {
            state: Some("dead".to_owned()),
            kind: None,
            listener: None,
            team: Some("T0ACME001".to_owned()),
            q: Some("is:failed ack:>100 ü".to_owned()),
        };
        assert_eq!(
            filter.path(&[("limit", "5".to_owned())]),
            "/console/deliveries?state=dead&team=T0ACME001&q=is%3Afailed+ack%3A%3E100+%C3%BC&limit=5"
        );
    }

    #[test]
    fn a_change_is_told_once_and_a_retry_each_time() {
        let mut told = Told::default();
        let mut news =
            |outcome: &str, attempts: u32| told.is_news(&json!({"id": "d1", "outcome": outcome, "attempts": attempts}));
        assert!(!news("queued", 0) && !news("running", 1));
        assert!(news("retrying", 1) && !news("retrying", 1) && news("retrying", 2));
        assert!(news("done", 3) && !news("done", 3));
    }
}
