//! Which packages are this program: the one that is built and all it takes by path, in the workspace or outside.
//! Not here: their files ([`super::sources`]).
//! Invariant: asks cargo for manifests only, so neither the network nor the lock file is touched.
//! Source: <https://doc.rust-lang.org/cargo/commands/cargo-metadata.html>

use super::compile::cargo;
use super::project::Project;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The workbench is made of these; it runs in this very process and cannot be swapped.
const OWN: [&str; 3] = ["tack-workbench", "tack-simulator", "tack-local-aws"];

/// The packages of one program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packages {
    /// The workspace's top.
    pub(super) root: PathBuf,
    /// Where cargo builds when nobody says where.
    pub(super) target_dir: PathBuf,
    /// The packages' folders.
    pub(super) folders: BTreeSet<PathBuf>,
    /// Those of the workbench.
    pub(super) own: BTreeSet<PathBuf>,
    /// Whether the package that is built has any features.
    pub(super) has_features: bool,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

#[derive(Clone, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    features: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Deserialize)]
struct Dependency {
    /// `null` for a normal one, else `dev` or `build`.
    kind: Option<String>,
    path: Option<PathBuf>,
}

impl Packages {
    /// Finds them.
    ///
    /// # Errors
    /// What cargo said, when it cannot read the manifests.
    pub(super) async fn of(project: &Project) -> Result<Self, String> {
        let metadata = metadata(project, &project.manifest).await?;
        let mut packages = Self {
            root: metadata.workspace_root,
            target_dir: metadata.target_directory,
            folders: BTreeSet::new(),
            own: BTreeSet::new(),
            has_features: false,
        };
        let mut known: BTreeMap<PathBuf, Package> = by_manifest(metadata.packages);
        packages.has_features = known.get(&project.manifest).is_some_and(|package| !package.features.is_empty());
        let mut ahead = vec![project.manifest.clone()];
        while let Some(manifest) = ahead.pop() {
            let folder = manifest.parent().unwrap_or(Path::new("/")).to_owned();
            if !packages.folders.insert(folder.clone()) {
                continue;
            }
            if !known.contains_key(&manifest) {
                // Outside the workspace, so in another one.
                known.extend(by_manifest(self::metadata(project, &manifest).await?.packages));
            }
            let Some(package) = known.get(&manifest) else { continue };
            if OWN.contains(&package.name.as_str()) {
                packages.own.insert(folder);
            }
            let linked = package.dependencies.iter().filter(|dependency| dependency.kind.as_deref() != Some("dev"));
            ahead.extend(linked.filter_map(|dependency| Some(dependency.path.as_ref()?.join("Cargo.toml"))));
        }
        Ok(packages)
    }
}

fn by_manifest(packages: Vec<Package>) -> BTreeMap<PathBuf, Package> {
    packages.into_iter().map(|package| (package.manifest_path.clone(), package)).collect()
}

async fn metadata(project: &Project, manifest: &Path) -> Result<Metadata, String> {
    let output = cargo(project)
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(manifest)
        .output()
        .await
        .map_err(|error| format!("{}: {error}", project.cargo.display()))?;
    if !output.status.success() {
        return Err(super::diagnostics::of_cargo(&String::from_utf8_lossy(&output.stderr)).message);
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}
