//! The files that a build is made of, and which of them changed: contents are compared, so touching a file changes nothing.
//! Not here: noticing that something happened ([`super::watcher`]).
//! Invariant: nothing below a target folder, `.git`, `.tack` or another hidden folder is ever read, nor what an editor leaves beside a file.

use super::packages::Packages;
use super::project::Project;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// A larger file is compared by its size and time.
const BYTES_READ_MAX: u64 = 8 * 1024 * 1024;
/// Files of the workspace that no package holds.
const WORKSPACE_FILES: [&str; 6] =
    ["Cargo.toml", "Cargo.lock", ".cargo/config.toml", ".cargo/config", "rust-toolchain.toml", "rust-toolchain"];
/// Folders of a package that are not built into a binary; what a binary does include from there, cargo names ([`Sources::add_inputs`]).
const NOT_BUILT: [&str; 3] = ["tests", "benches", "examples"];

/// Where the files are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sources {
    /// The packages' folders.
    pub(super) folders: BTreeSet<PathBuf>,
    /// Those among them that are the workbench's.
    pub(super) own: BTreeSet<PathBuf>,
    /// Single files besides.
    pub(super) files: BTreeSet<PathBuf>,
    /// Where cargo builds.
    pub(super) target_dir: PathBuf,
}

/// The contents at one moment, as hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot(BTreeMap<PathBuf, u64>);

impl Sources {
    /// The sources of these packages.
    pub(super) fn of(project: &Project, packages: &Packages) -> Self {
        let tops = [packages.root.as_path(), project.working_dir.as_path()];
        Self {
            folders: packages.folders.clone(),
            own: packages.own.clone(),
            files: tops.iter().flat_map(|top| WORKSPACE_FILES.map(|file| top.join(file))).collect(),
            target_dir: project.target_dir.clone(),
        }
    }

    /// Adds what the build did read and no folder covers, such as an included file of elsewhere. `dep_info` is the text of the file that cargo writes beside
    /// an executable, `TARGET: FILE FILE …` with spaces escaped.
    /// Source: <https://doc.rust-lang.org/cargo/reference/build-cache.html#dep-info-files>
    pub(super) fn add_inputs(&mut self, dep_info: &str) {
        let inputs: Vec<PathBuf> = inputs(dep_info).filter(|file| !file.starts_with(&self.target_dir)).collect();
        let covered = |file: &Path| self.folders.iter().any(|folder| covers(folder, file));
        let more: Vec<PathBuf> = inputs.into_iter().filter(|file| !covered(file)).collect();
        self.files.extend(more);
    }

    /// Reads everything. A file that cannot be read is taken for absent.
    pub(super) fn snapshot(&self) -> Snapshot {
        let mut files = Snapshot::default();
        for folder in &self.folders {
            self.walk(folder, true, &mut files);
        }
        for file in &self.files {
            files.add(file);
        }
        files
    }

    fn walk(&self, folder: &Path, top: bool, files: &mut Snapshot) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if self.is_watched_folder(&path, top) {
                    self.walk(&path, false, files);
                }
            } else if !is_noise(&path) {
                files.add(&path);
            }
        }
    }

    /// Whether this folder within a package holds sources of the package. `top`: it is at the package's top.
    pub(super) fn is_watched_folder(&self, folder: &Path, top: bool) -> bool {
        let is_not_built = top && NOT_BUILT.iter().any(|name| folder.ends_with(name));
        let is_target = || folder == self.target_dir || folder.join("CACHEDIR.TAG").is_file();
        let is_other_package = || folder.join("Cargo.toml").is_file();
        let is_left_out = is_noise(folder) || is_not_built || is_target() || is_other_package();
        !is_left_out
    }

    /// Whether a change of this file would be seen.
    pub(super) fn includes(&self, file: &Path) -> bool {
        self.files.contains(file) || self.folders.iter().any(|folder| file.starts_with(folder))
    }

    /// Whether the file is the workbench's own.
    pub(super) fn is_own(&self, file: &Path) -> bool {
        let innermost =
            self.folders.iter().filter(|folder| file.starts_with(folder)).max_by_key(|folder| folder.as_os_str().len());
        innermost.is_some_and(|folder| self.own.contains(folder))
    }
}

