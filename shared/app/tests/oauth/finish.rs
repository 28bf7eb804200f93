//! What an installation leaves behind: the call to Slack, the job, the saved record, the log line, the way on.

use crate::answers::{BOT_TOKEN, REFRESH_TOKEN, USER_TOKEN, WEBHOOK_URL, granted, no, org_wide, user_only, with, yes};
use crate::browser::{Browser, header, links};
use crate::lines::Lines;
use crate::slack::locally;
use crate::world::{CLIENT_ID, CLIENT_SECRET, NOW, World};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tack_app::install::{InstallKey, Scopes};
use tack_app::message::{QueueName, Work};
use tack_app::oauth::OAuthAnswer;
use tack_app::protocol::EpochMs;

/// The browser goes to Slack and comes back five seconds later.
async fn install(world: &World, query: &str) -> OAuthAnswer {
    let (oauth, browser) = (world.oauth(), Browser::default());
    let state = browser.begin(&oauth, query).await;
    world.pass(5);
    browser.callback(&oauth, &format!("code=the-code&state={state}")).await
}

fn secret(text: Option<&secrecy::SecretString>) -> Option<&str> {
    text.map(ExposeSecret::expose_secret)
}

const INSTALLED_AT: EpochMs = EpochMs(NOW.0 + 5000);

// "we recommend HTTP Basic": https://docs.slack.dev/authentication/installing-with-oauth
#[tokio::test]
async fn a_code_is_exchanged_by_basic_authentication_and_a_form() {
    locally(async {
        let mut world = World::new([yes(&granted()), yes(&granted())]).await;
        install(&world, "direct=1").await;
        world.redirect_uri = Some("https://app.example/slack/oauth_redirect".to_owned());
        install(&world, "direct=1").await;
        let requests = world.slack.requests();
        let credentials = BASE64.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}"));
        for request in &requests {
            assert_eq!(request.path, "/api/oauth.v2.access");
            assert_eq!(request.header("authorization"), Some(format!("Basic {credentials}").as_str()));
            assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
            assert!(!request.body.contains(CLIENT_SECRET) && !request.body.contains(CLIENT_ID));
        }
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(requests[0].form(), [pair("code", "the-code")]);
        let redirect_uri = pair("redirect_uri", "https://app.example/slack/oauth_redirect");
        assert_eq!(requests[1].form(), [pair("code", "the-code"), redirect_uri]);
    })
    .await;
}

#[tokio::test]
async fn a_bot_is_saved_with_its_token_and_scopes() {
    locally(async {
        let world = World::new([yes(&granted())]).await;
        install(&world, "direct=1").await;
        let installed = world.installed("T9TK3CUKW");
        let installation = installed.installation;
        assert_eq!(installation.key(), InstallKey::parse("T#T9TK3CUKW"));
        assert_eq!(installation.team_name.as_deref(), Some("Slack Pickleball Team"));
        assert_eq!(installation.app.as_ref().map(|app| app.as_str()), Some("A0KRD7HC3"));
        assert_eq!(installation.bot_user.as_ref().map(|user| user.as_str()), Some("U0KRQLJ9H"));
        assert_eq!(installation.installer.as_str(), "U1234");
        assert_eq!(installation.scopes, Scopes::parse("chat:write,commands"));
        assert_eq!((installation.installed_at, installation.expires_at, installation.gone), (INSTALLED_AT, None, None));
        let token = installed.token.expect("a token");
        assert_eq!((token.access.expose_secret(), token.expires_at), (BOT_TOKEN, None));
        assert_eq!((secret(token.refresh.as_ref()), secret(world.webhook("T9TK3CUKW").as_ref())), (None, None));
    })
    .await;
}

