//! The Lambda side: functions and gateway with real processes (this test binary starts itself as the function's process), the event source in this one.

// Clippy takes functions outside `#[test]` for test code only under `cfg(test)`.
#[cfg(test)]
mod crash;
#[cfg(test)]
mod event_source;
#[cfg(test)]
mod function;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod process;
