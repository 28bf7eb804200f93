//! A folder of a test, removed at its end.

use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("tack-reload-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&folder).unwrap();
        // Where the temporary folder is a link, cargo says where it leads.
        Self(folder.canonicalize().unwrap())
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.0.join(inside)
    }

    /// Writes a file, and the folders it is in.
    pub(crate) fn write(&self, inside: &str, text: &str) -> PathBuf {
        let path = self.path(inside);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Writes a program. Another process does it: a process that another test starts meanwhile could inherit our open file, and a program that is
    /// open for writing does not start.
    pub(crate) fn write_program(&self, inside: &str, text: &str) -> PathBuf {
        let (draft, path) = (self.write(&format!("{inside}.draft"), text), self.path(inside));
        let installed = Command::new("install").args(["-m", "755"]).args([&draft, &path]).status().unwrap();
        assert!(installed.success());
        std::fs::remove_file(draft).unwrap();
        path
    }

    pub(crate) fn as_path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
