//! The cycle with a cargo that is a script: the "source" is the program itself, and to build it is to copy it.

use super::Folder;
use super::world::{World, names, program, run};
use crate::reload::{BuildReport, BuildState, Project, Serving, Watching};
use serde_json::json;
use std::path::PathBuf;

const CARGO: &str = r#"#!/bin/sh
cd "$(dirname "$0")"
echo "$@" >> calls
if [ "$1" = metadata ]; then exec cat metadata.json; fi
cp app/src/main.rs built
if [ -e gate ]; then
    echo "    Blocking waiting for file lock on build directory" >&2
    read go < gate
    rm gate
fi
if grep -q BROKEN built; then
    cat errors.json
    echo "error: could not compile" >&2
    exit 101
fi
cmp -s built target/debug/app || install -m 755 built target/debug/app
cat artifact.json
"#;

struct Workspace(Folder);

impl Workspace {
    /// A workspace whose build 1 is there.
    fn new() -> Self {
        let folder = Folder::new();
        let package = |name: &str, dependencies: serde_json::Value| {
            let manifest = folder.write(&format!("{name}/Cargo.toml"), "[package]\n");
            json!({ "name": format!("tack-{name}").replace("tack-app", "app"), "manifest_path": manifest, "dependencies": dependencies, "features": {} })
        };
        let by_path = json!([{ "name": "tack-workbench", "kind": null, "path": folder.path("workbench") }]);
        let packages = json!([package("app", by_path), package("workbench", json!([]))]);
        let top = folder.as_path();
        let metadata =
            json!({ "packages": packages, "workspace_root": top, "target_directory": folder.path("target") });
        folder.write("metadata.json", &metadata.to_string());
        let errors = ["one", "two"].map(|name| {
            let span = json!({ "file_name": "app/src/main.rs", "line_start": 2, "is_primary": true });
            let message = format!("cannot find value `{name}`");
            let rendered = format!("\u{1b}[91merror\u{1b}[0m: {message}\n --> app/src/main.rs:2\n");
            json!({ "reason": "compiler-message", "message": { "level": "error", "message": message, "rendered": rendered, "spans": [span] } }).to_string()
        });
        folder.write("errors.json", &(errors.join("\n") + "\n"));
        let target = json!({ "name": "app", "kind": ["bin"] });
        let artifact =
            json!({ "reason": "compiler-artifact", "target": target, "executable": folder.path("target/debug/app") });
        folder.write("artifact.json", &format!("{artifact}\n"));
        folder.write("target/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55");
        folder.write("workbench/src/lib.rs", "");
        folder.write("app/src/main.rs", &program("one"));
        folder.write_program("target/debug/app", &program("one"));
        folder.write_program("cargo", CARGO);
        Self(folder)
    }

    fn project(&self) -> Project {
        let exe = self.0.path("target/debug/app");
        let lookup = |name: &str| match name {
            "CARGO" => Some(self.0.path("cargo").display().to_string()),
            "CARGO_MANIFEST_DIR" => Some(self.0.path("app").display().to_string()),
            "CARGO_PKG_NAME" => Some("app".to_owned()),
            _ => None,
        };
        Project::of_cargo_run(&exe, self.0.as_path(), lookup).unwrap()
    }

    fn save(&self, source: &str) {
        self.0.write("app/src/main.rs", source);
    }

    /// How often cargo was asked to build.
    fn builds(&self) -> usize {
        let calls = std::fs::read_to_string(self.0.path("calls")).unwrap();
        calls.lines().filter(|call| call.starts_with("build ")).count()
    }

    /// Makes cargo wait, as for another cargo, until the gate is opened.
    fn close_gate(&self) -> PathBuf {
        let gate = self.0.path("gate");
        assert!(std::process::Command::new("mkfifo").arg(&gate).status().unwrap().success());
        gate
    }
}

async fn open(gate: PathBuf) {
    tokio::task::spawn_blocking(|| std::fs::write(gate, "go\n")).await.unwrap().unwrap();
}

fn is_live(state: &BuildState, number: u32) -> bool {
    matches!(state, BuildState::Live { build, .. } if *build == number)
}

