//! Stores as the packages named in the readers' sources write them; `.ci/bolt/run` has the packages themselves write theirs.

use super::{Import, Imported, Source, read};
use crate::cli::exit::Exit;
use crate::cli::tests::Folder;
use secrecy::ExposeSecret;
use std::path::PathBuf;
use tack_app::install::{InstallKey, Scopes, UserGrant};
use tack_app::protocol::EpochMs;

fn write(folder: &Folder, path: &str, text: &str) {
    let path: PathBuf = folder.path(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn one<'a>(import: &'a Import, id: &str) -> &'a Imported {
    let key = InstallKey::parse(id).unwrap();
    import.installations.iter().find(|imported| imported.key == key).unwrap_or_else(|| panic!("{id} in {import:?}"))
}

fn ids(import: &Import) -> Vec<&str> {
    import.installations.iter().map(|imported| imported.key.id()).collect()
}

fn bot(imported: &Imported) -> Option<&str> {
    imported.token.as_ref().map(|token| token.access.expose_secret())
}

fn users<'a>(imported: &'a Imported) -> Vec<(&'a str, &'a str)> {
    let token = |grant: &'a UserGrant| grant.token.as_ref().unwrap().access.expose_secret();
    imported.users.iter().map(|grant| (grant.user.as_str(), token(grant))).collect()
}

const PYTHON_BOT: &str = r#"{"app_id": "A0TACK001", "enterprise_id": null, "enterprise_name": null, "team_id": "T0ACME001", "team_name": "Acme Local", "bot_token": "xoxb-acme", "bot_id": "B0TACK001", "bot_user_id": "U0TACKBOT", "bot_scopes": ["chat:write", "commands"], "bot_refresh_token": null, "bot_token_expires_at": null, "is_enterprise_install": false, "installed_at": 1795433555.0, "custom_values": {}}"#;

/// As `FileInstallationStore.save` writes it, of a person.
fn python_installer(user: &str, token: &str, at: &str) -> String {
    format!(
        r##"{{"app_id": "A0TACK001", "enterprise_id": null, "enterprise_name": null, "enterprise_url": null, "team_id": "T0ACME001", "team_name": "Acme Local", "bot_token": "xoxb-of-that-time", "bot_id": "B0TACK001", "bot_user_id": "U0TACKBOT", "bot_scopes": ["chat:write", "commands"], "bot_refresh_token": null, "bot_token_expires_at": null, "user_id": "{user}", "user_token": {token}, "user_scopes": ["search:read"], "user_refresh_token": null, "user_token_expires_at": null, "incoming_webhook_url": "https://hooks.slack.com/services/T0/B0/secret", "incoming_webhook_channel": "#general", "incoming_webhook_channel_id": "C0GENERAL", "incoming_webhook_configuration_url": null, "is_enterprise_install": false, "token_type": "bot", "installed_at": {at}, "custom_values": {{}}}}"##
    )
}

