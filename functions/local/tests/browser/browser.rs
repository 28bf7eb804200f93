//! One headless Chromium with its driver and a profile of its own, and what a test is run in.
//! Where there is none, browser tests say so and pass; with `TACK_BROWSER=required` they fail instead.
//! Invariant: no process and no profile stays, whether the test passes, fails or is ended by Ctrl-C.

use crate::page::Page;
use crate::tack::{PATIENCE, Tack};
use crate::web_driver::Session;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

/// Set to `required` where a browser has to be there.
const REQUIRED: &str = "TACK_BROWSER";
/// How to get one.
const HOW: &str = "on Debian: apt-get install chromium chromium-driver fonts-dejavu-core; elsewhere Chrome and the ChromeDriver of its version";

/// One test at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Waits for this test's turn.
pub(crate) fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a test with a `tack` and a browser of its own, and looks at the browser's console at the end.
pub(crate) fn in_browser(test: impl FnOnce(&mut Tack, &Page)) {
    in_browser_with(Tack::start, test);
}

/// The same, with a `tack` that is started so.
pub(crate) fn in_browser_with(start: impl FnOnce() -> Tack, test: impl FnOnce(&mut Tack, &Page)) {
    let _turn = turn();
    let browser = match Browser::start() {
        Ok(browser) => browser,
        Err(reason) => {
            assert!(std::env::var(REQUIRED).as_deref() != Ok("required"), "no browser: {reason} ({HOW})");
            println!("skipped: no chromedriver/chromium here: {reason} ({HOW})");
            return;
        }
    };
    let mut tack = start();
    let page = Page::new(browser, &tack.base_url);
    test(&mut tack, &page);
    page.console_is_empty();
}

/// A browser and its driver.
pub(crate) struct Browser {
    pub(crate) session: Session,
    profile: PathBuf,
    _driver: Driver,
}

impl Browser {
    pub(crate) fn start() -> Result<Self, String> {
        let (driver, address) = Driver::start()?;
        let profile = profile();
        let flags = [
            "--headless=new".to_owned(),
            // It refuses to run as root without this; the only pages it sees are ours.
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-extensions".to_owned(),
            "--no-first-run".to_owned(),
            "--lang=en-US".to_owned(),
            "--window-size=1440,900".to_owned(),
            format!("--user-data-dir={}", profile.display()),
        ];
        let session = Session::start(address, &flags).map_err(|refused| {
            let _ = std::fs::remove_dir_all(&profile);
            format!("{}: {}", refused.code, refused.message.lines().next().unwrap_or_default())
        })?;
        Ok(Self { session, profile, _driver: driver })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // One that hangs does not answer its driver any more, and ends with the signal.
        if self.session.end().is_err()
            && let Some(pid) = self.session.process.and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// ChromeDriver, ended with its owner.
struct Driver(Child);

impl Driver {
    fn start() -> Result<(Self, SocketAddr), String> {
        // It takes a port that is free on one of the two loopback addresses and ends if the other has it not.
        const TRIES: usize = 5;
        for _ in 0..TRIES {
            let driver = Command::new("chromedriver")
                .arg("--port=0")
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .map_err(|error| format!("chromedriver: {error}"))?;
            let mut driver = Self(driver);
            if let Some(port) = driver.port() {
                return Ok((driver, SocketAddr::from(([127, 0, 0, 1], port))));
            }
        }
        Err(format!("chromedriver ended at once, {TRIES} times"))
    }

    /// The port that it chose. It says it in a sentence, or ends without a word.
    fn port(&mut self) -> Option<u16> {
        let stdout = self.0.stdout.take()?;
        let (sender, ports) = mpsc::channel();
        // Read to the end, so that it never waits for somebody to read.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let port = line.strip_prefix("ChromeDriver was started successfully on port ");
                if let Some(port) = port.and_then(|port| port.trim_end_matches('.').parse().ok()) {
                    // Nobody waits for a second one.
                    let _ = sender.send(port);
                }
            }
        });
        ports.recv_timeout(PATIENCE).ok()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn profile() -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("browser-{}-{number}", std::process::id()))
}
