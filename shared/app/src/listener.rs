//! The builder behind `app.command(…)` and its siblings: `.when` `.guard` `.ack` `.ack_io` `.lazy` `.fallback` `.stale_after`.

use crate::ack::{Ack, AckContext, Erased, HandedOver, Nothing, Outcome, Refusal};
use crate::app::{AckFn, App, LazyJob, Phase, RunJob};
use crate::context::Context;
use crate::error::{AckError, ListenerError, misfit};
use crate::kind::{Acked, Kind, Lazy};
use crate::message::Work;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::Reply;
use tack_protocol::payload::Payload;

/// The payload of a job: by its kind alone, so that work which waited while a pattern changed still runs.
fn job_payload<T: Kind>(work: &Work, part: usize) -> Result<T::Payload, ListenerError> {
    let Work::Slack(work) = work else {
        return Err(ListenerError::permanent("this job runs what Slack sends, and this is work of origin app"));
    };
    let payload = &work.envelope.payload;
    T::payload(payload, part).ok_or_else(|| {
        ListenerError::permanent(format!("its listener is one for {}, and this is a {:?}", T::NAME, payload.kind()))
    })
}

/// A listener that is being registered. `H` is what its ack hands over to its lazy functions.
pub struct On<'a, P, R, K, T: Kind, H = Nothing> {
    app: &'a mut App<P, R, K>,
    route: usize,
    kind: PhantomData<(T, H)>,
}

impl<'a, P: Phase, R: 'static, K: 'static, T: Kind, H> On<'a, P, R, K, T, H> {
    pub(crate) fn new(app: &'a mut App<P, R, K>, route: usize) -> Self {
        Self { app, route, kind: PhantomData }
    }

    /// Gives the listener its ack; made only where acks are kept.
    pub(crate) fn answer_with(&mut self, ack: impl FnOnce() -> AckFn<K>) {
        if std::mem::replace(&mut self.app.routes[self.route].answers, true) {
            self.app.route_problem(self.route, "has two acks: only one can answer");
        }
        if !P::LAZY {
            self.app.routes[self.route].ack = ack();
        }
    }

    fn hands<N>(self) -> On<'a, P, R, K, T, N> {
        On::new(self.app, self.route)
    }

    /// Takes only payloads for which this holds. Pure; asked in the ingress, where jobs are named.
    pub fn when(self, constraint: impl Fn(&T::Payload) -> bool + 'static) -> Self {
        let holds = move |payload: &Payload, part| T::payload(payload, part).is_some_and(|taken| constraint(&taken));
        self.app.routes[self.route].constraints.push(Box::new(holds));
        self
    }

    /// Refuses with an answer of the kind. Pure: it is asked in the ack phase, and again before the job runs.
    pub fn guard(self, guard: impl Fn(&AckContext<'_>) -> Result<(), Refusal> + 'static) -> Self {
        self.app.routes[self.route].guards.push(Rc::new(guard));
        self
    }

    /// How old a delivery may be when its first attempt starts. Older ones are dropped with that reason.
    pub fn stale_after(self, age: Duration) -> Self {
        self.app.routes[self.route].stale_after = Some(age);
        self
    }

    /// Runs in place of the listener when a delivery is dropped for its age; once, however many jobs the listener has.
    pub fn fallback<F>(self, fallback: F) -> Self
    where
        F: AsyncFn(&Context<R>, &T::Payload) -> Result<(), ListenerError> + 'static,
    {
        if std::mem::replace(&mut self.app.routes[self.route].has_fallback, true) {
            self.app.route_problem(self.route, "has two fallbacks: only one can run");
        }
        if P::LAZY {
            self.app.fallbacks.insert(self.route, erase::<T, R, F>(fallback));
        }
        self
    }

    fn add_job(&mut self, name: &'static str) {
        self.app.declare(name);
        self.app.routes[self.route].jobs.push(name);
    }
}

