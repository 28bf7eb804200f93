//! `installs` over a real table and key, those of the embedded AWS; the workbench is made up, and so is Slack.

use super::fake::{Asked, Fake, Reply};
use super::{Folder, Ran, tack, tack_asked};
use serde_json::{Value, json};
use std::future::Future;
use std::sync::Arc;
use tack_app::message::Work;
use tack_local_aws::sqs::QueueSettings;
use tack_local_aws::{Clock, LocalAws, Table};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::LocalSet;

/// Tokens that must not be printed.
const SECRETS: [&str; 5] = [
    "xoxb-acme-secretsecretsecret",
    "xoxp-ada-secretsecretsecret",
    "xoxe-1-secret-once",
    "/services/T0/B0/hook-secret",
    "xoxb-hooli-secretsecretsecret",
];

const STORE: &str = r##"{"app":"A0TACK001","team":"T0ACME001","team_name":"Acme","installer":"U0ADA0001","installed_at":"2026-11-22T12:00:00Z","bot":{"user":"U0TACKBOT","scopes":"chat:write,commands","token":"xoxb-acme-secretsecretsecret","refresh_token":"xoxe-1-secret-once","expires_at":1795440000},"users":[{"user":"U0ADA0001","scopes":"search:read","token":"xoxp-ada-secretsecretsecret"}],"webhook":{"url":"https://hooks.slack.com/services/T0/B0/hook-secret","channel":"#general","channel_id":"C0GENERAL"}}
{"app":"A0TACK001","enterprise":"E0HOOLI01","enterprise_name":"Hooli","installer":"U0GAVIN01","installed_at":"2026-11-22T13:00:00Z","bot":{"user":"U0TACKHOO","scopes":"commands","token":"xoxb-hooli-secretsecretsecret"}}
"##;

struct World {
    aws: LocalAws,
    workbench: Fake,
    slack: Fake,
    folder: Folder,
}

impl World {
    async fn start(slack_says: Value) -> Self {
        Self::beside(Fake::answering(move |_| Some(Reply::Json(200, slack_says.clone()))).await).await
    }

    async fn beside(slack: Fake) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let aws = LocalAws::new(Clock::system()).with_endpoint(&endpoint);
        let table = Table { name: "installations", partition_key: "pk", sort_key: Some("sk"), ttl: None };
        aws.dynamodb().create(&table).unwrap();
        let key = aws.kms().create_key("tokens").unwrap();
        aws.kms().create_alias("alias/tack-tokens", &key).unwrap();
        aws.sqs().create_queue("events", QueueSettings::default()).unwrap();
        tokio::task::spawn_local(aws.clone().serve(listener));
        let variable = |name: &str, value: &str| json!({"name": name, "value": value, "origin": "tack"});
        let app = json!({"environment": [
            variable("AWS_ENDPOINT_URL", &endpoint),
            variable("EVENTS_QUEUE_URL", &aws.sqs().queue_url("events").unwrap()),
            variable("INSTALLATIONS_TABLE", "installations"),
            variable("SLACK_API_URL", &format!("{}/api/", slack.url)),
            variable("SLACK_APP_ID", "A0TACK001"),
            variable("SLACK_SCOPES", "chat:write,commands,users:read"),
            variable("SLACK_CLIENT_SECRET", "… (23 letters)"),
        ]});
        let is_app = |asked: &Asked| asked.line == "GET /console/app";
        let workbench = Fake::answering(move |asked| is_app(asked).then(|| Reply::Json(200, app.clone()))).await;
        Self { aws, workbench, slack, folder: Folder::new() }
    }

    /// Runs a verb and looks for secrets in what it printed.
    async fn tack(&self, arguments: &[&str]) -> Ran {
        clean(tack(&self.workbench, arguments).await)
    }

    async fn imported(slack_says: Value) -> Self {
        let world = Self::start(slack_says).await;
        world.import(STORE).await;
        world
    }

    async fn import(&self, lines: &str) {
        let store = self.folder.write("installs.jsonl", lines);
        let ran = self.tack(&["installs", "import", "--from", "jsonl", store.to_str().unwrap()]).await;
        assert_eq!(ran.exit, 0, "{ran:?}");
    }
}

fn clean(ran: Ran) -> Ran {
    for secret in SECRETS {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{secret} in {ran:?}");
    }
    ran
}

async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(test).await
}

