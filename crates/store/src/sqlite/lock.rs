//! One process per database file: an advisory lock on a file beside it, which the kernel releases when the process ends,
//! however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::OpenError;

/// Held for as long as it lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the database at `path`. The database file itself is not touched: closing any descriptor of it
    /// would release the locks that SQLite holds in this process.
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        let beside = beside(path, "-lock");
        let io = |error: std::io::Error| OpenError::Io {
            path: beside.clone(),
            what: error.to_string(),
        };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            // Who may write in the folder could put a link there, to a file that root would empty.
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(&beside)
            .map_err(io)?;
        let found = file.metadata().map_err(io)?;
        if !found.is_file() || found.nlink() != 1 {
            return Err(io(std::io::Error::other(
                "it is not a file of its own: remove what lies there",
            )));
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::Locked {
                    path: path.to_owned(),
                    process: written_process(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        write_process(&mut file);
        Ok(Self { _file: file })
    }
}

/// A file beside the database at `path`: its name with this suffix.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn written_process(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// The number only improves the error text: a full disk must not prevent a start.
fn write_process(file: &mut File) {
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    if let Err(error) = written {
        tracing::debug!(event = "store_lock_unsigned", error = %error);
    }
}
