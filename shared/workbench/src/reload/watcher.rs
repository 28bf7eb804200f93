//! Notices that something happened to a file, and waits until it is quiet.
//! Not here: what changed ([`super::sources`]).
//! Invariant: after a change there is a signal; a signal without a change is possible and harmless.

use super::sources::Sources;
use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

/// A person saves several files at once, an editor one file in several steps.
const QUIET: Duration = Duration::from_millis(200);
/// Something that writes all the time must not hold up the build for ever.
const RESTLESS_MAX: Duration = Duration::from_secs(2);
/// How often to look where the system does not tell.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Signals of change.
#[derive(Default)]
pub(super) struct Signals {
    changed: Notify,
}

impl Signals {
    /// Something happened; may be called from any thread.
    pub(super) fn signal(&self) {
        self.changed.notify_one();
    }

    /// Resolves when something has happened since the last call, and then nothing for a while.
    pub(super) async fn quiet(&self) {
        self.changed.notified().await;
        let patience = Instant::now() + RESTLESS_MAX;
        while timeout(QUIET, self.changed.notified()).await.is_ok() && Instant::now() < patience {}
    }
}

/// Watches folders for [`Signals`].
pub(super) struct Watcher {
    signals: Arc<Signals>,
    /// `None`: the system cannot watch, so someone has to look.
    system: Option<RecommendedWatcher>,
    /// What is watched, and as which inode: a folder that was removed and made again must be watched again.
    watched: BTreeMap<PathBuf, (u64, RecursiveMode)>,
}

impl Watcher {
    /// Watches nothing yet, and never what lies in `target_dir`.
    ///
    /// # Errors
    /// Why the system cannot watch; changes are then found by looking every few seconds ([`Self::blind`]).
    pub(super) fn new(target_dir: &Path) -> notify::Result<Self> {
        let signals = Arc::<Signals>::default();
        let (target_dir, signal) = (target_dir.to_owned(), Arc::clone(&signals));
        let on_event = move |event| {
            if may_matter(&target_dir, event) {
                signal.signal();
            }
        };
        let system = RecommendedWatcher::new(on_event, Config::default().with_follow_symlinks(false))?;
        Ok(Self { signals, system: Some(system), watched: BTreeMap::new() })
    }

    /// One that sees nothing: whoever waits for a change looks every few seconds.
    pub(super) fn blind() -> Self {
        Self { signals: Arc::default(), system: None, watched: BTreeMap::new() }
    }

