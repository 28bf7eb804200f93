//! What Slack hands out with a payload and takes back once or a few times: `trigger_id`s and `response_url`s.
//! Sources: <https://docs.slack.dev/interactivity/handling-user-interaction/>

use tokio::time::Instant;

use crate::install::Target;
use crate::mint;
use crate::state::State;

/// A `trigger_id` that was sent.
pub(crate) struct Trigger {
    pub(crate) user: String,
    /// The install it was sent to; a token of another cannot use it.
    target: Option<Target>,
    born: Instant,
    used: bool,
}

/// A `response_url` that was sent.
pub(crate) struct ResponseUrl {
    pub(crate) channel: String,
    pub(crate) user: String,
    /// Stamp of the message it came from.
    pub(crate) origin: Option<String>,
    born: Instant,
    uses: u32,
}

/// Times a `response_url` works.
const RESPONSE_URL_USES: u32 = 5;

impl State {
    /// A `trigger_id` for what `user` just did.
    pub(crate) fn mint_trigger(&mut self, user: &str) -> String {
        self.mint_trigger_in(user, "")
    }

    /// A `trigger_id` for what `user` just did in a channel (an id).
    pub(crate) fn mint_trigger_in(&mut self, user: &str, channel: &str) -> String {
        let target = self.app_before(user, channel).map(|app| app.target);
        let life = self.config.trigger_life;
        // Old ones are kept a while, so that a late call hears `expired_trigger_id` and not `invalid_trigger_id`.
        self.triggers.retain(|_, trigger| trigger.born.elapsed() < life * 20);
        let id = mint::trigger_id(self.now());
        self.triggers.insert(id.clone(), Trigger { user: user.to_owned(), target, born: Instant::now(), used: false });
        id
    }

    /// Uses up a `trigger_id` with a token of an install; answers who caused it.
    pub(crate) fn use_trigger_of(&mut self, id: &str, target: &Target) -> Result<String, &'static str> {
        let is_foreign = |trigger: &Trigger| trigger.target.as_ref().is_some_and(|sent_to| sent_to != target);
        if self.triggers.get(id).is_some_and(is_foreign) {
            return Err("invalid_trigger_id");
        }
        self.use_trigger(id)
    }

    /// Uses up a `trigger_id`; answers who caused it.
    pub(crate) fn use_trigger(&mut self, id: &str) -> Result<String, &'static str> {
        let life = self.config.trigger_life;
        let trigger = self.triggers.get_mut(id).ok_or("invalid_trigger_id")?;
        if trigger.used {
            return Err("exchanged_trigger_id");
        }
        if trigger.born.elapsed() > life {
            return Err("expired_trigger_id");
        }
        trigger.used = true;
        Ok(trigger.user.clone())
    }

    /// A `response_url` for what `user` did in `channel`, to the message with stamp `origin`.
    pub(crate) fn mint_response_url(&mut self, channel: &str, user: &str, origin: Option<&str>) -> String {
        let life = self.config.response_url_life;
        self.response_urls.retain(|_, url| url.born.elapsed() < life * 2);
        let id = mint::opaque();
        let url = format!("{}/response/{id}", self.config.base_url);
        self.response_urls.insert(
            id,
            ResponseUrl {
                channel: channel.to_owned(),
                user: user.to_owned(),
                origin: origin.map(str::to_owned),
                born: Instant::now(),
                uses: 0,
            },
        );
        url
    }

    /// The workspace of the one a `response_url` was made for; the first one if that is not known.
    pub(crate) fn team_of_response_url(&self, id: &str) -> String {
        let user = self.response_urls.get(id).map(|url| url.user.as_str()).unwrap_or_default();
        self.teams_of(user).into_iter().next().unwrap_or_else(|| self.config.team.id.clone())
    }

    /// Counts one use of a `response_url`.
    pub(crate) fn use_response_url(&mut self, id: &str) -> Result<(String, String, Option<String>), &'static str> {
        let life = self.config.response_url_life;
        let url = self.response_urls.get_mut(id).ok_or("no_such_url")?;
        if url.born.elapsed() > life {
            return Err("expired_url");
        }
        if url.uses >= RESPONSE_URL_USES {
            return Err("used_url");
        }
        url.uses += 1;
        Ok((url.channel.clone(), url.user.clone(), url.origin.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::sync::Arc;
    use std::time::Duration;

    fn state() -> State {
        State::new(Arc::new(Config::default()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_trigger_lives_three_seconds_and_works_once() {
        let mut state = state();
        let (early, late) = (state.mint_trigger("U1"), state.mint_trigger("U1"));
        tokio::time::advance(Duration::from_millis(2_999)).await;
        assert_eq!(state.use_trigger(&early), Ok("U1".to_owned()));
        assert_eq!(state.use_trigger(&early), Err("exchanged_trigger_id"));
        tokio::time::advance(Duration::from_millis(2)).await;
        assert_eq!(state.use_trigger(&late), Err("expired_trigger_id"));
        assert_eq!(state.use_trigger("1.2.3"), Err("invalid_trigger_id"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_response_url_lives_thirty_minutes() {
        let mut state = state();
        let url = state.mint_response_url("C1", "U1", None);
        let id = url.rsplit('/').next().unwrap();
        tokio::time::advance(Duration::from_secs(30 * 60)).await;
        assert!(state.use_response_url(id).is_ok());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(state.use_response_url(id), Err("expired_url"));
    }
}
