//! An adopter's own pages in place of Tack's.

use crate::answers::{granted, org_wide, yes};
use crate::browser::{Browser, header};
use crate::lines::Lines;
use crate::slack::locally;
use crate::world::World;
use tack_app::oauth::{InstallFailure, InstallPages, InstallSuccess, OAuthAnswer};
use tack_app::{AckPhase, App, LazyPhase, Phase, Settings, SetupError, SlackApp};

fn welcome(success: &InstallSuccess) -> String {
    let team = success.installation.team_name.as_deref().unwrap_or_default();
    format!("<p style=\"color:green\">Welcome {team}, {}</p>", success.reference.as_deref().unwrap_or_default())
}

fn sorry(failure: &InstallFailure) -> String {
    format!("<a href=\"{}\">{}</a>", failure.start_again, failure.problem.as_str())
}

fn broken(_: &InstallSuccess) -> String {
    panic!("on purpose")
}

async fn install(pages: InstallPages, callback: &str) -> OAuthAnswer {
    let mut world = World::new([yes(&granted())]).await;
    world.pages = pages;
    let (oauth, browser) = (world.oauth(), Browser::default());
    let state = browser.begin(&oauth, "direct=1&ref=campaign-7").await;
    browser.callback(&oauth, &callback.replace("{state}", &state)).await
}

#[tokio::test]
async fn both_pages_can_be_the_apps_own_with_style_and_without_script() {
    locally(async {
        let pages = InstallPages { success: Some(welcome), failure: Some(sorry) };
        let success = install(pages, "code=c&state={state}").await;
        assert_eq!(success.body, "<p style=\"color:green\">Welcome Slack Pickleball Team, campaign-7</p>");
        assert_eq!(success.status, 200);
        let policy = header(&success, "content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'unsafe-inline'; img-src https: data:;"), "{policy}");
        assert!(!policy.contains("script-src"), "{policy}");
        let failure = install(pages, "error=access_denied&state={state}").await;
        assert_eq!(failure.body, "<a href=\"install?direct=1&ref=campaign-7\">cancelled</a>");
        assert_eq!((failure.status, header(&failure, "cache-control")), (400, "no-store"));
    })
    .await;
}

#[tokio::test]
async fn an_own_page_that_panics_hides_no_installation() {
    locally(async {
        let (lines, _guard) = Lines::listen();
        let answer = install(InstallPages { success: Some(broken), failure: None }, "code=c&state={state}").await;
        assert!(answer.status == 200 && answer.body.contains("The app was added to"), "{}", answer.body);
        assert!(lines.text().contains("the app's own page panicked"));
    })
    .await;
}

#[tokio::test]
async fn an_organisation_goes_to_the_picker_whatever_the_pages_are() {
    locally(async {
        let mut world = World::new([yes(&org_wide())]).await;
        world.pages.success = Some(welcome);
        let (oauth, browser) = (world.oauth(), Browser::default());
        let state = browser.begin(&oauth, "direct=1").await;
        let answer = browser.callback(&oauth, &format!("code=c&state={state}")).await;
        assert!(answer.status == 302 && answer.body.is_empty());
    })
    .await;
}

struct Plain;

impl SlackApp for Plain {
    type Resources = ();
    type AckResources = ();

    fn register<P: Phase>(_: &mut App<P, (), ()>) {}

    async fn resources(_: &Settings) -> Result<(), SetupError> {
        Ok(())
    }

    async fn ack_resources(_: &Settings) -> Result<(), SetupError> {
        Ok(())
    }
}

#[test]
fn an_app_that_says_nothing_has_tacks_pages() {
    let pages = Plain::install_pages();
    assert!(pages.success.is_none() && pages.failure.is_none());
    assert!(App::<AckPhase>::build(Plain::register).is_ok() && App::<LazyPhase>::build(Plain::register).is_ok());
}
