//! The app in several workspaces at once, by the real `oauth` process: each with its own token only, and gone where it is uninstalled.
//! Source: <https://docs.slack.dev/authentication/installing-with-oauth/>

use crate::message::now_ms;
use crate::visitor::Page;
use crate::world::{Installs, Setup, World, in_world, query_of};
use serde_json::{Value, json};
use tack_app::step::Step;
use tack_simulator::{Acted, Consent, Delivery, DeliveryFaults, DeliveryRequest, Faults, Target};

const ACME: &str = "T0ACME001";
const GLOBEX: &str = "T0GLOBEX1";
const HOOLI: &str = "E0HOOLI01";
const HOOLI_XYZ: &str = "T0HOOLIX1";
const HOOLI_LABS: &str = "T0HOOLIL1";
const GREETING: &str = "hi, how are you?";

fn workspace(id: &str) -> Target {
    Target::Workspace(id.to_owned())
}

/// Each post as (the token it came with, its channel), of those that Slack took.
fn posts(world: &World) -> Vec<(String, String)> {
    let calls = world.slack.read(|state| {
        let calls = state.calls_of("chat.postMessage");
        calls.iter().map(|call| (call.answer["ok"] == true, call.args["channel"].clone())).collect::<Vec<_>>()
    });
    let tokens = world.wire.used("chat.postMessage");
    assert_eq!(calls.len(), tokens.len());
    let good = tokens.into_iter().zip(calls).filter(|(_, (ok, _))| *ok);
    good.map(|(token, (_, channel))| (token, channel.as_str().unwrap().to_owned())).collect()
}

/// A message of a workspace where Slack itself would send nothing, such as one that was under way when the app was uninstalled.
fn message_in(team: &str, event_id: &str) -> DeliveryRequest {
    let mut envelope = crate::message::message_event(event_id, "hi");
    envelope["team_id"] = json!(team);
    envelope["event"]["team"] = json!(team);
    envelope["authorizations"] = json!([]);
    DeliveryRequest::event(envelope)
}

fn all_accepted(deliveries: &[Delivery]) -> bool {
    !deliveries.is_empty() && deliveries.iter().all(|delivery| delivery.attempts[0].status == Some(200))
}

fn rows_of<'a>(rows: &'a [Value], team: &str) -> Vec<&'a Value> {
    rows.iter().filter(|row| row["pk"]["S"] == format!("T#{team}")).collect()
}

/// The jobs of this workspace that ended without a listener.
fn discarded(world: &World, team: &str) -> Vec<Step> {
    let is = |step: &Step| step.outcome.as_deref() == Some("discarded") && step.team.as_deref() == Some(team);
    world.steps().into_iter().filter(is).collect()
}

/// How often a job of this workspace found no install.
fn not_installed(world: &World, team: &str) -> usize {
    let none = format!("not installed in {team}");
    world.steps().iter().filter(|step| step.reason.as_deref() == Some(none.as_str())).count()
}

fn is_installed_page(page: &Page) {
    assert!([200, 302].contains(&page.status), "{page:?}");
}

#[test]
fn each_workspace_is_answered_with_its_own_token_and_the_organisation_only_where_it_was_granted() {
    in_world(Setup::installed_starter(Installs::default()), async |world| {
        is_installed_page(&world.install("ada", workspace(ACME)).await);
        is_installed_page(&world.install("hank", workspace(GLOBEX)).await);
        let wide = world.install("gavin", Target::Organisation(HOOLI.to_owned())).await;
        assert!(
            wide.status == 302 && wide.location().contains(HOOLI),
            "org-wide: on to the choice of workspaces, {wide:?}"
        );
        assert!(world.hi("gavin", "C0HOOXGEN").await.deliveries.is_empty(), "nothing was granted yet");
        assert!(all_accepted(&world.slack.grant_team(HOOLI_XYZ).await.unwrap().deliveries));

        let rooms = [("ada", "C0PLAY001"), ("hank", "C0GLOBGEN"), ("gavin", "C0HOOXGEN")];
        for (person, channel) in rooms {
            assert!(all_accepted(&world.hi(person, channel).await.deliveries), "{person}");
        }
        assert!(world.hi("jian", "C0HOOLGEN").await.deliveries.is_empty(), "the organisation has not granted it");
        world.settled().await;

        let [acme, globex, hooli] = [ACME, GLOBEX, HOOLI].map(|place| world.wire.tokens_of(place).remove(0));
        assert!(acme != globex && globex != hooli && acme != hooli);
        let mut posted = posts(world);
        posted.sort_by(|one, other| one.1.cmp(&other.1));
        let expected = [(globex, "C0GLOBGEN"), (hooli.clone(), "C0HOOXGEN"), (acme, "C0PLAY001")];
        assert_eq!(posted, expected.map(|(token, channel)| (token, channel.to_owned())));
        assert_eq!(world.effects(GREETING), 3);

        // An event of the workspace that was not granted, which Slack would not send, ends quietly too.
        let mut stray = message_in(HOOLI_LABS, "Ev0LABS0001");
        stray.body["enterprise_id"] = json!(HOOLI);
        assert!(all_accepted(&world.deliver(stray).await));
        world.settled().await;
        assert_eq!((discarded(world, HOOLI_LABS).len(), posts(world).len()), (1, 3));

        // Granted, it works at once, and withdrawn no more.
        world.slack.grant_team(HOOLI_LABS).await.unwrap();
        world.settled().await;
        world.hi("jian", "C0HOOLGEN").await;
        world.settled().await;
        assert_eq!(posts(world).last(), Some(&(hooli, "C0HOOLGEN".to_owned())));
        world.slack.revoke_team(HOOLI_LABS).await.unwrap();
        world.settled().await;
        let mut stray = message_in(HOOLI_LABS, "Ev0LABS0002");
        stray.body["enterprise_id"] = json!(HOOLI);
        world.deliver(stray).await;
        world.settled().await;
        assert_eq!((discarded(world, HOOLI_LABS).len(), posts(world).len()), (2, 4));
        assert!(world.dead_letters().is_empty());
    });
}

