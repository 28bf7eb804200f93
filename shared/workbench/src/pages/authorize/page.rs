//! The consent page: who asks, for what, where, and who answers.
//! Invariant: the page says that it is the simulated Slack's, and everything of the request on it goes through maud.

use super::scopes::words;
use super::{PATH, WayBack};
use crate::pages::frame::bare;
use crate::pages::person::people_options;
use maud::{Markup, html};
use tack_simulator::{ChannelType, ConsentRequest, Person, State};

/// What is asked, and whom.
pub(super) struct Question<'a> {
    pub(super) state: &'a State,
    /// The app's name.
    pub(super) app: &'a str,
    pub(super) request: &'a ConsentRequest,
    /// As the app sent it.
    pub(super) query: &'a str,
    /// The id of the one in front of the page.
    pub(super) person: &'a str,
    /// How Slack is to send the browser back.
    pub(super) way: WayBack,
    /// Why the last answer was not taken.
    pub(super) refusal: Option<&'a str>,
}

/// A place one can install in: id, name, what it is.
struct Place<'a> {
    id: &'a str,
    name: &'a str,
    what: &'static str,
}

/// The name of a workspace or organisation (an id).
pub(super) fn place_name(state: &State, id: &str) -> String {
    let workspace = state.workspace();
    let team = workspace.team(id).map(|team| team.name.clone());
    let name =
        team.or_else(|| workspace.organisation(id).map(|known| format!("{} (the whole organisation)", known.name)));
    name.unwrap_or_else(|| "nowhere that there is".to_owned())
}

impl Question<'_> {
    pub(super) fn page(&self) -> Markup {
        let me = self.state.workspace().person(self.person);
        let places = me.map(|me| self.places(me)).unwrap_or_default();
        let app = self.app;
        let title = format!("{app} asks to be added to Slack");
        let is_trying = self.way != WayBack::Agreed;
        bare(
            &title,
            html! {
                p.muted { "This is the simulated Slack. The real page looks different and asks the same." }
                @if let Some(refusal) = self.refusal {
                    p.trouble role="alert" data-testid="slack-error" { span aria-hidden="true" { "⚠ " } (refusal) }
                }
                (self.who())
                form.consent method="post" action=(PATH) data-testid="consent" {
                    input type="hidden" name="query" value=(self.query);
                    input type="hidden" name="as" value=(self.person);
                    (self.where_to(&places))
                    @if let Some(me) = me.filter(|me| !me.is_admin) {
                        p.warning { (me.real_name) " is no admin. Slack lets only admins add an app here; try it and see what it says." }
                    }
                    (granted(&format!("What {app} may do"), "consent-scope", &self.request.scopes))
                    (granted("What it may do as you", "consent-user-scope", &self.request.user_scopes))
                    @if self.request.wants_webhook { (self.webhook(me)) }
                    details.ways open[is_trying] data-testid="consent-ways" {
                        summary { "How Slack sends you back" @if is_trying { ": " strong { (self.way.title()) } } }
                        fieldset {
                            legend.visually-hidden { "How Slack sends you back" }
                            @for way in WayBack::ALL {
                                label {
                                    input type="radio" name="way" value=(way.word()) checked[way == self.way] data-testid="consent-way";
                                    span { (way.title()) span.muted { " · " (way.promise()) } }
                                }
                            }
                        }
                    }
                    @if !self.request.has_state { p.warning { "The app sent no state: it could not tell its own flow from a foreign one." } }
                    div.answers {
                        button name="answer" value="cancel" data-testid="consent-cancel" { "Cancel" }
                        button.primary name="answer" value="allow" data-testid="consent-allow" { "Allow" }
                    }
                    p.muted { "You go back to " code { (self.request.redirect_uri) } "." }
                }
            },
        )
    }

    /// Who answers. One who is chosen is asked anew.
    fn who(&self) -> Markup {
        let kept: Vec<(String, String)> = form_urlencoded::parse(self.query.as_bytes())
            .filter(|(name, _)| name != "as")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        html! {
            form.who method="get" action=(PATH) {
                @for (name, value) in &kept { input type="hidden" name=(name) value=(value); }
                label for="consent-person" { "You are" }
                select #consent-person name="as" data-submit data-testid="consent-person" { (people_options(self.state, self.person)) }
                noscript { button { "Be this person" } }
            }
        }
    }

    /// A workspace of one's own; for an organisation's admin also the others and the whole.
    fn places(&self, me: &Person) -> Vec<Place<'_>> {
        let workspace = self.state.workspace();
        let organisation = workspace.organisation_of(&me.team).filter(|_| me.is_org_admin);
        let is_open = |team: &&tack_simulator::Team| {
            team.id == me.team || organisation.is_some_and(|own| team.enterprise.as_deref() == Some(own.id.as_str()))
        };
        let teams = workspace.teams.iter().filter(is_open);
        let teams = teams.map(|team| Place { id: &team.id, name: &team.name, what: "workspace" });
        let whole = organisation.map(|own| Place { id: &own.id, name: &own.name, what: "the whole organisation" });
        teams.chain(whole).collect()
    }

    fn where_to(&self, places: &[Place<'_>]) -> Markup {
        let wanted = self.request.team.as_deref().filter(|wanted| places.iter().any(|place| place.id == *wanted));
        let home = self.state.workspace().person(self.person).map(|me| me.team.as_str());
        let chosen = wanted.or(home);
        html! {
            fieldset.places {
                legend { "Where" }
                @for place in places {
                    label {
                        input type="radio" name="target" value=(place.id) checked[Some(place.id) == chosen] data-testid="consent-target";
                        span { strong { (place.name) } " " span.muted { (place.what) @if self.is_there(place.id) { ", where it is installed" } } }
                    }
                }
            }
        }
    }

    fn is_there(&self, id: &str) -> bool {
        self.state.installs().iter().any(|install| install.id == id)
    }

    fn webhook(&self, me: Option<&Person>) -> Markup {
        let team = me.map(|me| me.team.as_str()).unwrap_or_default();
        let channels = &self.state.workspace().channels;
        let is_open =
            |channel: &&tack_simulator::Channel| channel.team == team && channel.channel_type != ChannelType::Im;
        html! {
            p {
                label for="consent-channel" { "Where may it post by a URL? " }
                select #consent-channel name="channel" data-testid="consent-channel" {
                    @for channel in channels.iter().filter(is_open) { option value=(channel.id) { "#" (channel.name) } }
                }
            }
        }
    }
}

fn granted(title: &str, test_id: &str, scopes: &[String]) -> Markup {
    html! {
        @if !scopes.is_empty() {
            section {
                h2 { (title) }
                ul.scopes {
                    @for scope in scopes {
                        li data-testid=(test_id) data-id=(scope) {
                            @match words(scope) {
                                Some(words) => { (words) " " code { (scope) } }
                                None => code { (scope) },
                            }
                        }
                    }
                }
            }
        }
    }
}
