//! Reads files with errors that name them, and writes files so that they stay what they are: their mode, owner
//! and links. Asking before a file is overwritten is `prompt`'s.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use rustix::fs::{Access, AtFlags, CWD, StatxAttributes, StatxFlags, accessat};
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

/// Checks that [`write()`] can write each of `paths`, without touching them: what cannot be saved is not
/// requested.
///
/// # Errors
/// When one is a folder, is in a folder that is missing, or may not be written.
pub(crate) fn check_writable(paths: &[&Path]) -> Result<()> {
    for path in paths {
        let target = resolve(path);
        let folder = folder(&target);
        if target.is_dir() {
            bail!("{} is a directory", path.display());
        }
        if !folder.is_dir() {
            bail!(
                "open {}: the folder {} does not exist",
                path.display(),
                folder.display()
            );
        }
        may_write(&target)
            .map_err(|e| anyhow!("{} cannot be written: {}", path.display(), words(&e)))?;
    }
    Ok(())
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

/// Writes a file: a new one with this mode; one that exists keeps its mode, owner and links.
///
/// It is written beside, to the disk, then renamed over the old one, so that readers see it whole. Where
/// that would lose the owner, a link or an access list, or is not possible, it is written in place.
///
/// # Errors
/// When the folder is missing or neither way is permitted.
pub(crate) fn write(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    replace(&resolve(path), content, mode).map_err(|e| failed(path, &e))
}

/// Writes a file that must be this user's own: whatever is at `path`, such as a link or another user's file,
/// is replaced and not written to.
///
/// # Errors
/// As [`write()`].
pub(crate) fn create(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let old = Old { mode, owner: None };
    rename_over(path, content, &old).map_err(|e| failed(path, &e))
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

fn failed(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!("error writing {}: {}", path.display(), words(error))
}

/// What a link leads to, so that its target is replaced and the link stays.
fn resolve(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// What a new file takes over from the one that it replaces.
struct Old {
    mode: u32,
    owner: Option<Owner>,
}

#[derive(PartialEq, Eq)]
struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    fn of(found: &Metadata) -> Self {
        Self {
            user: found.uid(),
            group: found.gid(),
        }
    }
}

fn replace(target: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let Ok(found) = fs::metadata(target) else {
        return rename_over(target, content, &Old { mode, owner: None });
    };
    if !found.is_file() {
        let mut file = OpenOptions::new().write(true).open(target)?;
        return file.write_all(content);
    }
    if must_stay(target, &found) {
        return overwrite(target, content);
    }
    let old = Old {
        mode: found.permissions().mode() & 0o7777,
        owner: Some(Owner::of(&found)),
    };
    match rename_over(target, content, &old) {
        // The folder may not be written, or the new file not be given to the owner.
        Err(e) if [PermissionDenied, ReadOnlyFilesystem, ResourceBusy].contains(&e.kind()) => {
            overwrite(target, content)
        }
        other => other,
    }
}

/// Whether another file in this one's place would lose something: further links, an access list, or the place
/// itself, if it is a mount.
fn must_stay(target: &Path, found: &Metadata) -> bool {
    let is_mount = rustix::fs::statx(CWD, target, AtFlags::empty(), StatxFlags::BASIC_STATS)
        .is_ok_and(|it| it.stx_attributes.contains(StatxAttributes::MOUNT_ROOT));
    let list = "system.posix_acl_access";
    let nothing: &mut [u8] = &mut [];
    found.nlink() > 1 || is_mount || rustix::fs::getxattr(target, list, nothing).is_ok()
}

/// Whether the kernel lets this user write, in place or by a new file.
fn may_write(target: &Path) -> io::Result<()> {
    let access = |path: &Path, access| Ok(accessat(CWD, path, access, AtFlags::EACCESS)?);
    let beside = || access(folder(target), Access::WRITE_OK | Access::EXEC_OK);
    match fs::metadata(target) {
        Ok(found) => match access(target, Access::WRITE_OK) {
            Err(_) if found.is_file() && !must_stay(target, &found) => beside(),
            other => other,
        },
        Err(e) if e.kind() == io::ErrorKind::NotFound => beside(),
        Err(e) => Err(e),
    }
}

/// Writes over a file; what was in it returns if that fails.
fn overwrite(target: &Path, content: &[u8]) -> io::Result<()> {
    let before = fs::read(target).map(Zeroizing::new).ok();
    let mut file = OpenOptions::new().write(true).open(target)?;
    let written = fill(&mut file, content);
    if written.is_err()
        && let Some(before) = before
    {
        // The first error is the one to report.
        let _ = fill(&mut file, &before);
    }
    written
}

fn fill(file: &mut File, content: &[u8]) -> io::Result<()> {
    file.rewind()?;
    file.write_all(content)?;
    let length = file.stream_position()?;
    file.set_len(length)?;
    file.sync_all()
}

/// Writes a file beside `target` and renames it over.
fn rename_over(target: &Path, content: &[u8], old: &Old) -> io::Result<()> {
    let beside = beside(target);
    let written = write_new(&beside, content, old).and_then(|()| fs::rename(&beside, target));
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&beside);
    }
    written?;
    // The rename is durable once the folder is synced; some file systems cannot sync one.
    let _ = File::open(folder(target)).and_then(|folder| folder.sync_all());
    Ok(())
}