/// The files that a build did read, by cargo's list.
pub(super) fn inputs(dep_info: &str) -> impl Iterator<Item = PathBuf> {
    let list = dep_info.split_once(": ").map_or("", |(_, list)| list.trim_end());
    // A byte that no path has stands for an escaped space while the list is cut at the others.
    let list = list.replace("\\ ", "\0");
    list.split(' ')
        .filter(|file| !file.is_empty())
        .map(|file| PathBuf::from(file.replace('\0', " ")))
        .collect::<Vec<_>>()
        .into_iter()
}

impl Snapshot {
    /// What was added, removed or has other contents than before, in order.
    pub(super) fn changed_since(&self, before: &Self) -> Vec<PathBuf> {
        let removed = before.0.keys().filter(|path| !self.0.contains_key(*path));
        let others = self.0.iter().filter(|(path, hash)| before.0.get(*path) != Some(hash)).map(|(path, _)| path);
        let mut changed: Vec<PathBuf> = removed.chain(others).cloned().collect();
        changed.sort();
        changed
    }

    /// Takes over those files of another look that `which` names.
    pub(super) fn extend(&mut self, other: Self, which: impl Fn(&Path) -> bool) {
        self.0.extend(other.0.into_iter().filter(|(file, _)| which(file)));
    }

    fn add(&mut self, file: &Path) {
        if let Some(hash) = hash(file) {
            self.0.insert(file.to_owned(), hash);
        }
    }
}

fn hash(file: &Path) -> Option<u64> {
    let metadata = fs::metadata(file).ok().filter(fs::Metadata::is_file)?;
    let mut hasher = DefaultHasher::new();
    if metadata.len() > BYTES_READ_MAX {
        (metadata.len(), metadata.modified().ok()).hash(&mut hasher);
    } else {
        fs::read(file).ok()?.hash(&mut hasher);
    }
    Some(hasher.finish())
}

/// Whether a folder of a package covers this file, so that no watch of its own is needed.
fn covers(folder: &Path, file: &Path) -> bool {
    file.strip_prefix(folder).is_ok_and(|inside| {
        !NOT_BUILT.iter().any(|name| inside.starts_with(name))
            && !inside.components().any(|part| is_noise(Path::new(&part)))
    })
}

