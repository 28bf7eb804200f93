//! A strict reader of the HTML that this module writes, for tests. It knows nothing of how the HTML is made, and takes only what
//! cannot be read in two ways: quoted attributes, the entities of `& < > "`, tags that end in order.

/// A piece of HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Open(String, Vec<(String, String)>),
    Close(String),
    Text(String),
}

const VOID: [&str; 4] = ["br", "hr", "img", "input"];

/// The pieces of `html`.
///
/// # Errors
/// What a browser might read in another way, with its place.
pub(super) fn scan(html: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = html;
    while !rest.is_empty() {
        let at = html.len() - rest.len();
        let text_end = rest.find('<').unwrap_or(rest.len());
        if text_end > 0 {
            pieces.push(Piece::Text(decoded(&rest[..text_end]).map_err(|error| format!("{error} at {at}"))?));
            rest = &rest[text_end..];
            continue;
        }
        if let Some(after) = rest.strip_prefix("</") {
            let (name, after) = after.split_once('>').ok_or_else(|| format!("end tag without end at {at}"))?;
            if open.pop().as_deref() != Some(name) {
                return Err(format!("</{name}> out of order at {at}"));
            }
            pieces.push(Piece::Close(name.to_owned()));
            rest = after;
            continue;
        }
        let (name, attributes, after) = tag(&rest[1..]).map_err(|error| format!("{error} at {at}"))?;
        if !VOID.contains(&name.as_str()) {
            open.push(name.clone());
        }
        pieces.push(Piece::Open(name, attributes));
        rest = after;
    }
    if open.is_empty() { Ok(pieces) } else { Err(format!("never closed: {open:?}")) }
}

type Tag<'a> = (String, Vec<(String, String)>, &'a str);

fn tag(text: &str) -> Result<Tag<'_>, String> {
    let end = name_end(text).ok_or("a tag without end")?;
    let (name, mut rest) = text.split_at(end);
    if !name.starts_with(|character: char| character.is_ascii_lowercase()) {
        return Err(format!("a bare < before {:?}", text.chars().take(10).collect::<String>()));
    }
    let mut attributes: Vec<(String, String)> = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix('>') {
            return Ok((name.to_owned(), attributes, after));
        }
        rest = rest.strip_prefix(' ').ok_or_else(|| format!("no space before an attribute of {name}"))?;
        let end = name_end(rest).ok_or("an attribute without end")?;
        let attribute = &rest[..end];
        rest = &rest[end..];
        if attribute.is_empty() || attributes.iter().any(|(known, _)| known == attribute) {
            return Err(format!("attribute {attribute:?} of {name} is empty or there twice"));
        }
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix("=\"") {
            let (raw, after) = after.split_once('"').ok_or("an attribute without its closing quote")?;
            value = decoded(raw)?;
            rest = after;
        }
        attributes.push((attribute.to_owned(), value));
    }
}

fn name_end(text: &str) -> Option<usize> {
    text.bytes().position(|byte| !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'))
}

/// `text` with its entities decoded; nothing that needs one may stand bare.
fn decoded(text: &str) -> Result<String, String> {
    // One search for each, since a search for one character is quick even without optimisation.
    if text.contains('<') || text.contains('>') || text.contains('"') {
        return Err(format!("a bare character in {text:?}"));
    }
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let known = [("amp;", '&'), ("lt;", '<'), ("gt;", '>'), ("quot;", '"')];
        let (entity, character) =
            known.into_iter().find(|(entity, _)| after.starts_with(entity)).ok_or("an unknown entity")?;
        plain.push(character);
        rest = &after[entity.len()..];
    }
    plain.push_str(rest);
    Ok(plain)
}

/// The text a reader sees, without tags.
pub(super) fn text_of(html: &str) -> String {
    let pieces = scan(html).unwrap();
    pieces.iter().map(|piece| if let Piece::Text(text) = piece { text.as_str() } else { "" }).collect()
}

/// The values of `attribute` on all tags called `name`.
pub(super) fn attributes_of(html: &str, name: &str, attribute: &str) -> Vec<String> {
    let mut found = Vec::new();
    for piece in scan(html).unwrap() {
        if let Piece::Open(tag, attributes) = piece
            && tag == name
        {
            found.extend(attributes.into_iter().filter(|(known, _)| known == attribute).map(|(_, value)| value));
        }
    }
    found
}

mod tests {
    use super::*;

    #[test]
    fn the_reader_takes_what_is_certain() {
        let open = |name: &str, attributes: &[(&str, &str)]| {
            let owned = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            Piece::Open(name.to_owned(), owned.collect())
        };
        assert_eq!(
            scan("<p class=\"a&quot;\" hidden>x &lt;b&gt;<br></p>").unwrap(),
            [
                open("p", &[("class", "a\""), ("hidden", "")]),
                Piece::Text("x <b>".to_owned()),
                open("br", &[]),
                Piece::Close("p".to_owned()),
            ]
        );
    }

    #[test]
    fn the_reader_refuses_what_is_not() {
        for html in [
            "<p",
            "<p>",
            "</p>",
            "<p></b>",
            "a < b",
            "a > b",
            "<p class=a></p>",
            "<p class='a'></p>",
            "<p/>",
            "<!-- -->",
            "<P></P>",
            "&nbsp;",
            "<p a=\"1\" a=\"2\"></p>",
            "<p a=\"1\"b=\"2\"></p>",
            "<b><i></b></i>",
            "a & b",
        ] {
            assert!(scan(html).is_err(), "{html}");
        }
    }
}
