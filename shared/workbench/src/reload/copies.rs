//! The executables that functions are started from: cargo replaces its own, while processes of an older build must still be startable.
//! Not here: which build serves ([`super::cycle`]).
//! Invariant: a kept executable does not change; what a `tack` kept is gone after its end, or when the next one starts.
//!
//! ```text
//! target/debug/tack-builds/.lock            held while folders are made and cleared
//! target/debug/tack-builds/PID/lock         held by the `tack` that the folder belongs to
//! target/debug/tack-builds/PID/2/tack       build 2: a hard link, since cargo removes its own before it writes a new one
//! ```

use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

/// The executables of this `tack`. Clones share them; with the last one they are removed.
#[derive(Clone)]
pub(crate) struct Copies(Rc<Inner>);

struct Inner {
    folder: PathBuf,
    bin: OsString,
    /// As long as it is open, others know that this folder is in use.
    _lock: File,
}

/// Tells one executable from another that cargo put in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    inode: u64,
    len: u64,
    modified: Option<SystemTime>,
}

impl Identity {
    pub(super) fn of(exe: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(exe)?;
        Ok(Self { inode: metadata.ino(), len: metadata.len(), modified: metadata.modified().ok() })
    }
}

impl Copies {
    /// Makes a folder beside `exe`, and removes those of a `tack` that is no more.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(crate) fn open(exe: &Path) -> io::Result<Self> {
        let bin = exe.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        let all = exe.parent().ok_or(io::ErrorKind::InvalidInput)?.join("tack-builds");
        fs::create_dir_all(&all)?;
        let door = File::create(all.join(".lock"))?;
        door.lock()?;
        remove_stale(&all)?;
        let mut folder = all.join(std::process::id().to_string());
        if folder.exists() {
            // Someone in another container has our number.
            folder = all.join(format!("{}-{}", std::process::id(), uuid::Uuid::new_v4().simple()));
        }
        fs::create_dir(&folder)?;
        let lock = File::create(folder.join("lock"))?;
        lock.lock()?;
        Ok(Self(Rc::new(Inner { folder, bin, _lock: lock })))
    }

    /// Keeps `exe` as it is now and says where.
    ///
    /// # Errors
    /// When it can be neither linked nor copied.
    pub(crate) fn keep(&self, build: u32, exe: &Path) -> io::Result<PathBuf> {
        let folder = self.0.folder.join(build.to_string());
        fs::create_dir_all(&folder)?;
        let kept = folder.join(&self.0.bin);
        if kept.exists() {
            fs::remove_file(&kept)?;
        }
        if fs::hard_link(exe, &kept).is_err() {
            fs::copy(exe, &kept)?;
        }
        Ok(kept)
    }

    /// Removes all builds but these. A running process does not mind.
    pub(super) fn forget_all_but(&self, builds: &[u32]) {
        for entry in fs::read_dir(&self.0.folder).into_iter().flatten().flatten() {
            let build = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
            if build.is_some_and(|build| !builds.contains(&build)) {
                remove(&entry.path());
            }
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        remove(&self.folder);
    }
}

/// Folders whose `tack` holds no lock any more.
fn remove_stale(all: &Path) -> io::Result<()> {
    for entry in fs::read_dir(all)?.flatten().filter(|entry| entry.path().is_dir()) {
        let in_use = match File::open(entry.path().join("lock")) {
            Ok(lock) => matches!(lock.try_lock(), Err(TryLockError::WouldBlock)),
            Err(_) => false,
        };
        if !in_use {
            remove(&entry.path());
        }
    }
    Ok(())
}

/// What cannot be removed now is removed at the next start.
fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder) {
        tracing::debug!("{} stays: {error}", folder.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reload::tests::Folder;

    fn read(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_kept_executable_survives_its_replacement_and_can_be_told_from_it() {
        let folder = Folder::new();
        let exe = folder.write("tack", "one");
        let copies = Copies::open(&exe).unwrap();
        let (first, before) = (copies.keep(1, &exe).unwrap(), Identity::of(&exe).unwrap());
        assert_eq!(Identity::of(&exe).unwrap(), before);
        assert_eq!(Identity::of(&first).unwrap(), before, "a link costs no space");
        // As cargo does.
        fs::remove_file(&exe).unwrap();
        folder.write("tack", "two");
        let second = copies.keep(2, &exe).unwrap();
        assert_eq!((read(&first), read(&second)), ("one".to_owned(), "two".to_owned()));
        assert_ne!(Identity::of(&exe).unwrap(), before);
        assert_eq!(first.file_name(), exe.file_name());
        copies.forget_all_but(&[2]);
        assert!(!first.exists() && second.exists());
    }

    #[test]
    fn a_build_that_is_kept_again_is_the_later_one() {
        let folder = Folder::new();
        let exe = folder.write("tack", "one");
        let copies = Copies::open(&exe).unwrap();
        copies.keep(1, &exe).unwrap();
        fs::remove_file(&exe).unwrap();
        folder.write("tack", "two");
        assert_eq!(read(&copies.keep(1, &exe).unwrap()), "two");
    }

    #[test]
    fn what_a_dead_one_left_is_removed_and_what_another_uses_is_not() {
        let folder = Folder::new();
        let exe = folder.write("tack", "one");
        let other = Copies::open(&exe).unwrap();
        let in_use = other.keep(1, &exe).unwrap();
        let stale = folder.write("tack-builds/4711/1/tack", "old");
        folder.write("tack-builds/4711/lock", "");
        let half_made = folder.write("tack-builds/4712/1/tack", "old");
        let ours = Copies::open(&exe).unwrap();
        let kept = ours.keep(1, &exe).unwrap();
        assert!(!stale.exists() && !half_made.exists());
        assert!(in_use.exists() && kept.exists() && in_use != kept);
        drop(ours);
        assert!(in_use.exists() && !kept.exists());
        let clone = other.clone();
        drop(other);
        assert!(in_use.exists());
        drop(clone);
        assert!(!in_use.exists());
    }

    #[test]
    fn the_program_of_a_kept_executable_starts_after_the_original_is_gone() {
        let folder = Folder::new();
        let exe = folder.write_program("tack", "#!/bin/sh\necho one\n");
        let copies = Copies::open(&exe).unwrap();
        let kept = copies.keep(1, &exe).unwrap();
        fs::remove_file(&exe).unwrap();
        assert_eq!(std::process::Command::new(kept).output().unwrap().stdout, b"one\n");
    }
}
