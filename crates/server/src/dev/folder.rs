//! The folder of a `dev` authority: kept, or temporary. The next run removes the temporary folder of a run that
//! was killed.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The folder of the authority; a temporary one is removed with this value.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Shows other runs that the folder is in use; the kernel releases it however the run ends.
    lock: Option<File>,
}

impl Folder {
    /// Opens the folder, and creates it if it is missing.
    pub(super) fn kept(path: &Path) -> anyhow::Result<Self> {
        let failed = || format!("error creating {}", path.display());
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(path).with_context(failed)?;
        Ok(Self {
            path: path.canonicalize().with_context(failed)?,
            lock: None,
        })
    }

    /// Creates a folder below `parent` that is removed with the value.
    pub(super) fn temporary(parent: &Path) -> anyhow::Result<Self> {
        loop {
            let [a, b, c, d] = keys::random();
            let path = parent.join(format!("{PREFIX}{a:02x}{b:02x}{c:02x}{d:02x}"));
            let failed = || format!("error creating {}", path.display());
            let made = DirBuilder::new().mode(0o700).create(&path);
            made.with_context(failed)?;
            // Another run may remove it before it is locked.
            let Some(lock) = lock(&path).filter(|_| path.exists()) else {
                continue;
            };
            sweep(parent, lock.metadata().with_context(failed)?.uid());
            return Ok(Self {
                path: path.canonicalize().with_context(failed)?,
                lock: Some(lock),
            });
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.lock.is_some() {
            // The next run removes what cannot be removed now.
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

/// The prefix of the names of temporary folders.
const PREFIX: &str = "step-ca-dev-";

/// Removes the temporary folders of `owner` that no run uses any more.
fn sweep(parent: &Path, owner: u32) {
    let ours = |entry: &fs::DirEntry| -> io::Result<bool> {
        let metadata = entry.path().symlink_metadata()?;
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        Ok(named && metadata.is_dir() && metadata.uid() == owner)
    };
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| ours(entry).unwrap_or(false)) {
        if let Some(_held) = lock(&entry.path()) {
            // A folder that stays does no harm.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// The lock of a folder; `None` while a run holds it.
fn lock(folder: &Path) -> Option<File> {
    let file = File::open(folder).ok()?;
    file.try_lock().is_ok().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_removed_after_its_run_and_that_of_a_killed_run_by_the_next() {
        let temporary = tempfile::tempdir().unwrap();
        let left = temporary.path().join("step-ca-dev-0badcafe");
        fs::create_dir_all(left.join("secrets")).unwrap();
        fs::create_dir(temporary.path().join("not-ours")).unwrap();
        let living = Folder::temporary(temporary.path()).unwrap();
        assert!(!left.exists());
        let second = Folder::temporary(temporary.path()).unwrap();
        assert!(living.path.exists() && second.path.exists());
        drop((living, second));
        let names = fs::read_dir(temporary.path()).unwrap().flatten();
        let names: Vec<_> = names.map(|entry| entry.file_name()).collect();
        assert_eq!(names, ["not-ours"]);
    }

    #[test]
    fn a_kept_folder_stays() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("dev");
        drop(Folder::kept(&path).unwrap());
        assert!(path.exists());
    }
}
