//! `installs`: where the app is installed, and the operator's hand on it: look, renew, revoke, purge, carry over.
//!
//! `place` finds the table that is meant, on this machine or deployed; `import` reads what other programs stored; one file
//! besides for each family of verbs. Invariant: no verb prints a token, only how it begins and its last four characters.

mod ending;
mod import;
mod place;
mod renewal;
mod saving;
mod shown;
mod slack;
mod transfer;

use super::exit::Exit;
use super::failure::{Failure, Hint};
use super::session::Session;
use place::Place;
use std::path::PathBuf;
use tack_app::install::{InstallKey, Installed};
use tack_app::ports::{InstallationStore, StoreError};

/// Which installations, and what is done with them.
#[derive(clap::Args)]
pub(crate) struct InstallsArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(subcommand)]
    verb: InstallsVerb,
}

/// The table and the key, unless it is those of the app that runs here.
#[derive(clap::Args)]
pub(crate) struct PlaceArgs {
    /// A deployed table instead of the app that runs here; INSTALLATIONS_TABLE says the same.
    #[arg(long, global = true, value_name = "NAME")]
    table: Option<String>,
    /// The KMS key of its tokens; TOKEN_KEY_ID says the same.
    #[arg(long, global = true, value_name = "ID")]
    key: Option<String>,
}

#[derive(clap::Subcommand)]
enum InstallsVerb {
    /// Every installation, those that are gone too.
    #[command(after_help = "Example:\n  cargo tack installs list")]
    List,
    /// One installation: scopes, people, webhook, when its tokens expire.
    #[command(after_help = "Example:\n  cargo tack installs show T0ACME001")]
    Show {
        /// A workspace, T…, or an organisation, E….
        #[arg(value_parser = key)]
        id: InstallKey,
    },
    /// Has Slack revoke a token, and forgets it.
    #[command(after_help = "Example:\n  cargo tack installs revoke T0ACME001 --yes")]
    Revoke(ending::RevokeArgs),
    /// Renews tokens that expire, now.
    #[command(
        after_help = "Examples:\n  cargo tack installs rotate T0ACME001\n  cargo tack installs rotate --all --exchange"
    )]
    Rotate(renewal::RotateArgs),
    /// Deletes what is left of an app that was uninstalled, also what the app itself keeps.
    #[command(after_help = "Examples:\n  cargo tack installs purge T0ACME001 --yes\n  cargo tack installs purge --due")]
    Purge(ending::PurgeArgs),
    /// Every row as it is stored, tokens encrypted: one JSON object a line.
    #[command(after_help = "Example:\n  cargo tack installs export")]
    Export,
    /// Takes in what export printed, or what Bolt stored.
    #[command(
        after_help = "Examples:\n  cargo tack installs import --from bolt-file ~/.bolt-app-installation --dry-run\n  \
        cargo tack installs import installs.jsonl"
    )]
    Import(ImportArgs),
}

#[derive(clap::Args)]
struct ImportArgs {
    /// Whose store it is; without it, what export printed. Its tokens need the same key and the same app.
    #[arg(long, value_enum)]
    from: Option<import::Source>,
    /// A file, or the folder of a store.
    path: PathBuf,
    /// Only reads, and says what would be saved.
    #[arg(long)]
    dry_run: bool,
}

fn key(text: &str) -> Result<InstallKey, String> {
    InstallKey::parse(text)
        .ok_or_else(|| format!("{text:?} is neither a workspace's id, T…, nor an organisation's, E…"))
}

/// Does what was asked.
///
/// # Errors
/// When there is no such installation, it is not wanted after all, or Slack, the table or the key does not do it.
pub(crate) async fn run(args: InstallsArgs, session: &mut Session) -> Result<(), Failure> {
    let InstallsArgs { place, verb } = args;
    match verb {
        // These read before they look for the table.
        InstallsVerb::Import(args) => transfer::take_in(&args, &place, session).await,
        verb => looked_up(verb, Place::find(&place, session).await?, session).await,
    }
}

async fn looked_up(verb: InstallsVerb, place: Place, session: &mut Session) -> Result<(), Failure> {
    match verb {
        InstallsVerb::List => shown::list(&place.store, &mut session.terminal).await,
        InstallsVerb::Show { id } => shown::show(&id, &place, &mut session.terminal).await,
        InstallsVerb::Revoke(args) => ending::revoke(args, &place, session).await,
        InstallsVerb::Rotate(args) => renewal::rotate(args, place, session).await,
        InstallsVerb::Purge(args) => ending::purge(args, &place, session).await,
        InstallsVerb::Export => transfer::export(&place.store, &mut session.terminal).await,
        InstallsVerb::Import(_) => Ok(()),
    }
}

/// The table or the key did not do it.
fn trouble(error: &StoreError) -> Failure {
    Failure::new(Exit::Io, "store", error.to_string(), Hint::Help("installs"))
}

/// One installation with its token.
async fn installed(store: &dyn InstallationStore, id: &InstallKey) -> Result<Installed, Failure> {
    let found = store.read(std::slice::from_ref(id)).await.map_err(|error| trouble(&error))?;
    found.into_iter().next().ok_or_else(|| {
        let message = format!("there is no installation in {}", id.id());
        Failure::new(Exit::NotFound, "not_found", message, Hint::List("installs list"))
    })
}

/// `xoxb-…9f3a`: how a token begins, and its end.
fn masked(token: &str) -> String {
    match tack_simulator::mask_text(token) {
        masked if masked != token => masked,
        // Whatever this is, it is none of Slack's own forms.
        _ => "…".to_owned(),
    }
}
