//! What every `InstallationStore` keeps to. The rules are those of the port; each runs against the store in memory and against
//! DynamoDB's adapter, with tokens encrypted by KMS, on the embedded AWS.

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, join_all};
use secrecy::ExposeSecret;
use std::time::Duration;
use tack_app::idempotency::{Held, Owner};
use tack_app::install::{
    InstallKey, Installation, Installed, NewInstallation, Removal, Removed, Scopes, Slot, Token, TokenHolder,
    UserGrant, WebhookTarget,
};
use tack_app::memory::MemoryInstallationStore;
use tack_app::ports::{InstallationStore, Leased, RenewalLease};
use tack_protocol::{EpochMs, EpochSeconds};
use tack_tests::{APP, Aws};

pub(crate) const NOW: EpochMs = EpochMs(1_795_511_900_400);
const SECOND: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_secs(10);
const DAY: Duration = Duration::from_secs(24 * 3600);

type Store = dyn InstallationStore;
type Rule = for<'a> fn(&'a Store) -> LocalBoxFuture<'a, ()>;

/// A rule's name and the rule; each works on workspaces of its own.
fn rules() -> Vec<(&'static str, Rule)> {
    vec![
        ("what was saved is read back, with its secrets", |store| saved(store).boxed_local()),
        ("several are read at once, in the order of their names, without those that are not there", |store| {
            several(store).boxed_local()
        }),
        ("a newer installation replaces an older one, never the reverse", |store| newer(store).boxed_local()),
        ("saving the same once more undoes neither renewal nor removal", |store| saved_again(store).boxed_local()),
        ("what was uninstalled does not come back by saving it once more", |store| {
            saved_after_uninstall(store).boxed_local()
        }),
        ("what was installed before a removal and is saved after it is gone, too", |store| {
            saved_late(store).boxed_local()
        }),
        ("where no organisation's installation is no access is noted", |store| noted_nowhere(store).boxed_local()),
        ("one without a bot keeps the bot that is there", |store| bot_kept(store).boxed_local()),
        ("people's tokens are apart, and the newer one stays", |store| people(store).boxed_local()),
        ("of many who would renew a token one may", |store| one_winner(store).boxed_local()),
        ("a lease holds until its end and is free a moment later", |store| lease_ends(store).boxed_local()),
        ("a lease is on one version of one holder's token", |store| lease_changed(store).boxed_local()),
        ("a renewed token is one version on, and asking again is safe", |store| renewed(store).boxed_local()),
        ("who lost the lease stores nothing", |store| lost(store).boxed_local()),
        ("a webhook outlives the token's renewal", |store| webhook(store).boxed_local()),
        ("a webhook is the latest installation's, and goes with it", |store| {
            webhook_of_the_latest(store).boxed_local()
        }),
        ("an uninstall takes every token and leaves a tombstone", |store| uninstalled(store).boxed_local()),
        ("a revoked bot token is gone, the installation's people are not", |store| revoked(store).boxed_local()),
        ("people's revoked tokens are theirs alone", |store| users_revoked(store).boxed_local()),
        ("an event removes what was installed in its second or before", |store| same_second(store).boxed_local()),
        ("revoked and uninstalled come in any order to one end", |store| any_order(store).boxed_local()),
        ("an uninstall that comes twice keeps its first purge", |store| uninstalled_twice(store).boxed_local()),
        ("a renewal under way does not bring a removed token back", |store| renewal_removed(store).boxed_local()),
        ("after an uninstall the app can be installed again", |store| installed_again(store).boxed_local()),
        ("what is not there is absent, and stays so", |store| absent(store).boxed_local()),
        ("only what is gone and due is purged, wholly", |store| purged(store).boxed_local()),
        ("an organisation and its workspace are two installations", |store| grid(store).boxed_local()),
    ]
}

async fn every_rule(store: &Store) {
    for (name, rule) in rules() {
        // Shown when the rule fails.
        println!("rule: {name}");
        rule(store).await;
    }
    println!("rule: all are listed in the order of their names, without a token");
    listed(store).await;
}

#[tokio::test]
async fn the_installations_in_memory_keep_the_contract() {
    every_rule(&MemoryInstallationStore::default()).await;
}

#[tokio::test(start_paused = true)]
async fn dynamodbs_installations_keep_the_contract() {
    every_rule(&Aws::new(NOW.0).expect("a stack").installations()).await;
}

pub(crate) fn team(id: &str) -> InstallKey {
    InstallKey::Team(id.into())
}

fn organisation(id: &str) -> InstallKey {
    InstallKey::Enterprise(id.into())
}