#[test]
fn a_saved_source_is_built_and_swapped_in() {
    run(async {
        let workspace = Workspace::new();
        let world = World::start(workspace.project()).await;
        assert_eq!(world.builds.report().watching, Watching::On { folders: vec!["app".to_owned()] });
        assert_eq!(world.answer().await, "one");
        workspace.save(&program("two"));
        let report = world.until(|report| is_live(&report.state, 2)).await;
        assert_eq!(world.answer().await, "two");
        assert!(report.serving.build == 2 && report.serving.built_in_ms.is_some(), "{report:?}");
        assert!(
            matches!(world.said().as_slice(), [said] if said.contains("functions swapped, queue kept")),
            "{:?}",
            world.said()
        );
        world.end().await;
    });
}

#[test]
fn while_it_does_not_compile_the_build_before_serves() {
    run(async {
        let workspace = Workspace::new();
        let world = World::start(workspace.project()).await;
        workspace.save("BROKEN");
        let report = world.until(|report| matches!(report.state, BuildState::Broken { .. })).await;
        let BuildState::Broken { serving, errors, .. } = report.state else { unreachable!() };
        assert_eq!(serving, 1);
        let shown: Vec<_> =
            errors.iter().map(|error| (error.message.as_str(), error.file.as_deref(), error.line)).collect();
        let place = Some("app/src/main.rs");
        assert_eq!(shown, [("cannot find value `one`", place, Some(2)), ("cannot find value `two`", place, Some(2))]);
        assert_eq!(world.answer().await, "one");
        let said = world.said().join("\n");
        assert!(said.contains("error: cannot find value `one`") && said.contains("… and 1 more"), "{said}");
        assert!(said.contains("still serving the build of"), "{said}");
        workspace.save(&program("two"));
        world.until(|report| is_live(&report.state, 2)).await;
        assert_eq!(world.answer().await, "two");
        world.end().await;
    });
}

#[test]
fn taking_an_error_back_makes_the_same_build_live_again() {
    run(async {
        let workspace = Workspace::new();
        let world = World::start(workspace.project()).await;
        workspace.save("BROKEN");
        world.until(|report| matches!(report.state, BuildState::Broken { .. })).await;
        workspace.save(&program("one"));
        world.until(|report| is_live(&report.state, 1)).await;
        assert!(world.said().last().unwrap().contains("it compiles again"), "{:?}", world.said());
        world.end().await;
    });
}

#[test]
fn a_build_that_does_not_start_never_serves() {
    run(async {
        let workspace = Workspace::new();
        let world = World::start(workspace.project()).await;
        workspace.save("#!/bin/sh\necho 'cannot start:' >&2\necho '  ORDERS_TABLE is missing' >&2\nexit 1\n");
        let report = world.until(|report| matches!(report.state, BuildState::DoesNotStart { .. })).await;
        let BuildState::DoesNotStart { build, serving, function, lines, .. } = report.state else { unreachable!() };
        assert_eq!((build, serving, function.as_str()), (2, 1, "worker-events"));
        assert!(lines.iter().any(|line| line.contains("ORDERS_TABLE is missing")), "{lines:?}");
        assert_eq!(world.answer().await, "one");
        let said = world.said().join("\n");
        assert!(said.contains("does not start") && said.contains("ORDERS_TABLE is missing"), "{said}");
        workspace.save(&program("three"));
        world.until(|report| is_live(&report.state, 3)).await;
        assert_eq!(world.answer().await, "three");
        world.end().await;
    });
}

#[test]
fn touching_a_file_builds_nothing_and_the_workbenchs_own_code_asks_once_for_a_restart() {
    run(async {
        let workspace = Workspace::new();
        let world = World::start(workspace.project()).await;
        workspace.save(&program("one"));
        workspace.0.write("app/src/.main.rs.swp", "what an editor keeps");
        workspace.0.write("workbench/src/lib.rs", "// one");
        world.until(|report| report.restart_needed).await;
        assert_eq!(workspace.builds(), 0);
        workspace.0.write("workbench/src/lib.rs", "// two");
        workspace.save(&program("two"));
        world.until(|report| is_live(&report.state, 2)).await;
        let restarts = world.said().iter().filter(|said| said.contains("restart `cargo run` for this one")).count();
        assert_eq!(restarts, 1, "{:?}", world.said());
        world.end().await;
    });
}

