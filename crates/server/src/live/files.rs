//! The two files of a configuration: where they are, and what is in them. When their text counts is not decided here.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use ca::config::{CA_JSON, RISER_TOML};

/// Maximum symbolic links in one path, as in the kernel.
const LINKS: usize = 40;

/// One of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    /// ca.json
    CaJson,
    /// riser.toml
    RiserToml,
}

impl File {
    pub(super) const ALL: [Self; 2] = [Self::CaJson, Self::RiserToml];

    /// Its name in messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::CaJson => CA_JSON,
            Self::RiserToml => RISER_TOML,
        }
    }
}

/// A value for each of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pair<T> {
    pub(super) ca_json: T,
    pub(super) riser_toml: T,
}

impl<T> Pair<T> {
    pub(super) fn of(make: impl Fn(File) -> T) -> Self {
        Self {
            ca_json: make(File::CaJson),
            riser_toml: make(File::RiserToml),
        }
    }

    pub(super) const fn get(&self, file: File) -> &T {
        match file {
            File::CaJson => &self.ca_json,
            File::RiserToml => &self.riser_toml,
        }
    }

    pub(super) const fn get_mut(&mut self, file: File) -> &mut T {
        match file {
            File::CaJson => &mut self.ca_json,
            File::RiserToml => &mut self.riser_toml,
        }
    }
}

/// What is in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    /// Text.
    Text(Arc<str>),
    /// Nothing but white space.
    Blank,
    /// There is no file.
    Missing,
    /// The system's error.
    Unreadable(String),
}

impl Content {
    fn read(path: &Path) -> Self {
        match std::fs::read_to_string(path) {
            Ok(text) if text.trim().is_empty() => Self::Blank,
            Ok(text) => Self::Text(text.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Missing,
            Err(error) => Self::Unreadable(error.to_string()),
        }
    }

    /// The text, where there is one.
    pub(super) const fn text(&self) -> Option<&Arc<str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Blank | Self::Missing | Self::Unreadable(_) => None,
        }
    }
}

/// The configuration files of one authority.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    paths: Pair<PathBuf>,
}

impl Files {
    /// `ca_json`, and `riser.toml` beside it.
    pub(crate) fn beside(ca_json: PathBuf) -> Self {
        let riser_toml = ca_json.with_file_name(RISER_TOML);
        Self {
            paths: Pair {
                ca_json,
                riser_toml,
            },
        }
    }

    pub(super) const fn path(&self, file: File) -> &PathBuf {
        self.paths.get(file)
    }

    pub(super) fn read(&self, file: File) -> Content {
        Content::read(self.path(file))
    }

    /// The time since a file was last written, by the clock of the machine; `None` where that is not known.
    pub(super) fn age(&self, file: File) -> Option<std::time::Duration> {
        let written = std::fs::metadata(self.path(file)).ok()?.modified().ok()?;
        written.elapsed().ok()
    }

    /// Whether the file system of a file has no space left, so that a write may have ended early.
    pub(super) fn is_on_a_full_disk(&self, file: File) -> bool {
        let found = rustix::fs::statvfs(self.path(file).as_path());
        found.is_ok_and(|disk| {
            disk.f_blocks > 0 && disk.f_bavail.saturating_mul(disk.f_frsize) < SPARE
        })
    }
}

/// The free space below which a disk counts as full, in bytes.
const SPARE: u64 = 64 * 1024;

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Entry {
    pub(super) folder: PathBuf,
    pub(super) name: OsString,
}

/// The entries that decide which file a path leads to: the folder of the file, each symbolic link on the way, and last
/// the file itself, or the first entry that does not exist.
pub(super) fn way(path: &Path) -> Vec<Entry> {
    let Ok(path) = std::path::absolute(path) else {
        return Vec::new();
    };
    let mut rest: VecDeque<OsString> = names(&path);
    let mut folder = PathBuf::from("/");
    let mut entries = Vec::new();
    let mut links = 0;
    while let Some(name) = rest.pop_front() {
        if name == ".." {
            folder.pop();
            continue;
        }
        let path = folder.join(&name);
        let entry = Entry {
            folder: folder.clone(),
            name,
        };
        match std::fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() && links < LINKS => {
                links += 1;
                entries.push(entry);
                let target = std::fs::read_link(&path).unwrap_or_default();
                if target.is_absolute() {
                    folder = PathBuf::from("/");
                }
                for name in names(&target).into_iter().rev() {
                    rest.push_front(name);
                }
            }
            Ok(_) => {
                if rest.len() < 2 {
                    entries.push(entry);
                }
                folder = path;
            }
            Err(_) => {
                entries.push(entry);
                break;
            }
        }
    }
    entries
}

fn names(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some(OsStr::new("..").to_owned()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_link_on_the_way_to_a_file_is_an_entry_and_the_file_is_the_last() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        fs::create_dir_all(dir.join("config/..first")).unwrap();
        fs::write(dir.join("config/..first/ca.json"), "{}").unwrap();
        symlink("..first", dir.join("config/..data")).unwrap();
        symlink("..data/ca.json", dir.join("config/ca.json")).unwrap();
        let found = way(&dir.join("config/ca.json"));
        let found: Vec<_> = found.iter().map(|it| it.folder.join(&it.name)).collect();
        let expected = [
            "config",
            "config/ca.json",
            "config/..data",
            "config/..first",
            "config/..first/ca.json",
        ];
        assert_eq!(found, expected.map(|name| dir.join(name)));
        let absent = way(&dir.join("config/riser.toml"));
        assert_eq!(absent.last().unwrap().name, "riser.toml");
    }
}