#[test]
fn a_folder_of_bolt_for_python_gives_the_newest_bot_and_every_person() {
    let folder = Folder::new();
    write(&folder, "none-T0ACME001/bot-latest", PYTHON_BOT);
    write(&folder, "none-T0ACME001/bot-1795217555.0", "history is not read");
    let (ada, grace) = (
        python_installer("U0ADA0001", r#""xoxp-ada""#, "1795433555.0"),
        python_installer("U0GRACE01", r#""xoxp-grace""#, "1795397555.0"),
    );
    write(&folder, "none-T0ACME001/installer-latest", &ada);
    write(&folder, "none-T0ACME001/installer-U0ADA0001-latest", &ada);
    write(&folder, "none-T0ACME001/installer-U0ADA0001-1795433555.0", &ada);
    write(&folder, "none-T0ACME001/installer-U0GRACE01-latest", &grace);
    let import = read(Source::BoltFile, &folder.path(""), None).unwrap();
    assert_eq!(ids(&import), ["T0ACME001"]);
    let acme = one(&import, "T0ACME001");
    assert_eq!(bot(acme), Some("xoxb-acme"), "a renewal writes the bot's file, and no person's");
    assert_eq!(users(acme), [("U0ADA0001", "xoxp-ada"), ("U0GRACE01", "xoxp-grace")]);
    let shown = &acme.installation;
    assert_eq!(shown.installed_at, EpochMs(1_795_433_555_000));
    assert_eq!(shown.installer.as_str(), "U0ADA0001");
    assert_eq!(shown.bot_user.as_ref().unwrap().as_str(), "U0TACKBOT");
    assert_eq!(shown.scopes, Scopes::parse("chat:write,commands"));
    assert_eq!(shown.team_name.as_deref(), Some("Acme Local"));
    assert_eq!(shown.webhook.as_ref().unwrap().channel, "#general");
    assert!(acme.webhook_url.is_some() && import.warnings.is_empty(), "{import:?}");
}

#[test]
fn what_was_deleted_or_revoked_stays_out() {
    let folder = Folder::new();
    let ada = python_installer("U0ADA0001", r#""xoxp-revoked""#, "1795433555.0");
    // `delete_bot` and `delete_installation(user_id=…)` leave a copy of both tokens in here.
    write(&folder, "none-T0ACME001/installer-latest", &ada);
    std::fs::create_dir_all(folder.path("none-T0GONE001")).unwrap();
    let import = read(Source::BoltFile, &folder.path(""), None).unwrap();
    assert_eq!(ids(&import), [""; 0], "{import:?}");
    // With the bot still there, it is an installation without people.
    write(&folder, "none-T0ACME001/bot-latest", PYTHON_BOT);
    let import = read(Source::BoltFile, &folder.path(""), None).unwrap();
    assert_eq!(users(one(&import, "T0ACME001")), [("", ""); 0]);
}

#[test]
fn an_org_wide_row_is_kept_under_its_organisation_also_as_an_object_of_s3() {
    let folder = Folder::new();
    let org = PYTHON_BOT
        .replace(r#""enterprise_id": null"#, r#""enterprise_id": "E0HOOLI01""#)
        .replace(r#""team_id": "T0ACME001""#, r#""team_id": null"#)
        .replace(r#""is_enterprise_install": false"#, r#""is_enterprise_install": true"#);
    write(&folder, "1234567890.1234567890/E0HOOLI01-none/bot-latest", &org);
    let import = read(Source::BoltS3, &folder.path(""), None).unwrap();
    let hooli = one(&import, "E0HOOLI01");
    assert!(hooli.installation.is_enterprise_install());
    assert_eq!(hooli.installation.installer.as_str(), "U0TACKBOT", "nobody else is known");
    assert!(import.warnings.iter().any(|warning| warning.contains("who installed it")), "{import:?}");
}

#[test]
fn a_renewed_token_is_newer_than_its_installation_and_warned_of() {
    let folder = Folder::new();
    let rotating = PYTHON_BOT
        .replace(r#""bot_refresh_token": null"#, r#""bot_refresh_token": "xoxe-1-once""#)
        .replace(r#""bot_token_expires_at": null"#, r#""bot_token_expires_at": 1795500000"#);
    write(&folder, "none-T0ACME001/bot-latest", &rotating);
    let import = read(Source::BoltFile, &folder.path(""), None).unwrap();
    let acme = one(&import, "T0ACME001");
    let token = acme.token.as_ref().unwrap();
    assert_eq!(token.expires_at, Some(EpochMs(1_795_500_000_000)));
    assert_eq!(acme.installation.expires_at, token.expires_at);
    assert_eq!(token.refresh.as_ref().unwrap().expose_secret(), "xoxe-1-once");
    // 12 hours before it expires.
    assert_eq!(acme.installation.installed_at, EpochMs(1_795_456_800_000));
    assert!(import.warnings[0].contains("the old app must stop before this import"), "{import:?}");
}

/// As `FileInstallationStore.storeInstallation` writes it.
const JAVASCRIPT: &str = r##"{"team":{"id":"T0ACME001","name":"Acme Local"},"user":{"token":"xoxp-ada","scopes":["search:read"],"id":"U0ADA0001"},"bot":{"scopes":["chat:write","commands"],"token":"xoxb-acme","userId":"U0TACKBOT","id":"B0TACK001","refreshToken":"xoxe-1-once","expiresAt":1795500000},"incomingWebhook":{"url":"https://hooks.slack.com/services/T0/B0/secret","channel":"#general","channelId":"C0GENERAL","configurationUrl":"https://acme.slack.com/services/B0"},"tokenType":"bot","isEnterpriseInstall":false,"appId":"A0TACK001","authVersion":"v2"}"##;

#[test]
fn a_folder_of_bolt_for_javascript_is_found_beside_its_base_too() {
    let folder = Folder::new();
    let org = r#"{"enterprise":{"id":"E0HOOLI01","name":"Hooli"},"user":{"id":"U0GAVIN01"},"bot":{"scopes":["commands"],"token":"xoxb-hooli","userId":"U0TACKHOO","id":"B1"},"isEnterpriseInstall":true,"appId":"A0TACK001","authVersion":"v2"}"#;
    write(&folder, "storeT0ACME001/app-latest", JAVASCRIPT);
    write(&folder, "storeT0ACME001/app-1795433555123", JAVASCRIPT);
    write(&folder, "storeT0ACME001/user-U0ADA0001-latest", JAVASCRIPT);
    write(&folder, "store-of-others/app-latest", "not ours, not read");
    write(&folder, "store/E0HOOLI01/app-latest", org);
    write(&folder, "store/E0HOOLI01/app-1795433555124", org);
    let import = read(Source::BoltFile, &folder.path("store"), None).unwrap();
    assert_eq!(ids(&import), ["T0ACME001", "E0HOOLI01"]);
    let acme = one(&import, "T0ACME001");
    assert_eq!((bot(acme), users(acme)), (Some("xoxb-acme"), vec![("U0ADA0001", "xoxp-ada")]));
    assert_eq!(acme.installation.installed_at, EpochMs(1_795_456_800_000), "the token is newer than the file's name");
    assert_eq!(acme.installation.webhook.as_ref().unwrap().channel_id.as_str(), "C0GENERAL");
    let hooli = one(&import, "E0HOOLI01");
    assert_eq!(hooli.installation.installed_at, EpochMs(1_795_433_555_124));
    assert_eq!(hooli.installation.enterprise_name.as_deref(), Some("Hooli"));
}

#[test]
fn a_persons_token_that_was_deleted_in_javascript_is_not_taken_from_its_neighbour() {
    let folder = Folder::new();
    write(&folder, "b/E0HOOLI01-T0ACME001/app-latest", JAVASCRIPT);
    let import = read(Source::BoltFile, &folder.path("b"), None).unwrap();
    assert_eq!(users(one(&import, "T0ACME001")), [("", ""); 0]);
}

#[test]
fn of_the_former_oauth_nothing_is_taken_and_it_is_said() {
    let folder = Folder::new();
    write(&folder, "b/T0ACME001/app-latest", &JAVASCRIPT.replace(r#""v2""#, r#""v1""#));
    write(&folder, "b/T0GLOBEX1/app-latest", &JAVASCRIPT.replace("T0ACME001", "T0GLOBEX1"));
    let import = read(Source::BoltFile, &folder.path("b"), None).unwrap();
    assert_eq!(ids(&import), ["T0GLOBEX1"]);
    assert!(import.warnings.iter().any(|warning| warning.contains("former OAuth")), "{import:?}");
}

#[test]
fn of_several_apps_the_client_id_says_which_is_meant() {
    let folder = Folder::new();
    write(&folder, "111.111/none-T0ACME001/bot-latest", PYTHON_BOT);
    write(&folder, "222.222T0ACME001/app-latest", &JAVASCRIPT.replace("xoxb-acme", "xoxb-other"));
    let failure = read(Source::BoltFile, &folder.path(""), None).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
    assert!(failure.message.contains("111.111, 222.222"), "{}", failure.message);
    let token = |client| {
        let import = read(Source::BoltFile, &folder.path(""), Some(client)).unwrap();
        bot(one(&import, "T0ACME001")).unwrap().to_owned()
    };
    assert_eq!((token("111.111").as_str(), token("222.222").as_str()), ("xoxb-acme", "xoxb-other"));
    assert_eq!(read(Source::BoltFile, &folder.path(""), Some("333.333")).unwrap_err().exit, Exit::NotFound);
}

/// The columns of `SQLAlchemyInstallationStore`, as SQLite declares them.
const TABLES: &str = "
    CREATE TABLE slack_bots (id INTEGER NOT NULL PRIMARY KEY, client_id VARCHAR(32) NOT NULL, app_id VARCHAR(32) NOT NULL,
        enterprise_id VARCHAR(32), enterprise_name VARCHAR(200), team_id VARCHAR(32), team_name VARCHAR(200), bot_token VARCHAR(200),
        bot_id VARCHAR(32), bot_user_id VARCHAR(32), bot_scopes VARCHAR(1000), bot_refresh_token VARCHAR(200),
        bot_token_expires_at DATETIME, is_enterprise_install BOOLEAN NOT NULL, installed_at DATETIME NOT NULL);
    CREATE TABLE slack_installations (id INTEGER NOT NULL PRIMARY KEY, client_id VARCHAR(32) NOT NULL, app_id VARCHAR(32) NOT NULL,
        enterprise_id VARCHAR(32), enterprise_name VARCHAR(200), enterprise_url VARCHAR(200), team_id VARCHAR(32), team_name VARCHAR(200),
        bot_token VARCHAR(200), bot_id VARCHAR(32), bot_user_id VARCHAR(32), bot_scopes VARCHAR(1000), bot_refresh_token VARCHAR(200),
        bot_token_expires_at DATETIME, user_id VARCHAR(32) NOT NULL, user_token VARCHAR(200), user_scopes VARCHAR(1000),
        user_refresh_token VARCHAR(200), user_token_expires_at DATETIME, incoming_webhook_url VARCHAR(200),
        incoming_webhook_channel VARCHAR(200), incoming_webhook_channel_id VARCHAR(200), incoming_webhook_configuration_url VARCHAR(200),
        is_enterprise_install BOOLEAN NOT NULL, token_type VARCHAR(32), installed_at DATETIME NOT NULL);
    INSERT INTO slack_bots VALUES
        (1, '1.1', 'A0TACK001', NULL, NULL, 'T0ACME001', 'Acme', 'xoxb-first', 'B1', 'U0TACKBOT', 'commands', 'xoxe-1-first', '2026-11-21 00:00:00.000000', 0, '2026-11-20 12:00:00.000000'),
        (2, '1.1', 'A0TACK001', NULL, NULL, 'T0ACME001', 'Acme', 'xoxb-renewed', 'B1', 'U0TACKBOT', 'chat:write,commands', 'xoxe-1-renewed', '2026-11-25 00:00:00.000000', 0, '2026-11-22 12:00:00.000000'),
        (3, '1.1', 'A0TACK001', NULL, NULL, 'T0ACME001', 'Acme', NULL, NULL, NULL, NULL, NULL, NULL, 0, '2026-11-23 12:00:00.000000'),
        (4, '1.1', 'A0TACK001', 'E0HOOLI01', 'Hooli', '', NULL, 'xoxb-hooli', 'B2', 'U0TACKHOO', 'commands', NULL, NULL, 1, '2026-11-21 12:00:00'),
        (5, '2.2', 'A0OTHER01', NULL, NULL, 'T0ACME001', 'Acme', 'xoxb-other-app', 'B3', 'U0OTHER01', 'commands', NULL, NULL, 0, '2026-11-21 12:00:00');
    INSERT INTO slack_installations VALUES
        (1, '1.1', 'A0TACK001', NULL, NULL, NULL, 'T0ACME001', 'Acme', 'xoxb-first', 'B1', 'U0TACKBOT', 'commands', NULL, NULL, 'U0ADA0001', 'xoxp-first', 'search:read', NULL, NULL, NULL, NULL, NULL, NULL, 0, 'bot', '2026-11-20 12:00:00.000000'),
        (2, '1.1', 'A0TACK001', NULL, NULL, NULL, 'T0ACME001', 'Acme', 'xoxb-first', 'B1', 'U0TACKBOT', 'commands', NULL, NULL, 'U0ADA0001', 'xoxp-ada', 'search:read', NULL, NULL, 'https://hooks.slack.com/services/T0/B0/secret', '#general', 'C0GENERAL', NULL, 0, 'bot', '2026-11-22 12:00:00.000000'),
        (3, '1.1', 'A0TACK001', NULL, NULL, NULL, 'T0ONLYUSR', 'Only', NULL, NULL, NULL, NULL, NULL, NULL, 'U0GRACE01', 'xoxp-grace', 'search:read', NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, '2026-11-22 12:00:00.000000');
";

fn database(folder: &Folder, statements: &str) -> PathBuf {
    let path = folder.path("bolt.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch(statements).unwrap();
    path
}

#[test]
fn of_the_rows_in_a_database_the_newest_token_of_each_holder_is_taken() {
    let folder = Folder::new();
    let path = database(&folder, TABLES);
    let before = std::fs::read(&path).unwrap();
    let import = read(Source::BoltSqlalchemy, &path, Some("1.1")).unwrap();
    assert_eq!(ids(&import), ["T0ACME001", "T0ONLYUSR", "E0HOOLI01"]);
    let acme = one(&import, "T0ACME001");
    assert_eq!((bot(acme), users(acme)), (Some("xoxb-renewed"), vec![("U0ADA0001", "xoxp-ada")]));
    assert_eq!(acme.installation.scopes, Scopes::parse("chat:write,commands"));
    // `date -u -d '2026-11-24 12:00' +%s`: 12 hours before it expires.
    assert_eq!(acme.installation.installed_at, EpochMs(1_795_521_600_000));
    assert!(acme.webhook_url.is_some());
    assert!(one(&import, "E0HOOLI01").installation.is_enterprise_install(), "an empty team is none");
    let only = one(&import, "T0ONLYUSR");
    assert_eq!((bot(only), users(only)), (None, vec![("U0GRACE01", "xoxp-grace")]));
    assert!(
        import.warnings.iter().any(|warning| warning.starts_with("T0ACME001: 2 older rows left out")),
        "{import:?}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before, "it was read only");
    assert_eq!(read(Source::BoltSqlalchemy, &path, None).unwrap_err().code, "ambiguous");
}

#[test]
fn other_names_of_the_tables_are_found_by_their_columns() {
    let folder = Folder::new();
    let path = database(&folder, &TABLES.replace("slack_", "my_"));
    assert_eq!(ids(&read(Source::BoltSqlalchemy, &path, Some("1.1")).unwrap()).len(), 3);
    let nothing = folder.write("other.db", "");
    assert_eq!(read(Source::BoltSqlalchemy, &nothing, None).unwrap_err().code, "unreadable");
    assert_eq!(read(Source::BoltSqlalchemy, &folder.path("none.db"), None).unwrap_err().exit, Exit::NotFound);
}

#[test]
fn a_dump_of_another_database_is_read_as_the_tables() {
    let folder = Folder::new();
    // As `psql -At -c 'select row_to_json(t) from slack_bots t'` prints a row.
    folder.write("slack_bots.jsonl", r#"{"id":1,"client_id":"1.1","app_id":"A0TACK001","enterprise_id":null,"enterprise_name":null,"team_id":"T0ACME001","team_name":"Acme","bot_token":"xoxb-acme","bot_id":"B1","bot_user_id":"U0TACKBOT","bot_scopes":"commands","bot_refresh_token":null,"bot_token_expires_at":null,"is_enterprise_install":false,"installed_at":"2026-11-22T12:00:00.25"}"#);
    folder.write("slack_installations.jsonl", "\n");
    let import = read(Source::BoltSqlalchemy, &folder.path(""), None).unwrap();
    assert_eq!(bot(one(&import, "T0ACME001")), Some("xoxb-acme"));
    // `date -u -d '2026-11-22 12:00' +%s`
    assert_eq!(one(&import, "T0ACME001").installation.installed_at, EpochMs(1_795_348_800_250));
}

const PLAIN: &str = r##"{"app":"A0TACK001","team":"T0ACME001","team_name":"Acme","installer":"U0ADA0001","installed_at":"2026-11-22T12:00:00Z","bot":{"user":"U0TACKBOT","scopes":"chat:write,commands","token":"xoxb-acme"},"users":[{"user":"U0ADA0001","scopes":["search:read"],"token":"xoxp-ada"}],"webhook":{"url":"https://hooks.slack.com/services/T0/B0/secret","channel":"#general","channel_id":"C0GENERAL"}}"##;

#[test]
fn the_plain_format_says_all_there_is() {
    let folder = Folder::new();
    let path = folder.write("installs.jsonl", &format!("{PLAIN}\n\n{}\n", PLAIN.replace("T0ACME001", "T0GLOBEX1")));
    let import = read(Source::Jsonl, &path, None).unwrap();
    assert_eq!(ids(&import), ["T0ACME001", "T0GLOBEX1"]);
    let acme = one(&import, "T0ACME001");
    assert_eq!((bot(acme), users(acme)), (Some("xoxb-acme"), vec![("U0ADA0001", "xoxp-ada")]));
    assert!(acme.webhook_url.is_some() && import.warnings.is_empty(), "{import:?}");
}

#[test]
fn the_documents_example_of_the_plain_format_is_one() {
    let document = include_str!("../../../../../../docs/from-bolt.md");
    let example = document.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = Folder::new();
    let path = folder.write("installs.jsonl", &example.replace('\n', ""));
    let import = read(Source::Jsonl, &path, None).unwrap();
    let one = one(&import, "T0123ABC");
    assert!(bot(one).is_some() && users(one).len() == 1 && one.webhook_url.is_some(), "{import:?}");
}

#[test]
fn of_two_lines_about_one_workspace_the_newer_wins_and_it_is_said() {
    let folder = Folder::new();
    let newer = PLAIN.replace("11-22", "11-23").replace("xoxb-acme", "xoxb-newer");
    let path = folder.write("installs.jsonl", &format!("{newer}\n{PLAIN}\n"));
    let import = read(Source::Jsonl, &path, None).unwrap();
    assert_eq!(bot(one(&import, "T0ACME001")), Some("xoxb-newer"));
    assert!(import.warnings[0].starts_with("T0ACME001: 2 older rows left out"), "{import:?}");
}

#[test]
fn what_cannot_be_read_is_named_by_its_file_and_row_and_nothing_of_it_is_repeated() {
    let folder = Folder::new();
    let broken = [
        (PLAIN.replace("\"installer\"", "\"instaler\""), "a field that is none of"),
        (PLAIN.replace("\"U0ADA0001\",\"installed_at\"", "\"\",\"installed_at\""), "installer is missing"),
        (PLAIN.replace("2026-11-22T12:00:00Z", "yesterday"), "installed_at is no time"),
        (PLAIN.replace("\"T0ACME001\"", "\"xoxb-in-the-wrong-place\""), "is no id"),
        (PLAIN.replace("\"T0ACME001\"", "null"), "neither a workspace nor an organisation"),
        (PLAIN.replace("\"xoxb-acme\"", "[\"xoxb-acme\"]"), "token is no text"),
        ("xoxb-acme".to_owned(), "no JSON (line 1, column 1)"),
        ("[\"xoxb-acme\"]".to_owned(), "no JSON object"),
    ];
    for (line, problem) in broken {
        let path = folder.write("installs.jsonl", &format!("{}\n{line}\n", PLAIN.replace("T0ACME001", "T0GLOBEX1")));
        let failure = read(Source::Jsonl, &path, None).unwrap_err();
        assert!(
            failure.message.contains("installs.jsonl, line 2: ") && failure.message.contains(problem),
            "{failure:?}"
        );
        assert!(!failure.message.contains("xoxb"), "{failure:?}");
    }
    write(&folder, "b/none-T0ACME001/bot-latest", &PYTHON_BOT.replace("1795433555.0", "[]"));
    let failure = read(Source::BoltFile, &folder.path("b"), None).unwrap_err();
    assert!(failure.message.contains("none-T0ACME001/bot-latest: installed_at is no time"), "{failure:?}");
    let path = database(
        &folder,
        &TABLES
            .replace("0, '2026-11-22 12:00:00.000000'),\n        (3", "7, '2026-11-22 12:00:00.000000'),\n        (3"),
    );
    let failure = read(Source::BoltSqlalchemy, &path, None).unwrap_err();
    assert!(failure.message.contains("slack_bots, row 2: is_enterprise_install is neither"), "{failure:?}");
}

#[test]
fn a_store_without_an_installation_is_told_from_an_empty_one() {
    let folder = Folder::new();
    for path in ["", "nowhere"] {
        let failure = read(Source::BoltFile, &folder.path(path), None).unwrap_err();
        assert_eq!(failure.exit, Exit::NotFound, "{failure:?}");
    }
}

#[test]
fn nothing_of_an_import_prints_a_token() {
    let folder = Folder::new();
    let path = folder.write("installs.jsonl", PLAIN);
    let printed = format!("{:?}", read(Source::Jsonl, &path, None).unwrap());
    for secret in ["xoxb", "xoxp", "/services/"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
