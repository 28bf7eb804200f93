//! What to build: the package, the binary, the profile and the folder that this program itself came from.
//! Not here: running cargo ([`super::compile`]).
//! Invariant: the command asks for exactly what `cargo run` built, so that a build without a change has nothing to do.
//! Source: <https://doc.rust-lang.org/cargo/reference/environment-variables.html>

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// The program that cargo runs, as cargo builds it.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// The cargo that started this program.
    pub(super) cargo: PathBuf,
    /// The `Cargo.toml` of the package.
    pub(super) manifest: PathBuf,
    /// The package's name.
    pub(super) package: String,
    /// The binary's name.
    pub(super) bin: String,
    /// Where cargo puts the binary.
    pub(super) exe: PathBuf,
    /// Where cargo was called: it reads its configuration from there.
    pub(super) working_dir: PathBuf,
    /// The folder of all builds.
    pub(super) target_dir: PathBuf,
    /// The platform, if it was named to cargo.
    pub(super) triple: Option<String>,
    /// Whether rustc's colours may be shown in the terminal.
    pub(super) colours: bool,
}

impl Project {
    /// The project of this program: `exe` is its own path, `working_dir` where it was called, `lookup` reads the environment that `cargo run` set.
    ///
    /// # Errors
    /// A sentence that says why its sources cannot be watched.
    pub(crate) fn of_cargo_run(
        exe: &Path,
        working_dir: &Path,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let not_cargo = || "this program was not started by `cargo run`".to_owned();
        let cargo = PathBuf::from(lookup("CARGO").ok_or_else(not_cargo)?);
        let manifest = PathBuf::from(lookup("CARGO_MANIFEST_DIR").ok_or_else(not_cargo)?).join("Cargo.toml");
        let package = lookup("CARGO_PKG_NAME").ok_or_else(not_cargo)?;
        let exe = exe.canonicalize().map_err(|error| format!("{}: {error}", exe.display()))?;
        let stem = exe.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let bin = lookup("CARGO_BIN_NAME").or(stem).ok_or_else(not_cargo)?;
        let (target_dir, triple) = target_dir(&exe)
            .ok_or_else(|| format!("{} does not lie where cargo puts what it builds", exe.display()))?;
        let colours = lookup("NO_COLOR").is_none() && std::io::stdout().is_terminal();
        Ok(Self {
            cargo,
            manifest,
            package,
            bin,
            exe,
            working_dir: working_dir.to_owned(),
            target_dir,
            triple,
            colours,
        })
    }

    /// The arguments of the build. `default_target_dir` is where cargo builds when nobody says where.
    pub(super) fn arguments(&self, default_target_dir: &Path, features: Option<&[String]>) -> Vec<String> {
        let mut arguments = vec!["build".to_owned(), "--message-format=json-diagnostic-rendered-ansi".to_owned()];
        let mut option = |name: &str, value: &str| arguments.extend([name.to_owned(), value.to_owned()]);
        option("--manifest-path", &self.manifest.to_string_lossy());
        option("-p", &self.package);
        option("--bin", &self.bin);
        match self.profile().as_deref() {
            None | Some("debug") => {}
            Some(profile) => option("--profile", profile),
        }
        if let Some(triple) = &self.triple {
            option("--target", triple);
        }
        if !same_folder(default_target_dir, &self.target_dir) {
            option("--target-dir", &self.target_dir.to_string_lossy());
        }
        if let Some(features) = features {
            option("--features", &features.join(","));
            arguments.push("--no-default-features".to_owned());
        }
        arguments
    }

    /// The folder of the profile's builds is named like the profile, that of `dev` is `debug`.
    fn profile(&self) -> Option<String> {
        self.exe.parent()?.file_name().map(|name| name.to_string_lossy().into_owned())
    }
}

fn same_folder(one: &Path, other: &Path) -> bool {
    let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    canonical(one) == canonical(other)
}

/// `TARGET/PROFILE/BIN` or `TARGET/TRIPLE/PROFILE/BIN`: cargo marks the top with the file that backup programs look for.
fn target_dir(exe: &Path) -> Option<(PathBuf, Option<String>)> {
    let is_top = |folder: &Path| folder.join("CACHEDIR.TAG").is_file() || folder.join(".rustc_info.json").is_file();
    let above = exe.parent()?.parent()?;
    if is_top(above) {
        return Some((above.to_owned(), None));
    }
    let top = above.parent().filter(|folder| is_top(folder))?;
    Some((top.to_owned(), Some(above.file_name()?.to_string_lossy().into_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reload::tests::Folder;

    fn project(folder: &Folder, exe: &str) -> Result<Project, String> {
        folder.write("target/CACHEDIR.TAG", "");
        let exe = folder.write(exe, "");
        let lookup = |name: &str| match name {
            "CARGO" => Some("/opt/cargo".to_owned()),
            "CARGO_MANIFEST_DIR" => Some("/app/local".to_owned()),
            "CARGO_PKG_NAME" => Some("tack-local".to_owned()),
            _ => None,
        };
        Project::of_cargo_run(&exe, Path::new("/app"), lookup)
    }

    /// What is asked besides the package and the binary.
    fn arguments(exe: &str, features: Option<&[String]>) -> String {
        let folder = Folder::new();
        let project = project(&folder, exe).unwrap();
        assert_eq!(project.target_dir, folder.path("target"));
        let all = project.arguments(&folder.path("target"), features).join(" ");
        let same = "build --message-format=json-diagnostic-rendered-ansi --manifest-path /app/local/Cargo.toml -p tack-local --bin tack";
        all.strip_prefix(same).unwrap().to_owned()
    }

    #[test]
    fn the_folder_of_the_executable_tells_profile_and_platform() {
        assert_eq!(arguments("target/debug/tack", None), "");
        assert_eq!(arguments("target/release/tack", None), " --profile release");
        assert_eq!(arguments("target/quick/tack", None), " --profile quick");
        let triple = arguments("target/aarch64-unknown-linux-musl/release/tack", None);
        assert_eq!(triple, " --profile release --target aarch64-unknown-linux-musl");
    }

    #[test]
    fn the_features_are_those_of_the_running_program() {
        let features = ["a".to_owned(), "b".to_owned()];
        assert_eq!(arguments("target/debug/tack", Some(&features)), " --features a,b --no-default-features");
    }

    #[test]
    fn another_target_folder_than_cargos_own_is_named() {
        let folder = Folder::new();
        let project = project(&folder, "target/debug/tack").unwrap();
        let arguments = project.arguments(&folder.path("elsewhere"), None);
        assert!(arguments.ends_with(&["--target-dir".to_owned(), folder.path("target").display().to_string()]));
    }

    #[test]
    fn a_program_that_lies_elsewhere_is_not_watched() {
        let folder = Folder::new();
        let reason = project(&folder, "bin/tack").unwrap_err();
        assert!(reason.ends_with("does not lie where cargo puts what it builds"), "{reason}");
    }
}
