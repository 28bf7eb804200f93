//! The pages' own files, compiled in: two style sheets and one script.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

const STYLES: &str = concat!(
    include_str!("../../assets/frame.css"),
    include_str!("../../assets/slack.css"),
    include_str!("../../assets/block_kit.css"),
    include_str!("../../assets/console.css"),
);
const SCRIPT: &str = include_str!("../../assets/tack.js");
const ICON: &str = include_str!("../../assets/icon.svg");

/// What browsers ask for by themselves.
pub(super) async fn icon() -> Response {
    asset(Path("icon.svg".to_owned())).await
}

/// Answers with an asset. A rebuilt `tack` may bring another, so browsers ask each time.
pub(super) async fn asset(Path(name): Path<String>) -> Response {
    let (content_type, body) = match name.as_str() {
        "tack.css" => ("text/css; charset=utf-8", STYLES),
        "tack.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return (StatusCode::NOT_FOUND, "there is no such file").into_response(),
    };
    ([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-cache")], body).into_response()
}
