//! AWS on this machine, for development and tests: SQS, DynamoDB, KMS and SSM parameters behind one loopback endpoint, and the Lambda
//! side that runs the functions.
//! What is not here: anything of Slack or of the framework; and no promise of AWS's scale, only of its documented behaviour.
//! Invariant: a lock is never held across an await, and every time comes from the one [`Clock`].

mod answer;
mod calls;
mod clock;
mod dynamodb;
mod endpoint;
pub mod event_source;
mod faults;
pub mod gateway;
pub mod kms;
pub mod lambda;
mod service;
pub mod sqs;
pub mod ssm;

use std::sync::Arc;

pub use calls::{CALLER_GONE, CALLS_KEPT_MAX, Call, Calls};
pub use clock::Clock;
pub use dynamodb::{DynamoDb, Table};
pub use faults::{Crash, Effect, Fault, FaultId, Faults};
pub use kms::Kms;
pub use sqs::Sqs;
pub use ssm::Ssm;

/// The region of everything here.
pub const REGION: &str = "us-east-1";
/// The account of everything here.
pub const ACCOUNT: &str = "000000000000";
/// Where the endpoint is found unless [`LocalAws::with_endpoint`] says otherwise.
pub const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:4566";

/// One AWS account in one region, in memory. Clones share it.
#[derive(Clone)]
pub struct LocalAws {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    sqs: Sqs,
    dynamodb: DynamoDb,
    kms: Kms,
    ssm: Ssm,
    calls: Calls,
    faults: Faults,
}

impl LocalAws {
    /// An empty account at [`DEFAULT_ENDPOINT`].
    pub fn new(clock: Clock) -> Self {
        let kms = Kms::new(clock.clone());
        Self {
            inner: Arc::new(Inner {
                sqs: Sqs::new(clock.clone(), DEFAULT_ENDPOINT),
                dynamodb: DynamoDb::new(clock.clone()),
                ssm: Ssm::new(clock.clone(), kms.clone()),
                kms,
                calls: Calls::default(),
                faults: Faults::default(),
                clock,
            }),
        }
    }

    /// The same account with queue URLs that begin with `url`, such as `http://127.0.0.1:4566`. Queues are looked up by account and name, so one
    /// made before keeps working.
    #[must_use]
    pub fn with_endpoint(self, url: &str) -> Self {
        self.inner.sqs.set_endpoint(url);
        self
    }

    /// Where the queue URLs point.
    pub fn endpoint_url(&self) -> String {
        self.inner.sqs.endpoint_url()
    }

    /// The clock of queues, tables, keys, parameters and call records.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The queues.
    pub fn sqs(&self) -> &Sqs {
        &self.inner.sqs
    }

    /// The tables.
    pub fn dynamodb(&self) -> &DynamoDb {
        &self.inner.dynamodb
    }

    /// The keys.
    pub fn kms(&self) -> &Kms {
        &self.inner.kms
    }

    /// The parameters.
    pub fn ssm(&self) -> &Ssm {
        &self.inner.ssm
    }

    /// What was called over the wire.
    pub fn calls(&self) -> &Calls {
        &self.inner.calls
    }

    /// What is to go wrong over the wire.
    pub fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    /// Gives an access key a name, which call records and faults then know its calls by.
    pub fn name_caller(&self, access_key: &str, name: &str) {
        self.inner.calls.name_caller(access_key, name);
    }
}
