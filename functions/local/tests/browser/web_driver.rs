//! WebDriver's wire protocol, as much of it as the tests use, and Chromium's two additions: its console and its DevTools commands.
//! Sources: <https://www.w3.org/TR/webdriver2/>, <https://chromedevtools.github.io/devtools-protocol/>

use crate::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// The key under which an element's reference travels: <https://www.w3.org/TR/webdriver2/#elements>
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The keys that a test presses: <https://www.w3.org/TR/webdriver2/#keyboard-actions>
pub(crate) mod keys {
    pub(crate) const CONTROL: char = '\u{E009}';
    pub(crate) const SHIFT: char = '\u{E008}';
    pub(crate) const TAB: char = '\u{E004}';
    pub(crate) const ENTER: char = '\u{E007}';
    pub(crate) const ESCAPE: char = '\u{E00C}';
    pub(crate) const DOWN: char = '\u{E015}';
    pub(crate) const SPACE: char = ' ';
}

/// What the driver did not do.
#[derive(Debug)]
pub(crate) struct Refused {
    /// WebDriver's error code, such as `stale element reference`.
    pub(crate) code: String,
    pub(crate) message: String,
}

/// A browser.
pub(crate) struct Session {
    driver: SocketAddr,
    id: String,
    /// The browser's process.
    pub(crate) process: Option<i32>,
}

/// An element of the page, until the page replaces it.
#[derive(Clone, Debug)]
pub(crate) struct Element(Value);

impl Element {
    fn id(&self) -> &str {
        self.0[ELEMENT].as_str().unwrap_or_default()
    }

    /// The reference as an argument of a script.
    pub(crate) fn argument(&self) -> Value {
        self.0.clone()
    }
}

fn ask(driver: SocketAddr, request: &Request) -> Result<Value, Refused> {
    let broken = |error: String| Refused { code: "no connection".to_owned(), message: error };
    let answer = request.send(driver).map_err(|error| broken(error.to_string()))?;
    let mut value: Value = serde_json::from_str(&answer.body).map_err(|error| broken(error.to_string()))?;
    let value = value["value"].take();
    if answer.status == 200 {
        return Ok(value);
    }
    let word = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Err(Refused { code: word("error"), message: word("message") })
}

impl Session {
    /// Starts a browser with these command-line flags.
    ///
    /// # Errors
    /// There is none, or it does not start.
    pub(crate) fn start(driver: SocketAddr, flags: &[String]) -> Result<Self, Refused> {
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": flags },
            "goog:loggingPrefs": { "browser": "ALL" },
            "unhandledPromptBehavior": "ignore",
            "timeouts": { "implicit": 0, "pageLoad": 60_000, "script": 60_000 },
        } } });
        let started = ask(driver, &Request::post("/session", &capabilities))?;
        let process = started["capabilities"]["goog:processID"].as_i64().and_then(|pid| pid.try_into().ok());
        Ok(Self { driver, id: started["sessionId"].as_str().unwrap_or_default().to_owned(), process })
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, Refused> {
        ask(self.driver, &Request::post(format!("/session/{}/{path}", self.id), body))
    }

    fn get(&self, path: &str) -> Result<Value, Refused> {
        ask(self.driver, &Request::get(format!("/session/{}/{path}", self.id)))
    }

    /// Ends the browser.
    pub(crate) fn end(&self) -> Result<(), Refused> {
        ask(self.driver, &Request::delete(format!("/session/{}", self.id))).map(drop)
    }

    pub(crate) fn open(&self, url: &str) -> Result<(), Refused> {
        self.post("url", &json!({ "url": url })).map(drop)
    }

    pub(crate) fn address(&self) -> Result<String, Refused> {
        Ok(self.get("url")?.as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn find_all(&self, css: &str) -> Result<Vec<Element>, Refused> {
        let found = self.post("elements", &json!({ "using": "css selector", "value": css }))?;
        Ok(found.as_array().into_iter().flatten().cloned().map(Element).collect())
    }

    /// Clicks as a person does: scrolls there, and refuses if something lies above it.
    pub(crate) fn click(&self, element: &Element) -> Result<(), Refused> {
        self.post(&format!("element/{}/click", element.id()), &json!({})).map(drop)
    }

    /// Types into an element.
    pub(crate) fn type_into(&self, element: &Element, text: &str) -> Result<(), Refused> {
        self.post(&format!("element/{}/value", element.id()), &json!({ "text": text })).map(drop)
    }

    /// Presses keys one after the other, wherever the focus is; the first `held` of them stay down until the end.
    pub(crate) fn press(&self, held: &[char], pressed: &[char]) -> Result<(), Refused> {
        let act = |what: &str, key: &char| json!({ "type": what, "value": key.to_string() });
        let downs = held.iter().map(|key| act("keyDown", key));
        let presses = pressed.iter().flat_map(|key| [act("keyDown", key), act("keyUp", key)]);
        let ups = held.iter().rev().map(|key| act("keyUp", key));
        let actions: Vec<Value> = downs.chain(presses).chain(ups).collect();
        self.post("actions", &json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] })).map(drop)
    }

    /// Runs a script in the page, as the body of a function. The page's policy does not bind it.
    pub(crate) fn run(&self, script: &str, arguments: &[Value]) -> Result<Value, Refused> {
        self.post("execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// The same; a promise that it returns is waited for.
    pub(crate) fn run_async(&self, script: &str, arguments: &[Value]) -> Result<Value, Refused> {
        self.post("execute/async", &json!({ "script": script, "args": arguments }))
    }

    /// The text of the dialog that a script opened, if one is open.
    pub(crate) fn dialog(&self) -> Option<String> {
        self.get("alert/text").ok().map(|text| text.as_str().unwrap_or_default().to_owned())
    }

    /// A command of DevTools.
    pub(crate) fn dev_tools(&self, command: &str, parameters: &Value) -> Result<Value, Refused> {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// What the browser wrote to its console since the last time: level, and text with its source.
    pub(crate) fn console(&self) -> Result<Vec<(String, String)>, Refused> {
        let entries = self.post("se/log", &json!({ "type": "browser" }))?;
        let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
        Ok(entries
            .as_array()
            .into_iter()
            .flatten()
            .map(|entry| (word(entry, "level"), word(entry, "message")))
            .collect())
    }

    /// The page as PNG: the whole of it, or what is visible where a modal lies above it.
    pub(crate) fn screenshot(&self) -> Result<Vec<u8>, Refused> {
        let mut wanted = json!({});
        if self.run("return !document.querySelector('dialog:modal')", &[])? == true {
            let size = self.dev_tools("Page.getLayoutMetrics", &json!({}))?["cssContentSize"].take();
            let clip = json!({ "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1 });
            wanted = json!({ "captureBeyondViewport": true, "clip": clip });
        }
        let picture = self.dev_tools("Page.captureScreenshot", &wanted)?;
        Ok(STANDARD.decode(picture["data"].as_str().unwrap_or_default()).unwrap_or_default())
    }
}
