//! A clock that a test sets: the wall clock of one server, by libfaketime. Timers are
//! not affected, as when an administrator sets a machine's clock.

use std::fs;
use std::path::PathBuf;

use super::authority::Authority;
use super::namespace::Harness;
use super::table::{self, Row};

/// The clock of one server.
pub struct Clock {
    file: PathBuf,
}

impl Clock {
    /// Gives `authority` a clock of its own, right at first; nothing where libfaketime is absent.
    pub fn of(harness: &Harness, authority: &mut Authority, task: &str) -> Option<(Self, Row)> {
        let (_, row) = table::peer("faketime", "libfaketime", task)?;
        let library = library().expect("libfaketime comes with faketime");
        let clock = Self {
            file: harness.write("clock", "+0\n"),
        };
        let variables = [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", clock.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        authority.environment.extend(variables);
        Some((clock, row))
    }

    /// Sets it so many seconds ahead of the real time, or behind it.
    pub fn set(&self, seconds: i64) {
        let fresh = self.file.with_extension("new");
        fs::write(&fresh, format!("{seconds:+}\n")).expect("the clock can be written");
        fs::rename(&fresh, &self.file).expect("the clock can be set");
    }
}

fn library() -> Option<PathBuf> {
    let mut folders = fs::read_dir("/usr/lib").ok()?.flatten();
    folders.find_map(|folder| {
        let path = folder.path().join("faketime/libfaketime.so.1");
        path.is_file().then_some(path)
    })
}
