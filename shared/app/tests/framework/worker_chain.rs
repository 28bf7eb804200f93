//! What stands around a listener: guards, middleware and the error handler.

use crate::world::{REMAINING, TestApp, World};
use std::time::Duration;
use tack_app::message::SlackWork;
use tack_app::{Disposition, ListenerError, Refusal};

type Choose = fn() -> Option<Disposition>;

fn greeting(app: &mut TestApp) {
    app.message("").lazy("job", async |context, _| {
        context.resources().push("listener");
        Ok(())
    });
}

fn failing(app: &mut TestApp) {
    app.message("").lazy("job", async |_, _| Err(std::io::Error::other("the shop is shut").into()));
}

async fn once(register: impl FnOnce(&mut TestApp)) -> (World, SlackWork, usize) {
    let world = World::new();
    let worker = world.worker(register);
    let work = world.send_event("Ev1", &["job"]).await;
    let again = world.batch(&worker).await;
    (world, work, again)
}

#[tokio::test(start_paused = true)]
async fn middleware_runs_around_the_listener_in_the_order_of_registration() {
    let (world, ..) = once(|app| {
        for name in ["outer", "inner"] {
            app.middleware(async move |context, next| {
                context.resources().push(format!("{name} in"));
                let result = next.run().await;
                context.resources().push(format!("{name} out"));
                result
            });
        }
        greeting(app);
    })
    .await;
    assert_eq!(world.log.take(), ["outer in", "inner in", "listener", "inner out", "outer out"]);
}

