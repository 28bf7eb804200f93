//! The cycle: a change, a build, a proof, a swap.
//! Not here: each of these.
//! Invariant: one build at a time; a change during a build is seen after it, since each look is compared with the one before the build.

use super::compile::compile;
use super::copies::{Copies, Identity};
use super::features::features;
use super::packages::Packages;
use super::project::Project;
use super::proof::{Refusal, Served, prove};
use super::sources::{Snapshot, Sources, inputs};
use super::watcher::Watcher;
use super::{BuildState, Builds, Serving, Watching, sentences};
use futures_util::future::join_all;
use std::cell::Cell;
use std::path::{Path, PathBuf};
use tack_local_aws::Clock;
use tokio::time::Instant;

/// Builds and swaps whenever a source changes. Runs for ever, unless cargo cannot say what to watch; [`Builds`] then says why.
pub(crate) async fn watch(project: Project, served: Vec<Served>, copies: Copies, builds: Builds, say: impl Fn(&str)) {
    let packages = match Packages::of(&project).await {
        Ok(packages) => packages,
        Err(reason) => return builds.not_watched(reason),
    };
    let features = packages.has_features.then(|| features(&project.exe, &project.package, &project.bin)).flatten();
    let newest = Identity::of(&project.exe).ok();
    let settled = builds.state();
    let serving_since = Instant::now();
    let mut cycle =
        Cycle { project, packages, features, served, copies, builds, say, newest, number: 1, settled, serving_since };
    let mut watcher = Watcher::new(&cycle.project.target_dir).unwrap_or_else(|error| cycle.blind(&error));
    let mut sources = cycle.sources();
    cycle.follow(&mut watcher, &sources);
    let mut before = snapshot(&sources).await;
    cycle.builds.change(|report| report.watching = Watching::On { folders: cycle.shown(&sources) });
    if cycle.is_behind() {
        cycle.rebuild().await;
    }
    loop {
        watcher.changed().await;
        let now = snapshot(&sources).await;
        let changed = now.changed_since(&before);
        before = now;
        if changed.iter().any(|file| file.ends_with("Cargo.toml")) {
            cycle.find_packages().await;
        }
        if changed.iter().any(|file| !sources.is_own(file)) {
            cycle.rebuild().await;
        } else if !changed.is_empty() {
            cycle.restart_needed();
        }
        // There may be new folders, and the build may have read new files: those it read as they are now.
        let more = cycle.sources();
        cycle.follow(&mut watcher, &more);
        if more != sources {
            before.extend(snapshot(&more).await, |file| !sources.includes(file));
            sources = more;
        }
    }
}

/// A disk may be slow, and functions are waiting for this thread.
async fn snapshot(sources: &Sources) -> Snapshot {
    let sources = sources.clone();
    tokio::task::spawn_blocking(move || sources.snapshot()).await.unwrap_or_default()
}

struct Cycle<S> {
    project: Project,
    packages: Packages,
    features: Option<Vec<String>>,
    served: Vec<Served>,
    copies: Copies,
    builds: Builds,
    say: S,
    /// Which executable cargo had put in place when it was last looked at.
    newest: Option<Identity>,
    /// How many executables there were.
    number: u32,
    /// What became of the newest one.
    settled: BuildState,
    serving_since: Instant,
}

impl<S: Fn(&str)> Cycle<S> {
    fn sources(&self) -> Sources {
        let mut sources = Sources::of(&self.project, &self.packages);
        sources.add_inputs(&self.dep_info());
        sources
    }

    /// The list of files that cargo writes beside the executable.
    fn dep_info(&self) -> String {
        std::fs::read_to_string(self.project.exe.with_extension("d")).unwrap_or_default()
    }

    fn follow(&self, watcher: &mut Watcher, sources: &Sources) {
        if let Err(error) = watcher.follow(sources) {
            *watcher = self.blind(&error);
        }
    }

    fn blind(&self, error: &notify::Error) -> Watcher {
        (self.say)(&sentences::looking(error));
        Watcher::blind()
    }

    /// Whether a source was saved after this program was built, and before anybody watched.
    fn is_behind(&self) -> bool {
        let modified = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
        let built = modified(&self.project.exe);
        inputs(&self.dep_info()).any(|file| modified(&file) > built)
    }

