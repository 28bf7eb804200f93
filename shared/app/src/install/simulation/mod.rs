//! 64 workers, each with a memory of its own, one store and a model of Slack's token rotation between which messages are late
//! and lost and processes die: ten thousand renewals in virtual time.
//!
//! What must hold: a pair that is stored can be renewed; no two workers have a lease at once; no installation is lost as long
//! as somebody asks within Slack's grace; a call that Slack turns away because of its token is repeated once, and works then.

mod slack;
mod world;

use super::{InstallKey, Installation, Installed, NewInstallation, Scopes, Token, Tokens};
use crate::authorize::Unauthorized;
use crate::ports::InstallationStore;
use secrecy::ExposeSecret;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::Tenant;
use tokio::task::{JoinSet, LocalSet};
use world::{Planted, Process, Wire, World, count};

const WORKERS: usize = 64;
const WORKSPACES: usize = 20;

/// How many jobs of a workspace come at about the same time, again and again until its token is renewed.
const WAVE: u64 = 5;

#[derive(Clone)]
struct Worker {
    process: Rc<Process>,
    tokens: Rc<Tokens>,
}

struct Fleet {
    world: Rc<World>,
    workers: RefCell<Vec<Worker>>,
}

impl Fleet {
    fn new(world: &Rc<World>) -> Rc<Self> {
        let workers = (0..WORKERS).map(|_| Self::start(world)).collect();
        Rc::new(Self { world: Rc::clone(world), workers: RefCell::new(workers) })
    }

    fn start(world: &Rc<World>) -> Worker {
        let process = Rc::new(Process::default());
        let wire = Rc::new(Wire { world: Rc::clone(world), process: Rc::clone(&process) });
        let (clock, random) = (Rc::clone(&world.clock), Rc::clone(&world.random));
        let tokens = Rc::new(Tokens::over(Rc::clone(&wire) as _, Some(wire), clock, random));
        Worker { process, tokens }
    }

    /// Any worker; one that was killed is replaced by a fresh one first.
    fn worker(&self) -> Worker {
        let index = usize::try_from(self.world.below(WORKERS as u64)).expect("a small number");
        let mut workers = self.workers.borrow_mut();
        if workers[index].process.is_killed() {
            workers[index] = Self::start(&self.world);
        }
        workers[index].clone()
    }

    /// A job in a process that may be killed under it.
    async fn job(self: Rc<Self>, workspace: usize) {
        let world = &self.world;
        tokio::time::sleep(world.milliseconds(2_500)).await;
        let worker = self.worker();
        if world.chance(4) {
            let (process, after) = (Rc::clone(&worker.process), world.milliseconds(3_000));
            tokio::task::spawn_local(async move {
                tokio::time::sleep(after).await;
                process.kill();
            });
        }
        tokio::select! {
            biased;
            () = worker.process.killed() => count(&world.figures.kills),
            () = self.work(&worker.tokens, workspace) => {}
        }
    }

    /// A call to Slack as the client makes it.
    async fn work(&self, tokens: &Rc<Tokens>, workspace: usize) {
        let world = &self.world;
        let mut issued = match tokens.of(&tenant(workspace), None).await {
            Ok(grant) => grant.issued.expect("a bot"),
            Err(Unauthorized::NotInstalled(reason) | Unauthorized::Unknown(reason)) => {
                return world.violated(format!("T{workspace}: {reason}"));
            }
            Err(Unauthorized::Wait { .. } | Unauthorized::Trouble(_)) => return count(&world.figures.waits),
        };
        for again in [false, true] {
            tokio::time::sleep(world.milliseconds(300)).await;
            count(&world.figures.calls);
            let Err(word) = world.slack.call(workspace, issued.access.expose_secret(), world.now()) else { return };
            count(&world.figures.refused_calls);
            if again {
                return world.violated(format!("T{workspace}: a call was turned away twice ({word})"));
            }
            issued = match issued.refused(word).await {
                Ok(Some(newer)) => newer,
                Ok(None) => return world.violated(format!("T{workspace}: a call was turned away ({word})")),
                Err(Unauthorized::NotInstalled(reason) | Unauthorized::Unknown(reason)) => {
                    return world.violated(format!("T{workspace}: {reason}"));
                }
                Err(Unauthorized::Wait { .. } | Unauthorized::Trouble(_)) => return count(&world.figures.waits),
            };
        }
    }

