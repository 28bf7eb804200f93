//! The way to Slack: the page, the redirect, the cookie; and the restart of an installation that Slack's own pages began.

use crate::answers::{granted, no, yes};
use crate::browser::{Browser, COOKIE, asked, header, headers, links, place, state};
use crate::lines::Lines;
use crate::slack::locally;
use crate::world::{CLIENT_ID, NOW, World};
use http::Method;
use std::collections::BTreeMap;
use tack_app::install::Scopes;
use tack_app::oauth::OAuthRoute;

const RESTARTED: &str = "__Host-tack-oauth-restarted";

fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[tokio::test]
async fn the_page_has_a_button_that_leads_on_from_wherever_the_page_is() {
    locally(async {
        let world = World::new([]).await;
        let browser = Browser::default();
        let answer = browser.install(&world.oauth(), "").await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains("<html lang=\"en\">") && answer.body.contains("<h1>"), "{}", answer.body);
        assert!(answer.body.contains("prefers-color-scheme:dark"), "{}", answer.body);
        assert!(!answer.body.contains("<script"), "{}", answer.body);
        // Relative to /prod/slack/install as much as to /slack/install.
        assert_eq!(links(&answer), ["install?direct=1"]);
        assert!(headers(&answer, "set-cookie").is_empty(), "a page that is only looked at begins nothing");
        assert!(world.ports.states.states().is_empty());
    })
    .await;
}

// "The Direct Install URL must return a 302 to https://slack.com/oauth/v2/authorize with your app's parameters":
// https://docs.slack.dev/slack-marketplace/distributing-your-app-in-the-slack-marketplace
#[tokio::test]
async fn the_direct_address_is_a_302_to_slack_with_what_the_app_asks_for() {
    locally(async {
        let mut world = World::new([]).await;
        world.user_scopes = Scopes::parse("search:read");
        let browser = Browser::default();
        for direct in ["direct=1", "direct=true", "direct", "direct=&x=y"] {
            let answer = browser.install(&world.oauth(), direct).await;
            assert_eq!(
                (answer.status, place(&answer)),
                (302, world.at_slack("oauth/v2/authorize").as_str()),
                "{direct}"
            );
            let state = state(&answer);
            let expected = owned(&[
                ("client_id", CLIENT_ID),
                ("scope", "chat:write,commands"),
                ("user_scope", "search:read"),
                ("state", state.as_str()),
            ]);
            assert_eq!(asked(&answer), expected);
            assert_eq!(headers(&answer, "cache-control"), ["no-store"]);
        }
    })
    .await;
}

#[tokio::test]
async fn a_redirect_address_is_sent_if_it_is_set_and_never_made_up() {
    locally(async {
        let mut world = World::new([]).await;
        let browser = Browser::default();
        let answer = browser.install(&world.oauth(), "direct=1&redirect_uri=https%3A%2F%2Fevil.example").await;
        assert_eq!(asked(&answer).get("redirect_uri"), None);
        world.redirect_uri = Some("https://app.example/slack/oauth_redirect?a=b&c".to_owned());
        let answer = browser.install(&world.oauth(), "direct=1").await;
        assert_eq!(asked(&answer).get("redirect_uri"), world.redirect_uri.as_ref());
    })
    .await;
}

#[tokio::test]
async fn states_and_cookies_are_256_bits_and_only_their_hashes_are_kept() {
    locally(async {
        let world = World::new([]).await;
        let (oauth, browser) = (world.oauth(), Browser::default());
        let state = browser.begin(&oauth, "direct=1&ref=campaign-7").await;
        let cookie = browser.cookie(COOKIE).expect("a cookie");
        for name in [&state, &cookie] {
            // 43 letters of six bits hold 256.
            assert_eq!(name.len(), 43, "{name}");
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{name}");
        }
        assert_ne!(state, cookie);
        let kept = world.ports.states.states();
        assert_eq!(kept.len(), 1);
        for hash in [&kept[0].state, &kept[0].browser] {
            assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
        }
        assert_ne!(kept[0].state, kept[0].browser);
        assert_eq!(kept[0].expires.0, NOW.0 / 1000 + 600);
        assert_eq!(kept[0].reference.as_deref(), Some("campaign-7"));
        let another = Browser::default();
        assert_ne!(another.begin(&oauth, "direct=1").await, state);
        assert_ne!(another.cookie(COOKIE), Some(cookie));
    })
    .await;
}