#[tokio::test]
async fn what_was_imported_is_listed_shown_and_stored_encrypted() {
    local(async {
        let world = World::imported(json!({"ok": true})).await;
        let listed = world.tack(&["installs", "list", "--json"]).await.json();
        let ids: Vec<&str> = listed["installations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["team"].as_str().or(one["enterprise"].as_str()).unwrap())
            .collect();
        assert_eq!(ids, ["T0ACME001", "E0HOOLI01"]);
        assert_eq!(world.tack(&["installs", "list", "--quiet"]).await.out, "T0ACME001\nE0HOOLI01\n");
        let shown = world.tack(&["installs", "show", "T0ACME001", "--json"]).await.json();
        assert_eq!(shown["bot"]["token"], "xoxb-…cret");
        assert_eq!(
            (&shown["bot"]["rotates"], &shown["bot"]["expires_at"]),
            (&json!(true), &json!(1_795_440_000_000_u64))
        );
        assert_eq!(shown["missing_scopes"], "users:read");
        assert_eq!(shown["users"][0]["user"], "U0ADA0001");
        assert_eq!(shown["installation"]["webhook"]["channel"], "#general");
        let text = world.tack(&["installs", "show", "T0ACME001"]).await.out;
        for fact in ["xoxb-…cret, expires 2026-11-23 ", "missing", "users:read", "#general C0GENERAL", "xoxp-…cret"]
        {
            assert!(text.contains(fact), "{fact} in {text}");
        }
        let stored = format!("{:?}", world.aws.dynamodb().items("installations"));
        assert!(SECRETS.iter().all(|secret| !stored.contains(secret)), "{stored}");
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_saves_nothing_and_warns_of_refresh_tokens() {
    local(async {
        let world = World::start(json!({"ok": true})).await;
        let store = world.folder.write("installs.jsonl", STORE);
        let import = ["installs", "import", "--from", "jsonl", store.to_str().unwrap(), "--dry-run"];
        let ran = world.tack(&[&import[..], &["--json"]].concat()).await.json();
        assert_eq!((&ran["dry_run"], &ran["installations"][0]["outcome"]), (&json!(true), &json!("saved")));
        assert!(ran["warnings"][0].as_str().unwrap().contains("the old app must stop"), "{ran}");
        assert!(world.tack(&import).await.out.contains("! 1 of 2 installations have refresh tokens"));
        assert!(world.aws.dynamodb().items("installations").is_empty());
        // Where nothing runs, it still tells what is in the store.
        let fake = Fake::answering(|_| Some(Reply::Text(500, "no"))).await;
        assert_eq!(clean(tack(&fake, &import).await).exit, 0);
    })
    .await;
}

#[tokio::test]
async fn one_line_that_cannot_be_read_keeps_all_of_them_out() {
    local(async {
        let world = World::start(json!({"ok": true})).await;
        let store =
            world.folder.write("installs.jsonl", &format!("{STORE}{{\"team\": \"xoxb-acme-secretsecretsecret\"}}\n"));
        let ran = world.tack(&["installs", "import", "--from", "jsonl", store.to_str().unwrap()]).await;
        assert_eq!(ran.exit, 74, "{ran:?}");
        assert!(ran.err.contains("installs.jsonl, line 3: "), "{ran:?}");
        assert!(world.aws.dynamodb().items("installations").is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_beside_those_that_can() {
    local(async {
        let world = World::imported(json!({"ok": true})).await;
        let broken = r#"{"pk":{"S":"T#T0BROKEN"},"sk":{"S":"BOT"},"ins":{"N":"1"},"doc":{"S":"{"}}"#;
        let file = world.folder.write("broken.jsonl", broken);
        assert_eq!(world.tack(&["installs", "import", file.to_str().unwrap()]).await.exit, 0);
        let listed = world.tack(&["installs", "list", "--json"]).await.json();
        assert_eq!(listed["installations"].as_array().map(Vec::len), Some(2), "{listed}");
        assert!(listed["unreadable"][0].as_str().is_some_and(|reason| reason.contains("T#T0BROKEN")), "{listed}");
        let ran = world.tack(&["installs", "list"]).await;
        assert!(ran.exit == 0 && ran.err.contains("T#T0BROKEN") && ran.out.contains("T0ACME001"), "{ran:?}");
    })
    .await;
}

#[tokio::test]
async fn the_tokens_of_another_app_are_refused() {
    local(async {
        let world = World::start(json!({"ok": true})).await;
        let store = world.folder.write("installs.jsonl", &STORE.replace("A0TACK001", "A0OTHER01"));
        let ran = world.tack(&["installs", "import", "--from", "jsonl", store.to_str().unwrap(), "--json"]).await;
        assert_eq!((ran.exit, ran.error()["code"].as_str()), (2, Some("another_app")));
        assert!(world.aws.dynamodb().items("installations").is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_export_restores_into_an_empty_table_with_the_same_key() {
    local(async {
        let world = World::imported(json!({"ok": true})).await;
        let exported = world.tack(&["installs", "export"]).await.out;
        assert_eq!(exported.lines().count(), 3, "{exported}");
        let file = world.folder.write("backup.jsonl", &exported);
        let path = file.to_str().unwrap();
        let again = world.tack(&["installs", "import", path, "--json"]).await.json();
        assert_eq!(again["rows"], 3);
        assert_eq!(world.tack(&["installs", "import", path, "--dry-run", "--json"]).await.json()["restored"], 0);
        let shown = world.tack(&["installs", "show", "E0HOOLI01", "--json"]).await.json();
        assert_eq!(shown["bot"]["token"], "xoxb-…cret");
        let wrong = world.folder.write("wrong.jsonl", STORE);
        let ran = world.tack(&["installs", "import", wrong.to_str().unwrap()]).await;
        assert!(ran.exit == 74 && ran.err.contains("wrong.jsonl, line 1: it is no row of an export"), "{ran:?}");
    })
    .await;
}

#[tokio::test]
async fn a_token_is_revoked_in_slack_first_and_then_forgotten() {
    local(async {
        let world = World::imported(json!({"ok": true, "revoked": true})).await;
        let ran = tack_asked(&world.workbench, "n", &["installs", "revoke", "T0ACME001"]).await;
        assert_eq!((clean(ran).exit, world.slack.lines().len()), (6, 0));
        let ran = world.tack(&["installs", "revoke", "T0ACME001"]).await;
        assert_eq!((ran.exit, ran.hint().as_str()), (6, "cargo tack installs revoke T0ACME001 --yes"));
        let ran = world.tack(&["installs", "revoke", "T0ACME001", "--yes"]).await;
        assert_eq!((ran.exit, world.slack.lines()), (0, vec!["POST /api/auth.revoke".to_owned()]), "{ran:?}");
        let shown = world.tack(&["installs", "show", "T0ACME001", "--json"]).await.json();
        assert_eq!((&shown["bot"], &shown["installation"]["gone"]["why"]), (&Value::Null, &json!("revoked")));
        assert_eq!(shown["users"][0]["token"]["token"], "xoxp-…cret", "a person's is another token");
        assert_eq!(world.tack(&["installs", "revoke", "T0ACME001", "--yes"]).await.exit, 5);
    })
    .await;
}

/// The same installation, made anew an hour later.
fn later() -> String {
    STORE.replace("2026-11-22T12:", "2026-11-22T13:").replace("1795440000", "1795443600").replace("secret-once", "new")
}

#[tokio::test]
async fn an_installation_that_is_made_while_an_operator_revokes_the_one_before_stays() {
    local(async {
        for whose in [&[][..], &["--user", "U0ADA0001"]] {
            let go = Arc::new(Notify::new());
            let held = Arc::clone(&go);
            let answer = move |_: &Asked| Some(Reply::Held(Arc::clone(&held), json!({"ok": true, "revoked": true})));
            let world = World::beside(Fake::answering(answer).await).await;
            world.import(STORE).await;
            let revoke = ["installs", "revoke", "T0ACME001", "--yes"];
            let (ran, ()) = tokio::join!(async { world.tack(&[&revoke[..], whose].concat()).await }, async {
                while world.slack.lines().is_empty() {
                    tokio::task::yield_now().await;
                }
                world.import(&later()).await;
                go.notify_one();
            });
            assert!(ran.exit == 0 && ran.out.contains("installed again meanwhile, and that stays"), "{ran:?}");
            let shown = world.tack(&["installs", "show", "T0ACME001", "--json"]).await.json();
            assert_eq!((&shown["bot"]["token"], &shown["installation"]["gone"]), (&json!("xoxb-…cret"), &Value::Null));
            assert_eq!(shown["users"][0]["token"]["token"], "xoxp-…cret");
        }
    })
    .await;
}

#[tokio::test]
async fn what_slack_refuses_to_revoke_stays_and_what_was_dead_goes() {
    local(async {
        let world = World::imported(json!({"ok": false, "error": "internal_error"})).await;
        let ran = world.tack(&["installs", "revoke", "T0ACME001", "--user", "U0ADA0001", "--yes"]).await;
        assert!(ran.exit == 74 && ran.err.contains("internal_error; nothing was changed here"), "{ran:?}");
        let world = World::imported(json!({"ok": false, "error": "token_revoked"})).await;
        let ran =
            world.tack(&["installs", "revoke", "T0ACME001", "--user", "U0ADA0001", "--yes", "--json"]).await.json();
        assert_eq!(ran["dead_before"], "token_revoked");
    })
    .await;
}

#[tokio::test]
async fn only_what_is_gone_is_purged_and_by_the_apps_own_job() {
    local(async {
        let world = World::imported(json!({"ok": true})).await;
        let ran = world.tack(&["installs", "purge", "T0ACME001", "--yes"]).await;
        assert!(ran.exit == 6 && ran.err.contains("the app is installed in T0ACME001"), "{ran:?}");
        assert_eq!(world.tack(&["installs", "purge", "T0GLOBEX1", "--yes"]).await.exit, 5);
        world.tack(&["installs", "revoke", "T0ACME001", "--yes"]).await;
        // No worker runs here, so nobody does it.
        let ran = world.tack(&["installs", "purge", "T0ACME001", "--yes", "--timeout", "0.3"]).await;
        assert!(ran.exit == 124 && ran.err.contains("queued and was not done"), "{ran:?}");
        let due = world.tack(&["installs", "purge", "--due", "--json"]).await.json();
        assert_eq!(due["due"], json!(["T0ACME001"]));
        let queued = world.aws.sqs().peek("events");
        let works: Vec<Work> = queued.iter().map(|message| Work::decode(&message.body).unwrap()).collect();
        let names: Vec<String> = works.iter().flat_map(Work::jobs).map(|job| job.name).collect();
        assert_eq!(names, ["tack.purge", "tack.purge_due"]);
        assert_eq!(works[0].tenant().team, Some("T0ACME001".into()));
    })
    .await;
}

#[tokio::test]
async fn half_a_deployed_place_is_refused_and_the_local_one_is_not_taken_instead() {
    let fake = Fake::recorded().await;
    let ran = tack(&fake, &["installs", "list", "--table", "installations", "--json"]).await;
    assert_eq!((ran.exit, ran.error()["code"].as_str()), (3, Some("configuration")));
    assert!(ran.error()["message"].as_str().unwrap().contains("TOKEN_KEY_ID"), "{ran:?}");
    assert!(fake.lines().is_empty());
}

#[tokio::test]
async fn a_token_that_expires_is_renewed_now_and_one_that_does_not_stays() {
    local(async {
        // As https://docs.slack.dev/authentication/using-token-rotation shows an answer.
        let renewed = json!({
            "ok": true, "access_token": "xoxe.xoxb-1-renewedrenewedrenewed9f3a", "expires_in": 43200,
            "refresh_token": "xoxe-1-next", "token_type": "bot", "scope": "commands", "bot_user_id": "U0TACKBOT",
            "app_id": "A0TACK001", "team": {"id": "T0ACME001", "name": "Acme"}, "enterprise": null,
        });
        let world = World::imported(renewed).await;
        let rotated = world.tack(&["installs", "rotate", "T0ACME001", "--json"]).await.json();
        let word = |index: usize, field: &str| rotated["tokens"][index][field].clone();
        assert_eq!((word(0, "holder"), word(0, "renewed")), (json!("BOT"), json!(true)), "{rotated}");
        assert_eq!((word(1, "holder"), word(1, "renewed")), (json!("USER#U0ADA0001"), json!(false)), "{rotated}");
        assert_eq!(world.slack.lines(), ["POST /api/oauth.v2.access"]);
        let shown = world.tack(&["installs", "show", "T0ACME001", "--json"]).await.json();
        assert_eq!(shown["bot"]["token"], "xoxe.xoxb-…9f3a");
    })
    .await;
}

#[tokio::test]
async fn a_renewal_that_slack_refuses_is_told_and_loses_nothing() {
    local(async {
        let world = World::imported(json!({"ok": false, "error": "invalid_refresh_token"})).await;
        let ran = world.tack(&["installs", "rotate", "--all"]).await;
        assert!(ran.exit == 1 && ran.out.contains("invalid_refresh_token"), "{ran:?}");
        let shown = world.tack(&["installs", "show", "T0ACME001", "--json"]).await.json();
        assert_eq!(shown["bot"]["token"], "xoxb-…cret");
    })
    .await;
}
