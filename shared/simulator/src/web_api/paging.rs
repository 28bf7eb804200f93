//! Pages of a collection: `limit`, `cursor`, `next_cursor`. A cursor names the first item of the next page.
//! Source: <https://docs.slack.dev/apis/web-api/pagination/>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::args::Args;
use super::error::ApiError;

/// How a method pages.
pub(super) struct Paging {
    /// Items of a page nobody asked a size for.
    pub(super) usual: usize,
    /// Most items of a page.
    pub(super) most: usize,
    /// A limit beyond is refused, else it is cut.
    pub(super) is_strict: bool,
    /// What a cursor begins with: `user`, `next_ts`, …
    pub(super) word: &'static str,
}

impl Paging {
    /// The page of `items` that `args` ask for, and the cursor of the next; empty if there is none.
    pub(super) fn page<'a, T>(
        &self,
        args: &Args,
        items: &'a [T],
        key: impl Fn(&T) -> &str,
    ) -> Result<(&'a [T], String), ApiError> {
        let limit = self.limit(args)?;
        let first = match args.text("cursor") {
            "" => 0,
            cursor => {
                let at = self.read(cursor).and_then(|wanted| items.iter().position(|item| key(item) == wanted));
                at.ok_or("invalid_cursor")?
            }
        };
        let end = items.len().min(first + limit);
        let next = items.get(end).map(|next| STANDARD.encode(format!("{}:{}", self.word, key(next))));
        Ok((&items[first..end], next.unwrap_or_default()))
    }

    fn limit(&self, args: &Args) -> Result<usize, ApiError> {
        match args.word("limit").as_str() {
            "" | "0" => Ok(self.usual),
            limit => match limit.parse::<usize>() {
                Ok(limit) if limit <= self.most => Ok(limit),
                Ok(_) if !self.is_strict => Ok(self.most),
                _ => Err("invalid_limit".into()),
            },
        }
    }

    fn read(&self, cursor: &str) -> Option<String> {
        let cursor = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
        Some(cursor.strip_prefix(self.word)?.strip_prefix(':')?.to_owned())
    }
}
