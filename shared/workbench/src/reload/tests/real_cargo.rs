//! The cycle with the real cargo and a package without dependencies.

use super::Folder;
use super::function::ARGUMENTS;
use super::world::{World, run};
use crate::reload::compile::{SET_BY_CARGO, compile};
use crate::reload::copies::Identity;
use crate::reload::features::features;
use crate::reload::packages::Packages;
use crate::reload::{BuildState, Project};
use std::path::PathBuf;
use std::process::Command;

/// Which executable [`inside_cargo_run`] is in the place of.
const INSIDE: &str = "TACK_TEST_INSIDE_CARGO_RUN";

fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| "cargo".into(), PathBuf::from)
}

/// A program that becomes this test binary, as a function or as the test that is named.
fn source(version: &str, arguments: &[&str]) -> String {
    let this = std::env::current_exe().unwrap();
    format!(
        "use std::os::unix::process::CommandExt;\n\
         fn main() {{\n    \
             let mut command = std::process::Command::new({this:?});\n    \
             command.args({arguments:?}).env(\"VERSION\", {version:?}).env({INSIDE:?}, std::env::current_exe().unwrap());\n    \
             let error = command.exec();\n    \
             panic!(\"{{}}: {{error}}\", env!(\"CARGO_PKG_NAME\"));\n\
         }}\n"
    )
}

/// A package in a folder of its own.
fn package(source: &str) -> Folder {
    let folder = Folder::new();
    folder.write(
        "app/Cargo.toml",
        "[package]\nname = \"hello-app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [features]\ndefault = [\"hello\"]\nhello = []\nextra = []\n\n[profile.dev]\ndebug = false\n\n[workspace]\n",
    );
    // A build script sees more of cargo's environment than a program.
    folder.write("app/build.rs", "fn main() { println!(\"cargo::rerun-if-env-changed=CARGO_MANIFEST_DIR\"); }\n");
    folder.write("app/src/main.rs", source);
    folder
}

