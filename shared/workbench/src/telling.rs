//! What happens, told: every source goes into the history, to the pages, and as a line to the terminal.
//! Not here: what is worth a line (`board`). Invariant: nothing that takes time is waited for between two things that happened.

use crate::board::Board;
use crate::cli::say;
use crate::history::{Arrived, BatchBegan, BatchEnded, Message, Row};
use crate::pages::{Names, Workbench};
use crate::reload::BuildState;
use crate::run::check;
use crate::stack::Stack;
use anyhow::{Context as _, bail};
use std::pin::Pin;
use std::time::Duration;
use tack_local_aws::Clock;
use tack_local_aws::event_source::{BatchEvent, BatchOutcome};
use tack_local_aws::gateway::AnsweredRequest;
use tack_local_aws::lambda::OutputLine;
use tack_simulator::{Delivery, DeliveryRequest, StreamEvent};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

/// How long the first way through may take; a loaded machine starts processes slowly.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// Deliveries that were on their way when the last was heard of: what became of them may have been missed too.
const ON_THEIR_WAY: usize = 200;
const ON_THEIR_WAY_MS: u64 = 3_000;

/// Where everything is heard from.
pub(crate) struct Sources {
    /// What the functions print.
    pub(crate) lines: UnboundedReceiver<OutputLine>,
    /// What the door answered.
    pub(crate) answered: UnboundedReceiver<AnsweredRequest>,
    /// What the queues' workers got.
    pub(crate) of_queues: UnboundedReceiver<BatchEvent>,
    /// What the simulated Slack saw.
    pub(crate) slack: Receiver<StreamEvent>,
}

/// The one who tells.
pub(crate) struct Telling {
    workbench: Workbench,
    sources: Sources,
    rows: Receiver<Row>,
    board: Board,
    clock: Clock,
    /// The next change of the builds. It outlives a turn, so that none is missed between two.
    build: Pin<Box<dyn Future<Output = ()>>>,
    /// Asks the newest build what it listens to.
    asking: Option<JoinHandle<()>>,
    /// When the newest delivery began that the simulated Slack told of, in epoch milliseconds.
    heard_ms: u64,
    /// The last warning, since a delivery is told of again whenever it changes.
    warned: String,
    /// Until the proof is done its own lines are no news.
    is_quiet: bool,
}

impl Telling {
    pub(crate) fn new(workbench: Workbench, sources: Sources) -> Self {
        Self {
            rows: workbench.history.subscribe(),
            build: Box::pin(workbench.builds.changed()),
            workbench,
            sources,
            board: Board::default(),
            clock: Clock::system(),
            asking: None,
            heard_ms: 0,
            warned: String::new(),
            is_quiet: true,
        }
    }

    /// "Ready" is said only when a challenge came back and a probe went through ingress, queue and worker.
    ///
    /// # Errors
    /// A sentence that says where the way ends.
    pub(crate) async fn prove(&mut self) -> anyhow::Result<()> {
        let simulator = self.workbench.simulator.clone();
        let began = Instant::now();
        let challenge =
            serde_json::json!({ "type": "url_verification", "token": "-", "challenge": "tack" }).to_string();
        let request = DeliveryRequest::raw(challenge).header("content-type", "application/json");
        let deliveries = simulator.deliver(request).await.map_err(|refusal| anyhow::anyhow!(refusal.0))?;
        let attempt = deliveries.first().and_then(|delivery| delivery.attempts.first()).context("nothing was sent")?;
        if attempt.status != Some(200) || !attempt.answer.contains("\"tack\"") {
            self.is_quiet = false;
            self.lines_so_far();
            let status = attempt.status.map_or_else(|| "no answer".to_owned(), |status| format!("status {status}"));
            bail!("the ingress cannot start, or did not answer the challenge ({status}): see above");
        }
        check("ingress", &format!("answered a signed url_verification in {} ms", began.elapsed().as_millis()));

        let began = Instant::now();
        let probe = serde_json::json!({ "type": tack_app::probe::EVENT });
        simulator.deliver(DeliveryRequest::event(probe)).await.map_err(|refusal| anyhow::anyhow!(refusal.0))?;
        let deadline = began + READY_LIMIT;
        while self.board.probes_done == 0 {
            match timeout_at(deadline, self.next()).await {
                Ok(true) => {}
                Ok(false) => bail!("the functions are gone"),
                Err(_) => bail!("the probe did not come through ingress, queue and worker within {READY_LIMIT:?}"),
            }
        }
        check(
            "round trip",
            &format!("a probe through ingress, queue and worker in {} ms", began.elapsed().as_millis()),
        );
        self.is_quiet = false;
        Ok(())
    }

    /// Tells until the functions are gone.
    pub(crate) async fn run(&mut self) -> anyhow::Result<()> {
        while self.next().await {}
        Ok(())
    }