// https://docs.slack.dev/authentication/using-token-rotation: tokens expire after 43,200 s.
#[tokio::test]
async fn a_rotating_token_is_saved_with_its_end_and_what_renews_it() {
    locally(async {
        let user = json!({
            "id": "U1234", "scope": "search:read", "access_token": USER_TOKEN, "token_type": "user",
            "refresh_token": "xoxe-1-of-the-user", "expires_in": 43200,
        });
        let answer = with(&json!({ "refresh_token": REFRESH_TOKEN, "expires_in": 43200, "authed_user": user }));
        let world = World::new([yes(&answer)]).await;
        install(&world, "direct=1").await;
        let ends = EpochMs(INSTALLED_AT.0 + 43_200_000);
        let installed = world.installed("T9TK3CUKW");
        let token = installed.token.expect("a token");
        assert_eq!((secret(token.refresh.as_ref()), token.expires_at), (Some(REFRESH_TOKEN), Some(ends)));
        assert_eq!(installed.installation.expires_at, Some(ends));
        let key = InstallKey::Team("T9TK3CUKW".into());
        let grant = world.ports.installations.grant(&key, &"U1234".into()).expect("a grant");
        let token = grant.token.expect("a token");
        assert_eq!(token.access.expose_secret(), USER_TOKEN);
        assert_eq!((secret(token.refresh.as_ref()), token.expires_at), (Some("xoxe-1-of-the-user"), Some(ends)));
    })
    .await;
}

#[tokio::test]
async fn user_scopes_alone_are_kept_for_the_person_without_a_bot() {
    locally(async {
        let mut world = World::new([yes(&user_only())]).await;
        world.user_scopes = Scopes::parse("search:read");
        install(&world, "direct=1").await;
        let installed = world.installed("T9TK3CUKW");
        assert!(installed.token.is_none() && installed.installation.bot_user.is_none());
        assert!(installed.installation.scopes.is_empty());
        let key = InstallKey::Team("T9TK3CUKW".into());
        let grant = world.ports.installations.grant(&key, &"U1234".into()).expect("a grant");
        assert_eq!((grant.scopes, grant.installed_at), (Scopes::parse("search:read"), INSTALLED_AT));
        assert_eq!(grant.token.expect("a token").access.expose_secret(), USER_TOKEN);
    })
    .await;
}

#[tokio::test]
async fn an_incoming_webhook_is_kept_its_address_apart() {
    locally(async {
        let webhook = json!({
            "channel": "#ops", "channel_id": "C05002EAE", "configuration_url": "https://x.slack.com/services/B0",
            "url": WEBHOOK_URL,
        });
        let world = World::new([yes(&with(&json!({ "incoming_webhook": webhook })))]).await;
        install(&world, "direct=1").await;
        let installed = world.installed("T9TK3CUKW");
        assert_eq!(secret(world.webhook("T9TK3CUKW").as_ref()), Some(WEBHOOK_URL));
        let shown = serde_json::to_value(&installed.installation).expect("JSON");
        let target = json!({
            "channel": "#ops", "channel_id": "C05002EAE", "configuration_url": "https://x.slack.com/services/B0",
        });
        assert_eq!(shown["webhook"], target);
        assert!(!shown.to_string().contains(WEBHOOK_URL) && !format!("{installed:?}").contains(WEBHOOK_URL));
    })
    .await;
}

// "redirect the admin to the workspace picker": https://docs.slack.dev/enterprise/developing-for-enterprise-orgs
#[tokio::test]
async fn an_organisation_is_saved_under_its_own_name_and_its_admin_goes_on_to_choose_workspaces() {
    locally(async {
        let world = World::new([yes(&org_wide())]).await;
        let answer = install(&world, "direct=1").await;
        let picker = world.at_slack("manage/E12345678/integrations/profile/A0KRD7HC3/workspaces/add");
        assert_eq!((answer.status, header(&answer, "location")), (302, picker.as_str()));
        let installation = world.installed("E12345678").installation;
        assert!(installation.is_enterprise_install() && installation.team_name.is_none());
        assert_eq!(installation.enterprise_name.as_deref(), Some("slack-pickleball"));
        let waiting = world.ports.queue.waiting();
        let Work::App(work) = Work::decode(&waiting[0].body).expect("a message") else { panic!("not own work") };
        assert_eq!((work.team, work.enterprise), (None, Some("E12345678".into())));
        assert_eq!(waiting[0].group, "E12345678");
    })
    .await;
}

