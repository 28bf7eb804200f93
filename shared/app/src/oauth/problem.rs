//! Why an installation did not happen: one cause each for the log's reader, for the person in the browser, and for HTTP.
//! Not here: how it looks ([`super::page`]). Invariant: no text of a page comes from the request.

use super::exchange::ExchangeError;

/// Why an installation did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InstallProblem {
    /// The person said no at Slack.
    Cancelled,
    /// Slack sent the browser back with another error, or refused the exchange for a reason of the workspace.
    SlackRefused,
    /// No state came back, for the second time.
    NoState,
    /// The state was used before, or never issued.
    UnknownState,
    /// The state is more than ten minutes old.
    ExpiredState,
    /// Another browser began.
    OtherBrowser,
    /// The browser sent no cookie.
    NoCookie,
    /// The address is not one that Slack makes.
    Damaged,
    /// `?ref=` holds more than 512 bytes.
    RefTooLong,
    /// The code was used before, or is too old.
    CodeRefused,
    /// Slack does not accept the app's own settings.
    Misconfigured,
    /// Slack did not answer, or not now.
    SlackUnreachable,
    /// Slack's answer is not what it documents.
    SlackUnreadable,
    /// Slack granted it to an app that is not this one.
    OtherApp,
    /// States could not be read or written; nothing was exchanged.
    StoreUnavailable,
    /// The queue did not take the work that follows; nothing was saved.
    QueueUnavailable,
    /// The installation could not be saved.
    NotSaved,
}

/// What to change so that it does not happen again, as far as an error's word tells.
pub(super) fn hint(word: &str) -> Option<&'static str> {
    Some(match word {
        "invalid_client_id" | "bad_client_id" => {
            "SLACK_CLIENT_ID is not this app's client id: see Basic Information, App Credentials"
        }
        "bad_client_secret" => "SLACK_CLIENT_SECRET is not this app's: see Basic Information, App Credentials",
        "bad_redirect_uri" | "oauth_authorization_url_mismatch" => {
            "SLACK_REDIRECT_URI must be one of the app's Redirect URLs: see OAuth & Permissions"
        }
        "invalid_scope" | "no_scopes" | "scope_not_allowed_on_enterprise" => {
            "SLACK_SCOPES or SLACK_USER_SCOPES asks for what this app or organisation cannot grant"
        }
        "invalid_team_for_non_distributed_app" => {
            "only its own workspace may install the app until distribution is activated: see Manage Distribution"
        }
        "pkce_not_allowed" => "the app is set to PKCE, which is for apps without a server",
        _ => return None,
    })
}

impl InstallProblem {
    /// What a failed exchange means for the person who waits for it.
    pub(super) fn of(error: &ExchangeError) -> Self {
        let word = match error {
            ExchangeError::Refused(word) => word.as_str(),
            ExchangeError::Transport(_) | ExchangeError::Timeout => return Self::SlackUnreachable,
            ExchangeError::Unreadable(_) => return Self::SlackUnreadable,
        };
        match word {
            "invalid_code" | "code_already_used" | "code_expired" => Self::CodeRefused,
            "ratelimited" | "fatal_error" | "internal_error" | "request_timeout" | "service_unavailable" => {
                Self::SlackUnreachable
            }
            word if hint(word).is_some() => Self::Misconfigured,
            _ => Self::SlackRefused,
        }
    }