    /// Takes one thing that happened. False when nothing can happen any more.
    async fn next(&mut self) -> bool {
        let due = self.board.due();
        tokio::select! {
            line = self.sources.lines.recv() => match line {
                Some(line) => self.line(&line),
                None => return false,
            },
            Some(answered) = self.sources.answered.recv() => {
                // The ingress said what it made of the request before it answered.
                self.lines_so_far();
                // Whoever installs is no delivery, and the address of a callback holds what nobody may see.
                if answered.invocation.as_ref().is_none_or(|invocation| invocation.function != Stack::OAUTH) {
                    self.workbench.history.arrived(arrived(answered));
                }
            }
            Some(batch) = self.sources.of_queues.recv() => self.batch(batch),
            event = self.sources.slack.recv() => self.slack(event),
            () = &mut self.build => {
                self.build = Box::pin(self.workbench.builds.changed());
                self.build();
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.overdue(),
        }
        self.rows_so_far();
        true
    }

    fn lines_so_far(&mut self) {
        while let Ok(line) = self.sources.lines.try_recv() {
            self.line(&line);
        }
    }

    fn line(&mut self, line: &OutputLine) {
        let now_ms = self.clock.now_ms();
        self.workbench.history.line(line, now_ms);
        if self.workbench.flows.line(line, now_ms) {
            self.workbench.topics.changed("installs");
        }
        if let Some(text) = self.board.read(line) {
            say(&text);
        }
        self.rows_so_far();
    }

    fn batch(&mut self, event: BatchEvent) {
        match event {
            BatchEvent::Began(began) => {
                began.messages.iter().for_each(|message| self.board.began(&message.body));
                self.workbench.history.began(&BatchBegan {
                    invocation: began.request_id,
                    function: began.function,
                    at_ms: began.at_ms,
                    messages: began.messages.into_iter().map(|message| Message { body: message.body }).collect(),
                });
            }
            BatchEvent::Ended(ended) => self.workbench.history.ended(&BatchEnded {
                invocation: ended.request_id,
                at_ms: ended.at_ms,
                failure: match ended.outcome {
                    BatchOutcome::Failed(error) => Some(error.to_string()),
                    BatchOutcome::Malformed(reason) => Some(reason),
                    BatchOutcome::Succeeded | BatchOutcome::Partial(_) => None,
                },
            }),
        }
    }

    fn slack(&mut self, event: Result<StreamEvent, RecvError>) {
        match event {
            Ok(event) => match event.name {
                "delivery.upsert" => {
                    self.heard_ms = self.heard_ms.max(event.data["at_ms"].as_u64().unwrap_or_default());
                    self.workbench.history.slack(&event.data);
                    self.warn(&event);
                }
                "faults" => self.workbench.topics.changed("faults"),
                "reset" => {
                    self.workbench.history.clear();
                    self.board.clear();
                    self.workbench.coach.clear();
                    self.workbench.flows.clear();
                    self.workbench.faults.all_off();
                    self.workbench.topics.changed("all");
                }
                _ => self.workbench.topics.changed("slack"),
            },
            Err(RecvError::Lagged(missed)) => self.look_up(missed),
            Err(RecvError::Closed) => {}
        }
    }

    /// Too slow: what was missed is looked up.
    fn look_up(&mut self, missed: u64) {
        let since_ms = self.heard_ms.saturating_sub(ON_THEIR_WAY_MS);
        let most = usize::try_from(missed).unwrap_or(usize::MAX).saturating_add(ON_THEIR_WAY);
        let deliveries: Vec<Delivery> = self.workbench.simulator.read(|state| {
            state.deliveries().skip_while(|delivery| delivery.at_ms < since_ms).take(most).cloned().collect()
        });
        for delivery in deliveries {
            self.heard_ms = self.heard_ms.max(delivery.at_ms);
            self.workbench.history.slack(&delivery.readable());
            self.rows_so_far();
        }
        self.workbench.topics.changed("all");
    }

    /// Everything that changed in the history is told at once, so that nobody lags behind.
    fn rows_so_far(&mut self) {
        loop {
            match self.rows.try_recv() {
                Ok(row) => self.row(&row),
                // Nothing is lost but lines.
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn row(&mut self, row: &Row) {
        self.tell(row);
        if self.workbench.coach.look(row) {
            self.workbench.topics.changed("slack");
        }
        self.workbench.topics.changed("deliveries");
    }

    fn tell(&mut self, row: &Row) {
        let simulator = &self.workbench.simulator;
        let text = self.board.row(row, || Names::of(simulator).about(row), Instant::now());
        if let Some(text) = text.filter(|_| !self.is_quiet) {
            say(&text);
        }
    }

    /// What was held back for its request, and has none.
    fn overdue(&mut self) {
        for id in self.board.overdue(Instant::now()) {
            if let Some(row) = self.workbench.history.row(&id) {
                self.tell(&row);
            }
        }
    }

    /// Asking the new build takes a process of its own, and is not waited for.
    fn build(&mut self) {
        if matches!(self.workbench.builds.state(), BuildState::Live { .. }) {
            if let Some(earlier) = self.asking.take() {
                earlier.abort();
            }
            let workbench = self.workbench.clone();
            self.asking = Some(tokio::task::spawn_local(async move {
                workbench.find_listeners().await;
                workbench.topics.changed("app");
            }));
        }
        self.workbench.topics.changed("app");
    }

    /// What Slack itself would have frowned at, such as an error for a block that is not in the modal.
    fn warn(&mut self, event: &StreamEvent) {
        let warnings = event.data["warnings"].as_array().map(Vec::as_slice).unwrap_or_default();
        for warning in warnings.iter().filter_map(|warning| warning.as_str()) {
            let told = format!("{} {warning}", event.data["id"]);
            if self.warned != told {
                say(&format!("  ! Slack      {} {warning}", event.data["name"].as_str().unwrap_or_default()));
                self.warned = told;
            }
        }
    }
}

fn arrived(answered: AnsweredRequest) -> Arrived {
    Arrived {
        request_id: answered.request_id,
        at_ms: answered.received_ms,
        ms: answered.duration_ms,
        method: answered.method,
        path: answered.path,
        headers: answered.headers,
        body: answered.body,
        status: answered.status,
        answer_headers: answered.answer_headers,
        answer_body: answered.answer_body,
        invocation: answered.invocation.map(|invocation| invocation.request_id),
        problem: answered.failure.map(|failure| failure.to_string()),
    }
}
