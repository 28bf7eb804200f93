//! The drill app: its listeners do what a message tells them, however bad. Compiled into this test binary, which starts itself as the
//! functions' processes: each `…_process` is a test that does nothing unless it finds itself behind a Runtime API.

use crate::world::CHANNEL;
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use std::cell::Cell;
use std::process::ExitCode;
use std::time::Duration;
use tack_app::install::InstalledEvent;
use tack_app::payload::{BlockSuggestion, Event, Message, SlashCommand};
use tack_app::{AckContext, AckError, App, CommandAck, Context, ListenerError, OptionsReply, Phase};
use tack_app::{Settings, SetupError, SlackApp};
use tack_local_aws::lambda::Command;

/// The job behind every message that begins with `drill`.
pub(crate) const CARRY_OUT: &str = "drill.carry_out";
/// The job of own work that posts a text.
pub(crate) const POST: &str = "drill.post";
/// An event that three listeners take.
pub(crate) const THREE: &str = "drill_three";

/// How long `block` blocks: far beyond every deadline of the tests.
const BLOCK: Duration = Duration::from_secs(60);

/// What a worker's listeners share.
#[derive(Default)]
struct Memory {
    /// How many messages this process has posted.
    posts: Cell<usize>,
}

/// The app; mended, it does well what it did badly before.
struct Drill<const MENDED: bool>;

impl<const MENDED: bool> SlackApp for Drill<MENDED> {
    type Resources = Memory;
    type AckResources = ();

    fn register<P: Phase>(app: &mut App<P, Memory, ()>) {
        app.message("drill").lazy(CARRY_OUT, carry_out::<MENDED>);
        app.event(THREE)
            .lazy("three.posts", three_posts)
            .lazy("three.parks", three_parks)
            .lazy("three.retries", three_retries);
        app.job(POST, post);
        app.installed(async |context, event| welcome(context, event).await);
        app.options("slow_select", slow_options);
        app.command("/hang").ack_io(hanging_ack).lazy("drill.after_hang", after_hang);
        app.command("/environment").ack(environment_ack).lazy("drill.after_environment", after_hang);
    }

    async fn resources(_: &Settings) -> Result<Memory, SetupError> {
        Ok(Memory::default())
    }

    async fn ack_resources(_: &Settings) -> Result<(), SetupError> {
        Ok(())
    }
}

/// `drill VERB REST`: does it and posts REST, if it comes that far.
async fn carry_out<const MENDED: bool>(context: &Context<Memory>, message: &Message) -> Result<(), ListenerError> {
    let order = message.text.strip_prefix("drill ").unwrap_or_default();
    let (verb, rest) = order.split_once(' ').unwrap_or((order, ""));
    match verb {
        "environment" => return say(context, &names_of_variables()).await,
        "enqueue" => return enqueue(context, rest.parse()?).await,
        _ if MENDED => {}
        "panic" => panic!("a listener that panics"),
        "fail" => return Err(std::io::Error::other("a listener that fails").into()),
        "hang" => std::future::pending().await,
        "block" => {
            if context.attempt() == 1 {
                // Its good neighbours have come to their end by then.
                wait_for_posts(context, rest.parse()?).await;
            }
            std::thread::sleep(BLOCK);
        }
        // Killed before its effect: the second attempt gets through.
        "wait" if context.attempt() == 1 => {
            context.client().call("api.test", &json!({ "place": rest })).await?;
            std::future::pending::<()>().await;
        }
        "slow" => tokio::time::sleep(Duration::from_millis(300)).await,
        _ => {}
    }
    say(context, rest).await
}

async fn say(context: &Context<Memory>, text: &str) -> Result<(), ListenerError> {
    context.say(text).await?;
    let posts = &context.resources().posts;
    posts.set(posts.get() + 1);
    Ok(())
}

