//! `revoke` and `purge`: a token that is to work no more, and what is left of an app that was uninstalled.
//! Invariant: nothing ends before somebody said so; what the app itself keeps of a workspace goes by the app's own `purge`.

use super::place::Place;
use super::slack::{self, Revoked};
use super::{installed, key, trouble};
use crate::cli::exit::Exit;
use crate::cli::failure::{Failure, Hint};
use crate::cli::output::Terminal;
use crate::cli::session::{Session, TIMEOUT};
use crate::cli::span;
use serde_json::json;
use std::time::Duration;
use tack_app::install::{InstallKey, Installation, PURGE, PURGE_DUE, PurgeRequest, Removal, Removed};
use tack_app::message::{AppWork, QueueName, Work, group_of};
use tack_app::ports::{InstallationStore, Queue};
use tack_app::protocol::{EpochMs, UserId};
use tokio::time::Instant;

#[derive(clap::Args)]
pub(super) struct RevokeArgs {
    /// A workspace, T…, or an organisation, E….
    #[arg(value_parser = key)]
    id: InstallKey,
    /// A person's token instead of the bot's.
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Without asking.
    #[arg(long)]
    yes: bool,
}

#[derive(clap::Args)]
pub(super) struct PurgeArgs {
    /// A workspace, T…, or an organisation, E….
    #[arg(value_parser = key, required_unless_present = "due", conflicts_with = "due")]
    id: Option<InstallKey>,
    /// All that are due, as a schedule would.
    #[arg(long)]
    due: bool,
    /// Without asking.
    #[arg(long)]
    yes: bool,
}

/// How often is looked whether a purge is done.
const LOOK: Duration = Duration::from_millis(250);

/// Has Slack revoke a token, then forgets it.
///
/// # Errors
/// When there is no such token, it is not wanted after all, or Slack does not do it: then it stays.
pub(super) async fn revoke(args: RevokeArgs, place: &Place, session: &mut Session) -> Result<(), Failure> {
    let RevokeArgs { id, user, yes } = args;
    let user = user.map(UserId::new);
    let (token, removal, installed_at) = match &user {
        None => {
            let there = installed(&place.store, &id).await?;
            (there.token, Removal::Bot, Some(there.installation.installed_at))
        }
        Some(user) => {
            let grant = place.store.read_user(&id, user).await.map_err(|error| trouble(&error))?;
            let installed_at = grant.as_ref().map(|grant| grant.installed_at);
            (grant.and_then(|grant| grant.token), Removal::Users(vec![user.clone()]), installed_at)
        }
    };
    let whose = user.as_ref().map_or_else(|| "the bot token".to_owned(), |user| format!("the token of {user}"));
    let (token, installed_at) = token.zip(installed_at).ok_or_else(|| {
        let message = format!("{whose} of {} is not there", id.id());
        Failure::new(Exit::NotFound, "not_found", message, Hint::Command(format!("installs show {}", id.id())))
    })?;
    if !yes {
        let person = user.as_ref().map(|user| format!(" --user {user}")).unwrap_or_default();
        let again = Hint::Command(format!("installs revoke {}{person} --yes", id.id()));
        session.terminal.confirm(&format!("Revoke {whose} of {} for good?", id.id()), again).await?;
    }
    let hint = || Hint::Command(format!("installs show {}", id.id()));
    let revoked = slack::revoke(&place.slack_api_url(), &token.access).await;
    let revoked = revoked
        .map_err(|error| Failure::new(Exit::Io, "slack", format!("{error}; nothing was changed here"), hint()))?;
    if let Revoked::No(word) = &revoked {
        return Err(Failure::new(Exit::Io, word, format!("Slack said {word}; nothing was changed here"), hint()));
    }
    // What was read, and nothing that was installed since: whoever was asked may have taken their time.
    let removed = place.store.remove(&id, &removal, installed_at.seconds()).await.map_err(|error| trouble(&error))?;
    let terminal = &mut session.terminal;
    if terminal.json {
        let before = match &revoked {
            Revoked::Before(word) => Some(word.clone()),
            _ => None,
        };
        return terminal.object(&json!({
            "v": 1, "id": id.id(), "user": user, "revoked": true, "dead_before": before,
            "installed_again": removed == Removed::Newer,
        }));
    }
    if removed == Removed::Newer {
        return terminal.line(&format!("  {whose} is revoked; the app was installed again meanwhile, and that stays"));
    }
    match revoked {
        Revoked::Before(word) => terminal.line(&format!("  {whose} was dead already ({word}), and is forgotten here")),
        _ => terminal.line(&format!("  {whose} is revoked")),
    }
}

