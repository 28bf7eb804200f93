//! A stand-in for Slack: it signs, sends and repeats, serves a Web API, plays people, and refuses what Slack refuses, in Slack's words.
//! It starts from published bodies and shares no code with the app it talks to, so an error cannot hide by being made on both sides.
//! Not here: listeners, AWS, pages. Invariant: what Slack would not let pass does not pass here; faults only on request.
//! Source: <https://docs.slack.dev/>

mod act;
mod answer;
mod blocks;
mod clock;
mod config;
mod deliver;
mod delivery;
mod elements;
mod faults;
mod guard;
mod mask;
mod messages;
mod mint;
mod prepare;
mod problems;
mod published;
mod routes;
mod send;
mod signature;
mod simulator;
mod state;
mod views;
mod web_api;
mod workspace;

pub use act::{Act, Acted, Action};
pub use config::{Config, Team};
pub use deliver::ReplayMode;
pub use delivery::{Attempt, Delivery, Failure, Kind, Outcome, Shown};
pub use faults::{DeliveryFaults, Faults, WebApiFault};
pub use mask::{mask, mask_text};
pub use prepare::DeliveryRequest;
pub use published::{Form, SAMPLES, Sample};
pub use send::Answering;
pub use signature::sign;
pub use simulator::{Refusal, Simulator, StreamEvent, TimedOut};
pub use state::{Call, HISTORY, State};
pub use views::View;
pub use workspace::{Channel, ChannelType, Message, Person, Workspace};
