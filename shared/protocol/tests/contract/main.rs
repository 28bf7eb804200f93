//! What Slack's documents and the public SDKs say a delivery means, checked from outside: decoding, tenants, own messages, idempotency
//! keys, answers. The bodies are those of `events/slack` and variations of the SDKs' published test payloads.
//! Sources: <https://docs.slack.dev/apis/events-api/>, <https://docs.slack.dev/reference/interaction-payloads/>,
//! <https://github.com/slackapi/bolt-python>

#[cfg(test)]
mod damaged;
#[cfg(test)]
mod events;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod inbound;
#[cfg(test)]
mod interactions;
#[cfg(test)]
mod own_messages;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod wire;
