//! Reload with real processes: a function is this test binary, started by what was "built". cargo is a script that copies, or the real one.

mod folder;
mod function;
mod real_cargo;
mod scripted;
mod world;

pub(super) use folder::Folder;