#[test]
fn a_change_during_a_build_starts_one_more_after_it() {
    run(async {
        let workspace = Workspace::new();
        let world = World::start(workspace.project()).await;
        let gate = workspace.close_gate();
        workspace.save(&program("two"));
        let blocked = |state: &BuildState| matches!(state, BuildState::Building { note: Some(_), .. });
        let report = world.until(|report| blocked(&report.state)).await;
        let BuildState::Building { note, serving, .. } = report.state else { unreachable!() };
        assert_eq!((note.as_deref(), serving), (Some("waiting for another cargo"), 1));
        assert_eq!(world.answer().await, "one");
        workspace.save(&program("three"));
        open(gate).await;
        world.until(|report| is_live(&report.state, 3)).await;
        assert_eq!(world.answer().await, "three");
        assert_eq!(workspace.builds(), 2);
        world.end().await;
    });
}

#[test]
fn what_was_saved_between_the_build_and_the_first_look_is_built_at_once() {
    run(async {
        let workspace = Workspace::new();
        let (exe, source) = (workspace.0.path("target/debug/app"), workspace.0.path("app/src/main.rs"));
        workspace.0.write("target/debug/app.d", &format!("{}: {}\n", exe.display(), source.display()));
        workspace.save(&program("two"));
        let built = std::fs::metadata(&exe).unwrap().modified().unwrap();
        let later = built + std::time::Duration::from_secs(1);
        std::fs::File::options().append(true).open(&source).unwrap().set_modified(later).unwrap();
        let world = World::start(workspace.project()).await;
        world.until(|report| is_live(&report.state, 2)).await;
        assert_eq!(world.answer().await, "two");
        world.end().await;
    });
}

#[test]
fn a_page_reads_the_state_its_build_and_the_build_that_serves() {
    let serving = Serving { build: 2, since_ms: 1_000, built_in_ms: Some(4_100) };
    let state = BuildState::Building { build: 3, since_ms: 2_000, serving: 2, note: None };
    let watching = Watching::On { folders: vec!["app".to_owned()] };
    let report = BuildReport { serving, state, watching, restart_needed: false };
    let expected = json!({
        "state": { "is": "building", "build": 3, "since_ms": 2_000, "serving": 2, "note": null },
        "serving": { "build": 2, "since_ms": 1_000, "built_in_ms": 4_100 },
        "watching": { "is": "on", "folders": ["app"] },
        "restart_needed": false
    });
    assert_eq!(serde_json::to_value(&report).unwrap(), expected);
}

#[test]
fn sources_that_were_away_for_a_moment_are_still_watched() {
    run(async {
        let workspace = Workspace::new();
        let world = World::start(workspace.project()).await;
        std::fs::rename(workspace.0.path("app/src"), workspace.0.path("away")).unwrap();
        workspace.save(&program("two"));
        world.until(|report| is_live(&report.state, 2)).await;
        workspace.save(&program("three"));
        world.until(|report| is_live(&report.state, 3)).await;
        assert_eq!(world.answer().await, "three");
        world.end().await;
    });
}

#[test]
fn a_cargo_that_cannot_be_asked_is_the_reason_why_nothing_is_watched() {
    run(async {
        let workspace = Workspace::new();
        workspace.0.write_program("cargo", "#!/bin/sh\necho 'error: no such manifest' >&2\nexit 101\n");
        let world = World::start(workspace.project()).await;
        let reason = "no such manifest".to_owned();
        assert_eq!(world.builds.report().watching, Watching::Off { reason });
        world.end().await;
    });
}

#[test]
fn the_last_good_executable_and_the_newest_are_kept_and_none_after_the_end() {
    run(async {
        let workspace = Workspace::new();
        let world = World::start(workspace.project()).await;
        let kept = workspace.0.path("target/debug/tack-builds").join(std::process::id().to_string());
        assert_eq!(names(&kept), ["1", "lock"]);
        workspace.save(&program("two"));
        world.until(|report| is_live(&report.state, 2)).await;
        assert_eq!(names(&kept), ["2", "lock"]);
        workspace.save("#!/bin/sh\nexit 1\n");
        world.until(|report| matches!(report.state, BuildState::DoesNotStart { .. })).await;
        assert_eq!(names(&kept), ["2", "3", "lock"]);
        // A crash: the old build starts anew although cargo has put another in its place.
        world.function.kill_one().await;
        assert_eq!(world.answer().await, "two");
        world.end().await;
        assert!(!kept.exists());
    });
}

#[test]
fn without_cargos_environment_nothing_is_watched_and_the_reason_is_said() {
    let workspace = Workspace::new();
    let exe = workspace.0.path("target/debug/app");
    let reason = Project::of_cargo_run(&exe, workspace.0.as_path(), |_| None).unwrap_err();
    assert_eq!(reason, "this program was not started by `cargo run`");
}