pub(crate) fn token(access: &str, at: EpochMs) -> Token {
    Token {
        access: access.into(),
        refresh: Some(format!("xoxe-1-{access}").into()),
        expires_at: Some(at.plus(DAY / 2)),
        version: Token::first_version(at),
    }
}

/// A workspace's installation at a time, with this bot token.
pub(crate) fn new(key: &InstallKey, at: EpochMs, access: &str) -> NewInstallation {
    let installation = Installation {
        app: Some(APP.into()),
        enterprise: match key {
            InstallKey::Enterprise(id) => Some(id.clone()),
            InstallKey::Team(_) => None,
        },
        enterprise_name: None,
        team: match key {
            InstallKey::Team(id) => Some(id.clone()),
            InstallKey::Enterprise(_) => None,
        },
        team_name: Some("Acme \u{1F35E} & Söhne".to_owned()),
        bot_user: Some("U0BOT".into()),
        scopes: Scopes::parse("chat:write,commands"),
        installer: "U0ADA".into(),
        installed_at: at,
        webhook: None,
        expires_at: Some(at.plus(DAY / 2)),
        gone: None,
    };
    let installed = Installed { installation, token: Some(token(access, at)) };
    NewInstallation { installed, webhook_url: None, user: None }
}

pub(crate) fn with_user(mut new: NewInstallation, user: &str, access: &str) -> NewInstallation {
    let at = new.installed.installation.installed_at;
    new.user = Some(UserGrant {
        user: user.into(),
        scopes: Scopes::parse("search:read"),
        installed_at: at,
        token: Some(Token { refresh: None, expires_at: None, ..token(access, at) }),
    });
    new
}

pub(crate) fn with_webhook(mut new: NewInstallation, url: &str) -> NewInstallation {
    new.webhook_url = Some(url.into());
    new.installed.installation.webhook =
        Some(WebhookTarget { channel: "#general".to_owned(), channel_id: "C0GENERAL".into(), configuration_url: None });
    new
}

/// A flow that granted user scopes only.
fn without_bot(mut new: NewInstallation) -> NewInstallation {
    new.installed.token = None;
    new.installed.installation.bot_user = None;
    new.installed.installation.expires_at = None;
    new.installed.installation.scopes = Scopes::default();
    new
}

pub(crate) async fn save(store: &Store, new: &NewInstallation) {
    store.save(new).await.expect("a store that answers");
}

pub(crate) async fn read(store: &Store, key: &InstallKey) -> Option<Installed> {
    let mut read = store.read(std::slice::from_ref(key)).await.expect("a store that answers");
    assert!(read.len() <= 1, "{read:?}");
    read.pop()
}

pub(crate) fn access(token: Option<&Token>) -> Option<&str> {
    token.map(|token| token.access.expose_secret())
}

/// The bot's token, if there is one.
pub(crate) async fn bot_token(store: &Store, key: &InstallKey) -> Option<String> {
    read(store, key).await.and_then(|installed| access(installed.token.as_ref()).map(str::to_owned))
}

/// The address of the incoming webhook.
async fn webhook_of(store: &Store, key: &InstallKey) -> Option<String> {
    let url = store.read_webhook(key).await.expect("a store that answers");
    url.map(|url| url.expose_secret().to_owned())
}

async fn user_token(store: &Store, key: &InstallKey, user: &str) -> Option<String> {
    let grant = store.read_user(key, &user.into()).await.expect("a store that answers");
    grant.and_then(|grant| access(grant.token.as_ref()).map(str::to_owned))
}

pub(crate) fn lease(key: &InstallKey, holder: TokenHolder, version: u64, owner: u128, now: EpochMs) -> RenewalLease {
    let slot = Slot { key: key.clone(), holder };
    RenewalLease { slot, version, owner: Owner::from_bits(owner), until: now.plus(LEASE) }
}

pub(crate) async fn take(store: &Store, lease: &RenewalLease, now: EpochMs) -> Leased {
    store.lease(lease, now).await.expect("a store that answers")
}

pub(crate) async fn renew(store: &Store, lease: &RenewalLease, token: &Token) -> Held {
    store.renew(lease, token).await.expect("a store that answers")
}

pub(crate) async fn remove(store: &Store, key: &InstallKey, removal: &Removal, at: EpochSeconds) -> Removed {
    store.remove(key, removal, at).await.expect("a store that answers")
}

async fn purge(store: &Store, key: &InstallKey, now: EpochMs) -> bool {
    store.purge(key, now).await.expect("a store that answers")
}

pub(crate) fn everything(purge_at: EpochMs) -> Removal {
    Removal::Everything { purge_at }
}

