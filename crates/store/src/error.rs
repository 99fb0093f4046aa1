//! What can go wrong with a store: [`OpenError`] before it serves, [`Error`] while it serves.
//! Decisions ("this order is already valid") are not errors; the verbs return them as values.

use std::path::PathBuf;

use thiserror::Error;

/// Why a verb did nothing. A caller that gets one of these knows that nothing was stored.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Error {
    /// It contradicts the records: a key, serial number or identifier is taken already, or a record that
    /// the new one refers to and that is not there.
    #[error("the record conflicts with what is stored: {0}")]
    Conflict(String),
    /// The record that the verb is about is not there.
    #[error("the record does not exist")]
    NotFound,
    /// The disk of the store is full; nothing was stored. The verb works again once there is space.
    #[error("the disk that holds the store is full: free some space; nothing was stored")]
    Full,
    /// The store could not be written or read.
    #[error("the store cannot be used at the moment: {0}; nothing was stored: try again")]
    Unavailable(String),
    /// A stored record cannot be read.
    #[error("a stored record is damaged: {0}; restore the store from a backup")]
    Damaged(String),
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    /// Whether trying again later may succeed: an outage, as opposed to a refusal.
    #[must_use]
    pub const fn is_outage(&self) -> bool {
        match self {
            Self::Full | Self::Unavailable(_) | Self::Damaged(_) | Self::Closed => true,
            Self::Conflict(_) | Self::NotFound => false,
        }
    }
}

/// Why a store could not be opened.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OpenError {
    /// Another process (or another handle of this one) has the file open.
    #[error("{} is in use by {}: stop that process, or configure another store for this one", path.display(), holder(*process))]
    Locked {
        /// The database file.
        path: PathBuf,
        /// The process that holds it, if it is known.
        process: Option<u32>,
    },
    /// The file was written by a newer release.
    #[error(
        "{} was written by a newer release (schema {found}; this release knows up to {known}): \
         start that release, or restore a copy from before the upgrade",
        path.display()
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// The schema that was found.
        found: u32,
        /// The newest schema that this release knows.
        known: u32,
    },
    /// The file is a SQLite database of another program.
    #[error("{} is a database of another program: configure another file", path.display())]
    Foreign {
        /// The database file.
        path: PathBuf,
    },
    /// The file is not a SQLite database, or is damaged.
    #[error("{} is damaged or not a database: {what}; restore it from a backup, or configure another file", path.display())]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// The error of SQLite.
        what: String,
    },
    /// The file or its folder cannot be used.
    #[error("cannot open the store {}: {what}", path.display())]
    Io {
        /// The file or folder in question.
        path: PathBuf,
        /// The error of the system.
        what: String,
    },
}

/// Why something could not be done with the file of a store as a whole.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] Error),
    /// Where the copy should be, there is a file already.
    #[error("{} exists already, and nothing is overwritten: move it away, or name another file", path.display())]
    Exists {
        /// The file that is there.
        path: PathBuf,
    },
    /// The copy cannot be written.
    #[error("cannot write {}: {what}", path.display())]
    Io {
        /// The file to be written.
        path: PathBuf,
        /// The error of the system.
        what: String,
    },
    /// Another user than root may write in the folder of the copy, and root is asked to.
    #[error(
        "{} belongs to the user with number {owner}, or others may write in it, and could lead root to another file: run \
         the command as that user ('sudo -u \\#{owner} …'), or name a folder of root's own",
        folder.display()
    )]
    ForeignFolder {
        /// The folder, or the nearest one above it that exists.
        folder: PathBuf,
        /// The number of its owner.
        owner: u32,
    },
    /// The copy was written, but what was read back from it is not what was copied.
    #[error("the copy {} was thrown away, because {what}: check the disk, then 'step ca store check'", path.display())]
    CopyDiffers {
        /// The file to be written.
        path: PathBuf,
        /// The difference.
        what: String,
    },
    /// The file to be restored is damaged.
    #[error("{} is damaged: {what}{}; restore another backup", path.display(), others(*more))]
    Damaged {
        /// The file to be restored.
        path: PathBuf,
        /// The first finding.
        what: String,
        /// How many more findings there are.
        more: usize,
    },
    /// The file has the schema of an earlier release.
    #[error(
        "{} has schema {found} of an earlier release, and this release writes {current}: \
         start step-ca on it once, which brings it up to date",
        path.display()
    )]
    Earlier {
        /// The database file.
        path: PathBuf,
        /// The schema that was found.
        found: usize,
        /// The schema that this release writes.
        current: usize,
    },
    /// The export cannot be written.
    #[error("cannot write the export: {0}")]
    Output(std::io::Error),
}

fn others(more: usize) -> String {
    match more {
        0 => String::new(),
        1 => ", and 1 more finding".to_owned(),
        more => format!(", and {more} more findings"),
    }
}

fn holder(process: Option<u32>) -> String {
    process.map_or_else(
        || "another process".to_owned(),
        |id| format!("another process (pid {id})"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_store_names_the_file_and_the_process() {
        let error = OpenError::Locked {
            path: "/var/lib/ca/riser.sqlite3".into(),
            process: Some(42),
        };
        assert_eq!(
            error.to_string(),
            "/var/lib/ca/riser.sqlite3 is in use by another process (pid 42): \
             stop that process, or configure another store for this one"
        );
    }

    #[test]
    fn refusals_and_outages_are_distinguished() {
        assert!(Error::Full.is_outage());
        assert!(!Error::Conflict("serial".to_owned()).is_outage());
    }
}
