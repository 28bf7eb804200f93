//! Who may know whom, and what may stand where. Each failure says the rule and the cure.

use crate::sources::{files_below, read, root, sources, uses};
use serde_json::Value;
use std::process::Command;

/// What each crate may link of the workspace. The direction is `protocol ← app ← {aws, sockets, listeners} ← functions`;
/// `simulator` and `local-aws` stand apart, and only `workbench` links them.
const MAY_LINK: [(&str, &[&str]); 14] = [
    ("tack-protocol", &[]),
    ("tack-app", &["tack-protocol"]),
    ("tack-aws", &["tack-app", "tack-protocol"]),
    ("tack-sockets", &["tack-app", "tack-protocol"]),
    ("tack-listeners", &["tack-app", "tack-protocol"]),
    ("tack-simulator", &[]),
    ("tack-local-aws", &[]),
    ("tack-workbench", &["tack-app", "tack-aws", "tack-local-aws", "tack-protocol", "tack-simulator"]),
    ("tack-ingress", &["tack-aws", "tack-listeners"]),
    ("tack-worker", &["tack-aws", "tack-listeners"]),
    ("tack-oauth", &["tack-aws", "tack-listeners"]),
    ("tack-socket", &["tack-aws", "tack-listeners", "tack-sockets"]),
    ("tack-local", &["tack-aws", "tack-listeners", "tack-sockets", "tack-workbench"]),
    ("tack-tests", &["tack-app", "tack-aws", "tack-listeners", "tack-local-aws", "tack-protocol", "tack-simulator"]),
];

/// What only a crate that talks to the world may link: prefixes of package names, who may, and what to do instead.
const OUTSIDE: [(&[&str], &[&str], &str); 3] = [
    (
        &["aws-", "aws_", "lambda_"],
        &["tack-aws", "tack-tests"],
        "AWS is behind the ports of tack-app: write an adapter in shared/aws",
    ),
    (
        &["axum", "clap", "dynoxide", "emojis", "maud", "notify", "pulldown-cmark", "rustix"],
        &["tack-local-aws", "tack-simulator", "tack-workbench", "tack-local"],
        "what a person's machine needs must not reach a Lambda: it belongs to shared/workbench and what stands around it",
    ),
    (
        &["hmac"],
        &["tack-protocol", "tack-simulator"],
        "call tack_protocol::sign or RawRequest::verify; the simulator has its own, so that the two check each other",
    ),
];

struct Package {
    name: String,
    /// Name and whether it is for tests only.
    dependencies: Vec<(String, bool)>,
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let package = |package: &Value| Package {
        name: text(&package["name"]),
        dependencies: package["dependencies"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|dependency| (text(&dependency["name"]), dependency["kind"] == "dev"))
            .collect(),
    };
    metadata["packages"].as_array().into_iter().flatten().map(package).collect()
}

