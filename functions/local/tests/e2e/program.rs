//! The program `tack` with installs: everything that a person can read of it, searched for the secrets of its run.

use crate::canary::{Place, leaks};
use crate::visitor::{Page, Visitor};
use crate::world::query_of;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(60);
const CLIENT_SECRET: &str = "client-secret-of-the-program-for-nobody";
const SIGNING_SECRET: &str = "signing-secret-of-the-program-for-nobody";
const SCOPES: &str = "app_mentions:read,channels:history,channels:read,chat:write,commands,im:history,im:write,incoming-webhook,users:read";
/// Pages are found by their links from these on.
const BEGINNINGS: [&str; 10] = [
    "/",
    "/app/home",
    "/console",
    "/console/deliveries",
    "/console/dead-letters",
    "/console/faults",
    "/console/listeners",
    "/console/app",
    "/console/help",
    "/console/installs",
];
/// More pages than there are.
const PAGES_MAX: usize = 400;

struct Program {
    child: Child,
    terminal: Rc<RefCell<Vec<String>>>,
    held: Rc<RefCell<BTreeSet<String>>>,
    slack: SocketAddr,
    app: SocketAddr,
    aws: SocketAddr,
}

fn keep(lines: impl AsyncRead + Unpin + 'static, terminal: &Rc<RefCell<Vec<String>>>) {
    let (mut lines, terminal) = (BufReader::new(lines).lines(), Rc::clone(terminal));
    spawn_local(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            terminal.borrow_mut().push(line);
        }
    });
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

impl Program {
    async fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tack"));
        command.args(["--app-port", "0", "--workbench-port", "0", "--aws-port", "0"]).env_clear();
        command.envs([
            ("SLACK_CLIENT_SECRET", CLIENT_SECRET),
            ("SLACK_SIGNING_SECRET", SIGNING_SECRET),
            ("SLACK_SCOPES", SCOPES),
            ("SLACK_USER_SCOPES", "chat:write"),
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let terminal = Rc::default();
        keep(child.stdout.take().unwrap(), &terminal);
        keep(child.stderr.take().unwrap(), &terminal);
        let address = async |label: &str| {
            until(label, async || {
                let lines = terminal.borrow();
                assert!(!lines.iter().any(|line| line.starts_with("tack: ")), "{lines:?}");
                let line = lines.iter().find(|line| line.trim_start().starts_with(label))?;
                let url = line.split_whitespace().find(|word| word.starts_with("http://"))?;
                let port = url.trim_start_matches("http://").split(['/', ':']).nth(1)?.parse::<u16>().ok()?;
                Some(SocketAddr::from(([127, 0, 0, 1], port)))
            })
            .await
        };
        let [slack, app, aws] = [address("Slack ").await, address("App ").await, address("AWS ").await];
        Self { child, terminal, held: Rc::default(), slack, app, aws }
    }

    fn at(&self, door: SocketAddr) -> Visitor {
        Visitor::new(door, Rc::clone(&self.held))
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let page =
            self.at(self.slack).send(method, path, &[("content-type", "application/json")], &body.to_string()).await;
        assert_eq!(page.status, 200, "{path} {body}: {page:?}");
        serde_json::from_str(&page.text).unwrap_or_default()
    }

    async fn act(&self, act: Value) -> Value {
        self.ask("POST", "/sim/act", &act).await
    }

    async fn aws(&self, service: &str, target: &str, request: &Value) -> Value {
        let scope = format!("AWS4-HMAC-SHA256 Credential=AKIABYHAND/20261124/us-east-1/{service}/aws4_request");
        let signed = format!("{scope}, SignedHeaders=host, Signature=00");
        let headers =
            [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", target), ("authorization", &signed)];
        let page = self.at(self.aws).send("POST", "/", &headers, &request.to_string()).await;
        assert_eq!(page.status, 200, "{target} {request}: {page:?}");
        serde_json::from_str(&page.text).unwrap()
    }

    /// Begins to install and comes back with what a person said at Slack.
    async fn install(&self, verdict: &str, body: Value) -> (Visitor, String, Page) {
        let visitor = self.at(self.app);
        let authorize = visitor.get("/slack/install?direct=1").await.location();
        let mut body = body;
        body["query"] = json!(query_of(&authorize));
        let back =
            self.ask("POST", &format!("/sim/oauth/{verdict}"), &body).await["redirect"].as_str().unwrap().to_owned();
        let page = visitor.get(&back).await;
        (visitor, back, page)
    }

    /// What is said in a channel.
    async fn texts(&self, channel: &str) -> String {
        self.at(self.slack).get(&format!("/sim/messages?channel={channel}")).await.text
    }

    /// The items of a table.
    async fn items(&self, table: &str) -> Vec<Value> {
        let scanned = self.aws("dynamodb", "DynamoDB_20120810.Scan", &json!({ "TableName": table })).await;
        scanned["Items"].as_array().unwrap().clone()
    }

    /// What is inside the ciphertexts of the table of installations, for who may decrypt them.
    async fn stored_secrets(&self) -> BTreeSet<String> {
        let mut secrets = BTreeSet::new();
        for item in self.items("installations").await {
            let text = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
            for (attribute, holder) in [("ct", text("sk")), ("hook", "WEBHOOK".to_owned())] {
                let Some(ciphertext) = item[attribute]["B"].as_str() else { continue };
                let context = json!({
                    "tack:app": "A0TACK001", "tack:installation": text("pk"), "tack:holder": holder,
                });
                let request = json!({ "CiphertextBlob": ciphertext, "EncryptionContext": context });
                let plain =
                    self.aws("kms", "TrentService.Decrypt", &request).await["Plaintext"].as_str().unwrap().to_owned();
                let plain = String::from_utf8(
                    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, plain).unwrap(),
                )
                .unwrap();
                match serde_json::from_str::<BTreeMap<String, String>>(&plain) {
                    Ok(several) => secrets.extend(several.into_values()),
                    Err(_) => drop(secrets.insert(plain.trim_matches('"').to_owned())),
                }
            }
        }
        secrets
    }

    /// Every page that a link leads to, for a person and for a program.
    async fn pages(&self) -> Vec<Place> {
        let visitor = self.at(self.slack);
        let mut waiting: VecDeque<String> = BEGINNINGS.map(str::to_owned).into();
        let (mut known, mut places) = (BTreeSet::new(), Vec::new());
        while let Some(path) = waiting.pop_front() {
            if !known.insert(path.clone()) || known.len() > PAGES_MAX {
                continue;
            }
            for accept in ["text/html", "application/json"] {
                let page = visitor.send("GET", &path, &[("accept", accept)], "").await;
                waiting.extend(page.header("location").filter(|to| to.starts_with('/')).map(str::to_owned));
                for link in page.text.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                    // What streams does not end.
                    if link.starts_with('/') && !link.starts_with("/live") && !link.starts_with("/assets") {
                        waiting.push_back(link.split('#').next().unwrap().replace("&amp;", "&"));
                    }
                }
                places.push((format!("{path} as {accept} ({})", page.status), page.text));
            }
        }
        places
    }

