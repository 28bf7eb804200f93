//! Registration, in Bolt's words. One `register` function serves both phases: in the ack phase the lazy functions are
//! never mentioned, so the compiler leaves them out of the ingress; in the lazy phase the reverse.

use crate::ack::{AckContext, Erased, Refusal};
use crate::context::Context;
use crate::error::{AckError, Disposition, ListenerError, misfit};
use crate::kind::{
    Actions, Closed, Command, Events, Functions, GlobalShortcut, Kind, Messages, OnMessage, Submission, Suggestions,
};
use crate::listener::{On, ack_payload};
use crate::listing;
use crate::matcher::{ActionPattern, Pattern};
use crate::message::{Work, is_job_name};
use crate::middleware::{Middleware, Next};
use crate::oauth::InstallPages;
use crate::probe;
use crate::settings::{Settings, SetupError};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::payload::{BlockSuggestion, Payload};
use tack_protocol::{OptionsReply, Reply};

/// Which half of an app is being built.
pub trait Phase: 'static {
    /// Whether listeners are kept; otherwise acks are.
    const LAZY: bool;
}

/// The ingress: acks are kept, lazy functions are not even linked.
#[derive(Debug)]
pub enum AckPhase {}

/// The worker: lazy functions are kept, acks are not even linked.
#[derive(Debug)]
pub enum LazyPhase {}

impl Phase for AckPhase {
    const LAZY: bool = false;
}

impl Phase for LazyPhase {
    const LAZY: bool = true;
}

/// An app, as a type that each function's `main` names.
pub trait SlackApp: 'static {
    /// What listeners need besides Slack: a table, a partner's API. Built once per worker.
    type Resources: 'static;
    /// What async acks and options need. Built once per ingress; `()` for most apps.
    type AckResources: 'static;

    /// Registers everything.
    fn register<P: Phase>(app: &mut App<P, Self::Resources, Self::AckResources>);

    /// Builds the resources of a worker.
    ///
    /// # Errors
    /// [`SetupError`] when a setting is missing; all problems are reported together, by name.
    fn resources(settings: &Settings) -> impl Future<Output = Result<Self::Resources, SetupError>>;

    /// Builds the resources of the ingress.
    ///
    /// # Errors
    /// [`SetupError`] when a setting is missing; all problems are reported together, by name.
    fn ack_resources(settings: &Settings) -> impl Future<Output = Result<Self::AckResources, SetupError>>;

    /// The app's own pages at the end of an installation; Tack's where there are none.
    fn install_pages() -> InstallPages {
        InstallPages::default()
    }
}

/// Where something is registered.
pub(crate) type Place = &'static Location<'static>;
pub(crate) type Guard = Rc<dyn Fn(&AckContext<'_>) -> Result<(), Refusal>>;
pub(crate) type Takes = fn(&ActionPattern, &Payload, usize) -> bool;
pub(crate) type Constraint = Box<dyn Fn(&Payload, usize) -> bool>;
pub(crate) type PureAck = Box<dyn Fn(&AckContext<'_>, usize) -> Result<Erased, AckError>>;
pub(crate) type IoAck<K> =
    Box<dyn for<'a> Fn(&'a AckContext<'a>, usize, &'a K) -> LocalBoxFuture<'a, Result<Erased, AckError>>>;
pub(crate) type RunJob<R> = Box<
    dyn for<'a> Fn(&'a Context<R>, &'a Work, usize, Option<Value>) -> LocalBoxFuture<'a, Result<(), ListenerError>>,
>;
pub(crate) type OnError<R> =
    Box<dyn for<'a> Fn(&'a Context<R>, &'a ListenerError) -> LocalBoxFuture<'a, Option<Disposition>>>;

pub(crate) enum AckFn<K> {
    Empty,
    Pure(PureAck),
    Io(IoAck<K>),
}

/// A listener as the matching sees it.
pub(crate) struct Route<K> {
    /// The word it was registered with.
    pub(crate) name: &'static str,
    /// What it was registered by.
    pub(crate) pattern: ActionPattern,
    /// Kept in the lazy phase alone: the ingress would hold the names of source files.
    pub(crate) place: Option<Place>,
    /// Whether it has an ack, in whichever phase.
    pub(crate) answers: bool,
    /// Whether its pattern takes a part of a payload: the index of an action, 0 for kinds that are taken whole.
    pub(crate) takes: Takes,
    /// What must hold besides.
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) every_match: bool,
    pub(crate) is_options: bool,
    pub(crate) guards: Vec<Guard>,
    pub(crate) ack: AckFn<K>,
    /// Whether it has a fallback, in whichever phase.
    pub(crate) has_fallback: bool,
    pub(crate) jobs: Vec<&'static str>,
    pub(crate) stale_after: Option<Duration>,
}

