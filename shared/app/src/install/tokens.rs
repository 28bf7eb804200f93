//! Which token a tenant's jobs work with: looked up, remembered for a minute, renewed in time, dropped when Slack says it is dead.
//!
//! Warm, a job costs no read and nothing to decrypt. `rotation` renews; the worker asks here once a job, and a client that Slack
//! turned away asks again. Invariant: a tenant only ever gets a token of its own installation or of its organisation's.

use super::cache::{Bounded, Look};
use super::rotation::{Kept, Parts, Renewals, Rotation};
use super::{INVALID_AUTH, InstallKey, Installation, Issued, Slot, Token, TokenHolder};
use crate::authorize::Unauthorized;
use crate::client::HttpClient;
use crate::oauth::SlackOAuth;
use crate::ports::{Clock, InstallationStore, Random};
use secrecy::SecretString;
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::{EpochMs, Tenant, UserId};

/// How many tenants, people and slots a process remembers.
const REMEMBERED: usize = 1000;

/// How long what is there is believed without another look.
const LIFE: Duration = Duration::from_secs(60);

/// How long it is believed that there is nothing that works: a new installation must work at once.
const NOTHING_LIFE: Duration = Duration::from_secs(1);

/// How long a token counts as dead after Slack said so.
const DEAD: Duration = Duration::from_secs(60);

/// How often a job looks again because the token changed under its hands.
const LOOKS: u32 = 4;

/// One workspace in many processes' logs is enough.
const TOLD: usize = 1000;

/// What [`Tokens`] is made of.
pub struct TokensParts {
    /// Where installations are kept.
    pub store: Rc<dyn InstallationStore>,
    /// What renews tokens that expire; without it none is renewed.
    pub credentials: Option<ClientCredentials>,
    /// Connections to Slack.
    pub http: HttpClient,
    /// Where Slack's Web API is, with a slash at its end.
    pub slack_api_url: String,
    /// The time.
    pub clock: Rc<dyn Clock>,
    /// Randomness.
    pub random: Rc<dyn Random>,
}

/// The app, as Slack knows it.
pub struct ClientCredentials {
    /// `SLACK_CLIENT_ID`.
    pub client_id: String,
    /// `SLACK_CLIENT_SECRET`.
    pub client_secret: SecretString,
}

/// The tokens of all installations, as one process knows them.
pub struct Tokens {
    store: Rc<dyn InstallationStore>,
    clock: Rc<dyn Clock>,
    pub(super) rotation: Rotation,
    looks: Bounded<Ask, Rc<Look<Seen>>>,
    dead: Bounded<Slot, Dead>,
    told: RefCell<HashSet<String>>,
}

/// Whose token is wanted, by the names it may be under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ask {
    pub(crate) keys: Vec<InstallKey>,
    pub(crate) holder: TokenHolder,
}

/// What a look at the store gave.
#[derive(Clone)]
pub(super) enum Seen {
    There(Rc<Found>),
    Nothing(Rc<Absent>),
}

/// That there is nothing that works, and why.
pub(super) struct Absent {
    reason: String,
    /// There is no record at all: there never was one, it was purged, or it is not saved yet.
    is_unknown: bool,
    /// When it went.
    gone_at: Option<EpochMs>,
}

impl Absent {
    fn of_no_use(reason: impl Into<String>) -> Seen {
        Seen::Nothing(Rc::new(Self { reason: reason.into(), is_unknown: false, gone_at: None }))
    }

    fn unauthorized(&self) -> Unauthorized {
        let reason = self.reason.clone();
        if self.is_unknown { Unauthorized::Unknown(reason) } else { Unauthorized::NotInstalled(reason) }
    }
}

pub(super) struct Found {
    pub(super) slot: Slot,
    installation: Option<Rc<Installation>>,
    pub(super) token: Option<Token>,
}

/// A token that Slack turned away.
#[derive(Clone)]
struct Dead {
    version: u64,
    at: EpochMs,
    word: Rc<str>,
}

impl Dead {
    /// Whether nothing else can be meant than that this token is dead.
    fn is_certain(&self) -> bool {
        *self.word != *INVALID_AUTH
    }
}

/// What a look-up gives: the installation, where the bot's was wanted, and its token, where it has one.
pub(crate) struct Grant {
    pub(crate) installation: Option<Rc<Installation>>,
    pub(crate) issued: Option<Issued>,
}

impl Tokens {
    /// The tokens of a store's installations. Nothing is read yet.
    pub fn new(parts: TokensParts) -> Self {
        let slack = parts.credentials.map(|credentials| -> Rc<dyn Renewals> {
            Rc::new(SlackOAuth {
                http: Rc::new(parts.http),
                base_url: parts.slack_api_url.into(),
                client_id: credentials.client_id,
                client_secret: credentials.client_secret,
                timeout: super::rotation::CALL,
            })
        });
        Self::over(parts.store, slack, parts.clock, parts.random)
    }

