//! Turns SQLite's errors into the store's.

use std::path::Path;

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

use crate::error::{Error, OpenError};

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        if matches!(error, rusqlite::Error::QueryReturnedNoRows) {
            return Self::NotFound;
        }
        let Some(failure) = error.sqlite_error() else {
            // Any other error comes from turning a column into a value.
            return Self::Damaged(error.to_string());
        };
        // The shared index of the log lies on the same disk; SQLite calls its ENOSPC an I/O error.
        if failure.code == ErrorCode::DiskFull || failure.extended_code == SQLITE_IOERR_SHMSIZE {
            return Self::Full;
        }
        match code_class(failure.code) {
            Class::Conflict => Self::Conflict(error.to_string()),
            Class::Damaged => Self::Damaged(error.to_string()),
            Class::Other => Self::Unavailable(error.to_string()),
        }
    }
}

/// What SQLite says while a store is opened.
pub(super) fn while_opening(path: &Path, error: &rusqlite::Error) -> OpenError {
    let what = error.to_string();
    let path = path.to_owned();
    match error.sqlite_error_code().map_or(Class::Other, code_class) {
        Class::Damaged => OpenError::Corrupt { path, what },
        Class::Conflict | Class::Other => OpenError::Io { path, what },
    }
}

enum Class {
    Conflict,
    Damaged,
    Other,
}

fn code_class(code: ErrorCode) -> Class {
    if code == ErrorCode::ConstraintViolation {
        Class::Conflict
    } else if code == ErrorCode::DatabaseCorrupt || code == ErrorCode::NotADatabase {
        Class::Damaged
    } else {
        Class::Other
    }
}