/// Why an installation is gone and when it is purged.
async fn gone(store: &Store, key: &InstallKey) -> Option<(String, Option<EpochMs>)> {
    read(store, key).await?.installation.gone.map(|gone| (gone.why, gone.purge_at))
}

async fn saved(store: &Store) {
    let key = team("T0SAVED");
    let new =
        with_webhook(with_user(new(&key, NOW, "xoxe.xoxb-1"), "U0ADA", "xoxp-1"), "https://hooks.slack.com/services/1");
    assert!(read(store, &key).await.is_none());
    save(store, &new).await;
    let installed = read(store, &key).await.expect("an installation");
    assert_eq!(installed.installation, new.installed.installation);
    let read_token = installed.token.expect("a token");
    assert_eq!(read_token.access.expose_secret(), "xoxe.xoxb-1");
    assert_eq!(read_token.refresh.expect("a refresh token").expose_secret(), "xoxe-1-xoxe.xoxb-1");
    assert_eq!(read_token.expires_at, Some(NOW.plus(DAY / 2)));
    assert_eq!(read_token.version, Token::first_version(NOW));
    assert_eq!(webhook_of(store, &key).await.as_deref(), Some("https://hooks.slack.com/services/1"));
    let grant = store.read_user(&key, &"U0ADA".into()).await.expect("an answer").expect("a grant");
    assert_eq!((grant.user.as_str(), grant.installed_at), ("U0ADA", NOW));
    assert_eq!(grant.scopes, Scopes::parse("search:read"));
    let user_token = grant.token.expect("a token");
    assert_eq!(user_token.access.expose_secret(), "xoxp-1");
    assert!(user_token.refresh.is_none() && user_token.expires_at.is_none());
}

async fn several(store: &Store) {
    let keys = [team("T0SEVERAL1"), organisation("E0SEVERAL"), team("T0SEVERAL2")];
    for key in &keys {
        save(store, &new(key, NOW, key.id())).await;
    }
    let asked = [&keys[2], &team("T0NOWHERE"), &keys[1], &organisation("E0NOWHERE"), &keys[0]].map(InstallKey::clone);
    let read = store.read(&asked).await.expect("an answer");
    let tokens: Vec<_> = read.iter().map(|installed| access(installed.token.as_ref())).collect();
    assert_eq!(tokens, [Some("T0SEVERAL2"), Some("E0SEVERAL"), Some("T0SEVERAL1")]);
    assert!(store.read(&[]).await.expect("an answer").is_empty());
}

async fn newer(store: &Store) {
    let key = team("T0NEWER");
    save(store, &new(&key, NOW, "second")).await;
    save(store, &new(&key, EpochMs(NOW.0 - 1), "first")).await;
    assert_eq!(bot_token(store, &key).await.as_deref(), Some("second"));
    // More than the history keeps.
    for later in 1..=8 {
        save(store, &new(&key, EpochMs(NOW.0 + later), &format!("later {later}"))).await;
        assert_eq!(bot_token(store, &key).await, Some(format!("later {later}")));
    }
}

async fn saved_again(store: &Store) {
    let key = team("T0SAVEDAGAIN");
    let new = with_user(new(&key, NOW, "first"), "U0ADA", "theirs");
    save(store, &new).await;
    let lease = lease(&key, TokenHolder::Bot, Token::first_version(NOW), 1, NOW);
    assert_eq!(take(store, &lease, NOW).await, Leased::Won);
    assert_eq!(renew(store, &lease, &token("renewed", NOW)).await, Held::Yes);
    save(store, &new).await;
    assert_eq!(bot_token(store, &key).await.as_deref(), Some("renewed"));
    assert_eq!(remove(store, &key, &Removal::Bot, NOW.seconds()).await, Removed::Yes);
    let users = Removal::Users(vec!["U0ADA".into()]);
    assert_eq!(remove(store, &key, &users, NOW.seconds()).await, Removed::Yes);
    save(store, &new).await;
    assert_eq!(bot_token(store, &key).await, None);
    assert_eq!(user_token(store, &key, "U0ADA").await, None);
}

async fn saved_after_uninstall(store: &Store) {
    let key = team("T0SAVEDGONE");
    let new = with_webhook(with_user(new(&key, NOW, "bot"), "U0ADA", "ada"), "https://hooks.slack.com/services/7");
    save(store, &new).await;
    // In the very second, and so dated before it in milliseconds.
    assert_eq!(remove(store, &key, &everything(NOW.plus(DAY)), NOW.seconds()).await, Removed::Yes);
    for _ in 0..2 {
        save(store, &new).await;
        assert_eq!(bot_token(store, &key).await, None);
        assert_eq!(user_token(store, &key, "U0ADA").await, None);
        assert_eq!(webhook_of(store, &key).await, None);
        assert_eq!(gone(store, &key).await, Some(("uninstalled".to_owned(), Some(NOW.plus(DAY)))));
    }
}

