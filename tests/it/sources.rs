//! The repository's files, as the architecture's tests look at them.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file of a crate, without its tests.
pub(crate) struct Source {
    /// From the repository's root, with `/`.
    pub(crate) path: String,
    /// The lines that are neither blank nor comment, up to the test module.
    pub(crate) code: Vec<String>,
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository").to_owned()
}

pub(crate) fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a folder, from the repository's root, in order.
pub(crate) fn files_below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let path = path.strip_prefix(root()).expect("below the root").to_string_lossy().replace('\\', "/");
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Every `src/**/*.rs` of the product, tests left out.
pub(crate) fn sources() -> Vec<Source> {
    let mut texts = Vec::new();
    for folder in ["shared", "functions"] {
        for path in files_below(folder) {
            if path.ends_with(".rs") && path.split('/').nth(2) == Some("src") {
                let text = read(&path);
                texts.push((path, text.replace("#[cfg(test)]\npub(crate) mod ", TEST_MODULE)));
            }
        }
    }
    let of_tests: Vec<String> = texts.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    let is_product = |path: &str| {
        let module = path.trim_end_matches(".rs");
        !of_tests.iter().any(|tests| module == tests || module.starts_with(&format!("{tests}/")))
    };
    let product = texts.into_iter().filter(|(path, _)| is_product(path));
    let sources: Vec<Source> = product.map(|(path, text)| Source { code: code(&text), path }).collect();
    assert!(sources.len() > 50, "the sources were not found");
    sources
}

const TEST_MODULE: &str = "#[cfg(test)]\nmod ";

/// The modules, as paths without an ending, that this file declares for its tests.
fn test_modules(path: &str, text: &str) -> Vec<String> {
    let folder = ["/mod.rs", "/lib.rs", "/main.rs"].iter().find_map(|name| path.strip_suffix(name));
    let folder = folder.unwrap_or_else(|| path.trim_end_matches(".rs"));
    let names = text.split(TEST_MODULE).skip(1).filter_map(|rest| rest.lines().next()?.strip_suffix(';'));
    names.map(|name| format!("{folder}/{name}")).collect()
}

/// The lines of code up to the test module. One that is a file of its own is only a line, with more code below it.
fn code(text: &str) -> Vec<String> {
    let is_declaration = |part: &str| part.lines().next().is_some_and(|line| line.ends_with(';'));
    let mut parts = text.split(TEST_MODULE);
    let first = parts.next().unwrap_or_default();
    let product = std::iter::once(first).chain(parts.take_while(|part| is_declaration(part)));
    let lines = product.flat_map(str::lines);
    lines.filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//")).map(str::to_owned).collect()
}

/// `path: line` of every line of code that holds one of these words, outside the files that may.
pub(crate) fn uses(words: &[&str], allowed: &[(&str, &str)]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources() {
        if allowed.iter().any(|(path, _)| source.path.starts_with(path)) {
            continue;
        }
        for line in source.code.iter().filter(|line| words.iter().any(|word| line.contains(word))) {
            found.push(format!("{}: {}", source.path, line.trim()));
        }
    }
    found
}
