//! With which features this program was built: `cargo run --features …` tells the program nothing, the record that cargo keeps of the build does.
//! Invariant: a guess is never made; where the record is not found, the package's default features are built.
//! Source: <https://doc.rust-lang.org/nightly/nightly-rustc/cargo/core/compiler/fingerprint/index.html>

use serde::Deserialize;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// One of cargo's records: `.fingerprint/PACKAGE-HASH/bin-BIN.json`.
#[derive(Deserialize)]
struct Fingerprint {
    /// A list within a string: `["default", "extra"]`.
    features: String,
}

/// The features of the package that `exe` was built with.
pub(super) fn features(exe: &Path, package: &str, bin: &str) -> Option<Vec<String>> {
    let profile = exe.parent()?;
    let records = records(&profile.join(".fingerprint"), package, bin);
    let built = built_as(exe, &profile.join("deps"), bin);
    let exact = records.iter().find(|record| built.is_some() && record.hash == built);
    // Where cargo copies the executable instead of linking it, the last build is the one that runs.
    let record = exact.or_else(|| records.iter().max_by_key(|record| record.written))?;
    let fingerprint: Fingerprint = serde_json::from_slice(&fs::read(&record.path).ok()?).ok()?;
    serde_json::from_str(&fingerprint.features).ok()
}

struct Record {
    hash: Option<String>,
    path: PathBuf,
    written: Option<SystemTime>,
}

fn records(folder: &Path, package: &str, bin: &str) -> Vec<Record> {
    let record = |entry: fs::DirEntry| {
        let name = entry.file_name().into_string().ok()?;
        let hash = hash(&name, package)?;
        let path = entry.path().join(format!("bin-{bin}.json"));
        let written = fs::metadata(&path).ok()?.modified().ok();
        Some(Record { hash: Some(hash), path, written })
    };
    fs::read_dir(folder).into_iter().flatten().flatten().filter_map(record).collect()
}

/// The hash of the file in `deps` that `exe` is a link of.
fn built_as(exe: &Path, deps: &Path, bin: &str) -> Option<String> {
    let inode = fs::metadata(exe).ok()?.ino();
    let linked = |entry: fs::DirEntry| {
        let hash = hash(&entry.file_name().into_string().ok()?, &bin.replace('-', "_"))?;
        (entry.metadata().ok()?.ino() == inode).then_some(hash)
    };
    fs::read_dir(deps).ok()?.flatten().find_map(linked)
}

/// The end of `NAME-HASH`.
fn hash(name: &str, of: &str) -> Option<String> {
    let hash = name.strip_prefix(of)?.strip_prefix('-')?;
    hash.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| hash.to_owned())
}