async fn saved_late(store: &Store) {
    let (late, removed_at) = (NOW.plus(SECOND * 2), NOW.plus(SECOND * 5));
    for (name, removal, persons) in
        [("T0LATE1", everything(NOW.plus(DAY)), None), ("T0LATE2", Removal::Bot, Some("bob"))]
    {
        let key = team(name);
        save(store, &with_user(new(&key, NOW, "bot 1"), "U0ADA", "ada")).await;
        assert_eq!(remove(store, &key, &removal, removed_at.seconds()).await, Removed::Yes);
        save(store, &with_user(new(&key, late, "bot 2"), "U0BOB", "bob")).await;
        assert_eq!(bot_token(store, &key).await, None, "{name}");
        assert!(gone(store, &key).await.is_some(), "{name}");
        // Only a bot's token was revoked: what a person granted is theirs.
        assert_eq!(user_token(store, &key, "U0BOB").await.as_deref(), persons, "{name}");
        save(store, &with_user(new(&key, removed_at.plus(SECOND), "bot 3"), "U0BOB", "bob 3")).await;
        assert_eq!(bot_token(store, &key).await.as_deref(), Some("bot 3"), "{name}");
        assert_eq!(user_token(store, &key, "U0BOB").await.as_deref(), Some("bob 3"), "{name}");
        assert_eq!(gone(store, &key).await, None, "{name}");
    }
}

/// What is left under the name could be found by a purge only, and there is none.
async fn noted_nowhere(store: &Store) {
    let whole = organisation("E0NOTED");
    let note = async |seconds: u64| {
        let at = EpochSeconds(NOW.seconds().0 + seconds);
        store.set_access(&whole, &"T0NOTED".into(), true, at).await.expect("an answer");
    };
    note(0).await;
    save(store, &new(&whole, NOW, "bot")).await;
    note(1).await;
    let at = NOW.plus(SECOND * 2);
    assert_eq!(remove(store, &whole, &everything(at), at.seconds()).await, Removed::Yes);
    note(3).await;
    assert!(purge(store, &whole, at).await);
    note(4).await;
    assert!(read(store, &whole).await.is_none());
}

async fn bot_kept(store: &Store) {
    let key = team("T0BOTKEPT");
    save(store, &new(&key, NOW, "bot")).await;
    let later = NOW.plus(SECOND);
    save(store, &with_user(without_bot(new(&key, later, "")), "U0BOB", "theirs")).await;
    assert_eq!(bot_token(store, &key).await.as_deref(), Some("bot"));
    assert_eq!(user_token(store, &key, "U0BOB").await.as_deref(), Some("theirs"));
    let installed = read(store, &key).await.expect("an installation");
    assert_eq!(installed.installation.scopes, Scopes::parse("chat:write,commands"));
    let alone = team("T0NOBOT");
    save(store, &with_user(without_bot(new(&alone, NOW, "")), "U0BOB", "theirs")).await;
    let installed = read(store, &alone).await.expect("an installation");
    assert!(installed.token.is_none() && installed.installation.gone.is_none());
    save(store, &new(&alone, later, "bot")).await;
    assert_eq!(bot_token(store, &alone).await.as_deref(), Some("bot"));
}

async fn people(store: &Store) {
    let key = team("T0PEOPLE");
    let at = |seconds| NOW.plus(SECOND * seconds);
    save(store, &with_user(new(&key, at(1), "bot 1"), "U0ADA", "ada 1")).await;
    save(store, &with_user(new(&key, at(2), "bot 2"), "W0BOB", "bob 2")).await;
    save(store, &with_user(new(&key, at(0), "bot 0"), "U0ADA", "ada 0")).await;
    assert_eq!(bot_token(store, &key).await.as_deref(), Some("bot 2"));
    assert_eq!(user_token(store, &key, "U0ADA").await.as_deref(), Some("ada 1"));
    assert_eq!(user_token(store, &key, "W0BOB").await.as_deref(), Some("bob 2"));
    assert_eq!(user_token(store, &key, "U0EVE").await, None);
    assert_eq!(user_token(store, &team("T0OTHERS"), "U0ADA").await, None);
}