/// Hidden files and folders, `node_modules`, and what editors and patch programs write beside a file.
fn is_noise(path: &Path) -> bool {
    let Some(name) = path.file_name().map(|name| name.to_string_lossy()) else { return false };
    let left_behind = [".swp", ".swo", ".swx", ".tmp", ".bak", ".orig", ".rej", "___jb_tmp___", "___jb_old___"];
    name.starts_with('.')
        || name.ends_with('~')
        || (name.starts_with('#') && name.ends_with('#'))
        // vim tries with this name whether it may write.
        || name == "4913"
        || name == "node_modules"
        || left_behind.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reload::tests::Folder;

    /// A workspace of two packages, one of them at its top.
    fn sources(folder: &Folder) -> Sources {
        folder.write("Cargo.toml", "[package]");
        folder.write("src/main.rs", "fn main() {}");
        folder.write("workbench/Cargo.toml", "[package]");
        folder.write("workbench/src/lib.rs", "");
        Sources {
            folders: BTreeSet::from([folder.path(""), folder.path("workbench")]),
            own: BTreeSet::from([folder.path("workbench")]),
            files: BTreeSet::from([folder.path(".cargo/config.toml"), folder.path("Cargo.toml")]),
            target_dir: folder.path("build"),
        }
    }

    fn changed_by(file: &str) -> bool {
        let folder = Folder::new();
        let sources = sources(&folder);
        let before = sources.snapshot();
        let path = folder.write(file, "something else");
        let changed = sources.snapshot().changed_since(&before);
        assert!(changed.is_empty() || changed == [path], "{changed:?}");
        !changed.is_empty()
    }

    #[test]
    fn sources_manifests_build_scripts_assets_and_cargos_configuration_count() {
        for file in [
            "src/main.rs",
            "src/deep/new.rs",
            "src/target/mod.rs",
            "src/tests/mod.rs",
            "build.rs",
            "assets/page.css",
            "Cargo.toml",
            ".cargo/config.toml",
            "workbench/src/lib.rs",
        ] {
            assert!(changed_by(file), "{file}");
        }
    }

    #[test]
    fn what_cargo_git_tack_and_editors_write_does_not_count() {
        for file in [
            "build/debug/deps/x.rs",
            ".git/HEAD",
            ".tack/state",
            ".idea/workspace.xml",
            "src/.main.rs.swp",
            "src/.#main.rs",
            "src/main.rs~",
            "src/#main.rs#",
            "src/4913",
            "src/main.rs___jb_tmp___",
            "src/main.rs.orig",
            "node_modules/x/index.js",
            "tests/walk.rs",
            "benches/quick.rs",
            "examples/one.rs",
        ] {
            assert!(!changed_by(file), "{file}");
        }
    }

    #[test]
    fn another_target_folder_and_another_package_do_not_count() {
        let folder = Folder::new();
        let sources = sources(&folder);
        folder.write("target/CACHEDIR.TAG", "");
        folder.write("other/Cargo.toml", "");
        let before = sources.snapshot();
        folder.write("target/debug/x.rs", "");
        folder.write("other/src/lib.rs", "");
        assert!(sources.snapshot().changed_since(&before).is_empty());
    }

    #[test]
    fn contents_are_compared_and_not_times() {
        let folder = Folder::new();
        let sources = sources(&folder);
        let before = sources.snapshot();
        folder.write("src/main.rs", "fn main() {}");
        std::fs::File::options()
            .append(true)
            .open(folder.path("src/main.rs"))
            .unwrap()
            .set_modified(std::time::SystemTime::UNIX_EPOCH)
            .unwrap();
        assert_eq!(sources.snapshot(), before);
        std::fs::remove_file(folder.path("src/main.rs")).unwrap();
        assert_eq!(sources.snapshot().changed_since(&before), [folder.path("src/main.rs")]);
    }

    #[test]
    fn the_innermost_package_owns_a_file() {
        let folder = Folder::new();
        let sources = sources(&folder);
        assert!(sources.is_own(&folder.path("workbench/src/lib.rs")));
        assert!(!sources.is_own(&folder.path("src/main.rs")));
        assert!(!sources.is_own(Path::new("/elsewhere/data.json")));
    }

    #[test]
    fn files_that_the_build_read_elsewhere_count_and_those_it_made_do_not() {
        let folder = Folder::new();
        let mut sources = sources(&folder);
        let elsewhere = Folder::new();
        let (data, sample) = (elsewhere.write("a b.json", "1"), folder.write("tests/sample.json", "1"));
        let listed =
            [data.clone(), folder.path("src/main.rs"), folder.path("build/debug/build/x/out/made.rs"), sample.clone()];
        let listed = listed.map(|path| path.display().to_string().replace(' ', "\\ ")).join(" ");
        sources.add_inputs(&format!("/t/debug/tack: {listed}\n"));
        let two = BTreeSet::from([folder.path(".cargo/config.toml"), folder.path("Cargo.toml"), data.clone(), sample]);
        assert_eq!(sources.files, two);
        assert!(sources.includes(&data) && !sources.includes(&elsewhere.path("c.json")));
        let before = sources.snapshot();
        elsewhere.write("a b.json", "2");
        assert_eq!(sources.snapshot().changed_since(&before), [data]);
    }

    #[test]
    fn a_list_that_is_not_there_adds_nothing() {
        assert_eq!(inputs("").count(), 0);
        assert_eq!(inputs("/t/debug/tack: \n").count(), 0);
        assert_eq!(inputs("/t/a\\ b/tack: /a /b\\ c\n").collect::<Vec<_>>(), [Path::new("/a"), Path::new("/b c")]);
    }
}
