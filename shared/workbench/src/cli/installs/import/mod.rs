//! Reading what other programs stored: Bolt's public installation stores, and a plain format for all others. Pure: files in,
//! installations out; `transfer` saves them.
//! Invariant: all is read before anything is given out, and one row that cannot be read ends it.

mod fields;
mod files;
mod found;
mod javascript;
mod moment;
mod plain;
mod python;
mod sql;
#[cfg(test)]
mod tests;

pub(crate) use found::{Import, Imported};

use crate::cli::failure::Failure;
use std::path::Path;

/// Whose store it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Source {
    /// The folder of Bolt's FileInstallationStore, of Python or JavaScript.
    BoltFile,
    /// A folder with the objects of Bolt for Python's AmazonS3InstallationStore: aws s3 sync s3://BUCKET PATH.
    BoltS3,
    /// The SQLite file of SQLAlchemyInstallationStore or SQLite3InstallationStore, or a folder with slack_bots.jsonl and slack_installations.jsonl.
    BoltSqlalchemy,
    /// One installation a line.
    Jsonl,
}

/// Reads a store. `client` is the app that is meant, needed where a store holds several.
///
/// # Errors
/// When a file or a row of it cannot be read; the failure names it and repeats nothing of it.
pub(crate) fn read(source: Source, path: &Path, client: Option<&str>) -> Result<Import, Failure> {
    let found = match source {
        Source::BoltFile | Source::BoltS3 => files::read(path, client)?,
        Source::BoltSqlalchemy => sql::read(path, client)?,
        Source::Jsonl => plain::read(path)?,
    };
    found::assemble(found)
}
