//! The simulated Slack from outside: what reaches an app, what the Web API answers, what people see.

#[cfg(test)]
mod acts;
#[cfg(test)]
mod attachments;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod conversations;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod installs;
#[cfg(test)]
mod machine;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod people;
#[cfg(test)]
mod replays;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod threads;
#[cfg(test)]
mod uninstalls;
#[cfg(test)]
mod web_api;
