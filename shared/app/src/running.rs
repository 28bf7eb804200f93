//! Which delivery and job the code on this thread works for right now, so that a panic's line can say so.
//!
//! Jobs of a batch take turns on one thread. Invariant: the name is set while the job's own future is polled and at no
//! other time, so it never stands for a neighbour; a task that a listener spawned has none.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;

/// A delivery that is being answered, or one job of it that is being run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The delivery's name.
    pub delivery: String,
    /// The job; none while the delivery is being answered.
    pub job: Option<String>,
}

thread_local! {
    static RUNNING: RefCell<Option<Rc<Running>>> = const { RefCell::new(None) };
}

/// What the code that calls this works for; `None` between jobs and on other threads.
pub fn running() -> Option<Rc<Running>> {
    RUNNING.try_with(|running| running.try_borrow().ok()?.clone()).ok().flatten()
}

/// Runs `work` for this delivery and job. What is inside another one goes back to it.
pub(crate) async fn within<T>(delivery: &str, job: Option<&str>, work: impl Future<Output = T>) -> T {
    let running = Rc::new(Running { delivery: delivery.to_owned(), job: job.map(str::to_owned) });
    let mut work = pin!(work);
    poll_fn(move |context| {
        let _turn = Turn(RUNNING.replace(Some(Rc::clone(&running))));
        work.as_mut().poll(context)
    })
    .await
}

/// One poll; its end, by a panic too, gives the thread back.
struct Turn(Option<Rc<Running>>);

impl Drop for Turn {
    fn drop(&mut self) {
        RUNNING.set(self.0.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use futures_util::future::join;
    use std::panic::AssertUnwindSafe;

    fn job() -> Option<String> {
        running().and_then(|running| running.job.clone())
    }

    #[tokio::test]
    async fn jobs_that_take_turns_keep_their_own_names() {
        let looking = async || {
            let mut seen = Vec::new();
            for _ in 0..3 {
                seen.push(job());
                tokio::task::yield_now().await;
            }
            seen
        };
        let (a, b) = join(within("d1", Some("a"), looking()), within("d1", Some("b"), looking())).await;
        assert_eq!(a, vec![Some("a".to_owned()); 3]);
        assert_eq!(b, vec![Some("b".to_owned()); 3]);
        assert_eq!(running(), None);
    }

    #[tokio::test]
    async fn a_panic_gives_the_thread_back() {
        let panicking = within("d1", Some("a"), async { panic!("on purpose") });
        assert!(AssertUnwindSafe(panicking).catch_unwind().await.is_err());
        assert_eq!(running(), None);
    }

    #[tokio::test]
    async fn a_job_that_is_dropped_half_way_leaves_nothing_behind() {
        let waiting = within("d1", Some("a"), std::future::pending::<()>());
        assert_eq!(waiting.now_or_never(), None);
        assert_eq!(running(), None);
    }
}
