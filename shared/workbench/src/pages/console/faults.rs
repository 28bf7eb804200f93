//! The page of fault switches: each with the promise it tests, and whether that held.

use super::nav::{Here, Page, page};
use super::replying::{Given, Trouble};
use crate::faults::{FaultState, Group, Standing, Switch};
use crate::pages::Workbench;
use crate::pages::answer::{Wants, facts, see};
use crate::pages::person::Viewer;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};

const PATH: &str = "/console/faults";

/// `GET /console/faults`.
pub(super) async fn show(Shared(workbench): Shared<Workbench>, viewer: Viewer, wants: Wants) -> Response {
    if wants != Wants::Html {
        return told(&workbench);
    }
    let main = render(&workbench.faults.list(&workbench.history), &workbench.faults.others());
    // Verdicts change as deliveries do.
    let content = Page { here: Here::Faults, title: "Faults", path: PATH, topics: "faults deliveries app", main };
    page(&workbench, &viewer, StatusCode::OK, content)
}

/// `POST /console/faults`.
pub(super) async fn switch(Shared(workbench): Shared<Workbench>, wants: Wants, given: Given) -> Response {
    let wants = given.reader(wants);
    let done = Order::read(&given).and_then(|order| match order {
        Order::AllOff => {
            workbench.faults.all_off();
            Ok(())
        }
        Order::On(switch, times) => {
            workbench.faults.switch_on(switch, times).map_err(|sentence| Trouble::invalid(sentence, ""))
        }
        Order::Off(switch) => {
            workbench.faults.switch_off(switch);
            Ok(())
        }
    });
    match (done, wants) {
        (Err(trouble), wants) => trouble.answer(wants, PATH),
        (Ok(()), Wants::Html) => see(match &given {
            Given::Form(fields) if fields.get("back").is_some() => fields.back(),
            _ => PATH,
        }),
        (Ok(()), _) => told(&workbench),
    }
}

fn told(workbench: &Workbench) -> Response {
    let faults = workbench.faults.list(&workbench.history);
    facts(StatusCode::OK, json!({ "faults": faults, "others": workbench.faults.others() }))
}

/// What is to be switched.
#[derive(Debug, PartialEq, Eq)]
enum Order {
    AllOff,
    On(Switch, Option<u32>),
    Off(Switch),
}

impl Order {
    fn read(given: &Given) -> Result<Self, Trouble> {
        match given {
            Given::Form(fields) if fields.get("all") == Some("off") => Ok(Self::AllOff),
            Given::Form(fields) => {
                let is_on = fields.get("on") == Some("1");
                let times = fields.get("times").map(|times| times.parse().map_err(|_| no_number(times))).transpose()?;
                Self::of(&fields.text("fault"), is_on, times)
            }
            Given::Json(json) if json["all"] == false => Ok(Self::AllOff),
            Given::Json(json) => {
                let Some(is_on) = json["on"].as_bool() else {
                    return Err(Trouble::invalid("`on` is true or false", "or `\"all\": false` for all off"));
                };
                let times = match &json["times"] {
                    Value::Null => None,
                    given => {
                        let times = given.as_u64().and_then(|times| u32::try_from(times).ok());
                        Some(times.ok_or_else(|| no_number(&given.to_string()))?)
                    }
                };
                Self::of(json["fault"].as_str().unwrap_or_default(), is_on, times)
            }
        }
    }

    fn of(id: &str, is_on: bool, times: Option<u32>) -> Result<Self, Trouble> {
        let Some(switch) = Switch::named(id) else {
            let ids: Vec<&str> = Switch::ALL.iter().map(|switch| switch.facts().id).collect();
            return Err(Trouble::not_found(format!("there is no fault `{id}`"), ids.join(", ")));
        };
        Ok(if is_on { Self::On(switch, times) } else { Self::Off(switch) })
    }
}

fn no_number(given: &str) -> Trouble {
    Trouble::invalid(format!("`times` is a number, not `{given}`"), "leave it out for until it is switched off")
}

fn render(faults: &[FaultState], others: &[String]) -> Markup {
    let on = faults.iter().filter(|fault| fault.on).count() + others.len();
    html! {
        h1 { "Faults" }
        form.actions method="post" action=(PATH) data-act {
            input type="hidden" name="back" value=(PATH);
            @if on == 0 { p data-testid="empty-state" { "All off. The app sees an honest Slack." } }
            @else {
                p { strong { (on) " on." } }
                button name="all" value="off" data-testid="fault-all-off" { "All off" }
            }
        }
        @if !others.is_empty() {
            p.warning { span aria-hidden="true" { "⚠ " } "Set through " code { "/sim/faults" } ": " (others.join("; ")) "." }
        }
        @for group in Group::ALL {
            section.group aria-labelledby=(heading_id(group)) {
                h2 id=(heading_id(group)) { (group.title()) }
                p.muted { (group.note()) }
                ul.switches { @for fault in faults.iter().filter(|fault| fault.group == group) { (row(fault)) } }
            }
        }
    }
}

