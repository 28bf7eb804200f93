//! What is kept in DynamoDB: idempotency records and OAuth states in the table that may be lost, installations in the one
//! that may not. Every write is conditional, so that it may be repeated; `items` reads and writes attributes.

mod export;
mod idempotency;
mod installations;
mod items;
mod removals;
mod renewals;
mod rows;
mod saves;
mod states;

pub use idempotency::DynamoIdempotencyStore;
pub use installations::DynamoInstallationStore;
pub use states::DynamoStateStore;
