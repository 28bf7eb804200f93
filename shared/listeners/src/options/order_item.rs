//! What can be ordered: the options of the modal's `external_select`, answered in the ingress while one types.

use tack_app::payload::BlockSuggestion;
use tack_app::{AckContext, AckError, OptionsReply};

/// Value and name of everything on offer.
const CATALOGUE: [(&str, &str); 6] = [
    ("coffee", "Coffee"),
    ("espresso", "Espresso"),
    ("tea-black", "Black tea"),
    ("tea-green", "Green tea"),
    ("cocoa", "Cocoa"),
    ("water", "Water"),
];

pub(crate) async fn search(_: &AckContext<'_>, wanted: &BlockSuggestion, (): &()) -> Result<OptionsReply, AckError> {
    Ok(OptionsReply::pairs(find(&wanted.value)))
}

/// The name behind a value.
pub(crate) fn name_of(value: &str) -> Option<&'static str> {
    CATALOGUE.iter().find(|(known, _)| *known == value).map(|(_, name)| *name)
}

/// Name and value of everything whose name holds what was typed.
fn find(typed: &str) -> Vec<(&'static str, &'static str)> {
    let typed = typed.trim().to_lowercase();
    let named = |(value, name): &(&'static str, &'static str)| (*name, *value);
    CATALOGUE.iter().filter(|(_, name)| name.to_lowercase().contains(&typed)).map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_narrows_the_list() {
        assert_eq!(find("TEA"), [("Black tea", "tea-black"), ("Green tea", "tea-green")]);
        assert_eq!(find("").len(), CATALOGUE.len());
        assert!(find("beer").is_empty());
    }
}
