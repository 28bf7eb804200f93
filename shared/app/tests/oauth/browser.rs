//! A browser: it keeps cookies as RFC 6265 says, and reads what it is answered.

use http::Method;
use std::cell::RefCell;
use std::collections::BTreeMap;
use tack_app::Arrival;
use tack_app::oauth::{OAuth, OAuthAnswer, OAuthRequest, OAuthRoute};

pub(crate) const COOKIE: &str = "__Host-tack-oauth";

#[derive(Default)]
pub(crate) struct Browser {
    jar: RefCell<BTreeMap<String, String>>,
}

impl Browser {
    pub(crate) async fn install(&self, oauth: &OAuth, query: &str) -> OAuthAnswer {
        self.send(oauth, Method::GET, OAuthRoute::Install, query).await
    }

    pub(crate) async fn callback(&self, oauth: &OAuth, query: &str) -> OAuthAnswer {
        self.send(oauth, Method::GET, OAuthRoute::Redirect, query).await
    }

    pub(crate) async fn send(&self, oauth: &OAuth, method: Method, route: OAuthRoute, query: &str) -> OAuthAnswer {
        let cookies: Vec<String> = self.jar.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = if cookies.is_empty() { Vec::new() } else { vec![cookies.join("; ")] };
        let arrival = Arrival { request: Some("JKJaXmPLvHcESHA=".to_owned()), trace: Some("Root=1-trace".to_owned()) };
        let request = OAuthRequest { route, method, query: query.to_owned(), cookies, arrival };
        let answer = oauth.answer(request).await;
        for cookie in headers(&answer, "set-cookie") {
            self.keep(cookie);
        }
        answer
    }

    /// Goes to Slack; gives the state that went with it.
    pub(crate) async fn begin(&self, oauth: &OAuth, query: &str) -> String {
        state(&self.install(oauth, query).await)
    }

    fn keep(&self, header: &str) {
        let (pair, attributes) = header.split_once(';').expect("attributes");
        let (name, value) = pair.split_once('=').expect("a name and a value");
        let attributes: Vec<&str> = attributes.split(';').map(str::trim).collect();
        // What browsers ask of the prefix: Secure, the path /, no Domain.
        for needed in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(attributes.contains(&needed), "{header}");
        }
        assert!(name.starts_with("__Host-") && !header.contains("Domain"), "{header}");
        if attributes.contains(&"Max-Age=0") {
            self.jar.borrow_mut().remove(name);
        } else {
            self.jar.borrow_mut().insert(name.to_owned(), value.to_owned());
        }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.jar.borrow().get(name).cloned()
    }

    pub(crate) fn set(&self, name: &str, value: &str) {
        self.jar.borrow_mut().insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn forget_all(&self) {
        self.jar.borrow_mut().clear();
    }

    pub(crate) fn cookies(&self) -> Vec<String> {
        self.jar.borrow().values().cloned().collect()
    }
}

pub(crate) fn headers<'a>(answer: &'a OAuthAnswer, wanted: &str) -> Vec<&'a str> {
    answer.headers.iter().filter(|(name, _)| *name == wanted).map(|(_, value)| value.as_str()).collect()
}

pub(crate) fn header<'a>(answer: &'a OAuthAnswer, wanted: &str) -> &'a str {
    let values = headers(answer, wanted);
    assert_eq!(values.len(), 1, "{wanted}: {values:?}");
    values[0]
}

/// Where it leads, without what is asked there.
pub(crate) fn place(answer: &OAuthAnswer) -> &str {
    let location = header(answer, "location");
    location.split_once('?').map_or(location, |(place, _)| place)
}

/// What is asked at the place it leads to.
pub(crate) fn asked(answer: &OAuthAnswer) -> BTreeMap<String, String> {
    let location = header(answer, "location");
    let query = location.split_once('?').map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

pub(crate) fn state(answer: &OAuthAnswer) -> String {
    asked(answer).remove("state").expect("a state")
}

/// The addresses of a page's links.
pub(crate) fn links(answer: &OAuthAnswer) -> Vec<&str> {
    answer.body.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default()).collect()
}