/// The next second has begun: Slack dates its events in whole seconds.
async fn a_second_later(world: &World) {
    let now = now_ms() / 1000;
    world.wait_for("the next second", || (now_ms() / 1000 > now).then_some(())).await;
}

/// What Slack sends of an uninstall: `tokens_revoked` and `app_uninstalled`.
async fn uninstall(world: &World, team: &str) -> Acted {
    let told = world.slack.uninstall(team).await.unwrap();
    let names: Vec<_> = told.deliveries.iter().map(|delivery| delivery.payload()["event"]["type"].clone()).collect();
    assert!(names.contains(&json!("tokens_revoked")) && names.contains(&json!("app_uninstalled")), "{names:?}");
    assert!(all_accepted(&told.deliveries));
    told
}

#[test]
fn an_uninstall_ends_a_workspaces_events_quietly_and_a_reinstall_works_at_once_and_against_late_news() {
    in_world(Setup::installed_starter(Installs::default()), async |world| {
        world.install("ada", workspace(ACME)).await;
        world.install("hank", workspace(GLOBEX)).await;
        world.hi("hank", "C0GLOBGEN").await;
        world.settled().await;
        a_second_later(world).await;
        let told = uninstall(world, GLOBEX).await;
        world.settled().await;
        assert!(rows_of(&world.stack.aws.dynamodb().items("installations"), GLOBEX).is_empty(), "purged at once");

        assert!(world.hi("hank", "C0GLOBGEN").await.deliveries.is_empty(), "Slack has nobody to tell");
        assert!(all_accepted(&world.deliver(message_in(GLOBEX, "Ev0STRAY001")).await));
        world.settled().await;
        let [job] = &discarded(world, GLOBEX)[..] else { panic!("{:?}", world.steps()) };
        assert_eq!(job.job.as_deref(), Some("sample_message.greet"));
        assert_eq!(job.reason.as_deref(), Some(format!("not installed in {GLOBEX}").as_str()));
        let failed = |step: &Step| {
            let is_looked_for = step.reason.as_deref().is_some_and(|reason| reason.starts_with("not installed in"));
            match step.outcome.as_deref() {
                // It may have been installed a moment ago.
                Some("retry") => !is_looked_for,
                outcome => outcome == Some("parked"),
            }
        };
        assert!(!world.steps().iter().any(failed), "{:?}", world.steps());
        assert_eq!(world.wire.used("chat.postMessage").len(), 1, "nothing was said after it");

        a_second_later(world).await;
        // Once more, so that it has just been found not to be installed when it is.
        let before = not_installed(world, GLOBEX);
        world.deliver(message_in(GLOBEX, "Ev0STRAY002")).await;
        let looked = || (not_installed(world, GLOBEX) > before).then_some(());
        world.wait_for("another look", looked).await;
        world.install("hank", workspace(GLOBEX)).await;
        world.hi("hank", "C0GLOBGEN").await;
        world.settled().await;
        let tokens = world.wire.tokens_of(GLOBEX);
        assert_eq!(tokens.len(), 2);
        let said: Vec<String> = posts(world).into_iter().map(|(token, _)| token).collect();
        assert_eq!(said, tokens, "each with the token of its time");

        // The same once more, as Slack repeats it, and as one that never came: both are about the install before.
        for delivery in &told.deliveries {
            world.slack.replay(&delivery.id, tack_simulator::ReplayMode::Redeliver).await.unwrap();
            let mut late = delivery.payload();
            late["event_id"] = json!(format!("Ev0LATE{}", late["event"]["type"].as_str().unwrap().len()));
            assert!(all_accepted(&world.deliver(DeliveryRequest::event(late)).await));
        }
        world.settled().await;
        let kept = rows_of(&world.stack.aws.dynamodb().items("installations"), GLOBEX).len();
        assert!(kept >= 1, "the new install is there");
        world.hi("hank", "C0GLOBGEN").await;
        world.settled().await;
        assert_eq!(posts(world)[2].0, tokens[1]);
        let late = world.jobs("tack.lifecycle", "discarded");
        assert_eq!(late.len(), 2, "{late:?}");
        let again = |step: &Step| step.reason.as_deref().unwrap().contains("installed again after this");
        assert!(late.iter().all(again), "{late:?}");

        world.hi("ada", "C0PLAY001").await;
        world.settled().await;
        assert_eq!(posts(world)[3].0, world.wire.tokens_of(ACME)[0], "the neighbour is as before");
        assert!(world.dead_letters().is_empty());
    });
}

