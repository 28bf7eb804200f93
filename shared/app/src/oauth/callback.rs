//! The way back from Slack: whose browser this is, and whether it may go on. Only then is a code exchanged.

use super::{Failed, InstallProblem, OAuth, OAuthAnswer, OAuthRequest, cookie, problem};
use crate::ports::Consumed;
use crate::step::Step;
use secrecy::{ExposeSecret, SecretString};
use tack_protocol::oauth::OAuthCallback;

/// Whether a restart, if there was one, is over: the callback brought a state, whatever came of it, or was to bring one and did
/// not. Only an error without a state says nothing of it.
pub(super) fn ends_a_restart(request: &OAuthRequest) -> bool {
    let is_over = match OAuthCallback::parse(&request.query) {
        OAuthCallback::Error { state, .. } => state.is_some(),
        OAuthCallback::Code { .. } | OAuthCallback::Nothing { .. } => true,
        OAuthCallback::Damaged => false,
    };
    is_over && cookie::was_restarted(&request.cookies)
}

impl OAuth {
    pub(super) async fn callback(&self, request: &OAuthRequest, step: &mut Step) -> Result<OAuthAnswer, Failed> {
        match OAuthCallback::parse(&request.query) {
            OAuthCallback::Damaged => Err(InstallProblem::Damaged.into()),
            OAuthCallback::Error { word, state } => Err(self.refused(request, word, state).await),
            OAuthCallback::Code { state: None, .. } | OAuthCallback::Nothing { state: None } => {
                self.restart(request, step).await
            }
            OAuthCallback::Nothing { state: Some(_) } => Err(InstallProblem::Damaged.into()),
            OAuthCallback::Code { code, state: Some(state) } => {
                let reference = self.use_up(request, &state).await?;
                self.finish(&code, reference, request, step).await
            }
        }
    }

    /// Slack sent the browser back with an error. Its state is of no use any more; whether it was there does not matter.
    async fn refused(&self, request: &OAuthRequest, word: Option<String>, state: Option<SecretString>) -> Failed {
        let reference = match state {
            Some(state) => self.use_up(request, &state).await.ok().flatten(),
            None => None,
        };
        let problem = match word.as_deref() {
            Some("access_denied") => InstallProblem::Cancelled,
            _ => InstallProblem::SlackRefused,
        };
        let hint = word.as_deref().and_then(problem::hint).map(str::to_owned);
        let reason = format!("Slack said {}", word.as_deref().unwrap_or("something that is not a word"));
        Failed { hint, reference, ..problem.because(reason) }
    }

    /// Slack's Marketplace and its admin pages begin installations of their own, without a state. Such a code is not
    /// exchanged: anybody could have sent it. The browser is sent back to Slack once, this time with a state.
    async fn restart(&self, request: &OAuthRequest, step: &mut Step) -> Result<OAuthAnswer, Failed> {
        if cookie::was_restarted(&request.cookies) {
            return Err(InstallProblem::NoState.because("no state came back after it was restarted with one"));
        }
        let mut answer = self.to_slack(request, None).await?;
        answer.headers.push(("set-cookie", cookie::keep_restarted()));
        step.verdict = Some("restarted".to_owned());
        Ok(answer)
    }

    /// Uses a state up; gives the adopter's word that was kept with it.
    async fn use_up(&self, request: &OAuthRequest, state: &SecretString) -> Result<Option<String>, Failed> {
        if !cookie::is_name(state.expose_secret()) {
            return Err(InstallProblem::UnknownState.into());
        }
        let browser = cookie::browser(&request.cookies).ok_or(InstallProblem::NoCookie)?;
        let now = self.clock.now().seconds();
        match self.states.consume(&cookie::hash(state), &cookie::hash(&browser), now).await {
            Ok(Consumed::Yes { reference }) => Ok(reference),
            Ok(Consumed::Unknown) => Err(InstallProblem::UnknownState.into()),
            Ok(Consumed::OtherBrowser) => Err(InstallProblem::OtherBrowser.into()),
            Ok(Consumed::Expired) => Err(InstallProblem::ExpiredState.into()),
            Err(error) => Err(InstallProblem::StoreUnavailable.because(error)),
        }
    }
}