impl<K> Route<K> {
    /// Whether it takes a part of a payload.
    pub(crate) fn matches(&self, payload: &Payload, part: usize) -> bool {
        (self.takes)(&self.pattern, payload, part) && self.constraints.iter().all(|holds| holds(payload, part))
    }
}

/// A listener as the worker sees it.
pub(crate) struct LazyJob<R> {
    pub(crate) run: RunJob<R>,
    /// Where its guards and its age limit are; the app's own jobs have none.
    pub(crate) route: Option<usize>,
}

/// The listeners of an app, for one phase, with resources `R` for listeners and `K` for async acks.
pub struct App<P, R = (), K = ()> {
    pub(crate) routes: Vec<Route<K>>,
    pub(crate) guards: Vec<Guard>,
    pub(crate) names: Vec<&'static str>,
    pub(crate) own_jobs: Vec<(&'static str, Option<Place>)>,
    /// Of `installed` and its like: the method, the job's fixed name and the place.
    pub(crate) hooks: Vec<(&'static str, &'static str, Option<Place>)>,
    pub(crate) jobs: BTreeMap<&'static str, LazyJob<R>>,
    pub(crate) fallbacks: BTreeMap<usize, RunJob<R>>,
    pub(crate) middleware: Vec<Middleware<R>>,
    has_error_handler: bool,
    pub(crate) on_error: Option<OnError<R>>,
    pub(crate) ignore_self: bool,
    pub(crate) problems: Vec<String>,
    phase: PhantomData<P>,
}

impl<P: Phase, R: 'static, K: 'static> App<P, R, K> {
    /// Builds an app by its `register` function.
    ///
    /// # Errors
    /// All problems of the registration, such as two jobs of one name.
    pub fn build(register: impl FnOnce(&mut Self)) -> Result<Self, Vec<String>> {
        let mut app = Self {
            routes: Vec::new(),
            guards: Vec::new(),
            names: Vec::new(),
            own_jobs: Vec::new(),
            hooks: Vec::new(),
            jobs: BTreeMap::new(),
            fallbacks: BTreeMap::new(),
            middleware: Vec::new(),
            has_error_handler: false,
            on_error: None,
            ignore_self: true,
            problems: Vec::new(),
            phase: PhantomData,
        };
        app.names.push(probe::JOB);
        register(&mut app);
        for route in 0..app.routes.len() {
            if !app.routes[route].answers && app.routes[route].jobs.is_empty() {
                app.route_problem(route, "has neither ack nor lazy: it would swallow its deliveries");
            }
        }
        app.problems.extend(listing::unreachable::<P, K>(&app.routes));
        if app.problems.is_empty() { Ok(app) } else { Err(app.problems) }
    }

    /// A slash command, with its slash.
    #[track_caller]
    pub fn command(&mut self, command: impl Into<Pattern>) -> On<'_, P, R, K, Command> {
        self.on(command.into())
    }

