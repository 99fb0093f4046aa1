//! Copies of a store's file: backup and restore. A copy is written beside its place, checked, flushed, and only then
//! gets its name, which no file may have yet.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::check::structure;
use super::{Progress, StoreFile, Watch, count_of, rows};
use crate::error::FileError;
use crate::sqlite::lock::{Lock, beside};
use crate::sqlite::{fault, migrate, open};

/// A finished copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Where it is.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// Certificates in it.
    pub certificates: u64,
}

impl StoreFile {
    /// Writes a copy to `to`, a file of its own with mode 0600, while the server goes on. What the server writes
    /// meanwhile is not in it. Returns when the copy has been checked and is durable.
    ///
    /// # Errors
    /// [`FileError`]; then there is no file at `to`, or the one that was there.
    pub fn back_up(&self, to: &Path, watch: Watch<'_>) -> Result<Copied, FileError> {
        let to = std::path::absolute(to).map_err(|error| unwritable(to, &error))?;
        refuse_foreign_folder(&to)?;
        refuse_existing(&to)?;
        self.copy(&to, watch)
    }

    fn copy(&self, to: &Path, watch: Watch<'_>) -> Result<Copied, FileError> {
        let part = Part::create(to)?;
        self.fill(&part, watch)?;
        let copied = self.verify(&part, watch)?;
        part.publish()?;
        Ok(copied)
    }

    /// Copies every page, and makes the copy one file that needs no log beside it.
    fn fill(&self, part: &Part<'_>, watch: Watch<'_>) -> Result<(), FileError> {
        let fault = |error: rusqlite::Error| fault::while_opening(part.to, &error);
        let mut copy = Connection::open(&part.path).map_err(fault)?;
        copy.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))
            .map_err(fault)?;
        // The file is flushed once, when it is complete.
        copy.pragma_update(None, "synchronous", "OFF")
            .map_err(fault)?;
        {
            let backup = Backup::new(&self.connection, &mut copy).map_err(fault)?;
            loop {
                let step = backup.step(PAGES).map_err(fault)?;
                if step == StepResult::Done {
                    break;
                }
                if step != StepResult::More {
                    sleep(PAUSE);
                }
                let now = backup.progress();
                let (total, left) = (pages(now.pagecount), pages(now.remaining));
                watch(Progress {
                    doing: "copying",
                    done: total.saturating_sub(left),
                    total,
                });
            }
        }
        drop(copy);
        let copy = Connection::open(&part.path).map_err(fault)?;
        copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))
            .map_err(fault)
            .map_err(FileError::from)
    }

    /// Reads the copy back: its structure, its schema, and as many rows in each table as the original has.
    fn verify(&self, part: &Part<'_>, watch: Watch<'_>) -> Result<Copied, FileError> {
        let broken = |what: String| FileError::CopyDiffers {
            path: part.to.to_owned(),
            what,
        };
        let fault = |error: rusqlite::Error| fault::while_opening(part.to, &error);
        let copy = Connection::open(&part.path).map_err(fault)?;
        if let Some(what) = structure(&copy, watch)?.into_iter().next() {
            return Err(broken(what));
        }
        let schema = migrate::check(&copy, part.to, migrate::STEPS)?;
        let (read, written) = (rows(&self.connection)?, rows(&copy)?);
        if schema != self.schema || read != written {
            return Err(broken("it has other records than the store".to_owned()));
        }
        let size = fs::metadata(&part.path).map_err(|error| unwritable(part.to, &error))?;
        Ok(Copied {
            path: part.to.to_owned(),
            bytes: size.len(),
            certificates: count_of("certificates", &written),
        })
    }
}

/// Copies the store's file or backup `from` to `to`, where no server runs and no store lies.
///
/// # Errors
/// [`FileError`]: `from` is damaged, of another program or of a newer release; there is a store at `to`, or a server runs
/// on it. Then nothing was changed.
pub fn restore(from: &Path, to: &Path, watch: Watch<'_>) -> Result<Copied, FileError> {
    let backup = StoreFile::open(from)?;
    refuse_foreign_folder(to)?;
    let to = open::resolve(to)?;
    let _alone = Lock::take(&to)?;
    refuse_existing(&to)?;
    // A log that lies there would be read into the restored file.
    for log in ["-wal", "-journal"] {
        refuse_existing(&beside(&to, log))?;
    }
    let found = backup.check(watch)?;
    if let Some(first) = found.first() {
        return Err(FileError::Damaged {
            path: backup.path().to_owned(),
            what: first.clone(),
            more: found.len() - 1,
        });
    }
    backup.copy(&to, watch)
}

/// A file that is being written beside its place; it goes away unless it is published.
struct Part<'a> {
    to: &'a Path,
    path: PathBuf,
}

impl<'a> Part<'a> {
    fn create(to: &'a Path) -> Result<Self, FileError> {
        let name = to.file_name().unwrap_or_else(|| OsStr::new("store"));
        let mut hidden = OsStr::new(".").to_owned();
        hidden.push(name);
        hidden.push(format!(".{}", std::process::id()));
        let path = to.with_file_name(hidden);
        create_new(&path).map_err(|error| unwritable(to, &error))?;
        Ok(Self { to, path })
    }

    /// Makes the file durable and gives it its name.
    fn publish(self) -> Result<(), FileError> {
        let failed = |error: io::Error| unwritable(self.to, &error);
        File::open(&self.path)
            .and_then(|file| file.sync_all())
            .map_err(failed)?;
        // The name is taken with an empty file first: a rename alone would replace one that appears meanwhile.
        create_new(self.to).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                return exists(self.to);
            }
            failed(error)
        })?;
        fs::rename(&self.path, self.to).map_err(failed)?;
        let folder = self.to.parent().unwrap_or_else(|| Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        // Where it has been published, none of these exists.
        for suffix in ["", "-wal", "-shm", "-journal"] {
            drop(fs::remove_file(beside(&self.path, suffix)));
        }
    }
}

fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn refuse_existing(path: &Path) -> Result<(), FileError> {
    match path.symlink_metadata() {
        Ok(_) => Err(exists(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unwritable(path, &error)),
    }
}

/// Root writes only where nobody else can put a link in the way: the folder, or the nearest one above it that
/// exists, is root's own. The server would not open root's file in a folder of its user anyway.
fn refuse_foreign_folder(to: &Path) -> Result<(), FileError> {
    let to = std::path::absolute(to).map_err(|error| unwritable(to, &error))?;
    let mut above = to.ancestors().skip(1);
    let Some((folder, found)) = above.find_map(|it| Some((it, fs::metadata(it).ok()?))) else {
        return Ok(());
    };
    let open_to_others = found.mode() & 0o022 != 0 && found.mode() & STICKY == 0;
    if rustix::process::geteuid().is_root() && (found.uid() != 0 || open_to_others) {
        return Err(FileError::ForeignFolder {
            folder: folder.to_owned(),
            owner: found.uid(),
        });
    }
    Ok(())
}

fn exists(path: &Path) -> FileError {
    FileError::Exists {
        path: path.to_owned(),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> FileError {
    FileError::Io {
        path: path.to_owned(),
        what: error.to_string(),
    }
}

fn pages(count: i32) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// In a folder with this bit, nobody removes or renames what another has made.
const STICKY: u32 = 0o1000;
/// Pages copied between two reports of progress.
const PAGES: i32 = 2000;
/// How long to wait where the copy is locked.
const PAUSE: Duration = Duration::from_millis(50);
