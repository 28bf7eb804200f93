//! Saving what was imported, over what is there. Repeating it changes nothing, and what is newer stays: an installation of
//! later, a token that was renewed since, an uninstall that Slack told of.

use super::import::Imported;
use tack_app::install::{Installed, UserGrant};
use tack_app::ports::{InstallationStore, StoreError};
use tack_app::protocol::UserId;

/// What became of one token's holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is stored.
    Saved,
    /// It was, by an earlier import or by the app itself.
    AlreadyThere,
    /// What is there is of later.
    Newer,
    /// The app was uninstalled, or the token revoked, after that.
    Gone,
}

impl Outcome {
    /// For people and programs.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::AlreadyThere => "already there",
            Self::Newer => "kept: what is there is newer",
            Self::Gone => "kept away: uninstalled or revoked since",
        }
    }
}

/// What would become, or became, of an installation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) bot: Outcome,
    pub(super) users: Vec<(UserId, Outcome)>,
}

/// Looks what saving would do; with `write` it does.
///
/// # Errors
/// [`StoreError`] when it is not known whether all was saved; saving again is safe.
pub(super) async fn save(store: &dyn InstallationStore, imported: &Imported, write: bool) -> Result<Saved, StoreError> {
    let there = store.read(std::slice::from_ref(&imported.key)).await?.into_iter().next();
    let bot = bot(there.as_ref(), imported);
    if write && bot == Outcome::Saved {
        store.save(&imported.bot()).await?;
    }
    let mut users = Vec::new();
    for grant in &imported.users {
        let outcome = person(store, there.as_ref(), imported, grant).await?;
        if write && outcome == Outcome::Saved {
            store.save(&imported.person(grant)).await?;
        }
        users.push((grant.user.clone(), outcome));
    }
    Ok(Saved { bot, users })
}

fn bot(there: Option<&Installed>, imported: &Imported) -> Outcome {
    let at = imported.installation.installed_at;
    match there {
        None => Outcome::Saved,
        Some(there) => match &there.installation.gone {
            Some(gone) if gone.at >= at || there.installation.installed_at == at => Outcome::Gone,
            _ if there.installation.installed_at > at => Outcome::Newer,
            _ if there.installation.installed_at == at => Outcome::AlreadyThere,
            _ => Outcome::Saved,
        },
    }
}

