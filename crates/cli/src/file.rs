//! Reads files with errors that name them, and writes files whole or not at all. Asking before a
//! file is overwritten is `prompt`'s.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use zeroize::Zeroizing;

/// Mode of certificates and keys.
pub(crate) const PRIVATE: u32 = 0o600;
/// Mode of configuration.
pub(crate) const SHARED: u32 = 0o644;

/// Reads a file.
///
/// # Errors
/// `open NAME: no such file or directory` and its like.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|e| anyhow!("open {}: {}", path.display(), words(&e)))
}

/// Reads a text file.
///
/// # Errors
/// As [`read`]; also when it is not UTF-8.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?).with_context(|| format!("{} is not a text file", path.display()))
}

/// Reads a password file: white space at its end does not count.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_password(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(read(path)?);
    while text.last().is_some_and(u8::is_ascii_whitespace) {
        text.pop();
    }
    Ok(text)
}

/// Refuses to overwrite what is a directory.
///
/// # Errors
/// `NAME is a directory`.
pub(crate) fn refuse_folders(paths: &[&Path]) -> Result<()> {
    match paths.iter().find(|path| path.is_dir()) {
        Some(path) => bail!("{} is a directory", path.display()),
        None => Ok(()),
    }
}

/// Writes a file whole: beside it, to the disk, then renamed over it.
///
/// # Errors
/// When the folder is missing or cannot be written.
pub(crate) fn write(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    replace(path, content, mode)
        .map_err(|e| anyhow!("error writing {}: {}", path.display(), words(&e)))
}

/// As [`write()`], keeping the mode and, where permitted, the owner of the file that it replaces.
///
/// # Errors
/// As [`write()`].
pub(crate) fn rewrite(path: &Path, content: &[u8]) -> Result<()> {
    let mode = fs::metadata(path).map_or(SHARED, |found| found.permissions().mode() & 0o7777);
    write(path, content, mode)
}

/// Creates a folder and those above it, for its owner only.
///
/// # Errors
/// When it cannot be created.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|e| anyhow!("error creating {}: {}", path.display(), words(&e)))
}

/// An I/O error in lower case and without its number.
pub(crate) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.to_lowercase()
}

fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    // A link is followed, so that its target is replaced and the link stays.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let found = fs::metadata(&target).ok();
    if found.as_ref().is_some_and(|found| !found.is_file()) {
        return OpenOptions::new()
            .write(true)
            .open(&target)?
            .write_all(content);
    }
    let beside = beside(&target);
    let written = write_new(&beside, content, mode, found.as_ref())
        .and_then(|()| fs::rename(&beside, &target));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&beside);
    }
    written?;
    if let Some(folder) = target
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        // The rename is durable once the folder is synced; some file systems cannot sync one.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

fn write_new(path: &Path, content: &[u8], mode: u32, old: Option<&Metadata>) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    if let Some(old) = old {
        // Under sudo the file keeps its owner, so that a server of that user can still read it.
        // Only root may change the owner: for others the new file is their own.
        let _ = fchown(&file, Some(old.uid()), Some(old.gid()));
    }
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(content)?;
    file.sync_all()
}

fn beside(path: &Path) -> PathBuf {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    path.with_file_name(format!(".{name}.{}", std::process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("step-file-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn a_rewritten_file_keeps_its_mode_and_leaves_nothing_beside_it() {
        let folder = folder("mode");
        let path = folder.join("ca.json");
        write(&path, b"one", 0o640).unwrap();
        rewrite(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap(), b"two");
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o640);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_rewritten_by_root_keeps_its_owner() {
        let folder = folder("owner");
        let path = folder.join("ca.json");
        write(&path, b"one", 0o640).unwrap();
        // Only root can change the owner of a file; for others there is nothing to keep.
        let owner = match std::os::unix::fs::chown(&path, Some(65_534), Some(65_534)) {
            Ok(()) => 65_534,
            Err(_) => fs::metadata(&path).unwrap().uid(),
        };
        rewrite(&path, b"two").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().uid(), owner);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_password_ends_before_its_newline() {
        let folder = folder("password");
        let path = folder.join("pw");
        fs::write(&path, " secret \r\n\n").unwrap();
        assert_eq!(read_password(&path).unwrap().as_slice(), b" secret");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read(Path::new("/nonexistent/x")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "open /nonexistent/x: no such file or directory"
        );
    }
}