    /// The folders as a person knows them.
    fn shown(&self, sources: &Sources) -> Vec<String> {
        let root = &self.packages.root;
        let shown = |folder: &PathBuf| match folder.strip_prefix(root) {
            Ok(inside) if inside.as_os_str().is_empty() => ".".to_owned(),
            Ok(inside) => inside.display().to_string(),
            Err(_) => folder.display().to_string(),
        };
        sources.folders.iter().filter(|folder| !sources.own.contains(*folder)).map(shown).collect()
    }

    fn restart_needed(&self) {
        if !self.builds.report().restart_needed {
            (self.say)(&sentences::restart());
            self.builds.change(|report| report.restart_needed = true);
        }
    }

    /// A manifest changed. One that cannot be read makes the build fail, with cargo's own words.
    async fn find_packages(&mut self) {
        if let Ok(packages) = Packages::of(&self.project).await {
            self.packages = packages;
            let folders = self.shown(&self.sources());
            self.builds.change(|report| report.watching = Watching::On { folders });
        }
    }

    async fn rebuild(&mut self) {
        let began = Instant::now();
        let before = self.builds.state();
        let (build, serving) = (self.number + 1, self.builds.report().serving.build);
        self.set(BuildState::Building { build, since_ms: now_ms(), serving, note: None });
        let arguments = self.project.arguments(&self.packages.target_dir, self.features.as_deref());
        match compile(&self.project, &arguments, self.blocked()).await {
            Ok(exe) => self.compiled(&exe, began, &before).await,
            Err(errors) => {
                (self.say)(&sentences::broken(&errors, self.project.colours, self.serving_since.elapsed()));
                self.set(BuildState::Broken { build, since_ms: now_ms(), serving, errors });
            }
        }
    }

    /// What to do when cargo says whether another one holds it up.
    fn blocked(&self) -> impl Fn(bool) {
        let told = Cell::new(false);
        move |blocked| {
            if blocked && !told.replace(true) {
                (self.say)(&sentences::blocked());
            }
            self.builds.change(|report| {
                if let BuildState::Building { note, .. } = &mut report.state {
                    *note = blocked.then(|| sentences::WAITING.to_owned());
                }
            });
        }
    }

    async fn compiled(&mut self, exe: &Path, began: Instant, before: &BuildState) {
        let identity = Identity::of(exe).ok();
        if identity.is_some() && identity == self.newest {
            // Nothing that is built in changed, so the newest build is what it was.
            if matches!(before, BuildState::Broken { .. }) {
                (self.say)(&sentences::as_before(self.serving_since.elapsed()));
            }
            return self.set(self.settled.clone());
        }
        self.newest = identity;
        self.number += 1;
        let build = self.number;
        self.settled = match self.prove_and_swap(exe).await {
            Ok(()) => {
                let took = began.elapsed();
                let built_in_ms = Some(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
                let serving = Serving { build, since_ms: now_ms(), built_in_ms };
                self.serving_since = Instant::now();
                self.builds.change(|report| report.serving = serving);
                (self.say)(&sentences::swapped(took));
                serving.into()
            }
            Err(Refusal { function, lines }) => {
                (self.say)(&sentences::does_not_start(&function, &lines, self.serving_since.elapsed()));
                let serving = self.builds.report().serving.build;
                BuildState::DoesNotStart { build, since_ms: now_ms(), serving, function, lines }
            }
        };
        self.copies.forget_all_but(&[build, self.builds.report().serving.build]);
        self.set(self.settled.clone());
    }

    async fn prove_and_swap(&self, exe: &Path) -> Result<(), Refusal> {
        let program = self.copies.keep(self.number, exe).map_err(|error| Refusal {
            function: self.project.bin.clone(),
            lines: vec![format!("{} cannot be kept: {error}", exe.display())],
        })?;
        prove(&self.served, &program).await?;
        join_all(self.served.iter().map(|served| served.function.replace(served.command(&program)))).await;
        Ok(())
    }

    fn set(&self, state: BuildState) {
        self.builds.change(|report| report.state = state);
    }
}

fn now_ms() -> u64 {
    Clock::system().now_ms()
}
