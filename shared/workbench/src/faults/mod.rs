//! What goes wrong on request, for the page of faults and `tack fault`: switches over the faults of the simulated Slack and of the
//! embedded AWS, each with the promise it tests and what became of that.
//! Not here: how a fault works (`tack_simulator`, `tack_local_aws`). Invariant: nothing is on that nobody switched on, and a switch that is
//! used up is off.

mod aws;
mod gather;
mod slack;
mod table;
#[cfg(test)]
mod tests;
mod verdict;
#[cfg(test)]
pub(crate) mod world;

pub(crate) use table::{Group, Switch};
pub(crate) use verdict::Standing;

use crate::history::History;
use crate::pages::Topics;
use crate::stack::Stack;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tack_local_aws::lambda::Function;
use tack_local_aws::{Crash, FaultId};
use tack_simulator::{Faults, Simulator};
use tokio::sync::mpsc;

/// Crashed invocations of one switch that are remembered for its verdict.
const CRASHES_MAX: usize = 50;

/// The fault switches. Clones share them.
#[derive(Clone)]
pub(crate) struct FaultDesk {
    simulator: Simulator,
    stack: Stack,
    topics: Topics,
    given: Arc<Mutex<BTreeMap<Switch, Given>>>,
}

/// What is remembered of a switch since it was last switched on.
#[derive(Clone, Debug, Default)]
struct Given {
    /// Epoch ms.
    since_ms: u64,
    /// When it was switched off.
    until_ms: Option<u64>,
    /// Counts up with every switch that is switched on.
    order: u64,
    /// The fault of the embedded AWS.
    fault: Option<FaultId>,
    /// How often it struck; of a switch of the simulated Slack, what that has forgotten.
    struck: u64,
    /// Lambda's ids of the invocations that were killed.
    crashed: Vec<String>,
}

/// A switch, as the page and `tack fault list --json` show it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FaultState {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) group: Group,
    pub(crate) promise: &'static str,
    pub(crate) on: bool,
    /// How often it still strikes; `None` while it is on means until it is switched off.
    pub(crate) times_left: Option<u32>,
    pub(crate) struck: u64,
    pub(crate) verdict: Option<String>,
    pub(crate) standing: Option<Standing>,
    /// Whether it can be told to strike a number of times.
    pub(crate) counted: bool,
}

impl FaultDesk {
    /// All off. Must be called inside a tokio runtime: a task kills the processes that crash on request.
    pub(crate) fn new(simulator: Simulator, stack: Stack, topics: Topics) -> Self {
        let desk = Self { simulator, stack, topics, given: Arc::default() };
        let (observer, mut crashes) = mpsc::unbounded_channel();
        desk.stack.aws.faults().on_crash(observer);
        let killing = desk.clone();
        tokio::spawn(async move {
            while let Some(crash) = crashes.recv().await {
                killing.crash(crash).await;
            }
        });
        desk
    }

    /// How many are on, those included that were set through `/sim/faults`.
    pub(crate) fn on(&self) -> usize {
        let given = self.lock();
        let of_aws = self.left_of_aws(&given);
        self.simulator.read(|state| {
            let is_on = |switch: &Switch| slack::left(state.faults(), *switch).is_some() || of_aws.contains_key(switch);
            Switch::ALL.iter().filter(|switch| is_on(switch)).count() + slack::others(state.faults()).len()
        })
    }

    /// Every switch, in the order of the page.
    pub(crate) fn list(&self, history: &History) -> Vec<FaultState> {
        let given = self.lock();
        let of_aws = self.left_of_aws(&given);
        let faults = self.simulator.read(|state| state.faults().clone());
        let state = |switch: Switch| {
            let facts = switch.facts();
            let left = slack::left(&faults, switch).or_else(|| of_aws.get(&switch).copied());
            let known = given.get(&switch).cloned().unwrap_or_default();
            let mut struck = known.struck + self.told(&given, switch);
            let found = gather::struck(switch, &known, &self.simulator, history);
            if switch == Switch::QueueRefuses {
                struck = found.groups.len() as u64;
            }
            let verdict = verdict::verdict(switch, &found).filter(|_| struck > 0);
            FaultState {
                id: facts.id,
                title: facts.title,
                group: facts.group,
                promise: facts.promise,
                on: left.is_some(),
                times_left: left.flatten(),
                struck,
                standing: verdict.as_ref().map(|verdict| verdict.standing),
                verdict: verdict.map(|verdict| verdict.text),
                counted: switch.is_counted(),
            }
        };
        Switch::ALL.into_iter().map(state).collect()
    }

    /// Faults that were set through `/sim/faults` and that no switch stands for.
    pub(crate) fn others(&self) -> Vec<String> {
        self.simulator.read(|state| slack::others(state.faults()))
    }