#[tokio::test]
async fn a_workspace_of_an_organisation_is_saved_under_the_workspace() {
    locally(async {
        let answer = with(&json!({ "enterprise": { "name": "slack-pickleball", "id": "E12345678" } }));
        let world = World::new([yes(&answer)]).await;
        assert_eq!(install(&world, "direct=1").await.status, 200);
        let installation = world.installed("T9TK3CUKW").installation;
        assert_eq!(installation.enterprise, Some("E12345678".into()));
        assert!(!installation.is_enterprise_install());
    })
    .await;
}

#[tokio::test]
async fn the_job_is_durable_before_the_installation_is_saved_and_names_it() {
    locally(async {
        let world = World::new([yes(&granted())]).await;
        install(&world, "direct=1&ref=order%2042%20%C3%A9").await;
        assert_eq!(*world.ports.done.borrow(), ["queued", "saved"]);
        let waiting = world.ports.queue.waiting();
        assert_eq!((waiting[0].queue, waiting[0].group.as_str()), (QueueName::Events, "T9TK3CUKW"));
        let Work::App(work) = Work::decode(&waiting[0].body).expect("a message") else { panic!("not own work") };
        assert_eq!((work.job.as_str(), work.team), ("tack.installed", Some("T9TK3CUKW".into())));
        assert_eq!((work.received_at, work.trace.as_deref()), (Some(INSTALLED_AT), Some("Root=1-trace")));
        assert_eq!(work.payload["installed_at"], json!(INSTALLED_AT.0));
        assert_eq!((&work.payload["installer"], &work.payload["reference"]), (&json!("U1234"), &json!("order 42 é")));
        assert!(!waiting[0].body.contains("xox"), "{}", waiting[0].body);
    })
    .await;
}

#[tokio::test]
async fn an_installation_again_is_another_job() {
    locally(async {
        let world = World::new([yes(&granted()), yes(&granted())]).await;
        install(&world, "direct=1").await;
        install(&world, "direct=1").await;
        let waiting = world.ports.queue.waiting();
        let keys: Vec<String> =
            waiting.iter().map(|waiting| Work::decode(&waiting.body).expect("a message").idempotency_key()).collect();
        assert_ne!(keys[0], keys[1]);
    })
    .await;
}

#[tokio::test]
async fn the_page_opens_slack_at_the_app() {
    locally(async {
        let world = World::new([yes(&granted())]).await;
        let answer = install(&world, "direct=1").await;
        let opens = world.at_slack("app_redirect?app=A0KRD7HC3&amp;team=T9TK3CUKW");
        assert_eq!(links(&answer), [opens.as_str()]);
    })
    .await;
}

#[tokio::test]
async fn an_app_that_knows_no_id_takes_slacks_and_one_that_slack_does_not_name_keeps_its_own() {
    locally(async {
        let nameless = with(&json!({ "app_id": null }));
        let mut world = World::new([yes(&granted()), yes(&nameless), yes(&nameless)]).await;
        let app = |world: &World| world.installed("T9TK3CUKW").installation.app.map(|app| app.to_string());
        world.app_id = None;
        install(&world, "direct=1").await;
        assert_eq!(app(&world).as_deref(), Some("A0KRD7HC3"));
        let answer = install(&world, "direct=1").await;
        assert_eq!((answer.status, app(&world)), (200, None));
        assert!(links(&answer).is_empty(), "{}", answer.body);
        world.app_id = Some("A0KRD7HC3".into());
        assert_eq!(install(&world, "direct=1").await.status, 200);
        assert_eq!(app(&world).as_deref(), Some("A0KRD7HC3"));
    })
    .await;
}

