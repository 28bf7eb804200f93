//! The way to Slack: the page with the button, and the redirect with a fresh state for a browser that is known again.
//! The redirect is what the Marketplace wants of a Direct Install URL: a 302 to Slack's authorize page.
//! Source: <https://docs.slack.dev/slack-marketplace/distributing-your-app-in-the-slack-marketplace>

use super::cookie::{self, LIFE_SECONDS};
use super::{Failed, InstallProblem, OAuth, OAuthAnswer, OAuthRequest, START_AGAIN, page};
use crate::ports::OAuthState;
use crate::step::Step;
use secrecy::ExposeSecret;
use tack_protocol::EpochSeconds;
use tack_protocol::oauth::AuthorizeRequest;

/// The adopter's word in `?ref=` may hold this many bytes.
const REFERENCE_BYTES_MAX: usize = 512;

/// Where a try begins, with the adopter's word if there is one. Relative, and percent-encoded.
pub(super) fn start(reference: Option<&str>) -> String {
    let Some(reference) = reference else { return START_AGAIN.to_owned() };
    let reference: String = form_urlencoded::byte_serialize(reference.as_bytes()).collect();
    format!("{START_AGAIN}&ref={reference}")
}

impl OAuth {
    pub(super) async fn begin(&self, request: &OAuthRequest, step: &mut Step) -> Result<OAuthAnswer, Failed> {
        let parameter = |wanted: &str| {
            form_urlencoded::parse(request.query.as_bytes())
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.into_owned())
        };
        let reference = parameter("ref").filter(|reference| !reference.is_empty());
        if reference.as_ref().is_some_and(|reference| reference.len() > REFERENCE_BYTES_MAX) {
            return Err(InstallProblem::RefTooLong.into());
        }
        if parameter("direct").is_some() {
            let answer = self.to_slack(request, reference).await?;
            step.verdict = Some("redirected".to_owned());
            return Ok(answer);
        }
        step.verdict = Some("install_page".to_owned());
        Ok(page::install(&start(reference.as_deref())))
    }

    /// Sends a browser to Slack. One that has a name keeps it, so that two of its tabs do not get into each other's way.
    pub(super) async fn to_slack(
        &self,
        request: &OAuthRequest,
        reference: Option<String>,
    ) -> Result<OAuthAnswer, Failed> {
        let browser = cookie::browser(&request.cookies).unwrap_or_else(|| cookie::fresh(&*self.random));
        let state = cookie::fresh(&*self.random);
        let expires = EpochSeconds(self.clock.now().seconds().0 + LIFE_SECONDS);
        let kept = OAuthState { state: cookie::hash(&state), browser: cookie::hash(&browser), expires, reference };
        if let Err(error) = self.states.issue(&kept).await {
            let failed = InstallProblem::StoreUnavailable.because(error);
            return Err(Failed { reference: kept.reference, ..failed });
        }
        let (scope, user_scope) = (self.scopes.to_string(), self.user_scopes.to_string());
        let mut answer = page::redirect(self.site.authorize(&AuthorizeRequest {
            client_id: &self.client_id,
            scope: &scope,
            user_scope: &user_scope,
            redirect_uri: self.redirect_uri.as_deref(),
            state: state.expose_secret(),
        }));
        answer.headers.push(("set-cookie", cookie::keep_browser(&browser)));
        Ok(answer)
    }
}
