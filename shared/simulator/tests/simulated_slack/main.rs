//! The simulated Slack from outside: what reaches an app, what the Web API answers, what people see.

mod deliveries;
mod machine;
mod people;
mod stand_in;
mod web_api;
