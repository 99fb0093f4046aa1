//! What a store takes on disk, its log apart from the rest.

use std::fs;
use std::io;
use std::ops::Sub;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Allocated bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk {
    /// Tables and indexes.
    pub database: u64,
    /// Write-ahead logs; of Badger, whose value log keeps the values, all logs.
    pub log: u64,
}

impl Disk {
    /// Counts the files of a folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn of(folder: &Path) -> io::Result<Self> {
        let mut disk = Self::default();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (name, bytes) = (entry.file_name(), entry.metadata()?.blocks() * 512);
            let name = name.to_string_lossy();
            if LOGS.iter().any(|end| name.ends_with(end)) {
                disk.log += bytes;
            } else if !name.ends_with("-shm") {
                disk.database += bytes;
            }
        }
        Ok(disk)
    }

    /// The share of one of `count`.
    #[must_use]
    pub fn each(self, count: u64) -> Self {
        let count = count.max(1);
        Self {
            database: self.database / count,
            log: self.log / count,
        }
    }
}

impl Sub for Disk {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            database: self.database.saturating_sub(before.database),
            log: self.log.saturating_sub(before.log),
        }
    }
}

/// How the names of logs end: SQLite's, and Badger's two.
const LOGS: [&str; 3] = ["-wal", ".vlog", ".mem"];