#[tokio::test(start_paused = true)]
async fn a_middleware_that_does_not_go_on_decides_by_its_own_result() {
    let (world, work, again) = once(|app| {
        app.middleware(async |_, _| Err(ListenerError::discard("not for this workspace")));
        greeting(app);
    })
    .await;
    assert_eq!((again, world.log.take().len()), (0, 0));
    assert_eq!(
        (world.state(&work, "job"), world.why(&work, "job")),
        ("C1".to_owned(), "not for this workspace".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn middleware_sees_the_error_and_may_replace_it() {
    let (world, work, _) = once(|app| {
        app.middleware(async |_, next| match next.run().await {
            Err(error) => Err(ListenerError::permanent(format!("given up: {error}"))),
            Ok(()) => Ok(()),
        });
        failing(app);
    })
    .await;
    assert_eq!(world.why(&work, "job"), "given up: the shop is shut");
    assert_eq!(world.letters().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_middleware_is_one_jobs_failure() {
    let (world, work, again) = once(|app| {
        app.middleware(async |_, _| panic!("oh"));
        greeting(app);
    })
    .await;
    assert_eq!((again, world.state(&work, "job")), (1, "I1".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn a_job_that_a_guard_refuses_by_now_is_discarded_with_that_reason() {
    let (world, work, again) = once(|app| {
        app.guard(|_| Ok(()));
        app.message("").guard(|_| Err(Refusal::new("Admins only."))).lazy("job", async |context, _| {
            context.resources().push("listener");
            Ok(())
        });
    })
    .await;
    assert_eq!((again, world.log.take().len(), world.letters().len()), (0, 0, 0));
    assert_eq!(world.state(&work, "job"), "C1");
    assert!(world.why(&work, "job").contains("guard"), "{}", world.why(&work, "job"));
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_panics_in_the_worker_is_a_failure_and_no_refusal() {
    let (world, work, again) = once(|app| {
        app.guard(|_| panic!("oh"));
        greeting(app);
    })
    .await;
    // The delivery was acknowledged: a mistake of the code may delay it, and must not throw it away.
    assert_eq!((again, world.log.take().len()), (1, 0));
    assert_eq!(world.state(&work, "job"), "I1");
}

#[tokio::test(start_paused = true)]
async fn the_error_handler_sees_a_failed_listener_and_chooses_what_becomes_of_it() {
    let choices: [(Choose, _, _); 5] = [
        (|| None, "I1", 1),
        (|| Some(Disposition::Done), "C1", 0),
        (|| Some(Disposition::Discard { reason: "known".to_owned() }), "C1", 0),
        (|| Some(Disposition::Park { reason: "known".to_owned() }), "P1", 0),
        (|| Some(Disposition::Retry { after: Some(Duration::from_secs(90)), reason: "known".to_owned() }), "I1", 1),
    ];
    for (choose, state, returned) in choices {
        let (world, work, again) = once(|app| {
            app.error(async move |context, error| {
                context.resources().push(format!("{} {error}", context.job()));
                choose()
            });
            failing(app);
        })
        .await;
        assert_eq!(world.log.take(), ["job the shop is shut"]);
        assert_eq!((world.state(&work, "job").as_str(), again), (state, returned), "{:?}", choose());
        if let Some(Disposition::Retry { after: Some(after), .. }) = choose() {
            assert!(world.postponed() >= after);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_error_handler_is_not_asked_about_success() {
    let (world, ..) = once(|app| {
        app.error(async |context, _| {
            context.resources().push("asked");
            None
        });
        greeting(app);
    })
    .await;
    assert_eq!(world.log.take(), ["listener"]);
}

#[tokio::test(start_paused = true)]
async fn an_error_handler_that_fails_itself_changes_nothing() {
    let handlers: [fn(&mut TestApp); 2] =
        [|app| app.error(async |_, _| panic!("oh")), |app| app.error(async |_, _| std::future::pending().await)];
    for handler in handlers {
        let (world, work, again) = once(|app| {
            handler(app);
            failing(app);
        })
        .await;
        assert_eq!((again, world.why(&work, "job")), (1, "the shop is shut".to_owned()));
    }
}

/// The handler's choice for a listener that panics or overruns, and how the job ended.
async fn chosen(listener: fn(&mut TestApp), choose: Choose) -> (Vec<String>, String, usize) {
    let (world, work, again) = once(|app| {
        app.error(async move |context, error| {
            let kind = match error {
                ListenerError::Panicked(text) => format!("panicked: {text}"),
                ListenerError::Overran { attempt } => format!("overran at attempt {attempt}"),
                other => format!("{other:?}"),
            };
            context.resources().push(kind);
            choose()
        });
        listener(app);
    })
    .await;
    (world.log.take(), world.state(&work, "job"), again)
}

#[tokio::test(start_paused = true)]
async fn the_error_handler_sees_panics_and_overruns_and_chooses_there_too() {
    let panics: fn(&mut TestApp) = |app| {
        app.message("").lazy("job", async |_, _| panic!("oh"));
    };
    let overruns: fn(&mut TestApp) = |app| {
        app.message("").lazy("job", async |_, _| std::future::pending().await);
    };
    let choices: [(Choose, &str, usize); 3] = [
        (|| None, "I1", 1),
        (|| Some(Disposition::Discard { reason: "known".to_owned() }), "C1", 0),
        (|| Some(Disposition::Park { reason: "known".to_owned() }), "P1", 0),
    ];
    for (listener, seen) in [(panics, "panicked: oh"), (overruns, "overran at attempt 1")] {
        for (choose, state, again) in choices {
            let ended = chosen(listener, choose).await;
            assert_eq!(ended, (vec![seen.to_owned()], state.to_owned(), again));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_handler_that_hangs_after_an_overrun_does_not_make_the_answer_late() {
    let world = World::new();
    let worker = world.worker(|app| {
        app.error(async |_, _| std::future::pending().await);
        app.message("").lazy("job", async |_, _| std::future::pending().await);
    });
    let work = world.send_event("Ev1", &["job"]).await;
    let in_time = REMAINING - Duration::from_millis(100);
    assert_eq!(tokio::time::timeout(in_time, world.batch(&worker)).await, Ok(1));
    assert!(world.why(&work, "job").contains("attempt 1"), "{}", world.why(&work, "job"));
}
