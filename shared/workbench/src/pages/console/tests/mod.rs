//! The console over HTTP: a simulated Slack, an embedded AWS, and an app that is played by a few lines.

mod addresses;
mod hostile;
mod installs;
mod world;
