//! The ingress as a Lambda function: HTTP in, one message into a queue, the answer out.

use crate::config::IngressConfig;
use crate::function::{self, Start, StopReason};
use crate::http::{GatewayAnswer, GatewayEvent, Route};
use crate::secrets::SigningSecretParameter;
use crate::sqs::SqsQueue;
use crate::world::{SystemClock, SystemRandom};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use std::process::ExitCode;
use std::rc::Rc;
use tack_app::ports::Clock;
use tack_app::{AcceptedSecrets, AckPhase, Arrival, Ingress, SetupError, SlackApp};

/// Runs the ingress of an app until Lambda ends the process. This is a whole `main`.
pub fn run<A: SlackApp>() -> ExitCode {
    function::main(|start| async move {
        match setup::<A>(&start).await {
            Ok(ingress) => serve(Rc::new(ingress)).await,
            Err(SetupError) => Err(StopReason::Setup(start.settings.problems())),
        }
    })
}

async fn setup<A: SlackApp>(start: &Start) -> Result<Ingress<A::Resources, A::AckResources>, SetupError> {
    let settings = &start.settings;
    let config = IngressConfig::read(settings);
    let resources = A::ack_resources(settings).await;
    let app = function::build_app::<AckPhase, A>(settings);
    let config = config?;
    let clients = start.clients.as_ref().map_err(|error| *error)?;
    let sqs = clients.sqs_for_ingress(&config.limits);
    let source = SigningSecretParameter::of(start, clients);
    Ok(Ingress {
        app: app?,
        resources: resources?,
        secrets: match source {
            Some(source) => AcceptedSecrets::with_source(config.secrets, Rc::new(source)),
            None => config.secrets.into(),
        },
        app_id: config.app_id,
        queue: Rc::new(SqsQueue::sender(sqs, config.queues)),
        clock: Rc::new(SystemClock),
        random: Rc::new(SystemRandom),
        limits: config.limits,
    })
}

async fn serve<R: 'static, K: 'static>(ingress: Rc<Ingress<R, K>>) -> Result<(), StopReason> {
    lambda_runtime::run(service_fn(move |event: LambdaEvent<GatewayEvent>| {
        let ingress = Rc::clone(&ingress);
        async move {
            Ok::<GatewayAnswer, Error>(match event.payload.route(SystemClock.now()) {
                Route::Events(raw, request) => {
                    let arrival = Arrival { request, trace: event.context.xray_trace_id };
                    ingress.answer(raw, arrival).await.into()
                }
                Route::NotFound => GatewayAnswer::empty(404),
                Route::MethodNotAllowed => GatewayAnswer::empty(405),
            })
        }
    }))
    .await
    .map_err(StopReason::Runtime)
}