async fn one_winner(store: &Store) {
    let key = team("T0ONEWINNER");
    save(store, &new(&key, NOW, "bot")).await;
    let leases: Vec<RenewalLease> =
        (1..=64).map(|owner| lease(&key, TokenHolder::Bot, Token::first_version(NOW), owner, NOW)).collect();
    let ends = join_all(leases.iter().map(|lease| take(store, lease, NOW))).await;
    let busy = Leased::Busy { until: NOW.plus(LEASE) };
    assert_eq!(ends.iter().filter(|end| **end == Leased::Won).count(), 1);
    assert_eq!(ends.iter().filter(|end| **end == busy).count(), 63, "{ends:?}");
}

async fn lease_ends(store: &Store) {
    let key = team("T0LEASEENDS");
    save(store, &new(&key, NOW, "bot")).await;
    let lease = |owner, now| lease(&key, TokenHolder::Bot, Token::first_version(NOW), owner, now);
    let end = NOW.plus(LEASE);
    assert_eq!(take(store, &lease(1, NOW), NOW).await, Leased::Won);
    assert_eq!(take(store, &lease(1, NOW), NOW).await, Leased::Won, "asking again is safe");
    for at in [NOW, end] {
        assert_eq!(take(store, &lease(2, at), at).await, Leased::Busy { until: end });
    }
    let later = EpochMs(end.0 + 1);
    assert_eq!(take(store, &lease(3, later), later).await, Leased::Won);
    assert_eq!(renew(store, &lease(1, NOW), &token("late", NOW)).await, Held::Lost);
    assert_eq!(bot_token(store, &key).await.as_deref(), Some("bot"));
}

async fn lease_changed(store: &Store) {
    let key = team("T0LEASECHANGED");
    save(store, &with_user(new(&key, NOW, "bot"), "U0ADA", "ada")).await;
    let version = Token::first_version(NOW);
    let user = || TokenHolder::User("U0ADA".into());
    for wrong in [version - 1, version + 1, 0] {
        assert_eq!(take(store, &lease(&key, TokenHolder::Bot, wrong, 1, NOW), NOW).await, Leased::Changed);
    }
    let nobody = TokenHolder::User("U0EVE".into());
    assert_eq!(take(store, &lease(&key, nobody, version, 1, NOW), NOW).await, Leased::Changed);
    assert_eq!(take(store, &lease(&team("T0NOWHERE"), TokenHolder::Bot, version, 1, NOW), NOW).await, Leased::Changed);
    assert_eq!(take(store, &lease(&key, TokenHolder::Bot, version, 1, NOW), NOW).await, Leased::Won);
    let theirs = lease(&key, user(), version, 2, NOW);
    assert_eq!(take(store, &theirs, NOW).await, Leased::Won, "bot and people apart");
    assert_eq!(renew(store, &theirs, &token("ada renewed", NOW)).await, Held::Yes);
    assert_eq!(user_token(store, &key, "U0ADA").await.as_deref(), Some("ada renewed"));
    assert_eq!(bot_token(store, &key).await.as_deref(), Some("bot"));
}

async fn renewed(store: &Store) {
    let key = team("T0RENEWED");
    save(store, &new(&key, NOW, "bot 0")).await;
    let mut version = Token::first_version(NOW);
    for round in 1..=3_u32 {
        let now = NOW.plus(DAY / 2 * round);
        let lease = lease(&key, TokenHolder::Bot, version, u128::from(round), now);
        assert_eq!(take(store, &lease, now).await, Leased::Won);
        let new = Token { expires_at: (round < 3).then(|| now.plus(DAY / 2)), ..token(&format!("bot {round}"), now) };
        for _ in 0..3 {
            assert_eq!(renew(store, &lease, &new).await, Held::Yes, "asking again is safe");
        }
        assert_eq!(take(store, &lease, now).await, Leased::Changed, "the lease has ended with its version");
        version += 1;
        let installed = read(store, &key).await.expect("an installation");
        assert_eq!(installed.installation.expires_at, new.expires_at);
        let read_token = installed.token.expect("a token");
        assert_eq!((read_token.version, read_token.expires_at), (version, new.expires_at));
        assert_eq!(read_token.access.expose_secret(), format!("bot {round}"));
        assert_eq!(read_token.refresh.expect("a refresh token").expose_secret(), format!("xoxe-1-bot {round}"));
    }
}

