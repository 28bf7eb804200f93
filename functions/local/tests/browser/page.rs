//! A page as a person sees it: what is visible, what can be clicked, where the focus is.
//! Elements are named by their `data-testid`s. Invariant: every step waits for what it needs, and says what it waited for in vain.

use crate::browser::Browser;
use crate::tack::{LOOK, PATIENCE};
use crate::web_driver::{Element, Refused, Session, keys};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Instant;

/// Visible elements of a selector: those a person sees, so `hidden`, closed `details` and the like do not count.
const VISIBLE: &str = "const visible = (css) => [...document.querySelectorAll(css)].filter((one) => one.checkVisibility({ visibilityProperty: true }));";

/// The two themes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The page of a browser.
pub(crate) struct Page {
    browser: Browser,
    base_url: String,
    look: RefCell<(Theme, u32)>,
    /// Entries of the console that the test asked for, by what they contain.
    expected: RefCell<Vec<String>>,
}

/// The selector of a test id.
pub(crate) fn id(test_id: &str) -> String {
    format!("[data-testid=\"{test_id}\"]")
}

/// The selector of a Block Kit element.
pub(crate) fn element(action_id: &str) -> String {
    format!("[data-testid=\"element\"][data-action-id=\"{action_id}\"]")
}

impl Page {
    pub(crate) fn new(browser: Browser, base_url: &str) -> Self {
        let page = Self {
            browser,
            base_url: base_url.to_owned(),
            look: RefCell::new((Theme::Light, 1440)),
            expected: RefCell::default(),
        };
        page.resize(1440);
        page.prefer(Theme::Light);
        page
    }

    pub(crate) fn session(&self) -> &Session {
        &self.browser.session
    }

    // ---- Where one is, and how it looks.

    /// Opens a path, and waits until its own script has run.
    pub(crate) fn open(&self, path: &str) {
        self.session().open(&format!("{}{path}", self.base_url)).unwrap();
        self.is_true(&format!("{path} is loaded"), "document.readyState === 'complete'");
    }

    /// The path and query of the address.
    pub(crate) fn path(&self) -> String {
        let address = self.session().address().unwrap();
        address.strip_prefix(&self.base_url).unwrap_or(&address).to_owned()
    }

    pub(crate) fn wait_for_path(&self, start: &str) {
        self.until(&format!("an address that begins with {start}"), || {
            Ok(self
                .session()
                .address()?
                .strip_prefix(&self.base_url)
                .is_some_and(|path| path.starts_with(start))
                .then_some(()))
        });
    }

    /// Makes the window as wide as that, in CSS pixels; a narrow one is a phone.
    pub(crate) fn resize(&self, width: u32) {
        self.look.borrow_mut().1 = width;
        let height = if width < 700 { 844 } else { 900 };
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        // As on a phone they lie above the page and take no room.
        self.session().dev_tools("Emulation.setScrollbarsHidden", &json!({ "hidden": true })).unwrap();
        self.session().dev_tools("Emulation.setDeviceMetricsOverride", &metrics).unwrap();
    }

