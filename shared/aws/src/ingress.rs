//! The ingress as a Lambda function: HTTP in, one message into a queue, the answer out.

use crate::client::AwsClients;
use crate::config::IngressConfig;
use crate::function::{self, StopReason};
use crate::http::{self, Route};
use crate::sqs::SqsQueue;
use crate::world::{SystemClock, SystemRandom};
use lambda_http::{Error, Request, RequestExt, service_fn};
use std::process::ExitCode;
use std::rc::Rc;
use tack_app::ports::Clock;
use tack_app::{AckPhase, HttpAnswer, Ingress, Settings, SetupError, SlackApp};
use tack_protocol::RawRequest;
use tokio::sync::{mpsc, oneshot};

/// Runs the ingress of an app until Lambda ends the process. This is a whole `main`.
pub fn run<A: SlackApp>() -> ExitCode {
    function::main(|settings| async move {
        match setup::<A>(&settings).await {
            Ok(ingress) => serve(ingress).await,
            Err(SetupError) => Err(StopReason::Setup(settings.problems())),
        }
    })
}

async fn setup<A: SlackApp>(settings: &Settings) -> Result<Ingress<A::Resources, A::AckResources>, SetupError> {
    let config = IngressConfig::read(settings);
    let clients = AwsClients::from_settings(settings);
    let resources = A::ack_resources(settings).await;
    let app = function::build_app::<AckPhase, A>(settings);
    let config = config?;
    let sqs = clients?.sqs_for_ingress(&config.limits);
    Ok(Ingress {
        app: app?,
        resources: resources?,
        secrets: config.secrets,
        app_id: config.app_id,
        queue: Rc::new(SqsQueue::sender(sqs, config.queues)),
        clock: Rc::new(SystemClock),
        random: Rc::new(SystemRandom),
        limits: config.limits,
    })
}

/// The runtime wants futures that may change threads, and acks may not: so requests cross over to the one thread's own
/// task and the answers come back. Lambda gives a process one request at a time, so one after another is all at once.
async fn serve<R: 'static, K: 'static>(ingress: Ingress<R, K>) -> Result<(), StopReason> {
    let (requests, mut arriving) =
        mpsc::unbounded_channel::<(RawRequest, Option<String>, oneshot::Sender<HttpAnswer>)>();
    let door = async move {
        while let Some((raw, trace, answer)) = arriving.recv().await {
            // Lambda may have given the request up meanwhile; then nobody waits for the answer.
            drop(answer.send(ingress.answer(raw, trace).await));
        }
    };
    let runtime = lambda_http::run(service_fn(move |request: Request| {
        let requests = requests.clone();
        async move {
            let trace = request.lambda_context_ref().and_then(|context| context.xray_trace_id.clone());
            let raw = match http::route(request, SystemClock.now()) {
                Route::Events(raw) => raw,
                Route::NotFound => return Ok(http::status(404)),
                Route::MethodNotAllowed => return Ok(http::status(405)),
            };
            let (answer, answered) = oneshot::channel();
            requests.send((raw, trace, answer))?;
            Ok::<_, Error>(http::answer(answered.await?))
        }
    }));
    tokio::select! {
        ended = runtime => ended.map_err(StopReason::Runtime),
        () = door => Ok(()),
    }
}