async fn lost(store: &Store) {
    let key = team("T0LOST");
    save(store, &new(&key, NOW, "bot")).await;
    let version = Token::first_version(NOW);
    let never = lease(&key, TokenHolder::Bot, version, 9, NOW);
    assert_eq!(renew(store, &never, &token("never", NOW)).await, Held::Lost);
    let slow = lease(&key, TokenHolder::Bot, version, 1, NOW);
    assert_eq!(take(store, &slow, NOW).await, Leased::Won);
    let later = NOW.plus(LEASE + SECOND);
    let quick = lease(&key, TokenHolder::Bot, version, 2, later);
    assert_eq!(take(store, &quick, later).await, Leased::Won);
    assert_eq!(renew(store, &quick, &token("quick", later)).await, Held::Yes);
    assert_eq!(renew(store, &slow, &token("slow", NOW)).await, Held::Lost);
    assert_eq!(bot_token(store, &key).await.as_deref(), Some("quick"));
    // A reinstallation is above every renewal.
    let next = lease(&key, TokenHolder::Bot, version + 1, 3, later);
    assert_eq!(take(store, &next, later).await, Leased::Won);
    save(store, &new(&key, later.plus(SECOND), "installed again")).await;
    assert_eq!(renew(store, &next, &token("before", later)).await, Held::Lost);
    assert_eq!(bot_token(store, &key).await.as_deref(), Some("installed again"));
}

async fn webhook(store: &Store) {
    let key = team("T0WEBHOOK");
    save(store, &with_webhook(new(&key, NOW, "bot"), "https://hooks.slack.com/services/2")).await;
    let lease = lease(&key, TokenHolder::Bot, Token::first_version(NOW), 1, NOW);
    assert_eq!(take(store, &lease, NOW).await, Leased::Won);
    assert_eq!(renew(store, &lease, &token("renewed", NOW)).await, Held::Yes);
    assert_eq!(webhook_of(store, &key).await.as_deref(), Some("https://hooks.slack.com/services/2"));
    assert_eq!(bot_token(store, &key).await.as_deref(), Some("renewed"));
}

async fn webhook_of_the_latest(store: &Store) {
    let key = team("T0WEBHOOKS");
    assert_eq!(webhook_of(store, &key).await, None, "there is no installation");
    let at = |seconds| NOW.plus(SECOND * seconds);
    save(store, &with_webhook(new(&key, at(0), "bot 0"), "https://hooks.slack.com/services/4")).await;
    save(store, &with_webhook(new(&key, at(1), "bot 1"), "https://hooks.slack.com/services/5")).await;
    assert_eq!(webhook_of(store, &key).await.as_deref(), Some("https://hooks.slack.com/services/5"));
    save(store, &new(&key, at(2), "bot 2")).await;
    assert_eq!(webhook_of(store, &key).await, None, "it was not granted again");
    for (second, removal) in [(3, Removal::Bot), (4, everything(NOW.plus(DAY)))] {
        save(store, &with_webhook(new(&key, at(second), "bot"), "https://hooks.slack.com/services/6")).await;
        assert_eq!(remove(store, &key, &removal, at(second).seconds()).await, Removed::Yes);
        assert_eq!(webhook_of(store, &key).await, None, "{removal:?}");
    }
}

async fn uninstalled(store: &Store) {
    let key = team("T0UNINSTALLED");
    let new = with_webhook(with_user(new(&key, NOW, "bot"), "U0ADA", "ada"), "https://hooks.slack.com/services/3");
    save(store, &new).await;
    let purge_at = NOW.plus(DAY);
    assert_eq!(remove(store, &key, &everything(purge_at), NOW.plus(SECOND).seconds()).await, Removed::Yes);
    let installed = read(store, &key).await.expect("a tombstone");
    assert!(installed.token.is_none() && installed.installation.expires_at.is_none());
    assert_eq!(webhook_of(store, &key).await, None);
    assert_eq!(installed.installation.team_name.as_deref(), Some("Acme \u{1F35E} & Söhne"));
    let gone = installed.installation.gone.expect("it is gone");
    assert_eq!((gone.why.as_str(), gone.purge_at), ("uninstalled", Some(purge_at)));
    assert_eq!(gone.at, EpochMs(NOW.plus(SECOND).seconds().0 * 1000));
    assert_eq!(user_token(store, &key, "U0ADA").await, None);
}

async fn revoked(store: &Store) {
    let key = team("T0REVOKED");
    save(store, &with_user(new(&key, NOW, "bot"), "U0ADA", "ada")).await;
    for _ in 0..2 {
        assert_eq!(remove(store, &key, &Removal::Bot, NOW.seconds()).await, Removed::Yes);
        assert_eq!(gone(store, &key).await, Some(("revoked".to_owned(), None)));
        assert_eq!(bot_token(store, &key).await, None);
        assert_eq!(user_token(store, &key, "U0ADA").await.as_deref(), Some("ada"));
    }
}