    /// A workspace's life: quiet until its token is due, then jobs until it is renewed. Some sleep past its end.
    async fn live(self: Rc<Self>, workspace: usize, rounds: u64) {
        let world = &self.world;
        for _ in 0..rounds {
            let before = self.stored(workspace);
            let expires = before.expires_at.expect("a token that expires");
            let early = if world.chance(50) { Duration::ZERO } else { super::rotation::EARLY };
            let quiet = expires.since(world.now()).saturating_sub(early) + world.milliseconds(20_000);
            tokio::time::sleep(quiet).await;
            while self.stored(workspace).version == before.version {
                self.check(workspace);
                if world.violations.borrow().len() > 20 {
                    return;
                }
                let mut wave = JoinSet::new();
                for _ in 0..WAVE {
                    wave.spawn_local(Rc::clone(&self).job(workspace));
                }
                tokio::time::sleep(Duration::from_secs(3)).await;
                wave.detach_all();
            }
        }
    }

    fn stored(&self, workspace: usize) -> Token {
        self.world.store.installed(&key(workspace)).and_then(|installed| installed.token).expect("a token")
    }

    /// As long as there are jobs, the stored refresh token brings a new pair.
    fn check(&self, workspace: usize) {
        let stored = self.stored(workspace);
        let refresh = stored.refresh.expect("a refresh token");
        if !self.world.slack.takes(workspace, refresh.expose_secret(), self.world.now()) {
            self.world.violated(format!("T{workspace}: the installation is lost"));
        }
    }
}

fn key(workspace: usize) -> InstallKey {
    InstallKey::Team(format!("T{workspace}").as_str().into())
}

fn tenant(workspace: usize) -> Tenant {
    Tenant { enterprise: None, team: Some(format!("T{workspace}").as_str().into()), is_enterprise_install: false }
}

async fn install(world: &World, workspace: usize) {
    let now = world.now();
    let pair = world.slack.install(workspace, now);
    let token = Token {
        access: pair.access.into(),
        refresh: Some(pair.refresh.into()),
        expires_at: Some(now.plus(slack::LIFE)),
        version: Token::first_version(now),
    };
    let installation = Installation {
        app: None,
        enterprise: None,
        enterprise_name: None,
        team: Some(format!("T{workspace}").as_str().into()),
        team_name: None,
        bot_user: None,
        scopes: Scopes::default(),
        installer: "U1".into(),
        installed_at: now,
        webhook: None,
        expires_at: None,
        gone: None,
    };
    let installed = Installed { installation, token: Some(token) };
    world.store.save(&NewInstallation { installed, webhook_url: None, user: None }).await.expect("a store in memory");
}

/// The world after this many renewals of each workspace.
fn simulate(seed: u64, rounds: u64, planted: Planted) -> Rc<World> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let world = World::new(seed, planted);
        let fleet = Fleet::new(&world);
        let mut lives = JoinSet::new();
        for workspace in 0..WORKSPACES {
            install(&world, workspace).await;
            lives.spawn_local(Rc::clone(&fleet).live(workspace, rounds));
        }
        while let Some(ended) = lives.join_next().await {
            ended.expect("a life without a panic");
        }
        world
    })
}

fn figures(world: &World) -> String {
    let figures = &world.figures;
    let (refreshes, repeated) = *world.slack.refreshes.borrow();
    format!(
        "{} pairs stored ({} with an access token that Slack had revoked by then), {refreshes} refreshes at Slack of which {repeated} repeated within its grace; {} leases refused, \
         {} lost before their write; {} processes killed in {} jobs or calls, {} messages lost; {} calls turned away, {} jobs waited",
        figures.commits.get(),
        figures.overtaken.get(),
        figures.busy.get(),
        figures.lost_leases.get(),
        figures.kills.get(),
        figures.calls.get(),
        figures.lost_messages.get(),
        figures.refused_calls.get(),
        figures.waits.get(),
    )
}

#[test]
fn ten_thousand_renewals_by_64_workers_lose_no_installation() {
    let world = simulate(1, 500, Planted::Nothing);
    println!("{}", figures(&world));
    assert_eq!(*world.violations.borrow(), Vec::<String>::new(), "{}", figures(&world));
    assert!(world.figures.commits.get() >= 10_000, "{}", figures(&world));
    assert!(world.figures.kills.get() > 100 && world.slack.refreshes.borrow().1 > 100, "{}", figures(&world));
}

#[test]
fn without_a_lease_the_simulation_finds_what_breaks() {
    let world = simulate(2, 20, Planted::NoLease);
    assert!(!world.violations.borrow().is_empty(), "{}", figures(&world));
}