    /// What the person's system prefers.
    pub(crate) fn prefer(&self, theme: Theme) {
        self.look.borrow_mut().0 = theme;
        let features = json!([
            { "name": "prefers-color-scheme", "value": theme.word() },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.session().dev_tools("Emulation.setEmulatedMedia", &json!({ "features": features })).unwrap();
    }

    /// Keeps a picture of the whole page: `target/screenshots/NAME-THEME-WIDTH.png`.
    pub(crate) fn screenshot(&self, name: &str) {
        let (theme, width) = *self.look.borrow();
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let picture = self.session().screenshot().unwrap();
        std::fs::write(folder.join(format!("{name}-{}-{width}.png", theme.word())), picture).unwrap();
    }

    // ---- What one sees.

    /// Runs a script with `visible(css)` at hand.
    pub(crate) fn ask(&self, script: &str, arguments: &[Value]) -> Value {
        self.try_ask(script, arguments).unwrap()
    }

    fn try_ask(&self, script: &str, arguments: &[Value]) -> Result<Value, Refused> {
        self.session().run(&format!("{VISIBLE} {script}"), arguments)
    }

    /// The texts of the visible elements.
    pub(crate) fn texts(&self, css: &str) -> Vec<String> {
        let texts = self.ask("return visible(arguments[0]).map((one) => one.innerText.trim())", &[json!(css)]);
        texts.as_array().into_iter().flatten().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The text of the first visible element, once there is one.
    pub(crate) fn text(&self, css: &str) -> String {
        self.sees(css);
        self.texts(css).into_iter().next().unwrap_or_default()
    }

    /// How many are visible.
    pub(crate) fn count(&self, css: &str) -> usize {
        self.texts(css).len()
    }

    /// An attribute of the first element, visible or not; null without one.
    pub(crate) fn attribute(&self, css: &str, name: &str) -> Value {
        self.ask(
            "return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null",
            &[json!(css), json!(name)],
        )
    }

    /// Waits until an element is visible.
    pub(crate) fn sees(&self, css: &str) {
        self.until_seen(&format!("{css} to be seen"), "return visible(arguments[0]).length > 0", &[json!(css)]);
    }

    /// Waits until a visible element holds this text.
    pub(crate) fn sees_text(&self, css: &str, text: &str) {
        let script = "return visible(arguments[0]).some((one) => one.innerText.includes(arguments[1]))";
        self.until_seen(&format!("“{text}” in {css}"), script, &[json!(css), json!(text)]);
    }

    /// Waits until so many visible elements hold this text.
    pub(crate) fn sees_times(&self, times: usize, css: &str, text: &str) {
        let script = "return visible(arguments[0]).filter((one) => one.innerText.includes(arguments[1])).length === arguments[2]";
        self.until_seen(&format!("“{text}” {times} times in {css}"), script, &[json!(css), json!(text), json!(times)]);
    }

    /// Waits until no element is visible.
    pub(crate) fn sees_no(&self, css: &str) {
        self.until_seen(&format!("no {css} any more"), "return visible(arguments[0]).length === 0", &[json!(css)]);
    }

    /// Waits until an expression of the page is true.
    pub(crate) fn is_true(&self, what: &str, expression: &str) {
        self.until_seen(what, &format!("return !!({expression})"), &[]);
    }

    fn until_seen(&self, what: &str, script: &str, arguments: &[Value]) {
        self.until(what, || Ok((self.try_ask(script, arguments)? == true).then_some(())));
    }

    /// Waits until `look` finds what it looks for. While a page is replaced by the next one, looks fail.
    fn until<T>(&self, what: &str, mut look: impl FnMut() -> Result<Option<T>, Refused>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let trouble = match look() {
                Ok(Some(found)) => return found,
                Ok(None) => None,
                Err(refused) => Some(refused),
            };
            if Instant::now() > end {
                let dialog = self.session().dialog();
                self.screenshot("failed");
                let text = self.try_ask("return document.body.innerText", &[]).unwrap_or_default();
                let text = text.as_str().unwrap_or_default();
                panic!(
                    "waited in vain for {what}; the last refusal: {trouble:?}; a dialog: {dialog:?}; the page:\n{text}"
                );
            }
            std::thread::sleep(LOOK);
        }
    }

    // ---- What one does.

    /// Clicks the first visible element, once it is there and nothing lies above it.
    pub(crate) fn click(&self, css: &str) {
        self.until(&format!("a click on {css}"), || {
            let Some(element) = self.first(css)? else { return Ok(None) };
            self.session().click(&element).map(Some)
        });
    }

    /// Replaces what a field holds by typing.
    pub(crate) fn fill(&self, css: &str, text: &str) {
        self.until(&format!("typing into {css}"), || {
            let Some(element) = self.first(css)? else { return Ok(None) };
            self.session().run("arguments[0].focus(); arguments[0].select?.()", &[element.argument()])?;
            self.session().type_into(&element, text).map(Some)
        });
    }

    /// Types a line into the composer and sends it with Enter.
    pub(crate) fn say(&self, text: &str) {
        self.fill(&id("composer-input"), text);
        // The menu of commands is closed by the blank behind a command.
        self.press(&[keys::ENTER]);
    }

    /// Chooses the option with this text of a `select`.
    pub(crate) fn choose(&self, css: &str, option: &str) {
        let script = "const menu = visible(arguments[0])[0];
            const at = menu ? [...menu.options].findIndex((one) => one.text.trim() === arguments[1]) : -1;
            if (at < 0) return false;
            menu.focus();
            menu.selectedIndex = at;
            menu.dispatchEvent(new Event('input', { bubbles: true }));
            menu.dispatchEvent(new Event('change', { bubbles: true }));
            return true;";
        self.until_seen(&format!("the option “{option}” in {css}"), script, &[json!(css), json!(option)]);
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub(crate) fn press(&self, pressed: &[char]) {
        self.session().press(&[], pressed).unwrap();
    }

    /// Presses a key while others are held.
    pub(crate) fn press_with(&self, held: &[char], pressed: char) {
        self.session().press(held, &[pressed]).unwrap();
    }

    /// Types a text wherever the focus is.
    pub(crate) fn type_keys(&self, text: &str) {
        self.press(&text.chars().collect::<Vec<_>>());
    }

    /// Types into a field and clicks a button without looking: for pages whose scripts are switched off.
    pub(crate) fn submit_by_hand(&self, field: &str, text: &str, button: &str) {
        let only = |css: &str| self.session().find_all(css).unwrap().swap_remove(0);
        self.session().type_into(&only(field), text).unwrap();
        self.session().click(&only(button)).unwrap();
    }

    fn first(&self, css: &str) -> Result<Option<Element>, Refused> {
        let mut found = self.session().find_all(css)?;
        let is_seen = "return arguments[0].map((one) => one.checkVisibility({ visibilityProperty: true }))";
        let arguments: Vec<Value> = found.iter().map(Element::argument).collect();
        let seen = self.session().run(is_seen, &[json!(arguments)])?;
        let at = seen.as_array().into_iter().flatten().position(|seen| seen == true);
        Ok(at.map(|at| found.swap_remove(at)))
    }

    // ---- The console.

    /// The test is about to make the browser complain in these words.
    pub(crate) fn expect_in_console(&self, words: &str) {
        self.expected.borrow_mut().push(words.to_owned());
    }

    /// No error, no warning, no violation of the page's policy since the last time.
    pub(crate) fn console_is_empty(&self) {
        let expected = self.expected.borrow();
        let is_expected = |text: &str| expected.iter().any(|words| text.contains(words));
        let entries = self.session().console().unwrap();
        let entries: Vec<_> =
            entries.iter().filter(|(level, text)| level != "INFO" && level != "DEBUG" && !is_expected(text)).collect();
        assert!(entries.is_empty(), "the browser's console: {entries:#?}");
    }
}