async fn users_revoked(store: &Store) {
    let key = team("T0USERSREVOKED");
    save(store, &with_user(new(&key, NOW, "bot"), "U0ADA", "ada")).await;
    save(store, &with_user(new(&key, NOW.plus(SECOND), "bot"), "U0BOB", "bob")).await;
    let users = |users: &[&str]| Removal::Users(users.iter().map(|user| (*user).into()).collect());
    let at = NOW.seconds();
    assert_eq!(remove(store, &key, &users(&["U0EVE"]), at).await, Removed::Absent);
    assert_eq!(remove(store, &key, &users(&["U0BOB"]), at).await, Removed::Newer);
    for _ in 0..2 {
        assert_eq!(remove(store, &key, &users(&["U0EVE", "U0ADA", "U0BOB"]), at).await, Removed::Yes);
        assert_eq!(user_token(store, &key, "U0ADA").await, None);
        assert_eq!(user_token(store, &key, "U0BOB").await.as_deref(), Some("bob"));
        assert_eq!(bot_token(store, &key).await.as_deref(), Some("bot"));
        assert_eq!(gone(store, &key).await, None);
    }
    let grant = store.read_user(&key, &"U0ADA".into()).await.expect("an answer").expect("a grant without a token");
    assert!(grant.token.is_none());
}

// Slack dates events in whole seconds.
async fn same_second(store: &Store) {
    let second = NOW.seconds().0;
    for (name, installed_at, at, expected) in [
        ("T0SECOND1", second * 1000 + 999, second, Removed::Yes),
        ("T0SECOND2", second * 1000, second, Removed::Yes),
        ("T0SECOND3", second * 1000 - 1, second, Removed::Yes),
        ("T0SECOND4", (second + 1) * 1000, second, Removed::Newer),
        ("T0SECOND5", second * 1000, second - 1, Removed::Newer),
        ("T0SECOND6", second * 1000, 0, Removed::Newer),
    ] {
        for (kind, removal) in
            [("A", everything(NOW)), ("B", Removal::Bot), ("U", Removal::Users(vec!["U0ADA".into()]))]
        {
            let key = team(&format!("{name}{kind}"));
            save(store, &with_user(new(&key, EpochMs(installed_at), "bot"), "U0ADA", "ada")).await;
            assert_eq!(remove(store, &key, &removal, EpochSeconds(at)).await, expected, "{key}");
            let left = (bot_token(store, &key).await.is_some(), user_token(store, &key, "U0ADA").await.is_some());
            let stays = expected == Removed::Newer;
            assert_eq!(left, (kind == "U" || stays, kind == "B" || stays), "{key}");
        }
    }
}

async fn any_order(store: &Store) {
    let purge_at = NOW.plus(DAY);
    for (name, removals) in
        [("T0ORDER1", [Removal::Bot, everything(purge_at)]), ("T0ORDER2", [everything(purge_at), Removal::Bot])]
    {
        let key = team(name);
        save(store, &new(&key, NOW, "bot")).await;
        for removal in &removals {
            assert_eq!(remove(store, &key, removal, NOW.seconds()).await, Removed::Yes, "{name} {removal:?}");
        }
        assert_eq!(gone(store, &key).await, Some(("uninstalled".to_owned(), Some(purge_at))), "{name}");
    }
}

async fn uninstalled_twice(store: &Store) {
    let key = team("T0TWICE");
    save(store, &new(&key, NOW, "bot")).await;
    for later in [DAY, DAY * 2] {
        let at = NOW.plus(later).seconds();
        assert_eq!(remove(store, &key, &everything(NOW.plus(later * 3)), at).await, Removed::Yes);
        assert_eq!(gone(store, &key).await, Some(("uninstalled".to_owned(), Some(NOW.plus(DAY * 3)))));
    }
}

async fn renewal_removed(store: &Store) {
    for (name, removal) in [("T0RENEWALA", everything(NOW)), ("T0RENEWALB", Removal::Bot)] {
        let key = team(name);
        save(store, &new(&key, NOW, "bot")).await;
        let lease = lease(&key, TokenHolder::Bot, Token::first_version(NOW), 1, NOW);
        assert_eq!(take(store, &lease, NOW).await, Leased::Won);
        assert_eq!(remove(store, &key, &removal, NOW.seconds()).await, Removed::Yes);
        assert_eq!(renew(store, &lease, &token("renewed", NOW)).await, Held::Lost);
        assert_eq!(take(store, &lease, NOW).await, Leased::Changed);
        assert_eq!(bot_token(store, &key).await, None, "{name}");
    }
}

