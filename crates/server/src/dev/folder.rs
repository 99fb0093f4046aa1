//! The folder of a `dev` authority: kept, or only for one run. What a run that
//! was killed has left behind goes with the next one.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// The folder of the authority; one that is not kept goes with this value.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Says to other runs that this one lives; the kernel lets it go however the run ends.
    lock: Option<File>,
}

impl Folder {
    /// Opens the folder, which is made where it is missing.
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

    /// Makes a folder among the `temporary` ones, for as long as the value lives.
    pub(super) fn passing(temporary: &Path) -> anyhow::Result<Self> {
        loop {
            let [a, b, c, d] = keys::random();
            let path = temporary.join(format!("{PREFIX}{a:02x}{b:02x}{c:02x}{d:02x}"));
            let failed = || format!("error creating {}", path.display());
            let made = DirBuilder::new().mode(0o700).create(&path);
            made.with_context(failed)?;
            // Another run may sweep it away before it is locked.
            let Some(lock) = lock(&path).filter(|_| path.exists()) else {
                continue;
            };
            sweep(temporary, lock.metadata().with_context(failed)?.uid());
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
            // What cannot be removed now is swept by the next run.
            drop(fs::remove_dir_all(&self.path));
        }
    }
}

/// What the folders that are not kept are called.
const PREFIX: &str = "step-ca-dev-";

/// Removes the folders of `owner` that no run holds any more.
fn sweep(temporary: &Path, owner: u32) {
    let ours = |entry: &fs::DirEntry| -> io::Result<bool> {
        let metadata = entry.path().symlink_metadata()?;
        let named = entry.file_name().to_string_lossy().starts_with(PREFIX);
        Ok(named && metadata.is_dir() && metadata.uid() == owner)
    };
    let entries = fs::read_dir(temporary).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| ours(entry).unwrap_or(false)) {
        if let Some(_held) = lock(&entry.path()) {
            // Only tidiness is lost where it stays.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// The lock of a folder, unless a living run holds it.
fn lock(folder: &Path) -> Option<File> {
    let file = File::open(folder).ok()?;
    file.try_lock().is_ok().then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_goes_with_its_run_and_one_of_a_killed_run_with_the_next() {
        let temporary = tempfile::tempdir().unwrap();
        let left = temporary.path().join("step-ca-dev-0badcafe");
        fs::create_dir_all(left.join("secrets")).unwrap();
        fs::create_dir(temporary.path().join("not-ours")).unwrap();
        let living = Folder::passing(temporary.path()).unwrap();
        assert!(!left.exists());
        let second = Folder::passing(temporary.path()).unwrap();
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