#[test]
fn news_of_an_uninstall_in_any_order_and_twice_lead_to_the_same_end_and_every_install_is_welcomed_once() {
    in_world(Setup::installed_drill(Installs::default()), async |world| {
        for (round, reorder) in [false, true, false, true].into_iter().enumerate() {
            world.install("ada", workspace(ACME)).await;
            world.settled().await;
            let welcomes = world.effects("welcome, sent by nobody");
            assert_eq!(welcomes, round + 1);
            assert_eq!(world.wire.used("chat.postMessage").last(), world.wire.tokens_of(ACME).last());
            a_second_later(world).await;
            let deliveries = DeliveryFaults { duplicate: 1, reorder, ..DeliveryFaults::default() };
            world.slack.set_faults(Faults { deliveries, ..Faults::default() });
            uninstall(world, ACME).await;
            world.settled().await;
            world.slack.set_faults(Faults::default());
            let rows = world.stack.aws.dynamodb().items("installations");
            assert!(rows.is_empty(), "round {round}: {rows:?}");
            a_second_later(world).await;
        }
        assert_eq!(world.jobs("tack.purge", "done").len(), 4);
        let ends = world.steps().into_iter().filter(|step| step.job.as_deref() == Some("tack.lifecycle"));
        let done = ends.filter(|step| step.outcome.as_deref() == Some("done")).count();
        assert!(done >= 4, "{:?}", world.steps());
        assert!(world.dead_letters().is_empty());
    });
}

#[test]
fn where_a_ref_is_given_it_comes_to_the_welcome_and_user_tokens_and_a_webhook_are_kept() {
    let installs = Installs { user_scopes: "chat:write", more_scopes: &["incoming-webhook"], ..Installs::default() };
    in_world(Setup::installed_drill(installs), async |world| {
        let visitor = world.visitor();
        let authorize = visitor.get("/slack/install?direct=1&ref=a%20poster").await.location();
        let back = world.slack.allow(query_of(&authorize), &Consent::new("ada", workspace(ACME))).unwrap();
        is_installed_page(&visitor.get(&back).await);
        world.settled().await;
        assert_eq!(world.posted(), ["welcome, sent by a poster"]);
        let rows = world.stack.aws.dynamodb().items("installations");
        let keys: Vec<_> = rows_of(&rows, ACME).into_iter().map(|row| row["sk"]["S"].as_str().unwrap()).collect();
        assert!(keys.contains(&"BOT") && keys.contains(&"USER#U0ADA0001"), "{keys:?}");
        let bot = rows.iter().find(|row| row["sk"]["S"] == "BOT").unwrap();
        assert!(bot["hook"]["B"].is_string(), "{bot}");
    });
}

#[test]
fn at_the_gateway_the_install_pages_are_read_and_nothing_else() {
    in_world(Setup::installed_starter(Installs::default()), async |world| {
        let visitor = world.visitor();
        let page = visitor.get("/slack/install").await;
        assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")));
        for (method, path) in [
            ("HEAD", "/slack/oauth_redirect"),
            ("POST", "/slack/oauth_redirect"),
            ("DELETE", "/slack/oauth_redirect"),
            ("HEAD", "/slack/install"),
            ("POST", "/slack/install"),
            ("GET", "/slack/install/"),
            ("GET", "/slack/oauth_redirect/more"),
            ("GET", "/slack"),
            ("GET", "/"),
            ("GET", "/slack/events"),
        ] {
            // An HTTP API has no route for it. Source:
            // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
            assert_eq!(visitor.request(method, path).await.status, 404, "{method} {path}");
        }
        let oauth = world.steps().into_iter().filter(|step| step.step == "oauth").count();
        assert_eq!(oauth, 1, "the function saw the first one only");
    });
}
