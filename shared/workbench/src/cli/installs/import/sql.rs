//! Bolt for Python's stores in a database: `SQLAlchemyInstallationStore` and `SQLite3InstallationStore`, which have two
//! tables of the same columns. An SQLite file is read as it is; of another database, a folder with a dump of each table, one
//! JSON object a line.
//! Invariant: the database is opened for reading only.
//! Source: `slack_sdk/oauth/installation_store/sqlalchemy` and `…/sqlite3` of `slack_sdk` 3.48 (PyPI).

use super::fields::{Fields, object};
use super::files::several;
use super::found::{Found, unreadable};
use super::python::{self, Kind};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Hint};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::Path;

/// The tables' names, unless the old app gave them others.
const BOTS: &str = "slack_bots";
const INSTALLATIONS: &str = "slack_installations";

/// A table's rows, each with its place in the store.
type Rows = Vec<(String, Map<String, Value>)>;

/// Reads a store. `client` is the app that is meant, needed where there are several.
///
/// # Errors
/// When it cannot be read, has not these tables, or it is not clear which app is meant.
pub(super) fn read(path: &Path, client: Option<&str>) -> Result<Found, Failure> {
    let (bots, installations) = if path.is_dir() {
        (dump(&path.join(format!("{BOTS}.jsonl")))?, dump(&path.join(format!("{INSTALLATIONS}.jsonl")))?)
    } else {
        of_sqlite(path)?
    };
    let mut rows = Vec::new();
    let mut clients = BTreeSet::new();
    for (kind, table) in [(Kind::Bot, &bots), (Kind::Installer, &installations)] {
        for (origin, map) in table {
            let client = Fields { origin, map }.required("client_id")?;
            rows.push((client.clone(), python::row(kind, origin, map)?));
            clients.insert(client);
        }
    }
    let clients: BTreeSet<&str> = clients.iter().map(String::as_str).collect();
    let meant = match client {
        Some(client) => client,
        None if clients.len() > 1 => return Err(several(&clients)),
        None => clients.first().copied().unwrap_or_default(),
    };
    let rows: Vec<_> = rows.into_iter().filter(|(client, _)| client == meant).map(|(_, row)| row).collect();
    if rows.is_empty() {
        let message = format!("no installation is in {}", path.display());
        return Err(Failure::new(Exit::NotFound, "not_found", message, Hint::Help("installs import")));
    }
    Ok(Found { rows, warnings: Vec::new() })
}

fn dump(path: &Path) -> Result<Rows, Failure> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&file, &error.to_string()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, line)| {
            let origin = format!("{file}, line {}", index + 1);
            let map = object(&origin, line)?;
            Ok((origin, map))
        })
        .collect()
}

/// The bots' rows and the installations'.
fn of_sqlite(path: &Path) -> Result<(Rows, Rows), Failure> {
    let file = path.display().to_string();
    let broken = |error: rusqlite::Error| unreadable(&file, &format!("SQLite: {error}"));
    if let Err(error) = std::fs::metadata(path) {
        return Err(Failure::new(
            Exit::NotFound,
            "not_found",
            format!("{file} cannot be read: {error}"),
            Hint::Help("installs import"),
        ));
    }
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(broken)?;
    let (mut bots, mut installations) = (Vec::new(), Vec::new());
    for table in tables(&database).map_err(broken)? {
        let columns = columns(&database, &table).map_err(broken)?;
        let has = |names: &[&str]| names.iter().all(|name| columns.iter().any(|column| column == name));
        if has(&["client_id", "team_id", "bot_token", "user_id", "user_token", "installed_at"]) {
            installations.push(table);
        } else if has(&["client_id", "team_id", "bot_token", "bot_user_id", "installed_at"]) {
            bots.push(table);
        }
    }
    match (bots.as_slice(), installations.as_slice()) {
        ([bots], [installations]) => {
            Ok((rows(&database, &file, bots).map_err(broken)?, rows(&database, &file, installations).map_err(broken)?))
        }
        ([], _) | (_, []) => Err(unreadable(&file, &format!("it has no tables like {BOTS} and {INSTALLATIONS}"))),
        _ => {
            let names = bots.iter().chain(&installations).map(String::as_str).collect::<Vec<_>>().join(", ");
            Err(unreadable(
                &file,
                &format!("several tables may be meant: {names}. Copy two of them into a file of their own"),
            ))
        }
    }
}

fn tables(database: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut names = database.prepare("select name from sqlite_master where type = 'table' order by name")?;
    names.query_map([], |row| row.get(0))?.collect()
}

fn columns(database: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut names = database.prepare("select name from pragma_table_info(?)")?;
    names.query_map([table], |row| row.get(0))?.collect()
}

/// Every row of a table, in the order in which they were written.
fn rows(database: &Connection, file: &str, table: &str) -> rusqlite::Result<Rows> {
    let quoted = table.replace('"', "\"\"");
    let mut query = database.prepare(&format!("select * from \"{quoted}\" order by rowid"))?;
    let names: Vec<String> = query.column_names().into_iter().map(str::to_owned).collect();
    let mut found = Vec::new();
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let mut map = Map::new();
        for (index, name) in names.iter().enumerate() {
            map.insert(name.clone(), value(row.get_ref(index)?));
        }
        found.push((format!("{file}, {table}, row {}", found.len() + 1), map));
    }
    Ok(found)
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
    }
}
