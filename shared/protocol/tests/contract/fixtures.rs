//! The published bodies in `events/slack`: every file is read, and is what its folder and name say.

use crate::wire::{FORM, JSON, inbound, payload_form};
use bytes::Bytes;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use tack_protocol::payload::Payload;
use tack_protocol::{EnvelopeKind, Inbound};

/// One file below `events/slack`.
pub(crate) struct Fixture {
    /// `event`, `interactive`, `options` or `command`.
    pub(crate) folder: String,
    /// The file's name up to the first hyphen, which is Slack's `type`.
    pub(crate) kind: String,
    /// Path below `events/slack`, for messages.
    pub(crate) name: String,
    /// The file as it is.
    pub(crate) text: String,
}

impl Fixture {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Content type and body as Slack sends them.
    pub(crate) fn on_the_wire(&self) -> (&'static str, Bytes) {
        match self.folder.as_str() {
            "event" => (JSON, self.text.clone().into()),
            "command" => (FORM, self.text.clone().into()),
            _ => (FORM, payload_form(&self.json()).into()),
        }
    }
}

/// All of them, in order of name.
pub(crate) fn all() -> Vec<Fixture> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/slack");
    let entries = |folder: &Path| -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = fs::read_dir(folder)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        paths
    };
    let name = |path: &Path| path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    entries(&root)
        .iter()
        .filter(|folder| folder.is_dir())
        .flat_map(|folder| entries(folder).into_iter().map(|file| (name(folder), file)))
        .map(|(folder, file)| {
            let file_name = name(&file);
            let stem = file_name.split('.').next().unwrap_or_default();
            Fixture {
                kind: stem.split('-').next().unwrap_or_default().to_owned(),
                name: format!("{folder}/{file_name}"),
                text: fs::read_to_string(&file).expect("a text file"),
                folder,
            }
        })
        .collect()
}

/// The file of this name.
pub(crate) fn json(name: &str) -> Value {
    all().iter().find(|fixture| fixture.name == name).unwrap_or_else(|| panic!("no {name}")).json()
}

#[test]
fn every_file_is_what_its_folder_and_its_name_say() {
    let fixtures = all();
    assert!(fixtures.len() >= 30, "{}", fixtures.len());
    for fixture in fixtures {
        let Fixture { folder, kind, name, .. } = &fixture;
        let (content_type, body) = fixture.on_the_wire();
        let envelope = match inbound(content_type, body.clone()) {
            Inbound::Envelope(envelope) => envelope,
            Inbound::UrlVerification { challenge } => {
                assert_eq!(
                    (kind.as_str(), fixture.json()["challenge"].as_str()),
                    ("url_verification", Some(challenge.as_str())),
                    "{name}"
                );
                continue;
            }
            Inbound::AppRateLimited { app, team, minute } => {
                assert_eq!(kind, "app_rate_limited", "{name}");
                let root = fixture.json();
                assert_eq!(app.map(|id| id.to_string()).as_deref(), root["api_app_id"].as_str());
                assert_eq!(team.map(|id| id.to_string()).as_deref(), root["team_id"].as_str());
                assert_eq!(minute.map(|at| at.0), root["minute_rate_limited"].as_u64());
                continue;
            }
            Inbound::SslCheck => {
                assert_eq!(kind, "ssl_check", "{name}");
                continue;
            }
        };
        assert_eq!(envelope.body, body, "{name}");
        assert_eq!(envelope.content_type, content_type, "{name}");
        let expected = match folder.as_str() {
            "event" => EnvelopeKind::EventsApi,
            "command" => EnvelopeKind::SlashCommands,
            "interactive" | "options" => EnvelopeKind::Interactive,
            other => panic!("a folder nobody knows: {other}"),
        };
        assert_eq!(envelope.kind, expected, "{name}");
        let payload = &envelope.payload;
        if folder == "command" {
            assert!(
                matches!(payload, Payload::SlashCommand(command) if command.command == format!("/{kind}")),
                "{name}"
            );
            continue;
        }
        let root = fixture.json();
        let seen_by_listeners = if folder == "event" { &root["event"] } else { &root };
        assert_eq!(payload.raw(), seen_by_listeners, "{name}");
        assert_eq!(Some(payload.kind()), seen_by_listeners["type"].as_str(), "{name}");
        assert!(kind == "unknown" || payload.kind() == kind, "{name}");
        let typed = match payload {
            Payload::Event(_) => folder == "event",
            Payload::BlockActions(_) => kind == "block_actions",
            Payload::BlockSuggestion(_) => kind == "block_suggestion",
            Payload::ViewSubmission(_) => kind == "view_submission",
            Payload::ViewClosed(_) => kind == "view_closed",
            Payload::Shortcut(_) => kind == "shortcut",
            Payload::MessageShortcut(_) => kind == "message_action",
            Payload::SlashCommand(_) => false,
            // Legacy kinds and news have no type of their own.
            Payload::Unknown(_) => [
                "unknown",
                "dialog_submission",
                "dialog_suggestion",
                "dialog_cancellation",
                "interactive_message",
                "workflow_step_edit",
            ]
            .contains(&kind.as_str()),
        };
        assert!(typed, "{name}: {payload:?}");
    }
}

#[test]
fn every_file_names_its_app_and_its_workspace_or_organisation() {
    for fixture in all() {
        let (content_type, body) = fixture.on_the_wire();
        let Inbound::Envelope(envelope) = inbound(content_type, body) else {
            continue;
        };
        let tenant = &envelope.tenant;
        assert!(tenant.team.is_some() || tenant.enterprise.is_some(), "{}: {tenant:?}", fixture.name);
        // Shortcuts and legacy interactions carry no app id.
        let without_app = [
            "shortcut",
            "message_action",
            "dialog_submission",
            "dialog_suggestion",
            "interactive_message",
            "workflow_step_edit",
        ];
        if !without_app.contains(&fixture.kind.as_str()) {
            assert!(envelope.app.is_some(), "{}", fixture.name);
        }
    }
}
