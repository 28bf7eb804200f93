//! What runs around every job: timing, tenants' settings, the adopter's own context.

use crate::app::RunJob;
use crate::context::Context;
use crate::error::ListenerError;
use crate::message::Work;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;

pub(crate) type Middleware<R> =
    Box<dyn for<'a> Fn(&'a Context<R>, Next<'a, R>) -> LocalBoxFuture<'a, Result<(), ListenerError>>>;

/// The rest of the chain: the other middleware, then the listener.
pub struct Next<'a, R> {
    pub(crate) rest: &'a [Middleware<R>],
    pub(crate) context: &'a Context<R>,
    pub(crate) run: &'a RunJob<R>,
    pub(crate) work: &'a Work,
    pub(crate) part: usize,
    pub(crate) value: Option<Value>,
}

impl<R> Next<'_, R> {
    /// Goes on. A middleware that does not call it decides by its own result.
    ///
    /// # Errors
    /// Whatever the rest of the chain gave.
    pub async fn run(self) -> Result<(), ListenerError> {
        match self.rest.split_first() {
            Some((first, rest)) => first(self.context, Next { rest, ..self }).await,
            None => (self.run)(self.context, self.work, self.part, self.value).await,
        }
    }
}
