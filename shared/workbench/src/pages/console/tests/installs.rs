//! Slack's consent page and the console's installs, in a run that serves one workspace: what they refuse, and where they lead.
//! The whole way with the app's own pages is a browser's to go.

use super::world::{Got, World, in_world};
use serde_json::json;

/// As an app sends people, with the simulated Slack's settings as they are by default.
const QUERY: &str = "client_id=1234567890.1234567890&scope=chat%3Awrite%2Ccommands&user_scope=search%3Aread&state=s1";
const PAGE: &str = "/oauth/v2/authorize";
const CALLBACK: &str = "http://127.0.0.1:3000/slack/oauth_redirect";

async fn answered(world: &World, person: &str, target: &str, more: &str) -> Got {
    let query: String = form_urlencoded::byte_serialize(QUERY.as_bytes()).collect();
    world.submit(PAGE, &format!("query={query}&as={person}&target={target}&{more}")).await
}

fn location(got: &Got) -> &str {
    got.header("location").unwrap_or_default()
}

#[test]
fn the_consent_page_says_who_asks_for_what_and_may_lead_back_to_the_app() {
    in_world(async |world| {
        let page = world.page(&format!("{PAGE}?{QUERY}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        for words in ["simulated Slack", "send messages under its own name", "Acme Local", "What it may do as you"] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("form-action 'self' http://127.0.0.1:3000;"), "{policy}");
        assert_eq!(page.body.matches("<h1").count(), 1);
        assert!(!page.body.contains("the whole organisation"), "Ada's workspace is in none");
        let gavin = world.page(&format!("{PAGE}?{QUERY}&as=U0GAVIN01")).await;
        for place in ["value=\"T0HOOLIX1\" checked", "value=\"T0HOOLIL1\"", "value=\"E0HOOLI01\""] {
            assert!(gavin.body.contains(place), "{place}: {}", gavin.body);
        }
        let wanted = world.page(&format!("{PAGE}?{QUERY}&team=T0GLOBEX1")).await;
        assert!(
            wanted.body.contains("name=\"as\" value=\"U0HANK001\""),
            "an admin of the workspace that the app wants"
        );
    });
}

#[test]
fn who_agrees_goes_back_with_a_code_and_who_does_not_with_an_error() {
    in_world(async |world| {
        let agreed = answered(world, "U0HANK001", "T0GLOBEX1", "answer=allow").await;
        assert_eq!(agreed.status, 303, "{agreed:?}");
        assert!(location(&agreed).starts_with(&format!("{CALLBACK}?code=")), "{agreed:?}");
        assert!(location(&agreed).ends_with("&state=s1"), "{agreed:?}");
        let denied = answered(world, "U0HANK001", "T0GLOBEX1", "answer=cancel").await;
        assert_eq!(location(&denied), format!("{CALLBACK}?error=access_denied&state=s1"));
        let bare = answered(world, "U0HANK001", "T0GLOBEX1", "answer=allow&way=without_state").await;
        assert!(location(&bare).contains("?code=") && !location(&bare).contains("state"), "{bare:?}");
        let stale = answered(world, "U0HANK001", "T0GLOBEX1", "answer=allow&way=used_code").await;
        assert!(location(&stale).contains("used-before") && location(&stale).ends_with("&state=s1"), "{stale:?}");
        let flow = world.facts("/console/installs").await.json()["flow"].take();
        let told = format!("{flow}");
        assert!(told.contains("Hank Pym: Globex") && told.contains("cancelled"), "{told}");
        assert!(!told.contains("s1") && !told.contains("code="), "no state and no code: {told}");
    });
}

#[test]
fn who_may_not_install_is_told_so_and_stays() {
    in_world(async |world| {
        for (person, target) in [("U0GRACE01", "T0ACME001"), ("U0HANK001", "T0ACME001"), ("U0JIAN001", "E0HOOLI01")] {
            let refused = answered(world, person, target, "answer=allow").await;
            assert_eq!((refused.status, refused.header("location")), (403, None), "{person}");
            assert!(refused.body.contains("is not authorized to install apps on"), "{}", refused.body);
        }
        let nowhere = answered(world, "U0ADA0001", "T0NOWHERE", "answer=allow").await;
        assert_eq!((nowhere.status, nowhere.header("location")), (403, None));
    });
}

#[test]
fn what_is_asked_wrongly_is_said_in_slacks_words_and_leads_nowhere() {
    in_world(async |world| {
        for (query, word) in [
            ("client_id=1.2&scope=commands", "invalid_client_id"),
            ("", "invalid_client_id"),
            ("client_id=1234567890.1234567890", "no_scopes"),
            ("client_id=1234567890.1234567890&scope=Everything", "invalid_scope"),
            (
                "client_id=1234567890.1234567890&scope=commands&redirect_uri=https%3A%2F%2Fevil.example%2F",
                "bad_redirect_uri",
            ),
        ] {
            let page = world.page(&format!("{PAGE}?{query}")).await;
            assert_eq!((page.status, page.header("location")), (400, None), "{query}");
            assert!(page.body.contains(word), "{word}: {}", page.body);
            let encoded: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
            let form = format!("query={encoded}&as=U0ADA0001&target=T0ACME001&answer=allow");
            let posted = world.submit(PAGE, &form).await;
            assert_eq!((posted.status, posted.header("location")), (400, None), "{query}");
        }
    });
}

#[test]
fn an_app_is_opened_as_someone_of_its_workspace() {
    in_world(async |world| {
        let opened = world.page("/app_redirect?app=A0TACK001&team=T0GLOBEX1").await;
        assert_eq!((opened.status, location(&opened)), (303, "/app/messages"));
        let cookie = opened.header("set-cookie").unwrap();
        assert!(cookie.starts_with("tack_as=U0HANK001;") && cookie.contains("SameSite=Lax"), "{cookie}");
        let unknown = world.page("/app_redirect?team=%0d%0aset-cookie:x").await;
        assert!(unknown.header("set-cookie").unwrap().starts_with("tack_as=U0ADA0001;"), "{unknown:?}");
    });
}

#[test]
fn an_organisations_page_is_for_its_own_app_alone() {
    in_world(async |world| {
        let path =
            |enterprise: &str, app: &str| format!("/manage/{enterprise}/integrations/profile/{app}/workspaces/add");
        let page = world.page(&path("E0HOOLI01", "A0TACK001")).await;
        assert!(page.status == 200 && page.body.contains("not installed on this organisation"), "{page:?}");
        for (enterprise, app) in [("E0NOBODY", "A0TACK001"), ("E0HOOLI01", "A0OTHER")] {
            assert_eq!(world.page(&path(enterprise, app)).await.status, 404);
        }
    });
}

#[test]
fn with_a_token_of_ones_own_the_page_says_that_nothing_is_stored() {
    in_world(async |world| {
        let page = world.page("/console/installs").await;
        assert!(page.body.contains("data-testid=\"one-workspace\""), "{}", page.body);
        assert!(!page.body.contains("data-testid=\"install-start\""), "there are no install pages");
        let facts = world.facts("/console/installs").await.json();
        assert_eq!((&facts["mode"], &facts["installs"][0]["standing"]), (&json!("one_workspace"), &json!("by_token")));
        assert_eq!(world.facts("/console/installs/T0ACME001").await.json()["install"]["id"], "T0ACME001");
        assert_eq!(world.facts("/console/installs/T0NOWHERE").await.status, 404);
        assert_eq!(location(&world.page("/console/installs/try/denied").await), "/console/installs");
    });
}

#[test]
fn an_install_ends_by_form_and_by_program() {
    in_world(async |world| {
        let refused = world.post("/console/installs", json!({ "act": "explode", "id": "T0ACME001" })).await;
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (400, &json!("invalid")));
        let unknown = world.post("/console/installs", json!({ "act": "uninstall", "id": "T0GLOBEX1" })).await;
        assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (400, &json!("refused")));
        let fixed = world.post("/console/installs", json!({ "act": "rotate", "id": "T0ACME001" })).await;
        assert_eq!(fixed.status, 400, "{fixed:?}");
        let revoked =
            world.submit("/console/installs", "act=revoke&id=T0ACME001&back=/console/installs/T0ACME001").await;
        assert_eq!((revoked.status, location(&revoked)), (303, "/console/installs/T0ACME001"));
        let page = world.page("/console/installs").await;
        assert!(page.body.contains("<code data-testid=\"token-mask\">none</code>"), "{}", page.body);
        let told = world.post("/console/installs", json!({ "act": "uninstall", "id": "T0ACME001" })).await.json();
        assert_eq!(told["installs"], json!([]));
        assert!(world.page("/console/installs").await.body.contains("Not installed anywhere"));
    });
}