impl<'a, P: Phase, R: 'static, K: 'static, T: Acked> On<'a, P, R, K, T> {
    /// Answers within the request: pure, synchronous, without Slack's token. May hand a small value to the lazy side.
    pub fn ack<H, F>(mut self, ack: F) -> On<'a, P, R, K, T, H>
    where
        H: HandOver,
        F: Fn(&AckContext<'_>, &T::Payload) -> Result<Ack<T::Reply, H>, AckError> + Send + Sync + 'static,
    {
        self.answer_with(move || {
            AckFn::Pure(Box::new(move |context, part| erase_answer(ack(context, &ack_payload::<T>(context, part)?)?)))
        });
        self.hands()
    }

    /// Answers within the request after I/O with the adopter's own resources; 1.5 s at most.
    pub fn ack_io<H, F>(mut self, ack: F) -> On<'a, P, R, K, T, H>
    where
        H: HandOver,
        F: AsyncFn(&AckContext<'_>, &T::Payload, &K) -> Result<Ack<T::Reply, H>, AckError> + 'static,
    {
        self.answer_with(move || {
            let ack = Rc::new(ack);
            AckFn::Io(Box::new(move |context, part, resources| {
                let ack = Rc::clone(&ack);
                Box::pin(async move {
                    let taken = ack_payload::<T>(context, part)?;
                    erase_answer(ack(context, &taken, resources).await?)
                })
            }))
        });
        self.hands()
    }
}

impl<P: Phase, R: 'static, K: 'static, T: Lazy> On<'_, P, R, K, T, Nothing> {
    /// Runs in the worker, durably, under this name, which is unique and must not change while work waits.
    pub fn lazy<F>(mut self, name: &'static str, listener: F) -> Self
    where
        F: AsyncFn(&Context<R>, &T::Payload) -> Result<(), ListenerError> + 'static,
    {
        self.add_job(name);
        if P::LAZY {
            let run = erase::<T, R, F>(listener);
            self.app.jobs.insert(name, LazyJob { run, route: Some(self.route) });
        }
        self
    }
}

impl<P: Phase, R: 'static, K: 'static, T: Lazy, V> On<'_, P, R, K, T, HandedOver<V>>
where
    V: Serialize + DeserializeOwned + 'static,
{
    /// Runs in the worker, durably, under this name, with the value that the ack handed over.
    pub fn lazy<F>(mut self, name: &'static str, listener: F) -> Self
    where
        F: AsyncFn(&Context<R>, &T::Payload, V) -> Result<(), ListenerError> + 'static,
    {
        self.add_job(name);
        if P::LAZY {
            let listener = Rc::new(listener);
            let run: RunJob<R> = Box::new(move |context, work, part, value| {
                let listener = Rc::clone(&listener);
                Box::pin(async move {
                    let payload = job_payload::<T>(work, part)?;
                    let value = V::deserialize(value.unwrap_or(Value::Null))
                        .map_err(|error| misfit("the value that the ack handed over", &error))?;
                    listener(context, &payload, value).await
                })
            });
            self.app.jobs.insert(name, LazyJob { run, route: Some(self.route) });
        }
        self
    }
}

fn erase<T: Kind, R: 'static, F>(listener: F) -> RunJob<R>
where
    F: AsyncFn(&Context<R>, &T::Payload) -> Result<(), ListenerError> + 'static,
{
    let listener = Rc::new(listener);
    Box::new(move |context, work, part, _| {
        let listener = Rc::clone(&listener);
        Box::pin(async move { listener(context, &job_payload::<T>(work, part)?).await })
    })
}

pub(crate) fn ack_payload<T: Kind>(context: &AckContext<'_>, part: usize) -> Result<T::Payload, AckError> {
    T::payload(context.payload(), part).ok_or_else(|| AckError::new("the payload is of another kind"))
}

fn erase_answer<R: Reply, H: HandOver>(answer: Ack<R, H>) -> Result<Erased, AckError> {
    Ok(match answer.0 {
        Outcome::Proceed(reply, handed) => Erased { reply: reply.body(), proceed: Some(handed.into_value()?) },
        Outcome::Stop(reply) => Erased { reply: reply.body(), proceed: None },
    })
}

/// What an ack may hand over: [`Nothing`] or a value that serde can write.
pub trait HandOver: 'static {
    /// As JSON.
    ///
    /// # Errors
    /// When serde cannot write it.
    fn into_value(self) -> Result<Option<Value>, AckError>;
}

impl HandOver for Nothing {
    fn into_value(self) -> Result<Option<Value>, AckError> {
        Ok(None)
    }
}

impl<V: Serialize + 'static> HandOver for HandedOver<V> {
    fn into_value(self) -> Result<Option<Value>, AckError> {
        Ok(Some(serde_json::to_value(self.0)?))
    }
}