async fn person(
    store: &dyn InstallationStore,
    there: Option<&Installed>,
    imported: &Imported,
    grant: &UserGrant,
) -> Result<Outcome, StoreError> {
    let is_uninstalled = there.is_some_and(|there| there.installation.is_uninstalled_since(grant.installed_at));
    Ok(match store.read_user(&imported.key, &grant.user).await? {
        None if is_uninstalled => Outcome::Gone,
        None => Outcome::Saved,
        Some(there) if there.installed_at > grant.installed_at => Outcome::Newer,
        Some(there) if there.installed_at == grant.installed_at && there.token.is_none() => Outcome::Gone,
        Some(there) if there.installed_at == grant.installed_at => Outcome::AlreadyThere,
        Some(_) => Outcome::Saved,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::installs::import::{Import, Source, read};
    use crate::cli::tests::Folder;
    use secrecy::ExposeSecret;
    use tack_app::install::Removal;
    use tack_app::memory::MemoryInstallationStore;
    use tack_app::protocol::{EpochMs, EpochSeconds};

    const LINE: &str = r#"{"team":"T0ACME001","installer":"U0ADA0001","installed_at":1795348800,"bot":{"user":"U0TACKBOT","scopes":"commands","token":"xoxb-first","refresh_token":"xoxe-1-first","expires_at":1795400000},"users":[{"user":"U0ADA0001","token":"xoxp-ada"},{"user":"U0GRACE01","token":"xoxp-grace","installed_at":1795340000}]}"#;

    fn imported(line: &str) -> Import {
        let folder = Folder::new();
        read(Source::Jsonl, &folder.write("installs.jsonl", line), None).unwrap()
    }

    async fn saved(store: &MemoryInstallationStore, import: &Import) -> Vec<Outcome> {
        let saved = save(store, &import.installations[0], true).await.unwrap();
        std::iter::once(saved.bot).chain(saved.users.into_iter().map(|(_, outcome)| outcome)).collect()
    }

    fn token(store: &MemoryInstallationStore, import: &Import) -> Option<String> {
        let there = store.installed(&import.installations[0].key).unwrap();
        there.token.map(|token| token.access.expose_secret().to_owned())
    }

    #[tokio::test]
    async fn what_is_saved_twice_is_there_once_and_a_look_saves_nothing() {
        let (store, import) = (MemoryInstallationStore::default(), imported(LINE));
        assert_eq!(save(&store, &import.installations[0], false).await.unwrap().bot, Outcome::Saved);
        assert!(store.installed(&import.installations[0].key).is_none(), "that was a look");
        assert_eq!(saved(&store, &import).await, [Outcome::Saved; 3]);
        assert_eq!(saved(&store, &import).await, [Outcome::AlreadyThere; 3]);
        assert_eq!(token(&store, &import).as_deref(), Some("xoxb-first"));
        assert_eq!(store.history(&import.installations[0].key).len(), 0);
        let grace = store.grant(&import.installations[0].key, &UserId::new("U0GRACE01")).unwrap();
        assert_eq!(grace.token.unwrap().access.expose_secret(), "xoxp-grace");
    }

    #[tokio::test]
    async fn a_token_that_the_old_app_renewed_after_a_first_import_replaces_it_and_never_the_reverse() {
        let (store, first) = (MemoryInstallationStore::default(), imported(LINE));
        let renewed = imported(&LINE.replace("xoxb-first", "xoxb-renewed").replace("1795400000", "1795440000"));
        saved(&store, &first).await;
        assert_eq!(saved(&store, &renewed).await[0], Outcome::Saved);
        assert_eq!(token(&store, &first).as_deref(), Some("xoxb-renewed"));
        assert_eq!(saved(&store, &first).await[0], Outcome::Newer);
        assert_eq!(token(&store, &first).as_deref(), Some("xoxb-renewed"));
    }

    #[tokio::test]
    async fn what_slack_took_away_since_does_not_come_back() {
        let (store, import) = (MemoryInstallationStore::default(), imported(LINE));
        saved(&store, &import).await;
        let (key, ada) = (&import.installations[0].key, UserId::new("U0ADA0001"));
        store.remove(key, &Removal::Users(vec![ada]), EpochSeconds(1_795_500_000)).await.unwrap();
        assert_eq!(saved(&store, &import).await, [Outcome::AlreadyThere, Outcome::Gone, Outcome::AlreadyThere]);
        store.remove(key, &Removal::Bot, EpochSeconds(1_795_500_000)).await.unwrap();
        assert_eq!(saved(&store, &import).await[0], Outcome::Gone);
        assert_eq!(token(&store, &import), None);
        // An uninstall takes the people's rows, too.
        store.remove(key, &Removal::Everything { purge_at: EpochMs(0) }, EpochSeconds(1_795_500_000)).await.unwrap();
        assert_eq!(saved(&store, &import).await, [Outcome::Gone; 3]);
        assert!(store.grant(key, &UserId::new("U0GRACE01")).is_none());
        // Installed again after that, in the old app.
        let again = imported(&LINE.replace("1795348800", "1795600000").replace("1795400000", "1795643200"));
        assert_eq!(saved(&store, &again).await[0], Outcome::Saved);
    }

    #[tokio::test]
    async fn an_installation_of_later_stays() {
        let (store, import) = (MemoryInstallationStore::default(), imported(LINE));
        let later = imported(&LINE.replace("1795348800", "1795700000").replace("xoxb-first", "xoxb-later"));
        saved(&store, &later).await;
        assert_eq!(saved(&store, &import).await[..2], [Outcome::Newer, Outcome::Newer]);
        assert_eq!(token(&store, &import).as_deref(), Some("xoxb-later"));
    }
}
