//! Watches the folders of the configuration files. The events are read by whoever reads the files, before and after:
//! so a text is never judged without the events that belong to it.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use ca::authority::Layout;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;

use super::files::{Entry, File, Files, Pair, way};
use super::progress::{Event, Made, Progress, Tracker};

/// What a read of the events found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Which files something happened to.
    pub(super) touched: Pair<bool>,
    /// Events were lost, so that anything may have happened.
    pub(super) lost: bool,
}

/// A watch on the folders of the files, from its making on.
pub(super) struct Watcher {
    inotify: OwnedFd,
    folders: HashMap<i32, PathBuf>,
    ways: Pair<Vec<Entry>>,
    tracker: Tracker<Entry>,
}

impl Watcher {
    /// Starts to watch.
    ///
    /// # Errors
    /// Where the system has no watches left, or a folder cannot be watched.
    pub(super) fn open(files: &Files) -> io::Result<Self> {
        let mut watcher = Self {
            inotify: inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?,
            folders: HashMap::new(),
            ways: Pair::default(),
            tracker: Tracker::default(),
        };
        watcher.look(files)?;
        let ca_json = std::path::absolute(files.path(File::CaJson))?;
        let certs = Layout::around(&ca_json).root;
        if let Some(Ok(certs)) = certs.parent().map(Path::canonicalize) {
            watcher.add(&certs)?;
        }
        Ok(watcher)
    }

    /// A handle that is readable when there are events.
    pub(super) fn handle(&self) -> io::Result<OwnedFd> {
        self.inotify.try_clone()
    }

    /// How a file came to its content.
    pub(super) fn progress(&self, file: File) -> Progress {
        let last = self.ways.get(file).last();
        last.map_or(Progress::InPlace, |entry| self.tracker.progress(entry))
    }

    /// Forgets how a file came to the content that is in force now.
    pub(super) fn settle(&mut self, file: File) {
        if let Some(entry) = self.ways.get(file).last() {
            self.tracker.settle(entry);
        }
    }

    /// Reads all events so far, and watches the folders to which links lead now.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn read(&mut self, files: &Files) -> io::Result<Seen> {
        let mut seen = Seen::default();
        let mut swapped = Pair::default();
        for event in self.events()? {
            if event.flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                self.tracker.clear();
                seen.lost = true;
            }
            if event.flags.contains(ReadFlags::IGNORED) {
                self.folders.remove(&event.folder);
                continue;
            }
            let Some(folder) = self.folders.get(&event.folder) else {
                continue;
            };
            let entry = Entry {
                folder: folder.clone(),
                name: event.name.clone(),
            };
            let Some(kind) = event.kind(&entry) else {
                continue;
            };
            let mut is_ours = false;
            for file in File::ALL {
                let way = self.ways.get(file);
                if way.contains(&entry) {
                    *seen.touched.get_mut(file) = true;
                    is_ours |= way.last() == Some(&entry);
                    *swapped.get_mut(file) |= kind.is_swap();
                }
            }
            self.tracker.follow(entry, kind, is_ours);
        }
        self.look(files)?;
        for file in File::ALL {
            let entry = self.ways.get(file).last();
            if let Some(entry) = entry.filter(|_| *swapped.get(file)) {
                self.tracker.swap(entry.clone());
            }
        }
        Ok(seen)
    }

    /// Finds the ways to the files again, and watches each folder on them.
    fn look(&mut self, files: &Files) -> io::Result<()> {
        for file in File::ALL {
            let way = way(files.path(file));
            for entry in &way {
                self.add(&entry.folder)?;
            }
            *self.ways.get_mut(file) = way;
        }
        Ok(())
    }

    fn add(&mut self, folder: &Path) -> io::Result<()> {
        match inotify::add_watch(&self.inotify, folder, watched()) {
            Ok(number) => {
                let known = self.folders.insert(number, folder.to_owned());
                if known.is_none() {
                    self.forget_others(folder, number);
                }
                Ok(())
            }
            // What is gone by now is found missing by the read.
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Another folder has taken the path: the events of the one before are none of its files'.
    fn forget_others(&mut self, folder: &Path, number: i32) {
        let others = self.folders.iter().filter(|(_, path)| *path == folder);
        let others: Vec<i32> = others.map(|(other, _)| *other).collect();
        for other in others.into_iter().filter(|other| *other != number) {
            self.folders.remove(&other);
            // It may be gone already.
            let _ = inotify::remove_watch(&self.inotify, other);
        }
    }

    fn events(&self) -> io::Result<Vec<Raw>> {
        let mut events = Vec::new();
        let mut buffer = [MaybeUninit::uninit(); 8192];
        let mut reader = Reader::new(self.inotify.as_fd(), &mut buffer);
        loop {
            match reader.next() {
                Ok(event) => events.push(Raw {
                    folder: event.wd(),
                    flags: event.events(),
                    cookie: event.cookie(),
                    name: event.file_name().map_or_else(OsString::new, |name| {
                        OsStr::from_bytes(name.to_bytes()).to_owned()
                    }),
                }),
                Err(Errno::AGAIN) => return Ok(events),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// An event as the kernel tells it.
struct Raw {
    folder: i32,
    flags: ReadFlags,
    cookie: u32,
    name: OsString,
}

impl Raw {
    fn kind(&self, entry: &Entry) -> Option<Event> {
        let is = |flag| self.flags.contains(flag);
        if is(ReadFlags::MODIFY) {
            Some(Event::Modified)
        } else if is(ReadFlags::CLOSE_WRITE) {
            Some(Event::Closed)
        } else if is(ReadFlags::CREATE) {
            let found = std::fs::symlink_metadata(entry.folder.join(&entry.name));
            let is_link = found.is_ok_and(|found| found.is_symlink());
            Some(Event::Created(if is_link {
                Made::Link
            } else {
                Made::File
            }))
        } else if is(ReadFlags::MOVED_FROM) {
            Some(Event::MovedFrom(self.cookie))
        } else if is(ReadFlags::MOVED_TO) {
            Some(Event::MovedTo(self.cookie))
        } else if is(ReadFlags::DELETE) {
            Some(Event::Removed)
        } else if is(ReadFlags::ATTRIB) {
            Some(Event::Touched)
        } else {
            None
        }
    }
}

/// Without `EXCL_UNLINK`, a process that still writes a file that was removed or replaced would seem to write its
/// successor.
fn watched() -> WatchFlags {
    WatchFlags::MODIFY
        | WatchFlags::CLOSE_WRITE
        | WatchFlags::CREATE
        | WatchFlags::MOVED_FROM
        | WatchFlags::MOVED_TO
        | WatchFlags::DELETE
        | WatchFlags::ATTRIB
        | WatchFlags::EXCL_UNLINK
        | WatchFlags::ONLYDIR
}