    pub(crate) fn over(
        store: Rc<dyn InstallationStore>,
        slack: Option<Rc<dyn Renewals>>,
        clock: Rc<dyn Clock>,
        random: Rc<dyn Random>,
    ) -> Self {
        let parts = Parts { store: Rc::clone(&store), slack, clock: Rc::clone(&clock), random };
        Self {
            store,
            clock,
            rotation: Rotation::new(parts, REMEMBERED),
            looks: Bounded::new(REMEMBERED),
            dead: Bounded::new(REMEMBERED),
            told: RefCell::default(),
        }
    }

    /// Where the installations are kept.
    pub fn store(&self) -> &Rc<dyn InstallationStore> {
        &self.store
    }

    pub(crate) fn now(&self) -> EpochMs {
        self.clock.now()
    }

    /// Forgets what is remembered of an installation: something about it has changed.
    pub fn forget(&self, key: &InstallKey) {
        for (ask, look) in self.looks.entries() {
            if ask.keys.contains(key) {
                look.outdate();
            }
        }
    }

    /// What a tenant's jobs may work with, on behalf of a person if there is one. A person whose grant is later than the end
    /// of the bot's keeps it: user scopes alone may be granted after an uninstallation of which Slack tells late. Such a job
    /// has no bot token.
    pub(crate) async fn of(self: &Rc<Self>, tenant: &Tenant, person: Option<&UserId>) -> Result<Grant, Unauthorized> {
        let ask = Rc::new(Ask { keys: InstallKey::of(tenant), holder: TokenHolder::Bot });
        let granted = self.issue(Rc::clone(&ask)).await;
        let (Err(Unauthorized::NotInstalled(_) | Unauthorized::Unknown(_)), Some(person)) = (&granted, person) else {
            return granted;
        };
        let Seen::Nothing(absent) = self.look(&ask).await? else { return granted };
        let ended = Token::first_version(absent.gone_at.unwrap_or(EpochMs(0)));
        match self.of_user(tenant, person).await? {
            Some(issued) if issued.version > ended => Ok(Grant { installation: None, issued: None }),
            _ => granted,
        }
    }