/// Sends the work that purges.
///
/// # Errors
/// When the app is installed, it is not wanted after all, or the purge did not end in time.
pub(super) async fn purge(args: PurgeArgs, place: &Place, session: &mut Session) -> Result<(), Failure> {
    let queue = place.queue()?;
    let Some(id) = args.id else { return purge_due(place, &queue, &mut session.terminal).await };
    let there = installed(&place.store, &id).await?.installation;
    let gone_at = there.gone.map(|gone| gone.at).ok_or_else(|| is_installed(&id))?;
    if !args.yes {
        let question = format!("Delete what is left of {}, also what the app itself keeps of it?", id.id());
        session.terminal.confirm(&question, Hint::Command(format!("installs purge {} --yes", id.id()))).await?;
    }
    let gone = due(&id, gone_at, &place.store).await?;
    let mark = gone.gone.as_ref().ok_or_else(|| is_installed(&id))?;
    send(&queue, purge_work(&gone, mark.at, now())).await?;
    let limit = session.timeout.unwrap_or(TIMEOUT);
    let is_purged = until_purged(&id, place, limit).await?;
    let terminal = &mut session.terminal;
    if terminal.json {
        terminal.object(&json!({"v": 1, "id": id.id(), "queued": true, "purged": is_purged}))?;
    } else if is_purged {
        terminal.line(&format!("  {} is purged", id.id()))?;
    }
    if is_purged {
        return Ok(());
    }
    let when = gone.gone.and_then(|gone| gone.purge_at).filter(|at| *at > now());
    let because = when.map_or_else(String::new, |at| format!(": it is due {}", span::utc(at.0)));
    let message = format!("the purge of {} is queued and was not done within {} s{because}", id.id(), limit.as_secs());
    Err(Failure::new(Exit::Timeout, "timeout", message, Hint::List("dlq list")))
}

fn is_installed(id: &InstallKey) -> Failure {
    let message =
        format!("the app is installed in {}: what belongs to it goes once it is uninstalled in Slack", id.id());
    Failure::new(Exit::Refused, "installed", message, Hint::Command(format!("installs show {}", id.id())))
}

/// Makes the purge of what was gone at a time due. What Slack only revoked becomes uninstalled by it; what was uninstalled
/// keeps its time, and what was installed since stays.
async fn due(id: &InstallKey, gone_at: EpochMs, store: &dyn InstallationStore) -> Result<Installation, Failure> {
    let removal = Removal::Everything { purge_at: now() };
    store.remove(id, &removal, gone_at.seconds()).await.map_err(|error| trouble(&error))?;
    Ok(installed(store, id).await?.installation)
}

/// The message of the job. Its key is this command's, so that it runs although one before it did.
fn purge_work(gone: &Installation, gone_at: EpochMs, now: EpochMs) -> AppWork {
    let request = PurgeRequest { gone_at, is_enterprise_install: gone.is_enterprise_install() };
    work(PURGE, format!("purge:{}:operator:{}", gone_at.0, now.0), gone, json!(request), now)
}

fn work(job: &str, key: String, of: &Installation, payload: serde_json::Value, now: EpochMs) -> AppWork {
    AppWork {
        id: format!("operator:{key}"),
        job: job.to_owned(),
        enterprise: of.enterprise.clone(),
        team: of.team.clone(),
        is_enterprise_install: of.is_enterprise_install(),
        key,
        payload,
        received_at: Some(now),
        generation: 0,
        trace: None,
    }
}