    /// Watches these as well from now on. Call it again after each change: there may be new folders.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn follow(&mut self, sources: &Sources) -> notify::Result<()> {
        let Some(system) = &mut self.system else { return Ok(()) };
        for (folder, mode) in folders(sources) {
            let Ok(inode) = std::fs::metadata(&folder).map(|metadata| metadata.ino()) else { continue };
            if self.watched.get(&folder) == Some(&(inode, mode)) {
                continue;
            }
            match system.watch(&folder, mode) {
                Ok(()) => drop(self.watched.insert(folder, (inode, mode))),
                // It was there a moment ago.
                Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Resolves after a change, or where the system cannot watch, every few seconds.
    pub(super) async fn changed(&self) {
        match self.system {
            Some(_) => self.signals.quiet().await,
            None => sleep(LOOK_EVERY).await,
        }
    }
}

/// Reading a file is an event as well, and ours must not be answered with another look.
fn may_matter(target_dir: &Path, event: notify::Result<Event>) -> bool {
    match event {
        Ok(event) if matches!(event.kind, EventKind::Access(_)) => false,
        Ok(event) => event.paths.is_empty() || event.paths.iter().any(|path| !path.starts_with(target_dir)),
        Err(_) => true,
    }
}

/// A package's folder by itself and the folders in it with all below, so that its target folder, which changes all the time, is not.
fn folders(sources: &Sources) -> BTreeMap<PathBuf, RecursiveMode> {
    let mut wanted = BTreeMap::new();
    for folder in &sources.folders {
        wanted.insert(folder.clone(), RecursiveMode::NonRecursive);
        let inside = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        for inner in inside.filter(|path| path.is_dir() && sources.is_watched_folder(path, true)) {
            wanted.insert(inner, RecursiveMode::Recursive);
        }
    }
    for folder in sources.files.iter().filter_map(|file| file.parent()) {
        let within = |(known, mode): (&PathBuf, &RecursiveMode)| {
            folder == known || (*mode == RecursiveMode::Recursive && folder.starts_with(known))
        };
        if folder != Path::new("/") && !wanted.iter().any(within) {
            wanted.insert(folder.to_owned(), RecursiveMode::NonRecursive);
        }
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reload::tests::Folder;
    use notify::event::{AccessKind, AccessMode, ModifyKind};
    use std::collections::BTreeSet;

    async fn every(step: Duration, times: u32, signals: &Signals) {
        for _ in 0..times {
            signals.signal();
            sleep(step).await;
        }
        std::future::pending::<()>().await;
    }

    #[tokio::test(start_paused = true)]
    async fn changes_are_waited_for_until_nothing_happens_for_200_ms() {
        let (signals, began) = (Signals::default(), Instant::now());
        tokio::select! {
            () = signals.quiet() => {}
            () = every(Duration::from_millis(150), 4, &signals) => {}
        }
        assert_eq!(began.elapsed().as_millis(), 450 + 200);
    }

    #[tokio::test(start_paused = true)]
    async fn something_that_never_rests_does_not_hold_up_a_build() {
        let (signals, began) = (Signals::default(), Instant::now());
        tokio::select! {
            () = signals.quiet() => {}
            () = every(Duration::from_millis(50), u32::MAX, &signals) => {}
        }
        assert_eq!(began.elapsed(), RESTLESS_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_that_nobody_waited_for_is_not_forgotten() {
        let signals = Signals::default();
        signals.signal();
        signals.signal();
        signals.quiet().await;
        assert!(timeout(Duration::from_secs(3600), signals.quiet()).await.is_err(), "and told of once");
    }

    #[test]
    fn reading_a_file_is_no_change_nor_is_what_cargo_writes() {
        let event = |kind, path: &str| Ok(Event::new(kind).add_path(path.into()));
        let modified = EventKind::Modify(ModifyKind::Any);
        let target = Path::new("/app/target");
        assert!(may_matter(target, event(modified, "/app/src/main.rs")));
        assert!(!may_matter(target, event(modified, "/app/target/debug/tack")));
        for mode in [AccessMode::Read, AccessMode::Write] {
            let opened = EventKind::Access(AccessKind::Open(mode));
            assert!(!may_matter(target, event(opened, "/app/src/main.rs")));
        }
        assert!(may_matter(target, Err(notify::Error::generic("events were lost"))));
        assert!(may_matter(target, Ok(Event::new(EventKind::Other))), "events were lost");
    }

    #[test]
    fn a_target_folder_within_a_package_is_not_watched() {
        let folder = Folder::new();
        folder.write("src/main.rs", "");
        folder.write("tests/walk.rs", "");
        folder.write("target/debug/tack", "");
        folder.write(".git/HEAD", "");
        let sources = Sources {
            folders: BTreeSet::from([folder.path("")]),
            files: BTreeSet::from([folder.path("Cargo.toml"), folder.path("src/x"), folder.path(".cargo/config.toml")]),
            target_dir: folder.path("target"),
            ..Sources::default()
        };
        let (here, below) = (RecursiveMode::NonRecursive, RecursiveMode::Recursive);
        let wanted =
            BTreeMap::from([(folder.path(""), here), (folder.path("src"), below), (folder.path(".cargo"), here)]);
        assert_eq!(folders(&sources), wanted);
    }

    #[tokio::test]
    async fn the_system_tells_of_a_new_file_in_a_new_folder() {
        let folder = Folder::new();
        folder.write("src/main.rs", "");
        let sources = Sources { folders: BTreeSet::from([folder.path("")]), ..Sources::default() };
        let mut watcher = Watcher::new(&folder.path("target")).unwrap();
        watcher.follow(&sources).unwrap();
        folder.write("src/deep/new.rs", "");
        timeout(Duration::from_secs(30), watcher.changed()).await.unwrap();
    }
}