#[test]
fn with_a_write_without_a_condition_the_simulation_finds_what_breaks() {
    let world = simulate(3, 100, Planted::BlindWrite);
    assert!(!world.violations.borrow().is_empty(), "{}", figures(&world));
}

/// One worker and one workspace whose token is due in a second, with nothing in the way.
async fn calm() -> (Rc<World>, Worker) {
    let world = World::new(5, Planted::Nothing);
    world.calm.set(true);
    install(&world, 0).await;
    tokio::time::sleep(slack::LIFE - super::rotation::EARLY - Duration::from_secs(1)).await;
    let worker = Fleet::start(&world);
    call(&world, &worker).await.1.expect("a token that works");
    tokio::time::sleep(Duration::from_secs(2)).await;
    (world, worker)
}

/// The token that a job gets now, and what Slack says to it.
async fn call(world: &World, worker: &Worker) -> (String, Result<(), &'static str>) {
    let issued = worker.tokens.of(&tenant(0), None).await.expect("an installation").issued.expect("a bot");
    let access = issued.access.expose_secret().to_owned();
    let said = world.slack.call(0, &access, world.now());
    (access, said)
}

fn stored(world: &World) -> String {
    let token = world.store.installed(&key(0)).and_then(|installed| installed.token).expect("a token");
    token.access.expose_secret().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_renewal_goes_on_though_the_job_that_began_it_is_dropped() {
    LocalSet::new()
        .run_until(async {
            let (world, worker) = calm().await;
            let old = stored(&world);
            let tenant = tenant(0);
            let dropped = tokio::time::timeout(Duration::from_millis(1), worker.tokens.of(&tenant, None));
            assert!(dropped.await.is_err());
            // Each job that passes gives it a push, and is not held up.
            for _ in 0..40 {
                let before = world.now();
                call(&world, &worker).await.1.expect("a token that works");
                assert!(world.now() < before.plus(Duration::from_millis(400)), "a job was held up");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            assert_ne!(stored(&world), old);
            assert_eq!(world.slack.refreshes.borrow().0, 1);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_new_pair_that_the_store_refuses_for_longer_than_a_lease_is_used_and_stored_later() {
    LocalSet::new()
        .run_until(async {
            let (world, worker) = calm().await;
            let old = stored(&world);
            world.takes_no_pair.set(true);
            let (new, said) = call(&world, &worker).await;
            assert_eq!((stored(&world), said), (old.clone(), Ok(())));
            assert_ne!(new, old);
            world.takes_no_pair.set(false);
            tokio::time::sleep(Duration::from_secs(11)).await;
            assert_eq!(call(&world, &worker).await, (new.clone(), Ok(())));
            assert_eq!(stored(&world), new);
            assert_eq!(world.slack.refreshes.borrow().0, 1, "nothing was renewed again");
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn of_a_worker_that_died_with_the_new_pair_the_next_renews_again_within_the_grace() {
    LocalSet::new()
        .run_until(async {
            let (world, worker) = calm().await;
            // It asked Slack, and nobody will ever know what Slack said.
            let token = world.store.installed(&key(0)).and_then(|installed| installed.token).expect("a token");
            let refresh = token.refresh.expect("a refresh token").expose_secret().to_owned();
            world.slack.refresh(&refresh, world.now()).expect("a pair");
            tokio::time::sleep(super::rotation::LEASE).await;
            let (new, said) = call(&world, &worker).await;
            assert_eq!((stored(&world), said), (new, Ok(())));
            assert_eq!(*world.slack.refreshes.borrow(), (2, 1));
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn if_nobody_does_within_the_grace_the_old_token_works_to_its_end_and_the_app_has_to_be_installed_again() {
    LocalSet::new()
        .run_until(async {
            let (world, worker) = calm().await;
            let token = world.store.installed(&key(0)).and_then(|installed| installed.token).expect("a token");
            let refresh = token.refresh.expect("a refresh token").expose_secret().to_owned();
            world.slack.refresh(&refresh, world.now()).expect("a pair");
            tokio::time::sleep(slack::GRACE + Duration::from_secs(1)).await;
            assert_eq!(call(&world, &worker).await, (token.access.expose_secret().to_owned(), Ok(())));
            tokio::time::sleep(super::rotation::EARLY).await;
            let gone = worker.tokens.of(&tenant(0), None).await.err();
            let Some(Unauthorized::NotInstalled(reason)) = gone else { panic!("a dead installation: {gone:?}") };
            assert!(reason.contains("has to be installed again"), "{reason}");
        })
        .await;
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(figures(&simulate(4, 3, Planted::Nothing)), figures(&simulate(4, 3, Planted::Nothing)));
}