#[test]
fn crates_know_each_other_in_one_direction_only() {
    let mut wrong = Vec::new();
    for package in packages() {
        let Some((_, allowed)) = MAY_LINK.iter().find(|(name, _)| *name == package.name) else {
            wrong.push(format!("{} is new: say in tests/it/architecture.rs what it may link", package.name));
            continue;
        };
        let ours = package.dependencies.iter().filter(|(name, _)| MAY_LINK.iter().any(|(ours, _)| ours == name));
        for (name, for_tests) in ours {
            // The two stand-ins must stay independent even in their tests; other tests may use whatever they need.
            let apart = ["tack-simulator", "tack-local-aws"].contains(&package.name.as_str());
            if !allowed.contains(&name.as_str()) && (!for_tests || apart) {
                wrong.push(format!(
                    "{} links {name}, and may link {allowed:?} only: move the code to the crate that may know both, or put \
                     what is shared into one they both know",
                    package.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_world_needs_is_linked_only_where_the_world_is_met() {
    let mut wrong = Vec::new();
    for package in packages() {
        for (prefixes, allowed, cure) in OUTSIDE {
            let links = package.dependencies.iter().filter(|(_, for_tests)| !for_tests);
            for (name, _) in links.filter(|(name, _)| prefixes.iter().any(|prefix| name.starts_with(prefix))) {
                if !allowed.contains(&package.name.as_str()) {
                    wrong.push(format!("{} links {name}: {cure}", package.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_protocol_is_pure() {
    let protocol = packages().into_iter().find(|package| package.name == "tack-protocol").expect("tack-protocol");
    let io = ["tokio", "futures-util", "hyper", "hyper-util", "reqwest", "tracing", "rand", "uuid"];
    for (name, for_tests) in protocol.dependencies {
        assert!(
            for_tests || !io.contains(&name.as_str()),
            "tack-protocol links {name}: it does no I/O, draws no dice and logs nothing; pass what is needed as an argument"
        );
    }
}

#[test]
fn a_functions_main_names_the_app_and_does_nothing_else() {
    for path in files_below("functions").into_iter().filter(|path| path.ends_with("/src/main.rs")) {
        let lines = read(&path).lines().count();
        assert!(lines <= 15, "{path} has {lines} lines, 15 is the limit: move the rest into a crate below shared/");
    }
}

/// Files that may be longer, each with its reason.
const LONGER: [(&str, &str); 0] = [];

#[test]
fn no_file_has_more_than_400_lines_of_code() {
    for source in sources() {
        let lines = source.code.len();
        let allowed = LONGER.iter().any(|(path, _)| *path == source.path);
        assert!(
            lines <= 400 || allowed,
            "{} has {lines} lines of code, 400 is the limit: one file has one subject, so cut it where the subject changes",
            source.path
        );
    }
}

#[test]
fn signatures_are_made_in_the_protocol_and_in_the_simulator_alone() {
    let found = uses(
        &["Hmac", "hmac::"],
        &[("shared/protocol/src/signature.rs", ""), ("shared/simulator/src/signature.rs", "")],
    );
    assert!(found.is_empty(), "call tack_protocol::sign or RawRequest::verify instead:\n{}", found.join("\n"));
}

#[test]
fn the_environment_is_read_where_a_process_starts_and_nowhere_else() {
    let allowed = [
        ("shared/aws/src/config.rs", "every variable of a function, by name"),
        ("shared/workbench/src/", "the person's own machine"),
        ("functions/", "the mains"),
    ];
    let found = uses(&["std::env", "env::var", "env::args", "env::current_exe"], &allowed);
    assert!(found.is_empty(), "ask for it through tack_app::Settings instead:\n{}", found.join("\n"));
}

#[test]
fn time_is_read_by_the_clocks_alone() {
    let allowed = [
        ("shared/aws/src/world.rs", "the product's clock"),
        ("shared/aws/src/worker.rs", "Lambda gives the deadline in the system's time"),
        ("shared/simulator/src/clock.rs", "the simulator's clock"),
        ("shared/local-aws/src/clock.rs", "the embedded AWS's clock"),
        ("shared/workbench/src/cli", "signs a request by hand, as of now; counts hours back from now"),
    ];
    let found = uses(&["SystemTime::now", "Utc::now", "UNIX_EPOCH.elapsed"], &allowed);
    assert!(found.is_empty(), "take a Clock instead, so that a test can set the time:\n{}", found.join("\n"));
}

#[test]
fn nothing_blocks_the_one_thread() {
    let found = uses(&["thread::sleep", "block_in_place", "futures::executor"], &[]);
    assert!(found.is_empty(), "a function has one thread: await tokio::time::sleep instead\n{}", found.join("\n"));
}

#[test]
fn every_file_below_events_is_listed_in_its_readme() {
    let readme = read("events/README.md");
    for path in files_below("events") {
        // A table's rows are named from the folder that its heading names.
        let name = path.strip_prefix("events/").unwrap_or(&path);
        let listed = ["", "slack/", "lambda/", "queue/v1/"]
            .iter()
            .filter_map(|folder| name.strip_prefix(folder))
            .any(|name| readme.contains(&format!("| `{name}` |")));
        assert!(
            listed || name == "README.md",
            "{path} is not listed in events/README.md: add a row that says what it is"
        );
    }
}

#[test]
fn every_row_of_the_events_readme_is_a_file() {
    let readme = read("events/README.md");
    let files = files_below("events");
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).map(|(name, _)| name);
    for name in rows {
        let there = files.iter().any(|path| path.ends_with(&format!("/{name}")));
        assert!(there, "events/README.md lists {name}, which is not there: remove the row or restore the file");
    }
}
