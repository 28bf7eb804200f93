//! What an exchange brought: checked, told to the app by a durable job, saved, shown.
//!
//! The job goes first. Were it the other way round, a crash in between would leave an installation whose `installed` never
//! runs; so it is a job that waits for its installation, and a person who starts again.

use super::outcome::InstallSuccess;
use super::{ExchangeError, Failed, InstallProblem, OAuth, OAuthAnswer, OAuthRequest, own_page, page, problem};
use crate::ingress::delivery_id;
use crate::install::{
    Installation, Installed, InstalledEvent, NewInstallation, Scopes, Token, UserGrant, WebhookTarget,
};
use crate::message::{QueueName, group_of};
use crate::step::Step;
use secrecy::SecretString;
use std::time::Duration;
use tack_protocol::oauth::{Granted, NewToken};
use tack_protocol::{AppId, EpochMs};

impl OAuth {
    /// From a code to an answer, once its state is used up.
    pub(super) async fn finish(
        &self,
        code: &SecretString,
        reference: Option<String>,
        request: &OAuthRequest,
        step: &mut Step,
    ) -> Result<OAuthAnswer, Failed> {
        let kept = reference.clone();
        let finished = self.exchange_and_save(code, reference, request, step).await;
        // The next try is to have the adopter's word again.
        let success = finished.map_err(|failed| Failed { reference: kept, ..failed })?;
        step.verdict = Some("installed".to_owned());
        tell_missing(&success, step);
        Ok(self.installed(&success))
    }

    async fn exchange_and_save(
        &self,
        code: &SecretString,
        reference: Option<String>,
        request: &OAuthRequest,
        step: &mut Step,
    ) -> Result<InstallSuccess, Failed> {
        let granted = self.slack.code(code, self.redirect_uri.as_deref()).await.map_err(not_exchanged)?;
        let user_scopes = Scopes::parse(&granted.user.scope);
        let new = new_installation(granted, self.clock.now(), self.app_id.as_ref());
        let installation = &new.installed.installation;
        let (tenant, group) = (installation.tenant(), group_of(&installation.tenant()));
        step.team = Some(group.clone());
        step.app = installation.app.as_ref().map(AppId::to_string);
        if self.app_id.is_some() && self.app_id != installation.app {
            let hint = Some("SLACK_CLIENT_ID belongs to another app than SLACK_APP_ID names".to_owned());
            return Err(Failed { hint, ..InstallProblem::OtherApp.because("Slack granted it to another app") });
        }
        let missing = self.scopes.missing_in(&installation.scopes);
        let event = InstalledEvent::of(installation, reference.clone(), missing.clone());
        let id = delivery_id(installation.installed_at, &*self.random);
        step.delivery = Some(id.clone());
        let work = event.work(&tenant, id, request.arrival.trace.clone());
        let sent = self.queue.send(QueueName::Events, &group, work.encode()).await;
        sent.map_err(|error| InstallProblem::QueueUnavailable.because(error))?;
        step.jobs = Some(work.job);
        self.store.save(&new).await.map_err(|error| InstallProblem::NotSaved.because(error))?;
        Ok(InstallSuccess {
            missing,
            missing_user: self.user_scopes.missing_in(&user_scopes),
            open_slack: installation.app.as_ref().zip(installation.team.as_ref()).map(|(a, t)| self.site.app(a, t)),
            reference,
            installation: new.installed.installation,
        })
    }

    /// Where the browser goes now. An org-wide app is in no workspace yet: the admin is to choose some.
    fn installed(&self, success: &InstallSuccess) -> OAuthAnswer {
        let installation = &success.installation;
        if installation.is_enterprise_install()
            && let (Some(enterprise), Some(app)) = (&installation.enterprise, &installation.app)
        {
            return page::redirect(self.site.workspace_picker(enterprise, app));
        }
        match own_page(self.pages.success, success) {
            Some(body) => page::adopters(200, body),
            None => page::success(success),
        }
    }
}

fn not_exchanged(error: ExchangeError) -> Failed {
    let hint = match &error {
        ExchangeError::Refused(word) => problem::hint(word).map(str::to_owned),
        ExchangeError::Transport(_) | ExchangeError::Timeout | ExchangeError::Unreadable(_) => None,
    };
    Failed { hint, ..InstallProblem::of(&error).because(error) }
}

/// Names what the person left out, for who reads the log.
fn tell_missing(success: &InstallSuccess, step: &mut Step) {
    let kinds = [("scopes", &success.missing), ("user scopes", &success.missing_user)];
    let told: Vec<String> = kinds
        .into_iter()
        .filter(|(_, missing)| !missing.is_empty())
        .map(|(kind, missing)| format!("{kind} not granted: {missing}"))
        .collect();
    if !told.is_empty() {
        step.reason = Some(told.join("; "));
        step.hint =
            Some("what needs them fails with missing_scope until the app is installed again with them".to_owned());
    }
}

fn new_installation(granted: Granted, now: EpochMs, own_app: Option<&AppId>) -> NewInstallation {
    let (webhook, webhook_url) = match granted.webhook {
        Some(webhook) => {
            let target = WebhookTarget {
                channel: webhook.channel,
                channel_id: webhook.channel_id,
                configuration_url: webhook.configuration_url,
            };
            (Some(target), Some(webhook.url))
        }
        None => (None, None),
    };
    let (token, bot_user, scopes) = match granted.bot {
        Some(bot) => (Some(token_of(bot.token, now)), bot.user, Scopes::parse(&bot.scope)),
        None => (None, None, Scopes::default()),
    };
    let user_scopes = Scopes::parse(&granted.user.scope);
    let user = granted.user.token.map(|new| UserGrant {
        user: granted.user.id.clone(),
        scopes: user_scopes,
        installed_at: now,
        token: Some(token_of(new, now)),
    });
    let installation = Installation {
        app: granted.app.or_else(|| own_app.cloned()),
        enterprise: granted.enterprise,
        enterprise_name: granted.enterprise_name,
        team: granted.team,
        team_name: granted.team_name,
        bot_user,
        scopes,
        installer: granted.user.id,
        installed_at: now,
        webhook,
        expires_at: token.as_ref().and_then(|token| token.expires_at),
        gone: None,
    };
    NewInstallation { installed: Installed { installation, token }, webhook_url, user }
}

fn token_of(new: NewToken, now: EpochMs) -> Token {
    Token {
        access: new.access,
        refresh: new.refresh,
        expires_at: new.expires_in.map(|seconds| now.plus(Duration::from_secs(seconds))),
        version: Token::first_version(now),
    }
}
