//! The ports in memory: for unit tests of listeners and for the simulation of promises. Same rules as the real ones,
//! held to them by one contract suite.

mod installations;
mod queue;
mod states;
mod store;
mod world;

pub use installations::MemoryInstallationStore;
pub use queue::{MemoryQueue, Waiting};
pub use states::MemoryStateStore;
pub use store::{MemoryStore, StoredRecord};
pub use world::{ManualClock, SeededRandom};
