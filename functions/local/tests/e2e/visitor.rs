//! A browser without a window: it goes where it is sent, keeps cookies, and remembers what of them nobody else may see.
//! What real browsers do with a `__Host-` cookie is shown in the browser tests.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What of an address is a secret.
const SECRET_FIELDS: [&str; 2] = ["state", "code"];

/// A browser with its own cookies.
pub(crate) struct Visitor {
    door: SocketAddr,
    cookies: RefCell<BTreeMap<String, String>>,
    held: Rc<RefCell<BTreeSet<String>>>,
}

/// What it is shown.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Where it sends the browser.
    pub(crate) fn location(&self) -> String {
        self.header("location").unwrap_or_else(|| panic!("not sent anywhere: {self:?}")).to_owned()
    }
}

impl Visitor {
    /// One that is at this door; secrets it meets are put into `held`.
    pub(crate) fn new(door: SocketAddr, held: Rc<RefCell<BTreeSet<String>>>) -> Self {
        Self { door, cookies: RefCell::default(), held }
    }

    /// Goes to a path, or to an address of the app.
    pub(crate) async fn get(&self, address: &str) -> Page {
        self.request("GET", address).await
    }

    /// Goes there with another method.
    pub(crate) async fn request(&self, method: &str, address: &str) -> Page {
        self.send(method, address, &[], "").await
    }

    /// Sends a body with these headers, as a program does.
    pub(crate) async fn send(&self, method: &str, address: &str, headers: &[(&str, &str)], body: &str) -> Page {
        let origin = format!("http://{}", self.door);
        let path = address.strip_prefix(&origin).unwrap_or(address);
        assert!(path.starts_with('/'), "{address} is not of the app");
        self.meet(path);
        let mut head = format!("{method} {path} HTTP/1.0\r\nhost: {}\r\n", self.door);
        let cookies: Vec<String> =
            self.cookies.borrow().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            head.push_str(&format!("cookie: {}\r\n", cookies.join("; ")));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut stream = TcpStream::connect(self.door).await.unwrap();
        let length = body.len();
        stream.write_all(format!("{head}content-length: {length}\r\n\r\n{body}").as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let page = page(&String::from_utf8_lossy(&answer));
        for (_, set) in page.headers.iter().filter(|(name, _)| name == "set-cookie") {
            self.keep(set);
        }
        page.header("location").into_iter().for_each(|location| self.meet(location));
        page
    }

    fn keep(&self, set: &str) {
        let (cookie, attributes) = set.split_once(';').unwrap_or((set, ""));
        let (name, value) = cookie.split_once('=').unwrap();
        if attributes.contains("Max-Age=0") {
            self.cookies.borrow_mut().remove(name);
            return;
        }
        self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
        self.hold(value);
    }

    /// Notes the secrets of an address.
    fn meet(&self, address: &str) {
        let query = address.split_once('?').map(|(_, query)| query).unwrap_or_default();
        let fields = query.split('&').filter_map(|field| field.split_once('='));
        fields.filter(|(name, _)| SECRET_FIELDS.contains(name)).for_each(|(_, value)| self.hold(value));
    }

    /// Something short is no secret, and would be found everywhere.
    fn hold(&self, secret: &str) {
        if secret.len() >= 16 {
            self.held.borrow_mut().insert(secret.to_owned());
        }
    }
}

fn page(answer: &str) -> Page {
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let header = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    };
    Page { status, headers: lines.map(header).collect(), text: text.to_owned() }
}