    /// An interactive element, by its `action_id`, or within a block only.
    #[track_caller]
    pub fn action(&mut self, action: impl Into<ActionPattern>) -> On<'_, P, R, K, Actions> {
        self.on(action.into())
    }

    /// A global shortcut, by its `callback_id`.
    #[track_caller]
    pub fn shortcut(&mut self, callback_id: impl Into<Pattern>) -> On<'_, P, R, K, GlobalShortcut> {
        self.on(callback_id.into())
    }

    /// A message shortcut, by its `callback_id`.
    #[track_caller]
    pub fn message_shortcut(&mut self, callback_id: impl Into<Pattern>) -> On<'_, P, R, K, OnMessage> {
        self.on(callback_id.into())
    }

    /// A submitted modal, by its `callback_id`.
    #[track_caller]
    pub fn view(&mut self, callback_id: impl Into<Pattern>) -> On<'_, P, R, K, Submission> {
        self.on(callback_id.into())
    }

    /// A closed modal that was opened with `notify_on_close`, by its `callback_id`.
    #[track_caller]
    pub fn view_closed(&mut self, callback_id: impl Into<Pattern>) -> On<'_, P, R, K, Closed> {
        self.on(callback_id.into())
    }

    /// An event, by its type. Every listener that matches runs.
    #[track_caller]
    pub fn event(&mut self, kind: impl Into<Pattern>) -> On<'_, P, R, K, Events> {
        self.on(kind.into())
    }

    /// A message that holds this text or matches this pattern. Every listener that matches runs.
    #[track_caller]
    pub fn message(&mut self, text: impl Into<Pattern>) -> On<'_, P, R, K, Messages> {
        self.on(text.into())
    }

    /// A custom step of a workflow, by its `callback_id`.
    #[track_caller]
    pub fn function(&mut self, callback_id: impl Into<Pattern>) -> On<'_, P, R, K, Functions> {
        self.on(callback_id.into())
    }

    /// Options for a select with external data, by its `action_id`. Answered in the ingress within 2 s; nothing is queued.
    #[track_caller]
    pub fn options<F>(&mut self, action: impl Into<ActionPattern>, options: F) -> On<'_, P, R, K, Suggestions>
    where
        F: AsyncFn(&AckContext<'_>, &BlockSuggestion, &K) -> Result<OptionsReply, AckError> + 'static,
    {
        let mut on: On<'_, P, R, K, Suggestions> = self.on(action.into());
        let options = Rc::new(options);
        on.answer_with(move || {
            AckFn::Io(Box::new(move |context, part, resources| {
                let options = Rc::clone(&options);
                Box::pin(async move {
                    let wanted = ack_payload::<Suggestions>(context, part)?;
                    let reply = options(context, &wanted, resources).await?;
                    Ok(Erased { reply: reply.body(), proceed: None })
                })
            }))
        });
        on
    }

    /// Work that Slack did not send: from [`Context::enqueue`], a schedule, a partner. `T` is read from its payload.
    #[track_caller]
    pub fn job<T, F>(&mut self, name: &'static str, job: F)
    where
        T: DeserializeOwned + 'static,
        F: AsyncFn(&Context<R>, &T) -> Result<(), ListenerError> + 'static,
    {
        self.declare(name);
        self.own_jobs.push((name, here::<P>()));
        if P::LAZY {
            self.jobs.insert(name, app_job(job));
        }
    }

    /// Asked about every delivery from Slack before any listener's own guard, in the ack phase and again before a job runs.
    /// The app's own jobs and the probe are not asked about.
    pub fn guard<F>(&mut self, guard: F)
    where
        F: Fn(&AckContext<'_>) -> Result<(), Refusal> + 'static,
    {
        self.guards.push(Rc::new(guard));
    }

    /// Runs around every job, in the order of registration; goes on with [`Next::run`].
    pub fn middleware<F>(&mut self, middleware: F)
    where
        F: for<'a> AsyncFn(&'a Context<R>, Next<'a, R>) -> Result<(), ListenerError> + 'static,
    {
        if !P::LAZY {
            return;
        }
        let middleware = Rc::new(middleware);
        self.middleware.push(Box::new(move |context, next| {
            let middleware = Rc::clone(&middleware);
            Box::pin(async move { middleware(context, next).await })
        }));
    }

    /// Sees every failed listener and may choose what becomes of its job; `None` leaves it as it is.
    pub fn error<F>(&mut self, handler: F)
    where
        F: AsyncFn(&Context<R>, &ListenerError) -> Option<Disposition> + 'static,
    {
        if std::mem::replace(&mut self.has_error_handler, true) {
            self.problems.push("app.error is there twice: only one can choose what becomes of a failed job".to_owned());
        }
        if !P::LAZY {
            return;
        }
        let handler = Rc::new(handler);
        self.on_error = Some(Box::new(move |context, error| {
            let handler = Rc::clone(&handler);
            Box::pin(async move { handler(context, error).await })
        }));
    }

    /// Whether events that the app itself caused are dropped, as in Bolt; they are, unless this is turned off.
    pub fn ignore_self(&mut self, ignore: bool) {
        self.ignore_self = ignore;
    }

    /// The names of all jobs.
    pub fn job_names(&self) -> &[&'static str] {
        &self.names
    }

    /// How many listeners there are.
    pub fn listener_count(&self) -> usize {
        self.routes.len()
    }

    #[track_caller]
    fn on<T: Kind>(&mut self, pattern: T::Pattern) -> On<'_, P, R, K, T> {
        self.add_route(T::NAME, pattern.into(), T::takes, T::EVERY_MATCH, here::<P>());
        let route = self.routes.len() - 1;
        On::new(self, route)
    }

    /// What is the same for all kinds, so that it is compiled once.
    fn add_route(
        &mut self,
        name: &'static str,
        pattern: ActionPattern,
        takes: Takes,
        every_match: bool,
        place: Option<Place>,
    ) {
        self.routes.push(Route {
            name,
            pattern,
            takes,
            constraints: Vec::new(),
            place,
            answers: false,
            every_match,
            is_options: name == Suggestions::NAME,
            guards: Vec::new(),
            ack: AckFn::Empty,
            has_fallback: false,
            jobs: Vec::new(),
            stale_after: None,
        });
    }

    /// Something is wrong with a listener.
    pub(crate) fn route_problem(&mut self, route: usize, what: &str) {
        let Route { name, pattern, .. } = &self.routes[route];
        self.problems.push(format!("a listener for {name} {pattern} {what}"));
    }

    /// Takes a job's name, which is what waits in the queue during a deployment: chosen, unique, never derived.
    pub(crate) fn declare(&mut self, name: &'static str) {
        if !is_job_name(name) {
            self.problems.push(format!("job name {name:?}: 1 to 128 visible ASCII characters, without # , @"));
        }
        if name.starts_with("tack.") {
            self.problems.push(format!("job name {name:?}: names that begin with tack. are the framework's"));
        }
        if self.names.contains(&name) {
            self.problems.push(format!("job name {name:?} is registered twice: give each listener its own"));
        }
        self.names.push(name);
    }
}

/// The caller of the caller, where places are kept.
#[track_caller]
pub(crate) fn here<P: Phase>() -> Option<Place> {
    if P::LAZY { Some(Location::caller()) } else { None }
}

/// A job for work that Slack did not send.
pub(crate) fn app_job<R: 'static, T, F>(job: F) -> LazyJob<R>
where
    T: DeserializeOwned + 'static,
    F: AsyncFn(&Context<R>, &T) -> Result<(), ListenerError> + 'static,
{
    let job = Rc::new(job);
    let run: RunJob<R> = Box::new(move |context, work, _, _| {
        let (job, payload) = (Rc::clone(&job), app_payload(work));
        Box::pin(async move { job(context, &payload?).await })
    });
    LazyJob { run, route: None }
}

pub(crate) fn app_payload<T: DeserializeOwned>(work: &Work) -> Result<T, ListenerError> {
    let Work::App(work) = work else {
        return Err(ListenerError::permanent("this job runs work of origin app, and Slack sent this"));
    };
    T::deserialize(&work.payload).map_err(|error| misfit("its payload", &error))
}