    /// What a command of `tack` prints about the program that runs.
    async fn command(&self, words: &[&str]) -> Place {
        let workbench = format!("http://localhost:{}", self.slack.port());
        let output =
            Command::new(env!("CARGO_BIN_EXE_tack")).args(words).args(["--workbench", &workbench]).env_clear().output();
        let output = output.await.unwrap();
        let text = [output.stdout, output.stderr].concat();
        (format!("tack {} ({})", words.join(" "), output.status), String::from_utf8_lossy(&text).into_owned())
    }
}

#[test]
fn nothing_that_a_person_or_a_program_can_read_of_tack_holds_a_secret() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let mut program = Program::start().await;
        let mut secrets = program.stored_secrets().await;
        let mut places: Vec<Place> = Vec::new();

        let (_, _, page) = program.install("deny", json!({})).await;
        assert_eq!(page.status, 400);
        places.push(("denied".to_owned(), page.text));
        let globex = json!({ "as": "hank", "team": "T0GLOBEX1" });
        let (visitor, back, page) = program.install("allow", globex.clone()).await;
        assert_eq!(page.status, 200, "{page:?}");
        places.push(("installed".to_owned(), page.text));
        let replayed = visitor.get(&back).await;
        assert_eq!(replayed.status, 400);
        places.push(("replayed".to_owned(), replayed.text));
        let (_, _, page) = program.install("allow", json!({ "as": "gavin", "enterprise": "E0HOOLI01" })).await;
        assert_eq!(page.status, 302);
        secrets.extend(program.stored_secrets().await);

        for (person, channel) in [("ada", "C0PLAY001"), ("hank", "C0GLOBGEN")] {
            program.act(json!({ "as": person, "act": "say", "channel": channel, "text": "hi" })).await;
            until("a greeting", async || program.texts(channel).await.contains("hi, how are you?").then_some(())).await;
        }
        let fault = |error: &str| json!({ "web_api": { "chat.postMessage": { "error": error, "times": 1 } } });
        for error in ["a_new_error", "invalid_auth"] {
            program.ask("PUT", "/sim/faults", &fault(error)).await;
            program.act(json!({ "act": "say", "channel": "C0PLAY001", "text": "hi" })).await;
            until("the fault to strike", async || {
                let faults = program.at(program.slack).get("/sim/faults").await.text;
                (!faults.contains(error)).then_some(())
            })
            .await;
        }
        program.act(json!({ "act": "command", "channel": "C0PLAY001", "text": "/order 3" })).await;
        until("a letter", async || {
            let letters = program
                .at(program.slack)
                .send("GET", "/console/dead-letters", &[("accept", "application/json")], "")
                .await;
            letters.text.contains("a_new_error").then_some(())
        })
        .await;
        program.act(json!({ "as": "hank", "act": "uninstall" })).await;
        until("an end", async || {
            let items = program.items("installations").await;
            (!items.iter().any(|item| item["pk"]["S"] == "T#T0GLOBEX1")).then_some(())
        })
        .await;

        for table in ["state", "installations"] {
            places.extend(program.items(table).await.iter().map(|item| (table.to_owned(), item.to_string())));
        }
        places.extend(program.pages().await);
        for words in [
            &["installs", "list"][..],
            &["installs", "list", "--json"],
            &["installs", "show", "T0ACME001"],
            &["installs", "show", "T0ACME001", "--json"],
            &["installs", "export"],
            &["deliveries", "list", "--json"],
            &["app", "--json"],
            &["dlq", "list", "--json"],
        ] {
            places.push(program.command(words).await);
        }
        places.extend(program.terminal.borrow().iter().map(|line| ("terminal".to_owned(), line.clone())));
        secrets.extend(program.held.borrow().clone());
        secrets.extend([CLIENT_SECRET, SIGNING_SECRET].map(str::to_owned));
        assert!(secrets.iter().filter(|secret| secret.starts_with("xox")).count() >= 5, "{secrets:?}");
        assert!(secrets.iter().any(|secret| secret.contains("/services/")), "{secrets:?}");
        program.child.start_kill().unwrap();
        let names: Vec<&String> = places.iter().map(|(name, _)| name).collect();
        let found = leaks(&places, &secrets);
        assert!(found.is_empty(), "{}\n{}", found.join("\n"), json!(names));
        println!("{} places searched for {} secrets: {names:?}", places.len(), secrets.len());
    });
}