    /// Switches one on, `times` times (`None`: as often as is usual for it), anew if it is on.
    ///
    /// # Errors
    /// A sentence, when it cannot be counted or would strike no times at all.
    pub(crate) fn switch_on(&self, switch: Switch, times: Option<u32>) -> Result<(), String> {
        if times == Some(0) {
            return Err("times is at least 1; leave it out for until it is switched off".to_owned());
        }
        if times.is_some() && !switch.is_counted() {
            return Err(format!("{} cannot be counted: it is on until it is switched off", switch.facts().id));
        }
        let times = times.or(switch.times());
        let mut given = self.lock();
        self.take_out(&mut given, switch);
        let fault = aws::fault(switch, times).map(|fault| self.stack.aws.faults().add(fault));
        let since_ms = self.stack.aws.clock().now_ms();
        let order = given.values().map(|known| known.order).max().unwrap_or_default() + 1;
        given.insert(switch, Given { since_ms, order, fault, ..Given::default() });
        if slack::is_slacks(switch) {
            let mut faults = self.simulator.read(|state| state.faults().clone());
            slack::put_in(&mut faults, switch, times);
            self.set(&mut given, faults);
        }
        drop(given);
        self.topics.changed("faults");
        Ok(())
    }

    /// Switches one off; one that is off stays off.
    pub(crate) fn switch_off(&self, switch: Switch) {
        let mut given = self.lock();
        if self.is_on(&given, switch) {
            self.take_out(&mut given, switch);
        }
        drop(given);
        self.topics.changed("faults");
    }

    /// Switches everything off, and what was set through `/sim/faults` too.
    pub(crate) fn all_off(&self) {
        let mut given = self.lock();
        let now_ms = self.stack.aws.clock().now_ms();
        for known in given.values_mut() {
            known.until_ms.get_or_insert(now_ms);
            if let Some(fault) = known.fault {
                self.stack.aws.faults().remove(fault);
            }
        }
        self.set(&mut given, Faults::default());
        drop(given);
        self.topics.changed("faults");
    }

    fn is_on(&self, given: &BTreeMap<Switch, Given>, switch: Switch) -> bool {
        self.left_of_aws(given).contains_key(&switch)
            || self.simulator.read(|state| slack::left(state.faults(), switch).is_some())
    }

    /// Takes a switch out wherever it is. What it did stays known.
    fn take_out(&self, given: &mut BTreeMap<Switch, Given>, switch: Switch) {
        if let Some(known) = given.get_mut(&switch) {
            known.until_ms.get_or_insert(self.stack.aws.clock().now_ms());
            if let Some(fault) = known.fault {
                self.stack.aws.faults().remove(fault);
            }
        }
        if slack::is_slacks(switch) {
            let mut faults = self.simulator.read(|state| state.faults().clone());
            slack::take_out(&mut faults, switch);
            self.set(given, faults);
        }
    }

    /// Sets the simulated Slack's faults, and keeps the counts that it forgets thereby.
    fn set(&self, given: &mut BTreeMap<Switch, Given>, faults: Faults) {
        let count = |given: &BTreeMap<Switch, Given>| -> Vec<(Switch, u64)> {
            given.keys().map(|switch| (*switch, self.told(given, *switch))).collect()
        };
        let before = count(given);
        self.simulator.set_faults(faults);
        let after = count(given);
        for ((switch, before), (_, after)) in before.into_iter().zip(after) {
            if let Some(known) = given.get_mut(&switch) {
                known.struck += before.saturating_sub(after);
            }
        }
    }

    /// How often the simulated Slack says that a switch has struck. Of switches that share a place, only the last one that was switched on counts.
    fn told(&self, given: &BTreeMap<Switch, Given>, switch: Switch) -> u64 {
        let sharing = |other: &Switch| slack::is_of_calls(*other) && slack::is_of_calls(switch);
        let last = given.iter().filter(|(other, _)| sharing(other)).max_by_key(|(_, known)| known.order);
        if last.is_some_and(|(last, _)| *last != switch) {
            return 0;
        }
        self.simulator.read(|state| slack::struck(state.faults_struck(), switch))
    }

    /// Switches of the embedded AWS that are on, and how often they still strike.
    fn left_of_aws(&self, given: &BTreeMap<Switch, Given>) -> BTreeMap<Switch, Option<u32>> {
        let faults = self.stack.aws.faults().snapshot();
        let find = |(switch, known): (&Switch, &Given)| {
            let (_, fault) = faults.iter().find(|(id, _)| Some(*id) == known.fault)?;
            Some((*switch, aws::left(*switch, fault.times)))
        };
        given.iter().filter_map(find).collect()
    }

    /// Kills the process whose call is held.
    async fn crash(&self, crash: Crash) {
        let Some(function) = self.function(crash.caller.as_deref()) else { return };
        let killed = function.kill_by_peer(crash.peer).await;
        let exit = killed.and_then(|pid| function.exits().into_iter().rev().find(|exit| exit.pid == pid));
        if exit.is_none() {
            // It ends at its time-out then, as one that hangs.
            tracing::warn!("the process of {} whose call is held was not found", function.name());
        }
        let mut given = self.lock();
        if let Some(known) = given.values_mut().find(|known| known.fault == Some(crash.fault)) {
            known.struck += 1;
            let invocation = exit.and_then(|exit| exit.request_id);
            known.crashed.extend(invocation.filter(|_| known.crashed.len() < CRASHES_MAX));
        }
        drop(given);
        self.topics.changed("faults");
    }

    fn function(&self, caller: Option<&str>) -> Option<&Function> {
        [&self.stack.events, &self.stack.interactions].into_iter().find(|function| Some(function.name()) == caller)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Switch, Given>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
