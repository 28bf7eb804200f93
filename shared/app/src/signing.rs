//! Which signing secrets are accepted while they may change: when a signature does not match, they are read again from
//! where they are kept, so a secret that was changed at Slack heals without a deploy.
//!
//! Invariant: a request that anyone may send costs at most one read a minute, and one that fails otherwise than by its
//! signature costs none. New secrets replace the old ones only once a request holds with them, so a slip of the pen in the
//! stored secret does not stop processes that run. Until then those that were read last are kept beside them: whoever sends
//! forged requests uses up the reads, and must not keep true ones from healing.
//! Source: <https://docs.slack.dev/authentication/verifying-requests-from-slack/>

use crate::ports::SigningSecretSource;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tack_protocol::{EpochMs, RawRequest, SignatureError, SigningSecrets, VerifiedRequest};

/// How long a read keeps the next one away, a failed one too.
const REREAD_EVERY: Duration = Duration::from_secs(60);

/// What a read may take of the time in which Slack must be answered.
const REREAD_TIMEOUT: Duration = Duration::from_millis(800);

/// The signing secrets that requests are checked against.
pub struct AcceptedSecrets {
    current: RefCell<SigningSecrets>,
    /// Those of the last read, as long as no request held with them.
    candidate: RefCell<Option<SigningSecrets>>,
    source: Option<Rc<dyn SigningSecretSource>>,
    last_read: Cell<Option<EpochMs>>,
}

/// Secrets that do not change while the process runs.
impl From<SigningSecrets> for AcceptedSecrets {
    fn from(secrets: SigningSecrets) -> Self {
        Self { current: RefCell::new(secrets), candidate: RefCell::default(), source: None, last_read: Cell::new(None) }
    }
}

impl AcceptedSecrets {
    /// Secrets that were read from a source, which may hold others later.
    pub fn with_source(secrets: SigningSecrets, source: Rc<dyn SigningSecretSource>) -> Self {
        Self { source: Some(source), ..Self::from(secrets) }
    }

    /// Believes a request if one of the secrets made its signature; `reread` says what came of reading them again, if that
    /// was tried.
    pub(crate) async fn verify(
        &self,
        request: RawRequest,
        now: EpochMs,
        reread: &mut Option<String>,
    ) -> Result<VerifiedRequest, SignatureError> {
        let Some(source) = &self.source else { return request.verify(&self.current.borrow(), now.seconds()) };
        let again = request.clone();
        let refused = request.verify(&self.current.borrow(), now.seconds());
        if !matches!(refused, Err(SignatureError::Mismatch)) {
            return refused;
        }
        if let Some(verified) = self.verify_with_candidate(&again, now) {
            *reread = Some("healed".to_owned());
            return Ok(verified);
        }
        if !self.is_due(now) {
            return refused;
        }
        // Noted first: neither a failure nor a request beside this one reads again.
        self.last_read.set(Some(now));
        let read = tokio::time::timeout(REREAD_TIMEOUT, source.reread()).await;
        let secrets = match read {
            Ok(Ok(secrets)) => secrets,
            Ok(Err(error)) => {
                *reread = Some(error.to_string());
                return refused;
            }
            Err(_) => {
                *reread = Some("no answer in time".to_owned());
                return refused;
            }
        };
        self.candidate.replace(Some(secrets));
        let verified = self.verify_with_candidate(&again, now);
        *reread = Some(if verified.is_some() { "healed" } else { "no_match" }.to_owned());
        verified.map_or(refused, Ok)
    }

    /// Secrets that a request holds with are those that Slack signs with from now on.
    fn verify_with_candidate(&self, request: &RawRequest, now: EpochMs) -> Option<VerifiedRequest> {
        let verified = request.clone().verify(self.candidate.borrow().as_ref()?, now.seconds()).ok()?;
        self.current.replace(self.candidate.take()?);
        Some(verified)
    }

    fn is_due(&self, now: EpochMs) -> bool {
        self.last_read.get().is_none_or(|last| now.since(last) >= REREAD_EVERY)
    }
}
