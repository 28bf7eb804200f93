//! A stand-in for Slack: it signs, sends and repeats, serves a Web API, plays people, and refuses what Slack refuses, in Slack's words.
//! It starts from published bodies and shares no code with the app it talks to, so an error cannot hide by being made on both sides.
//! Not here: listeners, AWS, pages. Invariant: what Slack would not let pass does not pass here; faults only on request.
//! Source: <https://docs.slack.dev/>

mod act;
mod answer;
mod attachments;
mod blocks;
mod clock;
mod compose;
mod config;
mod deliver;
mod delivery;
mod elements;
mod events;
mod faults;
mod guard;
mod history;
mod install;
mod mask;
mod membership;
mod messages;
mod mint;
mod notices;
mod oauth_routes;
mod prepare;
mod problems;
mod published;
mod reactions;
mod replay;
mod routes;
mod send;
mod signature;
mod simulator;
mod state;
mod suggestions;
mod threads;
mod tickets;
mod views;
mod web_api;
mod workspace;
mod world;

pub use act::{Act, Acted, Action};
pub use config::{Config, RateLimits, Team};
pub use delivery::{Attempt, Delivery, Failure, Kind, Outcome, Shown};
pub use faults::{DeliveryFaults, Faults, FaultsStruck, WebApiFault};
pub use guard::guard;
pub use history::HISTORY;
pub use install::{AuthorizeProblem, Consent, ConsentRequest, InstallShown, Target, UserGrant, WebhookShown};
pub use mask::{mask, mask_text};
pub use notices::PersonNotice;
pub use prepare::DeliveryRequest;
pub use published::{Form, SAMPLES, Sample};
pub use replay::{Original, ReplayMode};
pub use send::Answering;
pub use signature::sign;
pub use simulator::{Refusal, Simulator, StreamEvent, TimedOut};
pub use state::{Call, State};
pub use views::View;
pub use workspace::{Channel, ChannelType, Message, Organisation, Person, Workspace};
