//! The table client x challenge x outcome. A row is `failed` until its test has
//! finished; an absence that `tests/interop/absent.toml` does not
//! list fails where `RISER_ABSENT=fails` or `CI` is set.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;

use super::paths;

/// A row of the table, written when it is opened and again when it has passed.
#[must_use]
pub struct Row {
    client: String,
    task: String,
}

impl Row {
    /// Opens the row of `client` for `task` ("http-01", "renew") as failed.
    pub fn open(client: &str, task: &str) -> Self {
        let row = Self {
            client: client.to_owned(),
            task: task.to_owned(),
        };
        row.write("failed", "");
        row
    }

    /// Records that the test has passed.
    pub fn passed(self) {
        self.write("passed", "");
    }

    /// Records that the test was not run, and why.
    pub fn absent(self, reason: &str) {
        self.write("absent", reason);
    }

    fn write(&self, outcome: &str, note: &str) {
        let dir = paths::rows();
        fs::create_dir_all(&dir).expect("target/interop can be made");
        let name: String = format!("{}--{}.row", self.client, self.task)
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '.' {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let line = format!("{}\t{}\t{outcome}\t{note}\n", self.client, self.task);
        fs::write(dir.join(name), line).expect("a row can be written");
    }
}

/// The peer's program and its open row, or `None` (and a row that says so) where it is absent.
pub fn peer(program: &str, client: &str, task: &str) -> Option<(PathBuf, Row)> {
    let row = Row::open(client, task);
    if let Some(path) = paths::peer(program) {
        return Some((path, row));
    }
    let reason = paths::absence(program);
    let listed = absences().remove(program);
    let strict = std::env::var("RISER_ABSENT").is_ok_and(|v| v == "fails")
        || std::env::var("CI").is_ok_and(|v| !v.is_empty());
    assert!(
        !strict || listed.is_some(),
        "{program} is absent ({reason}) and tests/interop/absent.toml does not list it"
    );
    row.write("absent", listed.as_ref().unwrap_or(&reason));
    eprintln!("absent: {program}: {reason}");
    None
}

/// What `tests/interop/absent.toml` excuses: programs, each with its reason.
pub fn absences() -> BTreeMap<String, String> {
    let file = paths::root().join("tests/interop/absent.toml");
    let text = fs::read_to_string(file).expect("tests/interop/absent.toml is there");
    let parsed: Absent = toml::from_str(&text).expect("tests/interop/absent.toml is TOML");
    parsed.absent
}

#[derive(Deserialize)]
struct Absent {
    #[serde(default)]
    absent: BTreeMap<String, String>,
}
