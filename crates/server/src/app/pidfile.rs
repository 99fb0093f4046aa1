//! The file with the process id, which exists while the process serves.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// A written pidfile; removed when dropped.
pub(super) struct Pidfile(PathBuf);

impl Pidfile {
    /// Writes this process's id to `path`.
    pub(super) fn write(path: &Path) -> anyhow::Result<Self> {
        let write = || -> std::io::Result<()> {
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o644)
                .open(path)?;
            write!(file, "{}", std::process::id())
        };
        write().with_context(|| format!("error writing pidfile {}", path.display()))?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for Pidfile {
    fn drop(&mut self) {
        // It may have been removed already.
        drop(fs::remove_file(&self.0));
    }
}
