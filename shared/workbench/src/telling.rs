//! What happens, told: every source goes into the history, to the pages, and as a line to the terminal.

use crate::board::Board;
use crate::cli::say;
use crate::history::{Arrived, BatchBegan, BatchEnded, Message, Row};
use crate::pages::Workbench;
use crate::reload::BuildState;
use crate::run::check;
use anyhow::{Context as _, bail};
use std::time::Duration;
use tack_local_aws::Clock;
use tack_local_aws::event_source::{BatchEvent, BatchOutcome};
use tack_local_aws::gateway::AnsweredRequest;
use tack_local_aws::lambda::OutputLine;
use tack_simulator::{DeliveryRequest, StreamEvent};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant, timeout_at};

/// How long the first way through may take; a loaded machine starts processes slowly.
const READY_LIMIT: Duration = Duration::from_secs(60);

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
    /// The last warning, since a delivery is told of again whenever it changes.
    warned: String,
    /// Until the proof is done its own lines are no news.
    is_quiet: bool,
}

impl Telling {
    pub(crate) fn new(workbench: Workbench, sources: Sources) -> Self {
        Self {
            rows: workbench.history.subscribe(),
            workbench,
            sources,
            board: Board::default(),
            clock: Clock::system(),
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
            while let Ok(line) = self.sources.lines.try_recv() {
                self.line(&line);
            }
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
        let build = self.workbench.builds.changed();
        tokio::select! {
            line = self.sources.lines.recv() => match line {
                Some(line) => self.line(&line),
                None => return false,
            },
            Some(answered) = self.sources.answered.recv() => self.workbench.history.arrived(arrived(answered)),
            Some(batch) = self.sources.of_queues.recv() => self.batch(batch),
            event = self.sources.slack.recv() => self.slack(event),
            row = self.rows.recv() => self.row(row.ok()),
            () = build => self.build().await,
        }
        true
    }

    fn line(&mut self, line: &OutputLine) {
        self.workbench.history.line(line, self.clock.now_ms());
        let text = self.board.read(line);
        if let Some(text) = text.filter(|_| !self.is_quiet || !is_step(line)) {
            say(&text);
        }
    }

    fn batch(&self, event: BatchEvent) {
        match event {
            BatchEvent::Began(began) => self.workbench.history.began(&BatchBegan {
                invocation: began.request_id,
                function: began.function,
                at_ms: began.at_ms,
                messages: began.messages.into_iter().map(|message| Message { body: message.body }).collect(),
            }),
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
        let workbench = &self.workbench;
        match event {
            Ok(event) => match event.name {
                "delivery.upsert" => {
                    workbench.history.slack(&event.data);
                    self.warn(&event);
                }
                "faults" => workbench.topics.changed("faults"),
                "reset" => {
                    workbench.history.clear();
                    workbench.coach.clear();
                    workbench.faults.all_off();
                    workbench.topics.changed("all");
                }
                _ => workbench.topics.changed("slack"),
            },
            // Too slow: what was missed is looked up.
            Err(RecvError::Lagged(_)) => {
                for delivery in workbench.simulator.deliveries() {
                    workbench.history.slack(&delivery.readable());
                }
                workbench.topics.changed("all");
            }
            Err(RecvError::Closed) => {}
        }
    }

    fn row(&self, row: Option<Row>) {
        if row.is_some_and(|row| self.workbench.coach.look(&row)) {
            self.workbench.topics.changed("slack");
        }
        self.workbench.topics.changed("deliveries");
    }

    async fn build(&self) {
        if matches!(self.workbench.builds.state(), BuildState::Live { .. }) {
            self.workbench.find_listeners().await;
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

fn is_step(line: &OutputLine) -> bool {
    serde_json::from_str::<tack_app::step::Step>(&line.line).is_ok_and(|step| !step.step.is_empty())
}