fn build(folder: &Folder, command: &str, arguments: &[&str]) -> std::process::Output {
    let mut cargo = Command::new(cargo());
    // As in a terminal, while this test may itself be run by a cargo.
    for variable in SET_BY_CARGO {
        cargo.env_remove(variable);
    }
    cargo.current_dir(folder.path("app")).args([command, "--offline", "--target-dir"]).arg(folder.path("target"));
    let output = cargo.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn project(folder: &Folder) -> Project {
    let lookup = |name: &str| match name {
        "CARGO" => Some(cargo().display().to_string()),
        "CARGO_MANIFEST_DIR" => Some(folder.path("app").display().to_string()),
        "CARGO_PKG_NAME" => Some("hello-app".to_owned()),
        _ => None,
    };
    Project::of_cargo_run(&folder.path("target/debug/hello-app"), &folder.path("app"), lookup).unwrap()
}

#[test]
fn a_package_is_built_broken_and_mended() {
    run(async {
        let folder = package(&source("one", &ARGUMENTS));
        build(&folder, "build", &[]);
        let world = World::start(project(&folder)).await;
        assert_eq!(world.answer().await, "one");
        folder.write("app/src/main.rs", "fn main() {\n    let () = missing;\n}\n");
        let report = world.until(|report| matches!(report.state, BuildState::Broken { .. })).await;
        let BuildState::Broken { errors, .. } = report.state else { unreachable!() };
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert_eq!((error.file.as_deref(), error.line), (Some("src/main.rs"), Some(2)));
        assert!(error.message.contains("`missing`") && error.rendered.contains("\u{1b}["), "{error:?}");
        // cargo has removed or replaced its executable; the kept one starts all the same.
        world.function.kill_one().await;
        assert_eq!(world.answer().await, "one");
        folder.write("app/src/main.rs", &source("two", &ARGUMENTS));
        world.until(|report| matches!(report.state, BuildState::Live { build: 2, .. })).await;
        assert_eq!(world.answer().await, "two");
        world.end().await;
    });
}

#[test]
fn a_program_is_its_package_and_all_it_takes_by_path_even_from_outside_the_workspace() {
    let folder = Folder::new();
    let manifest = |name: &str, dependencies: &str| {
        let package = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        format!("{package}{dependencies}")
    };
    folder
        .write("ws/Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"lib\", \"unused\", \"tried\"]\n");
    let dependencies = "[dependencies]\nlib = { path = \"../lib\" }\nserde = \"1\"\n[dev-dependencies]\ntried = { path = \"../tried\" }\n";
    folder.write("ws/app/Cargo.toml", &manifest("hello-app", dependencies));
    let outside = "[build-dependencies]\nmaker = { path = \"../../outside/maker\" }\n";
    folder.write("ws/lib/Cargo.toml", &manifest("lib", outside));
    folder.write("ws/unused/Cargo.toml", &manifest("unused", ""));
    folder.write("ws/tried/Cargo.toml", &manifest("tried", ""));
    folder.write(
        "outside/maker/Cargo.toml",
        &manifest("maker", "[dependencies]\ntack-simulator = { path = \"../simulator\" }\n"),
    );
    folder.write("outside/simulator/Cargo.toml", &manifest("tack-simulator", ""));
    folder.write("ws/app/src/main.rs", "fn main() {}\n");
    for lib in ["ws/lib", "ws/unused", "ws/tried", "outside/maker", "outside/simulator"] {
        folder.write(&format!("{lib}/src/lib.rs"), "");
    }
    folder.write("ws/target/CACHEDIR.TAG", "");
    let exe = folder.write("ws/target/debug/hello-app", "");
    let lookup = |name: &str| match name {
        "CARGO" => Some(cargo().display().to_string()),
        "CARGO_MANIFEST_DIR" => Some(folder.path("ws/app").display().to_string()),
        "CARGO_PKG_NAME" => Some("hello-app".to_owned()),
        _ => None,
    };
    let project = Project::of_cargo_run(&exe, &folder.path("ws"), lookup).unwrap();
    run(async {
        let packages = Packages::of(&project).await.unwrap();
        let folders = ["outside/maker", "outside/simulator", "ws/app", "ws/lib"].map(|inside| folder.path(inside));
        assert_eq!(packages.folders, folders.into());
        assert_eq!(packages.own, [folder.path("outside/simulator")].into());
        assert_eq!(packages.root, folder.path("ws"));
        assert!(!packages.has_features);
        assert!(!folder.path("ws/Cargo.lock").exists(), "to look changes nothing");
    });
}

#[test]
fn a_manifest_that_cannot_be_read_is_a_broken_build() {
    run(async {
        let folder = package(&source("one", &ARGUMENTS));
        build(&folder, "build", &[]);
        let world = World::start(project(&folder)).await;
        let manifest = std::fs::read_to_string(folder.path("app/Cargo.toml")).unwrap();
        folder.write("app/Cargo.toml", "[package\n");
        let report = world.until(|report| matches!(report.state, BuildState::Broken { .. })).await;
        let BuildState::Broken { errors, .. } = report.state else { unreachable!() };
        assert!(errors[0].rendered.contains("Cargo.toml"), "{errors:?}");
        folder.write("app/Cargo.toml", &manifest);
        world.until(|report| matches!(report.state, BuildState::Live { .. })).await;
        assert_eq!(world.answer().await, "one");
        world.end().await;
    });
}

#[test]
fn within_cargo_run_a_build_without_a_change_is_fresh_whatever_the_features() {
    let inside = ["--exact", "reload::tests::real_cargo::inside_cargo_run", "--nocapture", "--test-threads=1"];
    let folder = package(&source("one", &inside));
    for options in [&[][..], &["--features", "extra"], &["--no-default-features"], &["--release"]] {
        let output = build(&folder, "run", options);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("it is fresh"), "{options:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn inside_cargo_run() {
    let Some(exe) = std::env::var_os(INSIDE).map(PathBuf::from) else { return };
    let working_dir = std::env::current_dir().unwrap();
    let project = Project::of_cargo_run(&exe, &working_dir, |name| std::env::var(name).ok()).unwrap();
    let before = Identity::of(&exe).unwrap();
    run(async move {
        let packages = Packages::of(&project).await.unwrap();
        let features = features(&project.exe, &project.package, &project.bin);
        assert!(packages.has_features && features.is_some(), "{packages:?} {features:?}");
        let arguments = project.arguments(&packages.target_dir, features.as_deref());
        let built = compile(&project, &arguments, |_| {}).await.unwrap();
        assert_eq!(Identity::of(&built).unwrap(), before, "{arguments:?}");
        println!("it is fresh");
    });
}
