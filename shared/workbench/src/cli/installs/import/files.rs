//! Bolt's stores of files: a folder of its own for each installation, also as objects that were copied out of a bucket.
//!
//! ```text
//! Python   BASE[/CLIENT_ID]/E…|none-T…|none/   bot-latest  installer-latest  installer-U…-latest  and former ones by time
//! JS       BASE[/CLIENT_ID]/E…-T…|E…/          app-latest  user-U…-latest  and former ones by time
//!          BASE[/CLIENT_ID]T…/                 the same, of a workspace outside any organisation: there is no slash
//! ```
//! Whatever was deleted has no `-latest` of its own, though its token may still stand in a neighbour's; that one is not read.
//! Sources: `slack_sdk/oauth/installation_store/file` and `…/amazon_s3` of `slack_sdk` 3.48 (PyPI);
//! `dist/installation-stores/file-store.js` of `@slack/oauth` 4.0 (npm).

use super::fields::object;
use super::found::{Found, Row, unreadable};
use super::javascript::{self, Part};
use super::python::{self, Kind};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Hint};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use tack_app::protocol::EpochMs;

/// A folder that holds one installation.
struct Home {
    folder: PathBuf,
    /// How it is called, without what the base beside it is called.
    name: String,
    /// The folder above it, which is named after the app.
    client: Option<String>,
}

/// Reads a store. `client` is the app that is meant, needed where there are several.
///
/// # Errors
/// When a file cannot be read, there is no installation, or it is not clear of which app.
pub(super) fn read(base: &Path, client: Option<&str>) -> Result<Found, Failure> {
    let (mut read, mut warnings) = (Vec::new(), Vec::new());
    for home in homes(base)? {
        let (rows, more) = rows(&home)?;
        warnings.extend(more);
        read.extend(rows.into_iter().map(|row| (client_of(&home, &row), row)));
    }
    let clients: BTreeSet<Option<String>> = read.iter().map(|(client, _)| client.clone()).collect();
    if clients.len() > 1 {
        let names = clients.iter().map(|client| client.as_deref().unwrap_or("one that is not named"));
        let meant = client.ok_or_else(|| several(&names.collect()))?;
        read.retain(|(client, _)| client.as_deref() == Some(meant));
    }
    if read.is_empty() {
        let message = match client.filter(|_| clients.len() > 1) {
            Some(client) => format!("no installation of the app {client} is below {}", base.display()),
            None => format!("no installation is below {}: a store has folders such as none-T0123ABC", base.display()),
        };
        return Err(Failure::new(Exit::NotFound, "not_found", message, Hint::Help("installs import")));
    }
    Ok(Found { rows: read.into_iter().map(|(_, row)| row).collect(), warnings })
}

/// The store holds more than one app, and nothing says which is meant.
pub(super) fn several(clients: &BTreeSet<&str>) -> Failure {
    let clients = clients.iter().copied().collect::<Vec<_>>().join(", ");
    let message = format!("the store holds several apps: {clients}. Set SLACK_CLIENT_ID to the one that is meant");
    Failure::new(Exit::Usage, "ambiguous", message, Hint::Help("installs import"))
}

/// Every folder that may be an installation's.
fn homes(base: &Path) -> Result<Vec<Home>, Failure> {
    let base = base.canonicalize().map_err(|error| missing(base, &error))?;
    let mut homes = Vec::new();
    for folder in folders(&base)? {
        let below = folders(&folder)?;
        if below.is_empty() {
            homes.push(Home { name: name(&folder), client: None, folder });
            continue;
        }
        let client = Some(name(&folder));
        homes.extend(below.into_iter().map(|folder| Home { name: name(&folder), client: client.clone(), folder }));
    }
    // What JS puts beside the base, for want of a slash.
    for folder in base.parent().map(folders).transpose()?.unwrap_or_default() {
        let whole = name(&folder);
        let rest = whole.strip_prefix(&name(&base)).unwrap_or_default();
        if rest.len() > 1 && rest.starts_with('T') && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            homes.push(Home { name: rest.to_owned(), client: None, folder });
        }
    }
    Ok(homes)
}

fn name(folder: &Path) -> String {
    folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned()
}

fn missing(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("{} cannot be read: {error}", path.display());
    Failure::new(Exit::NotFound, "not_found", message, Hint::Help("installs import"))
}

fn folders(of: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(of).map_err(|error| missing(of, &error))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    Ok(folders)
}

/// Whose app a row of this folder is, where the store says so.
fn client_of(home: &Home, row: &Row) -> Option<String> {
    if home.client.is_some() {
        return home.client.clone();
    }
    // `1234.5678T0123ABC`, but not `none-T0123ABC`.
    let team = row.team.as_ref().filter(|_| row.enterprise.is_none())?;
    let before = home.name.strip_suffix(team.as_str())?;
    (!before.is_empty() && !before.ends_with('-')).then(|| before.to_owned())
}

/// The rows of one folder, and what a person should know about them.
fn rows(home: &Home) -> Result<(Vec<Row>, Vec<String>), Failure> {
    let entries = std::fs::read_dir(&home.folder).map_err(|error| missing(&home.folder, &error))?;
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    let (mut rows, mut warnings) = (Vec::new(), Vec::new());
    for name in names.iter().filter(|name| name.ends_with("-latest")) {
        let path = home.folder.join(name);
        let origin = path.display().to_string();
        let text = || std::fs::read_to_string(&path).map_err(|error| unreadable(&origin, &error.to_string()));
        let stem = name.trim_end_matches("-latest");
        if let Some(kind) = python_kind(stem) {
            let map = object(&origin, &text()?)?;
            rows.push(python::row(kind, &origin, &map)?);
            let own = python::custom_values(&map);
            if own > 0 && kind != Kind::Bot {
                warnings.push(format!("{origin}: {own} custom values stay behind"));
            }
        } else if let Some(part) = javascript_part(stem) {
            let map = object(&origin, &text()?)?;
            match javascript::row(part, &origin, &map, written_at(&names, stem, &path)?)? {
                Some(row) => rows.push(row),
                None => warnings.push(format!("{origin}: left out, it was installed by Slack's former OAuth (v1)")),
            }
        }
    }
    Ok((rows, warnings))
}

fn python_kind(stem: &str) -> Option<Kind> {
    match stem {
        "bot" => Some(Kind::Bot),
        "installer" => Some(Kind::InstallerWithoutPerson),
        _ => stem.strip_prefix("installer-").map(|_| Kind::Installer),
    }
}

fn javascript_part(stem: &str) -> Option<Part> {
    match stem {
        "app" => Some(Part::App),
        _ => stem.strip_prefix("user-").map(|_| Part::Person),
    }
}

/// When a file of JS was written: by the newest former version, whose name has the time in milliseconds, else by the file's.
fn written_at(names: &[String], stem: &str, path: &Path) -> Result<EpochMs, Failure> {
    let former = names.iter().filter_map(|name| name.strip_prefix(stem)?.strip_prefix('-')?.parse().ok()).max();
    if let Some(at) = former {
        return Ok(EpochMs(at));
    }
    let at = std::fs::metadata(path).and_then(|file| file.modified());
    let at = at.map_err(|error| unreadable(&path.display().to_string(), &error.to_string()))?;
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(EpochMs(u64::try_from(since.as_millis()).unwrap_or_default()))
}