#[tokio::test]
async fn scopes_that_were_not_granted_are_on_the_page_in_the_job_and_in_the_log() {
    locally(async {
        let (lines, _guard) = Lines::listen();
        let user = json!({ "id": "U1234", "scope": "search:read", "access_token": USER_TOKEN, "token_type": "user" });
        let mut world = World::new([yes(&with(&json!({ "scope": "commands,users:read", "authed_user": user })))]).await;
        world.user_scopes = Scopes::parse("search:read,stars:read");
        let answer = install(&world, "direct=1").await;
        assert!(answer.body.contains("<code>chat:write</code>, <code>stars:read</code>"), "{}", answer.body);
        assert!(links(&answer).contains(&"install?direct=1"));
        let step = lines.last();
        let reason = "scopes not granted: chat:write; user scopes not granted: stars:read";
        assert_eq!(step.reason.as_deref(), Some(reason));
        assert!(step.hint.is_some_and(|hint| hint.contains("installed again")));
        let waiting = world.ports.queue.waiting();
        let message: Value = serde_json::from_str(&waiting[0].body).expect("JSON");
        assert_eq!(message["payload"]["missing_scopes"], json!("chat:write"));
    })
    .await;
}

#[tokio::test]
async fn the_log_line_names_what_an_operator_looks_for() {
    locally(async {
        let (lines, _guard) = Lines::listen();
        let world = World::new([yes(&granted())]).await;
        install(&world, "direct=1").await;
        let verdicts: Vec<_> = lines.steps().into_iter().filter_map(|step| step.verdict).collect();
        assert_eq!(verdicts, ["redirected", "installed"], "one line a request");
        let step = lines.last();
        assert_eq!((step.team.as_deref(), step.app.as_deref()), (Some("T9TK3CUKW"), Some("A0KRD7HC3")));
        assert_eq!((step.status, step.jobs.as_deref()), (Some(200), Some("tack.installed")));
        assert_eq!(step.request.as_deref(), Some("JKJaXmPLvHcESHA="));
        assert!(step.ms.is_some() && step.delivery.is_some());
        assert_eq!((step.reason, step.hint), (None, None));
        let call = r#""outcome":"ok","method":"oauth.v2.access""#;
        assert!(lines.text().contains(call), "{}", lines.text());
    })
    .await;
}

#[tokio::test]
async fn a_wrong_setting_is_named_in_the_log_and_only_there() {
    locally(async {
        for (word, setting) in [
            ("bad_client_secret", "SLACK_CLIENT_SECRET"),
            ("invalid_client_id", "SLACK_CLIENT_ID"),
            ("bad_redirect_uri", "SLACK_REDIRECT_URI"),
            ("oauth_authorization_url_mismatch", "SLACK_REDIRECT_URI"),
        ] {
            let (lines, _guard) = Lines::listen();
            let world = World::new([no(word)]).await;
            let answer = install(&world, "direct=1").await;
            let step = lines.last();
            assert_eq!(step.reason, Some(format!("Slack said {word}")));
            assert!(step.hint.is_some_and(|hint| hint.contains(setting)), "{word}");
            assert!(lines.text().contains(r#""level":"ERROR""#), "{word}: an operator must see it");
            assert!(!answer.body.contains("SLACK_") && !answer.body.contains(word), "{}", answer.body);
            assert!(links(&answer).is_empty(), "starting again would not help");
        }
        let (lines, _guard) = Lines::listen();
        let world = World::new([yes(&with(&json!({ "app_id": "A0OTHER01" })))]).await;
        install(&world, "direct=1").await;
        assert!(lines.last().hint.is_some_and(|hint| hint.contains("SLACK_APP_ID")));
    })
    .await;
}

#[tokio::test]
async fn a_try_that_failed_after_slack_said_yes_keeps_the_reference_for_the_next() {
    locally(async {
        let world = World::new([no("invalid_code")]).await;
        let answer = install(&world, "direct=1&ref=campaign-7").await;
        assert_eq!(links(&answer), ["install?direct=1&amp;ref=campaign-7"]);
    })
    .await;
}