fn write_new(path: &Path, content: &[u8], old: &Old) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(old.mode & PRIVATE)
        .open(path)?;
    if let Some(owner) = &old.owner
        && *owner != Owner::of(&file.metadata()?)
    {
        // Under sudo a server of that user can still read it.
        fchown(&file, Some(owner.user), Some(owner.group))?;
    }
    file.set_permissions(fs::Permissions::from_mode(old.mode))?;
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

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn an_overwritten_file_keeps_its_mode_and_leaves_nothing_beside_it() {
        let folder = folder("mode");
        let path = folder.join("a.crt");
        write(&path, b"one", 0o640).unwrap();
        write(&path, b"two", PRIVATE).unwrap();
        assert_eq!(
            (read(&path).unwrap().as_slice(), mode(&path)),
            (&b"two"[..], 0o640)
        );
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn an_overwritten_file_keeps_its_links() {
        let folder = folder("links");
        let [path, hard, soft] = ["a.crt", "hard.crt", "soft.crt"].map(|name| folder.join(name));
        write(&path, b"a longer text", SHARED).unwrap();
        std::os::unix::fs::symlink(&path, &soft).unwrap();
        write(&soft, b"two", PRIVATE).unwrap();
        assert!(soft.symlink_metadata().unwrap().is_symlink());
        fs::hard_link(&path, &hard).unwrap();
        write(&soft, b"three", PRIVATE).unwrap();
        for name in [&path, &hard, &soft] {
            assert_eq!(
                (read(name).unwrap().as_slice(), mode(name)),
                (&b"three"[..], SHARED)
            );
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_overwritten_by_root_keeps_its_owner_and_one_created_does_not() {
        let folder = folder("owner");
        let path = folder.join("ca.json");
        write(&path, b"one", 0o640).unwrap();
        // Only root can change the owner of a file; for others there is nothing to keep.
        let own = fs::metadata(&path).unwrap().uid();
        let owner = match std::os::unix::fs::chown(&path, Some(65_534), Some(65_534)) {
            Ok(()) => 65_534,
            Err(_) => own,
        };
        write(&path, b"two", PRIVATE).unwrap();
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.uid(), mode(&path)), (owner, 0o640));
        create(&path, b"three", PRIVATE).unwrap();
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.uid(), mode(&path)), (own, PRIVATE));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_created_file_replaces_a_link_and_leaves_its_target() {
        let folder = folder("created");
        let (target, link) = (folder.join("target"), folder.join("link"));
        write(&target, b"theirs", SHARED).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        create(&link, b"key", PRIVATE).unwrap();
        assert_eq!(
            (read(&target).unwrap(), read(&link).unwrap()),
            (b"theirs".to_vec(), b"key".to_vec())
        );
        assert_eq!((mode(&link), link.is_symlink()), (PRIVATE, false));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_cannot_be_written_is_known_before() {
        let folder = folder("before");
        let path = folder.join("a.crt");
        check_writable(&[&path]).unwrap();
        assert!(!path.exists());
        let said = |path: &Path| check_writable(&[path]).unwrap_err().to_string();
        assert_eq!(
            said(&folder),
            format!("{} is a directory", folder.display())
        );
        let lost = folder.join("lost/a.crt");
        assert!(
            said(&lost).contains("lost does not exist"),
            "{}",
            said(&lost)
        );
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