async fn installed_again(store: &Store) {
    let key = team("T0AGAIN");
    save(store, &with_user(new(&key, NOW, "bot 1"), "U0ADA", "ada 1")).await;
    let at = NOW.plus(SECOND).seconds();
    assert_eq!(remove(store, &key, &everything(NOW.plus(SECOND)), at).await, Removed::Yes);
    let later = NOW.plus(SECOND * 5);
    save(store, &with_user(new(&key, later, "bot 2"), "U0ADA", "ada 2")).await;
    // The event from before comes once more, late.
    for removal in [everything(later), Removal::Bot, Removal::Users(vec!["U0ADA".into()])] {
        assert_eq!(remove(store, &key, &removal, at).await, Removed::Newer, "{removal:?}");
    }
    assert!(!purge(store, &key, later).await);
    let installed = read(store, &key).await.expect("an installation");
    assert_eq!((access(installed.token.as_ref()), installed.installation.gone), (Some("bot 2"), None));
    assert_eq!(user_token(store, &key, "U0ADA").await.as_deref(), Some("ada 2"));
}

async fn absent(store: &Store) {
    let key = team("T0ABSENT");
    for removal in [everything(NOW), Removal::Bot, Removal::Users(vec!["U0ADA".into()]), Removal::Users(Vec::new())] {
        assert_eq!(remove(store, &key, &removal, NOW.seconds()).await, Removed::Absent, "{removal:?}");
    }
    assert!(!purge(store, &key, NOW).await);
    assert!(read(store, &key).await.is_none());
}

async fn purged(store: &Store) {
    let key = team("T0PURGED");
    let later = NOW.plus(SECOND);
    save(store, &with_user(new(&key, NOW, "bot 1"), "U0ADA", "ada")).await;
    save(store, &with_user(new(&key, later, "bot 2"), "U0BOB", "bob")).await;
    assert!(!purge(store, &key, NOW.plus(DAY * 9)).await, "it is installed");
    let purge_at = later.plus(DAY);
    assert_eq!(remove(store, &key, &Removal::Bot, later.seconds()).await, Removed::Yes);
    assert!(!purge(store, &key, NOW.plus(DAY * 9)).await, "only its token is dead");
    assert_eq!(remove(store, &key, &everything(purge_at), later.seconds()).await, Removed::Yes);
    assert!(!purge(store, &key, EpochMs(purge_at.0 - 1)).await, "it is not due");
    assert!(read(store, &key).await.is_some());
    assert!(purge(store, &key, purge_at).await);
    assert!(!purge(store, &key, purge_at).await, "there is nothing left");
    assert!(read(store, &key).await.is_none());
    for user in ["U0ADA", "U0BOB"] {
        assert!(store.read_user(&key, &user.into()).await.expect("an answer").is_none(), "{user}");
    }
    save(store, &new(&key, NOW, "bot 3")).await;
    assert_eq!(bot_token(store, &key).await.as_deref(), Some("bot 3"), "as if it had never been there");
}

async fn grid(store: &Store) {
    let (workspace, whole) = (team("T0GRID"), organisation("E0GRID"));
    save(store, &new(&workspace, NOW, "workspace")).await;
    save(store, &new(&whole, NOW, "organisation")).await;
    for (granted, at) in [(true, NOW.seconds()), (false, EpochSeconds(NOW.seconds().0 + 5)), (true, NOW.seconds())] {
        store.set_access(&whole, &"T0GRID".into(), granted, at).await.expect("an answer");
    }
    assert_eq!(remove(store, &workspace, &everything(NOW), NOW.seconds()).await, Removed::Yes);
    assert!(purge(store, &workspace, NOW).await);
    assert_eq!(bot_token(store, &whole).await.as_deref(), Some("organisation"));
    assert_eq!(bot_token(store, &workspace).await, None);
}

/// Runs last, over what the other rules left.
async fn listed(store: &Store) {
    let all = store.list().await.expect("an answer");
    let keys: Vec<InstallKey> = all.iter().filter_map(Installation::key).collect();
    assert_eq!(keys.len(), all.len());
    assert!(keys.is_sorted() && keys.len() > 20, "{keys:?}");
    let by = |key: InstallKey| all.iter().find(|installation| installation.key() == Some(key.clone()));
    let there = by(team("T0SAVED")).expect("it is listed");
    assert_eq!((there.gone.as_ref(), there.installer.as_str()), (None, "U0ADA"));
    let gone = by(team("T0UNINSTALLED")).and_then(|installation| installation.gone.as_ref()).expect("it is listed");
    assert_eq!(gone.why, "uninstalled");
    assert!(by(organisation("E0GRID")).is_some());
    assert!(by(team("T0GRID")).is_none() && by(team("T0ABSENT")).is_none());
}