    /// The word in the log, and for an adopter's own page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::SlackRefused => "slack_refused",
            Self::NoState => "no_state",
            Self::UnknownState => "unknown_state",
            Self::ExpiredState => "expired_state",
            Self::OtherBrowser => "other_browser",
            Self::NoCookie => "no_cookie",
            Self::Damaged => "damaged",
            Self::RefTooLong => "ref_too_long",
            Self::CodeRefused => "code_refused",
            Self::Misconfigured => "misconfigured",
            Self::SlackUnreachable => "slack_unreachable",
            Self::SlackUnreadable => "slack_unreadable",
            Self::OtherApp => "other_app",
            Self::StoreUnavailable => "store_unavailable",
            Self::QueueUnavailable => "queue_unavailable",
            Self::NotSaved => "not_saved",
        }
    }

    /// The HTTP status: 4xx what the person or their browser did, 5xx what an operator must see to.
    pub fn status(self) -> u16 {
        match self {
            Self::Cancelled
            | Self::SlackRefused
            | Self::NoState
            | Self::UnknownState
            | Self::ExpiredState
            | Self::OtherBrowser
            | Self::NoCookie
            | Self::Damaged
            | Self::RefTooLong
            | Self::CodeRefused => 400,
            Self::Misconfigured | Self::OtherApp => 500,
            Self::SlackUnreachable | Self::SlackUnreadable => 502,
            Self::StoreUnavailable | Self::QueueUnavailable | Self::NotSaved => 503,
        }
    }

    /// Heading and text of the page: what happened, and what to do now.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Cancelled => (
                "Nothing was installed",
                "You cancelled at Slack, so the app was not added. You can close this page. If that was not what you \
                 wanted, start again.",
            ),
            Self::SlackRefused => (
                "Slack did not allow it",
                "Slack stopped the installation before the app was added. Your workspace may take only apps that its admins \
                 approved: ask one of them, or start again and choose another workspace.",
            ),
            Self::NoState => (
                "Please start from here",
                "Slack sent you here without the mark by which we recognise an installation that began in this browser. \
                 Nothing was installed. Start with the button below.",
            ),
            Self::UnknownState => (
                "This link was used already",
                "An installation link works once. If the app is in your workspace now, all is well and you can close this \
                 page. Otherwise start again.",
            ),
            Self::ExpiredState => (
                "That took too long",
                "For your safety an installation must be finished within ten minutes. Nothing was installed. Start again.",
            ),
            Self::OtherBrowser => (
                "You began in another browser",
                "This installation began in another browser or in a private window. Finish it there, or start again here. \
                 Nothing was installed.",
            ),
            Self::NoCookie => (
                "Your browser did not know us again",
                "It sent no cookie, and without one we cannot tell that it was you who began. Allow cookies for this site, \
                 then start again in the same browser. Nothing was installed.",
            ),
            Self::Damaged => (
                "This link is damaged",
                "Something in the address is missing or too much. Nothing was installed. Start again with the button below.",
            ),
            Self::RefTooLong => (
                "This link is too long",
                "The link that brought you here carries more than it may. Ask for a new one where you found it, or go on \
                 without it.",
            ),
            Self::CodeRefused => (
                "Slack's permission can no longer be used",
                "It is good once, and for ten minutes. If the app is in your workspace now, all is well and you can close \
                 this page. Otherwise start again.",
            ),
            Self::Misconfigured | Self::OtherApp => (
                "The app is not set up correctly",
                "This is not your fault: Slack does not accept the app's own settings. Nothing was installed. The people who \
                 run the app find in their log what to change.",
            ),
            Self::SlackUnreachable => (
                "Slack did not answer",
                "You agreed, but Slack did not answer us in time. Wait a minute, then start again.",
            ),
            Self::SlackUnreadable => (
                "Slack answered in an unexpected way",
                "You agreed, but we could not read Slack's answer, so the installation is not complete. Start again; if it \
                 happens again, tell the people who run the app.",
            ),
            Self::StoreUnavailable => (
                "Something here did not answer",
                "This is not your fault, and nothing was installed. Wait a minute, then start again.",
            ),
            Self::QueueUnavailable | Self::NotSaved => (
                "The installation is not complete",
                "Slack agreed, but something here did not answer and we could not finish. This is not your fault. Wait a \
                 minute, then start again: nothing gets doubled.",
            ),
        }
    }

    /// Whether starting again is what the person can do now.
    pub(super) fn can_start_again(self) -> bool {
        !matches!(self, Self::Misconfigured | Self::OtherApp)
    }
}