#[tokio::test]
async fn two_tabs_of_one_browser_can_both_install() {
    locally(async {
        let world = World::new([yes(&granted()), yes(&granted())]).await;
        let (oauth, browser) = (world.oauth(), Browser::default());
        let first = browser.begin(&oauth, "direct=1").await;
        let cookie = browser.cookie(COOKIE);
        let second = browser.begin(&oauth, "direct=1").await;
        assert_eq!(browser.cookie(COOKIE), cookie, "the browser keeps its name");
        assert_ne!(first, second);
        for state in [second, first] {
            world.pass(1);
            let answer = browser.callback(&oauth, &format!("code=c&state={state}")).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    })
    .await;
}

#[tokio::test]
async fn a_malformed_cookie_is_replaced() {
    locally(async {
        let world = World::new([]).await;
        for malformed in ["", "x", "=", "A\u{e4}", &"A".repeat(44), &"~".repeat(43), "<script>alert(1)</script>"] {
            let browser = Browser::default();
            browser.set(COOKIE, malformed);
            let answer = browser.install(&world.oauth(), "direct=1").await;
            let cookie = browser.cookie(COOKIE).expect("a cookie");
            assert!(cookie.len() == 43 && cookie != malformed, "{cookie}");
            assert!(header(&answer, "set-cookie").ends_with("; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_reference_goes_along_percent_encoded_and_is_512_bytes_at_most() {
    locally(async {
        let world = World::new([]).await;
        let (oauth, browser) = (world.oauth(), Browser::default());
        let reference = "a b&c=d\"><script>alert(1)</script>é🎈";
        let encoded: String = form_urlencoded::byte_serialize(reference.as_bytes()).collect();
        let page = browser.install(&oauth, &format!("ref={encoded}")).await;
        assert_eq!(links(&page), [format!("install?direct=1&amp;ref={encoded}")]);
        assert!(!page.body.contains("<script"), "{}", page.body);
        browser.install(&oauth, &format!("direct=1&ref={encoded}")).await;
        assert_eq!(world.ports.states.states()[0].reference.as_deref(), Some(reference));

        for (length, status) in [(512, 302), (513, 400)] {
            let answer = browser.install(&oauth, &format!("direct=1&ref={}", "r".repeat(length))).await;
            assert_eq!(answer.status, status, "{length}");
        }
        // Bytes, not characters: 128 balloons are 512.
        for (balloons, status) in [(128, 200), (129, 400)] {
            let encoded: String = form_urlencoded::byte_serialize("🎈".repeat(balloons).as_bytes()).collect();
            assert_eq!(browser.install(&oauth, &format!("ref={encoded}")).await.status, status, "{balloons}");
        }
        let too_long = browser.install(&oauth, &format!("ref={}", "r".repeat(513))).await;
        assert!(too_long.body.contains("This link is too long") && !too_long.body.contains("rrrr"));
        assert_eq!(links(&too_long), ["install?direct=1"]);
    })
    .await;
}

#[tokio::test]
async fn an_empty_reference_is_none() {
    locally(async {
        let world = World::new([]).await;
        let (oauth, browser) = (world.oauth(), Browser::default());
        assert_eq!(links(&browser.install(&oauth, "ref=").await), ["install?direct=1"]);
        browser.begin(&oauth, "direct=1&ref=").await;
        assert_eq!(world.ports.states.states()[0].reference, None);
    })
    .await;
}

#[tokio::test]
async fn head_is_answered_like_get_without_a_body_and_uses_nothing_up() {
    locally(async {
        let (lines, _guard) = Lines::listen();
        let world = World::new([]).await;
        let (oauth, browser) = (world.oauth(), Browser::default());
        let head = async |route, query: &str| browser.send(&oauth, Method::HEAD, route, query).await;
        let page = head(OAuthRoute::Install, "").await;
        assert_eq!((page.status, page.body.as_str()), (200, ""));
        assert_eq!(header(&page, "content-type"), "text/html; charset=utf-8");
        let state = state(&head(OAuthRoute::Install, "direct=1").await);
        let callback = head(OAuthRoute::Redirect, &format!("code=c&state={state}")).await;
        assert_eq!((callback.status, header(&callback, "allow")), (405, "GET"));
        assert_eq!(lines.last().verdict.as_deref(), Some("method_not_allowed"));
        assert_eq!(world.ports.states.states().len(), 1, "a link checker spoils no installation");
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            let answer = browser.send(&oauth, method.clone(), OAuthRoute::Install, "direct=1").await;
            assert_eq!((answer.status, header(&answer, "allow")), (405, "GET, HEAD"), "{method}");
        }
        assert_eq!(world.ports.states.states().len(), 1);
        assert!(world.slack.requests().is_empty());
    })
    .await;
}

#[tokio::test]
async fn without_a_place_for_states_nobody_is_sent_to_slack() {
    locally(async {
        let world = World::new([]).await;
        world.ports.states_down.set(true);
        let browser = Browser::default();
        let answer = browser.install(&world.oauth(), "direct=1&ref=campaign-7").await;
        assert_eq!(answer.status, 503);
        assert!(headers(&answer, "location").is_empty() && headers(&answer, "set-cookie").is_empty());
        assert_eq!(links(&answer), ["install?direct=1&amp;ref=campaign-7"], "the next try has the reference again");
    })
    .await;
}

// Installations from the Marketplace and from an organisation's admin pages come without a state.
#[tokio::test]
async fn a_callback_without_state_is_restarted_once_and_never_exchanged() {
    locally(async {
        let (lines, _guard) = Lines::listen();
        let world = World::new([yes(&granted())]).await;
        let (oauth, browser) = (world.oauth(), Browser::default());
        let verdict = || lines.last().verdict.expect("a verdict");

        let restarted = browser.callback(&oauth, "code=from-the-marketplace").await;
        assert_eq!((restarted.status, place(&restarted)), (302, world.at_slack("oauth/v2/authorize").as_str()));
        assert_eq!((verdict().as_str(), headers(&restarted, "set-cookie").len()), ("restarted", 2));
        assert!(world.slack.requests().is_empty(), "a code without a state is nobody's");

        let again = browser.callback(&oauth, "code=from-the-marketplace&state=").await;
        assert_eq!((again.status, verdict().as_str()), (400, "no_state"));
        assert!(again.body.contains("Please start from here"));
        assert_eq!(links(&again), ["install?direct=1"]);
        assert_eq!(browser.cookie(RESTARTED), None, "the next one may be restarted again");

        let restarted = browser.callback(&oauth, "").await;
        assert_eq!(verdict(), "restarted");
        let answer = browser.callback(&oauth, &format!("code=c&state={}", state(&restarted))).await;
        assert_eq!((answer.status, verdict().as_str()), (200, "installed"));
        assert_eq!(browser.cookie(RESTARTED), None);
    })
    .await;
}

#[tokio::test]
async fn whatever_comes_of_a_restarted_installation_the_next_may_be_restarted_again() {
    for query in ["error=access_denied", "code=c", "error=something"] {
        locally(async {
            let world = World::new([no("invalid_code")]).await;
            let (oauth, browser) = (world.oauth(), Browser::default());
            let restarted = browser.callback(&oauth, "code=from-the-marketplace").await;
            assert!(browser.cookie(RESTARTED).is_some());
            let ended = browser.callback(&oauth, &format!("{query}&state={}", state(&restarted))).await;
            assert_ne!(ended.status, 200);
            assert_eq!(browser.cookie(RESTARTED), None, "{query}");
            assert_eq!(browser.callback(&oauth, "code=from-the-marketplace").await.status, 302, "{query}");
        })
        .await;
    }
}
