//! One function that serves while its sources are watched.

use super::function;
use crate::reload::{BuildReport, Builds, Copies, Project, Served, Watching, watch};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use tack_local_aws::lambda::Function;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub(super) struct World {
    pub(super) builds: Builds,
    pub(super) function: Function,
    said: Rc<RefCell<Vec<String>>>,
    watching: JoinHandle<()>,
}

impl World {
    /// Starts build 1 and watches. Call it on a `LocalSet`.
    pub(super) async fn start(project: Project) -> Self {
        let copies = Copies::open(&project.exe).unwrap();
        let config = function::config(&copies.keep(1, &project.exe).unwrap());
        let (output, _) = tokio::sync::mpsc::unbounded_channel();
        let function = Function::start(config.clone(), output).unwrap();
        let served = vec![Served { function: function.clone(), config, question: function::question() }];
        let (builds, said) = (Builds::new(), Rc::<RefCell<Vec<String>>>::default());
        let heard = Rc::clone(&said);
        let say = move |line: &str| heard.borrow_mut().push(line.to_owned());
        let watching = tokio::task::spawn_local(watch(project, served, copies, builds.clone(), say));
        let world = Self { builds, function, said, watching };
        world.until(|report| report.watching != Watching::Starting).await;
        world
    }

    /// Waits for a report.
    pub(super) async fn until(&self, condition: impl Fn(&BuildReport) -> bool) -> BuildReport {
        let reached = async {
            loop {
                let changed = self.builds.changed();
                let report = self.builds.report();
                if condition(&report) {
                    return report;
                }
                changed.await;
            }
        };
        match timeout(Duration::from_secs(60), reached).await {
            Ok(report) => report,
            Err(_) => panic!("{:?}\nsaid: {:#?}", self.builds.report(), self.said.borrow()),
        }
    }

    /// Which version answers.
    pub(super) async fn answer(&self) -> String {
        let answer = self.function.invoke(function::question()).await.unwrap();
        serde_json::from_slice(&answer).unwrap()
    }

    pub(super) fn said(&self) -> Vec<String> {
        self.said.borrow().clone()
    }

    pub(super) async fn end(self) {
        self.function.shutdown().await;
        self.watching.abort();
        let _ = self.watching.await;
    }
}

/// The program of this function: build 1 or another.
pub(super) fn program(version: &str) -> String {
    let this = std::env::current_exe().unwrap();
    format!("#!/bin/sh\nVERSION={version} exec '{}' {}\n", this.display(), function::ARGUMENTS.join(" "))
}

pub(super) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

/// The names in a folder, in order.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
