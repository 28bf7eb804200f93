//! A form as browsers send it: names may repeat, order counts.

use axum::extract::{FromRequest, Request};
use axum::response::Response;
use bytes::Bytes;

/// The fields of a form.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn parse(body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(body);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first value of this name; `None` if absent or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The first value of this name, empty if absent.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// All values of this name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Where to go back to: a path of our own, or the start.
    pub(super) fn back(&self) -> &str {
        self.get("back").filter(|path| is_own_path(path)).unwrap_or("/")
    }
}

/// A path on this host: browsers read `//host` and `/\host` as another one.
fn is_own_path(path: &str) -> bool {
    path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\r', '\n', '\t', '\0'])
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let body = Bytes::from_request(request, state).await.map_err(axum::response::IntoResponse::into_response)?;
        Ok(Self::parse(&body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_repeat() {
        let fields = Fields::parse(b"v=1&v=2&empty=&text=a+b%26");
        assert_eq!(fields.all("v").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!((fields.get("empty"), fields.text("text")), (None, "a b&".to_owned()));
    }

    #[test]
    fn one_goes_back_to_own_pages_only() {
        let back = |path: &str| Fields(vec![("back".to_owned(), path.to_owned())]).back().to_owned();
        assert_eq!(back("/archives/C1?x=1"), "/archives/C1?x=1");
        for foreign in
            ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nb", ""]
        {
            assert_eq!(back(foreign), "/", "{foreign:?}");
        }
    }
}