async fn wait_for_posts(context: &Context<Memory>, posts: usize) {
    while context.resources().posts.get() < posts {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Their records are still to be written.
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// Gives itself `count` jobs; the first attempt stops half-way and is to be killed there.
async fn enqueue(context: &Context<Memory>, count: usize) -> Result<(), ListenerError> {
    let numbers: Vec<usize> = (0..if context.attempt() == 1 { count / 2 } else { count }).collect();
    for together in numbers.chunks(20) {
        let enqueued = together.iter().map(async |number| {
            context.enqueue(POST, &format!("key-{number}"), &json!({ "text": format!("job {number}") })).await
        });
        try_join_all(enqueued).await?;
    }
    if context.attempt() == 1 {
        context.client().call("api.test", &json!({ "place": "half-way" })).await?;
        std::future::pending::<()>().await;
    }
    Ok(())
}

async fn post(context: &Context<Memory>, post: &Value) -> Result<(), ListenerError> {
    context.client().call("chat.postMessage", &json!({ "channel": CHANNEL, "text": post["text"] })).await?;
    Ok(())
}

/// The way of the real ones: a direct message to the person who installed it.
async fn welcome(context: &Context<Memory>, event: &InstalledEvent) -> Result<(), ListenerError> {
    let reference = event.reference.as_deref().unwrap_or("nobody");
    let text = format!("welcome, sent by {reference}");
    context.client().call("chat.postMessage", &json!({ "channel": event.installer, "text": text })).await?;
    Ok(())
}

async fn three_posts(context: &Context<Memory>, _: &Event) -> Result<(), ListenerError> {
    say(context, "the first of three").await
}

async fn three_parks(_: &Context<Memory>, _: &Event) -> Result<(), ListenerError> {
    Err(ListenerError::permanent("the second of three is for a person"))
}

async fn three_retries(context: &Context<Memory>, _: &Event) -> Result<(), ListenerError> {
    if context.attempt() == 1 {
        return Err(std::io::Error::other("the third of three fails once").into());
    }
    say(context, "the third of three").await
}

async fn slow_options(_: &AckContext<'_>, _: &BlockSuggestion, (): &()) -> Result<OptionsReply, AckError> {
    tokio::time::sleep(Duration::from_secs(5)).await;
    Ok(OptionsReply::pairs([("Too late", "late")]))
}

async fn hanging_ack(_: &AckContext<'_>, _: &SlashCommand, (): &()) -> Result<CommandAck, AckError> {
    std::future::pending().await
}

async fn after_hang(context: &Context<Memory>, _: &SlashCommand) -> Result<(), ListenerError> {
    say(context, "nobody may read this").await
}

fn environment_ack(_: &AckContext<'_>, _: &SlashCommand) -> Result<CommandAck, AckError> {
    Ok(CommandAck::refuse(names_of_variables()))
}

fn names_of_variables() -> String {
    let mut names: Vec<_> = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names.join(" ")
}

/// The drill app's ingress.
pub(crate) fn ingress() -> Command {
    process("ingress_process")
}

/// The drill app's worker.
pub(crate) fn worker() -> Command {
    process("worker_process")
}

/// The worker of the next version, in which nothing is bad any more.
pub(crate) fn mended_worker() -> Command {
    process("mended_worker_process")
}

/// The drill app's install pages.
pub(crate) fn oauth() -> Command {
    process("oauth_process")
}

fn process(test: &str) -> Command {
    let module = module_path!().split_once("::").map(|(_, module)| module).unwrap();
    Command {
        program: std::env::current_exe().unwrap(),
        // With one thread the test harness would write the test's name into the first line of the log.
        args: [&format!("{module}::{test}"), "--exact", "--nocapture", "--test-threads=2"].map(str::to_owned).to_vec(),
    }
}

/// A function's `main` on a stack as large as a real `main` has it.
fn run_if_started_as_function(main: fn() -> ExitCode) {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    std::thread::Builder::new().stack_size(8 * 1024 * 1024).spawn(main).unwrap().join().unwrap();
}

#[test]
fn ingress_process() {
    run_if_started_as_function(tack_aws::ingress::run::<Drill<false>>);
}

#[test]
fn worker_process() {
    run_if_started_as_function(tack_aws::worker::run::<Drill<false>>);
}

#[test]
fn oauth_process() {
    run_if_started_as_function(tack_aws::oauth::run::<Drill<false>>);
}

#[test]
fn mended_worker_process() {
    run_if_started_as_function(tack_aws::worker::run::<Drill<true>>);
}