async fn send(queue: &dyn Queue, work: AppWork) -> Result<(), Failure> {
    let body = work.encode();
    let group = group_of(&Work::App(Box::new(work)).tenant());
    let sent = queue.send(QueueName::Events, &group, body).await;
    sent.map_err(|error| Failure::new(Exit::Io, "queue", error.to_string(), Hint::Help("installs purge")))
}

async fn until_purged(id: &InstallKey, place: &Place, limit: Duration) -> Result<bool, Failure> {
    let until = Instant::now() + limit;
    loop {
        let found = place.store.read(std::slice::from_ref(id)).await.map_err(|error| trouble(&error))?;
        if found.iter().all(|one| one.installation.gone.is_none()) {
            // Away, or installed again meanwhile: nothing is left of what was gone.
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn purge_due(place: &Place, queue: &dyn Queue, terminal: &mut Terminal) -> Result<(), Failure> {
    let now = now();
    let all = place.store.list().await.map_err(|error| trouble(&error))?;
    let is_due =
        |one: &&Installation| one.gone.as_ref().and_then(|gone| gone.purge_at).is_some_and(|purge_at| purge_at <= now);
    let due: Vec<String> = all.iter().filter(is_due).filter_map(|one| Some(one.key()?.id().to_owned())).collect();
    if !due.is_empty() {
        let key = format!("operator:{}", now.0);
        let message =
            json!({"v": 1, "origin": "app", "job": PURGE_DUE, "key": key, "received_at": now, "payload": null});
        let sent = queue.send(QueueName::Events, PURGE_DUE, message.to_string()).await;
        sent.map_err(|error| Failure::new(Exit::Io, "queue", error.to_string(), Hint::Help("installs purge")))?;
    }
    if terminal.json {
        return terminal.object(&json!({"v": 1, "due": due}));
    }
    if terminal.quiet {
        return due.iter().try_for_each(|id| terminal.line(id));
    }
    match due.len() {
        0 => terminal.note("None is due."),
        count => {
            due.iter().try_for_each(|id| terminal.line(&format!("  {id}")))?;
            terminal.note(&format!("Their purges are queued: {count}."));
        }
    }
    Ok(())
}

fn now() -> EpochMs {
    EpochMs(span::now_ms())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tack_app::install::{Installed, NewInstallation};
    use tack_app::memory::MemoryInstallationStore;
    use tack_app::protocol::EpochSeconds;

    async fn install(store: &MemoryInstallationStore, at: u64) {
        let installation = json!({"team": "T0ACME001", "installer": "U0ADA0001", "installed_at": at});
        let installed = Installed { installation: serde_json::from_value(installation).unwrap(), token: None };
        store.save(&NewInstallation { installed, webhook_url: None, user: None }).await.unwrap();
    }

    #[tokio::test]
    async fn what_was_installed_while_an_operator_was_asked_is_not_made_due() {
        let store = MemoryInstallationStore::default();
        let id = InstallKey::Team("T0ACME001".into());
        install(&store, 1_000).await;
        store.remove(&id, &Removal::Bot, EpochSeconds(5)).await.unwrap();
        install(&store, 9_000).await;
        let there = due(&id, EpochMs(5_000), &store).await.unwrap();
        assert!(there.gone.is_none() && there.installed_at == EpochMs(9_000), "{there:?}");
    }

    #[tokio::test]
    async fn what_slack_only_revoked_is_made_due_as_of_its_time() {
        let store = MemoryInstallationStore::default();
        let id = InstallKey::Team("T0ACME001".into());
        install(&store, 1_000).await;
        store.remove(&id, &Removal::Bot, EpochSeconds(5)).await.unwrap();
        let gone = due(&id, EpochMs(5_000), &store).await.unwrap().gone.unwrap();
        assert_eq!((gone.at, gone.why.as_str()), (EpochMs(5_000), "uninstalled"));
        assert!(gone.purge_at.is_some_and(|at| at <= now()));
    }
}