    /// A person's token in a tenant, if they granted one that works.
    pub(crate) async fn of_user(
        self: &Rc<Self>,
        tenant: &Tenant,
        user: &UserId,
    ) -> Result<Option<Issued>, Unauthorized> {
        let ask = Ask { keys: InstallKey::of(tenant), holder: TokenHolder::User(user.clone()) };
        match self.issue(Rc::new(ask)).await {
            Ok(grant) => Ok(grant.issued),
            Err(Unauthorized::NotInstalled(_) | Unauthorized::Unknown(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    pub(super) async fn issue(self: &Rc<Self>, ask: Rc<Ask>) -> Result<Grant, Unauthorized> {
        for _ in 0..LOOKS {
            let found = match self.look(&ask).await? {
                Seen::There(found) => found,
                Seen::Nothing(absent) => return Err(absent.unauthorized()),
            };
            let installation = found.installation.clone();
            let Some(token) = &found.token else { return Ok(Grant { installation, issued: None }) };
            if let Some(dead) = self.dead(&found.slot, token).filter(Dead::is_certain) {
                let reason = format!("Slack does not accept the token of {} ({})", found.slot.key.id(), dead.word);
                return Err(Unauthorized::NotInstalled(reason));
            }
            match self.rotation.keep(&found.slot, token, false).await {
                Kept::Use(kept) => {
                    if kept.version != token.version {
                        self.take_over(&found.slot, &kept);
                    }
                    return Ok(Grant { installation, issued: Some(self.issued(&ask, &found.slot, kept)) });
                }
                Kept::UseUnstored(kept) => {
                    return Ok(Grant { installation, issued: Some(self.issued(&ask, &found.slot, kept)) });
                }
                Kept::LookAgain => self.outdate(&ask),
                Kept::Wait { until, reason } => return Err(Unauthorized::Wait { until, reason }),
                Kept::Dead(reason) => return Err(Unauthorized::NotInstalled(reason)),
                Kept::Trouble(reason) => return Err(Unauthorized::Trouble(reason)),
            }
        }
        let until = self.clock.now().plus(NOTHING_LIFE);
        Err(Unauthorized::Wait { until, reason: "its token changes all the time".to_owned() })
    }

    pub(super) fn issued(self: &Rc<Self>, ask: &Rc<Ask>, slot: &Slot, token: Token) -> Issued {
        Issued {
            tokens: Rc::clone(self),
            ask: Rc::clone(ask),
            slot: slot.clone(),
            version: token.version,
            rotates: token.refresh.is_some(),
            access: token.access,
        }
    }

    pub(super) async fn look(&self, ask: &Ask) -> Result<Seen, Unauthorized> {
        let look = self.looks.get_or(ask, Rc::default);
        let life = |seen: &Seen| self.life(seen);
        look.get(&*self.clock, life, async || self.read(ask).await).await.map_err(Unauthorized::Trouble)
    }

    /// How long something that was seen is believed. What does not work is looked at again soon: it may be another by now.
    fn life(&self, seen: &Seen) -> Duration {
        let Seen::There(found) = seen else { return NOTHING_LIFE };
        let Some(token) = &found.token else { return LIFE };
        let expired = token.expires_at.is_some_and(|at| at <= self.clock.now());
        if expired || self.dead(&found.slot, token).is_some() { NOTHING_LIFE } else { LIFE }
    }

    async fn read(&self, ask: &Ask) -> Result<Seen, String> {
        match &ask.holder {
            TokenHolder::Bot => self.read_bot(&ask.keys).await,
            TokenHolder::User(user) => self.read_user(&ask.keys, user).await,
        }
    }

    /// The first that is not gone, one with a bot before one without.
    async fn read_bot(&self, keys: &[InstallKey]) -> Result<Seen, String> {
        let Some(first) = keys.first() else { return Ok(Absent::of_no_use("Slack names no workspace")) };
        let all = self.store.read(keys).await.map_err(|error| error.to_string())?;
        let living = |with_bot: bool| {
            all.iter().find(|one| one.installation.gone.is_none() && (one.token.is_some() || !with_bot))
        };
        if let Some((installed, key)) =
            living(true).or(living(false)).and_then(|one| Some((one, one.installation.key()?)))
        {
            return Ok(Seen::There(Rc::new(Found {
                slot: Slot { key, holder: TokenHolder::Bot },
                installation: Some(Rc::new(installed.installation.clone())),
                token: installed.token.clone(),
            })));
        }
        let gone = all.iter().find_map(|one| Some((one.installation.key()?, one.installation.gone.as_ref()?)));
        let absent = match gone {
            Some((key, gone)) => {
                let since = age(self.clock.now().since(gone.at));
                let reason = format!("not installed in {}: {} {since} ago", key.id(), gone.why);
                Absent { reason, is_unknown: false, gone_at: Some(gone.at) }
            }
            None => Absent { reason: format!("not installed in {}", first.id()), is_unknown: true, gone_at: None },
        };
        Ok(Seen::Nothing(Rc::new(absent)))
    }

    async fn read_user(&self, keys: &[InstallKey], user: &UserId) -> Result<Seen, String> {
        for key in keys {
            let grant = self.store.read_user(key, user).await.map_err(|error| error.to_string())?;
            if let Some(token) = grant.and_then(|grant| grant.token) {
                let slot = Slot { key: key.clone(), holder: TokenHolder::User(user.clone()) };
                return Ok(Seen::There(Rc::new(Found { slot, installation: None, token: Some(token) })));
            }
        }
        Ok(Absent::of_no_use("that person granted no token"))
    }

    fn dead(&self, slot: &Slot, token: &Token) -> Option<Dead> {
        let now = self.clock.now();
        self.dead.get(slot).filter(|dead| dead.version >= token.version && now.since(dead.at) < DEAD)
    }

    /// Makes the next who asks this look for itself.
    pub(super) fn outdate(&self, ask: &Ask) {
        self.looks.get_or(ask, Rc::default).outdate();
    }

    pub(super) fn bury(&self, slot: &Slot, version: u64, word: &str) {
        if self.dead.get(slot).is_none_or(|dead| dead.version <= version) {
            self.dead.put(slot.clone(), Dead { version, at: self.clock.now(), word: word.into() });
        }
    }

    /// Every look of this process that holds an older token of the slot holds this one from now on.
    pub(super) fn take_over(&self, slot: &Slot, token: &Token) {
        for (_, look) in self.looks.entries() {
            look.update(|seen| {
                let Seen::There(found) = seen else { return None };
                let older = found.token.as_ref().is_some_and(|known| known.version < token.version);
                if found.slot != *slot || !older {
                    return None;
                }
                let renewed =
                    |old: &Rc<Installation>| Rc::new(Installation { expires_at: token.expires_at, ..(**old).clone() });
                Some(Seen::There(Rc::new(Found {
                    slot: slot.clone(),
                    installation: found.installation.as_ref().map(renewed),
                    token: Some(token.clone()),
                })))
            });
        }
    }

    /// A job is dropped for want of an installation; the first of each is told to the operator.
    pub(crate) fn tell_discarded(&self, tenant: &Tenant, reason: &str) {
        let name = InstallKey::of(tenant).first().map(InstallKey::to_string).unwrap_or_default();
        let mut told = self.told.borrow_mut();
        if told.len() >= TOLD {
            told.clear();
        }
        if told.insert(name.clone()) {
            tracing::warn!(installation = %name, reason, "jobs are discarded: there is no installation to run them with");
        }
    }
}

/// `42 s`, `5 min`, `3 h`, `12 d`.
fn age(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds @ 7200..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}
