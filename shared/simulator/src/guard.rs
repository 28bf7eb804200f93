//! Keeps foreign web pages out: only known host names reach the simulated Slack, and only its own pages change it.
//! Invariant: a page that rebinds its name to this machine, or posts across origins, gets 403 and a sentence.
//! Source: <https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site>

use http::{HeaderMap, Method, header};

const LOCAL_HOSTS: &[&str] = &["localhost", "127.0.0.1", "[::1]"];

/// Guards the simulated Slack, and pages beside it: the host must be this machine or that of `base_url`, and a page that writes must come
/// from there: by its `Origin`, and not `cross-site` by the browser's `Sec-Fetch-Site`, which no page can set. Web API, response URLs and webhooks are
/// written to by programs, which carry a secret of their own.
///
/// # Errors
/// The sentence for the one who reads the answer.
pub fn guard(method: &Method, path: &str, headers: &HeaderMap, base_url: &str) -> Result<(), String> {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    if !LOCAL_HOSTS.contains(&name_of(host)) && name_of(host) != name_of(authority(base_url)) {
        return Err(format!(
            "The host name `{host}` is not this simulated Slack's. Use {base_url}, localhost or 127.0.0.1."
        ));
    }
    let is_write = !matches!(*method, Method::GET | Method::HEAD);
    let is_of_programs = ["/api/", "/response/", "/services/"].iter().any(|start| path.starts_with(start));
    if !is_write || is_of_programs {
        return Ok(());
    }
    if let Some(origin) = text(header::ORIGIN).filter(|origin| !is_own(origin, host, base_url)) {
        return Err(format!("Pages from `{origin}` may not change this simulated Slack. Open {base_url} instead."));
    }
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Err(format!("Pages of another site may not change this simulated Slack. Open {base_url} instead."));
    }
    Ok(())
}

/// The page came from here: from the address it posts to, or from the public one.
fn is_own(origin: &str, host: &str, base_url: &str) -> bool {
    let scheme_end = base_url.find("://").map_or(0, |at| at + 3);
    origin == format!("http://{host}") || origin == format!("{}{}", &base_url[..scheme_end], authority(base_url))
}

/// Host and port of a URL.
fn authority(url: &str) -> &str {
    let rest = url.find("://").map_or(url, |at| &url[at + 3..]);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Host name without a port.
fn name_of(host: &str) -> &str {
    if host.starts_with('[') {
        host.find(']').map_or(host, |end| &host[..=end])
    } else {
        host.split(':').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const BASE: &str = "http://tack.internal:4000";

    fn verdict(method: Method, path: &str, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        guard(&method, path, &headers, BASE).is_ok()
    }

    #[test]
    fn only_known_host_names_get_in() {
        for host in ["localhost", "localhost:4000", "127.0.0.1:9", "[::1]:4000", "[::1]", "tack.internal:4000"] {
            assert!(verdict(Method::GET, "/sim/calls", host, None), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:4000", "127.0.0.1.evil.example", "", "10.0.0.1"] {
            assert!(!verdict(Method::GET, "/sim/calls", host, None), "{host}");
        }
    }

    #[test]
    fn only_own_pages_write() {
        for path in ["/sim/reset", "/", "/channels/C1/messages", "/apiary"] {
            let write = |origin| verdict(Method::POST, path, "localhost:4000", origin);
            assert!(write(None));
            assert!(write(Some("http://localhost:4000")));
            assert!(write(Some("http://tack.internal:4000")));
            assert!(!write(Some("http://localhost:8080")), "{path}");
            assert!(!write(Some("https://evil.example")), "{path}");
            assert!(!write(Some("null")), "{path}");
        }
        assert!(verdict(Method::POST, "/api/auth.test", "localhost:4000", Some("https://an-app.example")));
    }

    #[test]
    fn what_a_browser_calls_cross_site_does_not_write_whatever_its_origin_says() {
        let write = |path: &str, site: &str, origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("localhost:4000"));
            headers.insert("sec-fetch-site", site.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            guard(&Method::POST, path, &headers, BASE).is_ok()
        };
        let own = Some("http://localhost:4000");
        for origin in [None, own, Some("http://tack.internal:4000"), Some("null")] {
            assert!(!write("/sim/reset", "cross-site", origin), "{origin:?}");
        }
        assert!(write("/sim/reset", "same-origin", own));
        assert!(write("/sim/reset", "same-site", own));
        assert!(write("/sim/reset", "none", None));
        assert!(!write("/sim/reset", "same-site", Some("http://localhost:8080")));
        assert!(!write("/sim/reset", "same-origin", Some("null")));
        assert!(write("/api/auth.test", "cross-site", Some("https://an-app.example")));
        assert!(write("/response/r1", "cross-site", None));
    }

    #[test]
    fn reading_is_free_for_known_hosts() {
        assert!(verdict(Method::GET, "/sim/calls", "localhost:4000", Some("https://evil.example")));
    }
}
