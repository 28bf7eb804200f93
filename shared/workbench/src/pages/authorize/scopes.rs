//! Scopes in a person's words. Those that are not known stand for themselves: there are new ones every month.
//! Source: <https://docs.slack.dev/reference/scopes/>

/// What scopes allow, in the words for one who has never heard of them.
const WORDS: [(&str, &str); 27] = [
    ("app_mentions:read", "see messages that mention it"),
    ("assistant:write", "act as an assistant in its own threads"),
    ("bookmarks:read", "see bookmarks of channels"),
    ("channels:history", "read messages in public channels it was added to"),
    ("channels:join", "join public channels"),
    ("channels:manage", "make and change public channels"),
    ("channels:read", "see which public channels there are"),
    ("chat:write", "send messages under its own name"),
    ("chat:write.customize", "send messages under other names and pictures"),
    ("chat:write.public", "send messages to public channels it is not in"),
    ("commands", "add slash commands and shortcuts"),
    ("emoji:read", "see custom emoji"),
    ("files:read", "see files in conversations it was added to"),
    ("files:write", "upload, change and delete files"),
    ("groups:history", "read messages in private channels it was added to"),
    ("groups:read", "see private channels it was added to"),
    ("im:history", "read the direct messages it was added to"),
    ("im:read", "see the direct messages it was added to"),
    ("im:write", "begin direct messages with people"),
    ("incoming-webhook", "post into one channel of your choice by a URL"),
    ("links:read", "see links of its own domains in messages"),
    ("mpim:history", "read group direct messages it was added to"),
    ("reactions:read", "see reactions and who added them"),
    ("reactions:write", "add reactions, and remove its own"),
    ("team:read", "see the workspace's name and domain"),
    ("users:read", "see who is in the workspace"),
    ("users:read.email", "see people's email addresses"),
];

/// What a scope allows, if that is known.
pub(super) fn words(scope: &str) -> Option<&'static str> {
    WORDS.iter().find(|(known, _)| *known == scope).map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_of_the_starter_is_explained_and_foreign_ones_are_not_invented() {
        for scope in tack_simulator::Config::default().scopes {
            assert!(words(&scope).is_some(), "{scope}");
        }
        assert_eq!(words("teleport:write"), None);
    }
}
