//! The folder of a `dev` authority: kept, or temporary; in either case nobody else's. The next run removes the temporary folder of a run that
//! was killed.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rustix::process::geteuid;

/// The folder of the authority; a temporary one is removed with this value.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Shows other runs that the folder is in use; the kernel releases it however the run ends.
    lock: Option<File>,
}

impl Folder {
    /// Opens the folder, and creates it if it is missing.
    ///
    /// # Errors
    /// When somebody else made it, a link to it, or something in it, or may write in it: the unencrypted keys
    /// would be that user's, or written where that user chose.
    pub(super) fn kept(path: &Path) -> anyhow::Result<Self> {
        let failed = || format!("error creating {}", path.display());
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        builder.create(path).with_context(failed)?;
        check_own(path)?;
        let path = path.canonicalize().with_context(failed)?;
        check_tree(&path, DEPTH)?;
        Ok(Self { path, lock: None })
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

/// How far below the folder its files are: `secrets/root_ca_key`.
const DEPTH: usize = 2;

/// Checks a folder and what is in it, down to `depth` levels.
fn check_tree(path: &Path, depth: usize) -> anyhow::Result<()> {
    check_own(path)?;
    let is_folder = path.symlink_metadata().is_ok_and(|found| found.is_dir());
    if depth == 0 || !is_folder {
        return Ok(());
    }
    let failed = || format!("error reading {}", path.display());
    for entry in fs::read_dir(path).with_context(failed)? {
        check_tree(&entry.with_context(failed)?.path(), depth - 1)?;
    }
    Ok(())
}

/// Checks that a file, folder or link is this user's, and that nobody else may write in it.
fn check_own(path: &Path) -> anyhow::Result<()> {
    let shown = path.display();
    let found = path
        .symlink_metadata()
        .with_context(|| format!("error reading {shown}"))?;
    let own = geteuid().as_raw();
    if found.uid() != own {
        bail!(
            "{shown} belongs to user {}, not to user {own} who runs this command: name another folder with \
             `--dir`, since the keys in it are not encrypted",
            found.uid()
        );
    }
    let mode = found.mode() & 0o777;
    if found.is_dir() && mode & OTHERS_WRITE != 0 {
        bail!(
            "others may write in {shown} (mode {mode:03o}): run `chmod go-w {shown}`, or name another folder with \
             `--dir`, since the keys in it are not encrypted"
        );
    }
    Ok(())
}

/// The mode bits with which other users may write.
const OTHERS_WRITE: u32 = 0o022;

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
    fn a_folder_that_another_user_made_or_may_write_is_refused() {
        use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("dev");
        let refusal = || Folder::kept(&path).err().map(|error| error.to_string());
        fs::create_dir_all(path.join("secrets")).unwrap();
        for folder in [path.clone(), path.join("secrets")] {
            for mode in [0o770, 0o757] {
                fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
                let said = refusal().unwrap();
                let expected = format!("others may write in {} (mode", folder.display());
                assert!(said.starts_with(&expected), "{said}");
            }
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        }
        assert_eq!(refusal(), None);
        // Only root can give a file away.
        if !geteuid().is_root() {
            return;
        }
        let link = path.join("secrets/root_ca_key");
        symlink(temporary.path().join("theirs"), &link).unwrap();
        for planted in [link, path.join("secrets"), path.clone()] {
            lchown(&planted, Some(65_534), None).unwrap();
            let expected = format!("{} belongs to user 65534", planted.display());
            let said = refusal().unwrap();
            assert!(said.starts_with(&expected), "{said}");
            lchown(&planted, Some(0), None).unwrap();
        }
    }

    #[test]
    fn a_kept_folder_stays() {
        let temporary = tempfile::tempdir().unwrap();
        let path = temporary.path().join("dev");
        drop(Folder::kept(&path).unwrap());
        assert!(path.exists());
    }
}