fn heading_id(group: Group) -> &'static str {
    match group {
        Group::SlackToApp => "slack-to-app",
        Group::AppToSlack => "app-to-slack",
        Group::Aws => "aws",
        Group::Process => "process",
    }
}

fn row(fault: &FaultState) -> Markup {
    let is_crash = fault.group == Group::Process;
    html! {
        li data-testid="fault-switch" data-fault=(fault.id) data-state=(if fault.on { "on" } else { "off" }) {
            form method="post" action=(PATH) data-act {
                input type="hidden" name="back" value=(PATH);
                input type="hidden" name="fault" value=(fault.id);
                strong.title { (fault.title) }
                @if fault.on {
                    span.state data-mood="bad" { span aria-hidden="true" { "⚠ " } "on, " (left(fault.times_left)) }
                    button data-testid="fault-off" name="on" value="0" aria-label={ "Switch off: " (fault.title) } { "Off" }
                } @else {
                    span.state.muted { "off" }
                    span.row {
                        @if fault.counted {
                            label.visually-hidden for={ "times-" (fault.id) } { "How often: " (fault.title) }
                            select id={ "times-" (fault.id) } name="times" data-testid="fault-scope" {
                                option value="1" selected[is_crash] { "once" }
                                option value="3" { "3 times" }
                                @if !is_crash { option value="" selected { "until off" } }
                            }
                        }
                        button.danger data-testid="fault-on" name="on" value="1" aria-label={ "Switch on: " (fault.title) } { "On" }
                    }
                }
            }
            p.promise { (fault.promise) }
            @if fault.struck > 0 || fault.verdict.is_some() {
                p.verdict data-testid="drill-verdict" data-state=[fault.standing.map(standing)] role="status" {
                    span.count data-testid="fault-count" { "struck " (fault.struck) "×" }
                    @if let Some(verdict) = &fault.verdict {
                        " · " @if let Some(standing) = fault.standing { span aria-hidden="true" { (sign(standing)) " " } } (verdict)
                    }
                }
            }
        }
    }
}

fn left(times: Option<u32>) -> String {
    match times {
        None => "until off".to_owned(),
        Some(1) => "once more".to_owned(),
        Some(times) => format!("{times} times more"),
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Held => "held",
        Standing::Waiting => "waiting",
        Standing::Broken => "broken",
    }
}

fn sign(standing: Standing) -> &'static str {
    match standing {
        Standing::Held => "✓",
        Standing::Waiting => "…",
        Standing::Broken => "✗",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::form::Fields;

    #[test]
    fn forms_and_programs_say_the_same() {
        let form = |text: &str| Order::read(&Given::Form(Fields::parse(text.as_bytes())));
        let json = |json: Value| Order::read(&Given::Json(json));
        let on = Order::On(Switch::Duplicate, Some(1));
        assert_eq!(form("fault=duplicate&on=1&times=1"), Ok(on));
        assert_eq!(
            json(json!({ "fault": "duplicate", "on": true, "times": 1 })),
            Ok(Order::On(Switch::Duplicate, Some(1)))
        );
        assert_eq!(form("fault=slow&on=1&times="), Ok(Order::On(Switch::Slow, None)));
        assert_eq!(json(json!({ "fault": "slow", "on": true, "times": null })), Ok(Order::On(Switch::Slow, None)));
        assert_eq!(form("fault=slow&on=0&times=1"), Ok(Order::Off(Switch::Slow)));
        assert_eq!((form("all=off"), json(json!({ "all": false }))), (Ok(Order::AllOff), Ok(Order::AllOff)));
    }

    #[test]
    fn what_there_is_not_is_named_with_what_there_is() {
        let json = |json: Value| Order::read(&Given::Json(json)).unwrap_err();
        let unknown = json(json!({ "fault": "earthquake", "on": true }));
        assert_eq!(unknown.code, "not_found");
        assert!(unknown.message.contains("earthquake") && unknown.hint.contains("worker-crash"));
        for wrong in
            [json!({ "fault": "slow" }), json!({ "fault": "slow", "on": true, "times": -1 }), json!({ "all": true })]
        {
            assert_eq!(json(wrong.clone()).code, "invalid", "{wrong}");
        }
    }
}
