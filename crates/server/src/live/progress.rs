//! How far the writing of each file has come, by the events of its folders: a file is incomplete from its first
//! modification until it is closed, also where it is renamed meanwhile. No I/O is here.

use std::collections::HashMap;
use std::hash::Hash;

/// What happened to an entry of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// Its content was changed, or cut.
    Modified,
    /// A process that could write it closed it.
    Closed,
    /// It was created; not yet written, unless it is a link.
    Created(Made),
    /// It was renamed away; the number is that of its [`Event::MovedTo`].
    MovedFrom(u32),
    /// It was renamed into place.
    MovedTo(u32),
    /// It was removed.
    Removed,
    /// Its mode or owner changed.
    Touched,
}

impl Event {
    /// Whether something that was complete has taken the entry's place.
    pub(super) const fn is_swap(self) -> bool {
        matches!(self, Self::MovedTo(_) | Self::Created(Made::Link))
    }
}

/// What was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// A symbolic link: complete at once.
    Link,
    /// Something else.
    File,
}

/// How a file came to its present content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// In one step: by a rename or a link.
    Whole,
    /// Step by step; the writer has closed it.
    InPlace,
    /// Step by step; the writer has not closed it.
    Writing,
}

/// The progress of entries since they were in force last, by any key for entries.
#[derive(Debug)]
pub(super) struct Tracker<K> {
    entries: HashMap<K, Progress>,
    /// What was renamed away and has not arrived.
    moving: HashMap<u32, Progress>,
}

impl<K> Default for Tracker<K> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            moving: HashMap::new(),
        }
    }
}

impl<K: Hash + Eq> Tracker<K> {
    /// Follows an event. `is_ours` is whether the entry is one of the files: of others, only those that are being
    /// written matter, as they may be renamed to ours.
    pub(super) fn follow(&mut self, entry: K, event: Event, is_ours: bool) {
        match event {
            Event::Modified => {
                self.entries.insert(entry, Progress::Writing);
            }
            Event::Created(Made::Link) if is_ours => {
                self.entries.insert(entry, Progress::Whole);
            }
            Event::Closed | Event::Created(_) | Event::Removed => {
                self.entries.remove(&entry);
            }
            Event::MovedFrom(number) => {
                let progress = self.entries.remove(&entry);
                let progress = progress.or_else(|| is_ours.then_some(Progress::InPlace));
                if let Some(progress) = progress {
                    self.moving.insert(number, progress);
                }
            }
            Event::MovedTo(number) => {
                // One that left the watched folders half-written comes back with another number.
                let back = self.moving.values().any(|it| *it == Progress::Writing);
                match self.moving.remove(&number) {
                    Some(progress) => self.entries.insert(entry, progress),
                    None if !is_ours => self.entries.remove(&entry),
                    None if back => self.entries.insert(entry, Progress::InPlace),
                    None => self.entries.insert(entry, Progress::Whole),
                };
            }
            Event::Touched => {}
        }
    }

    /// How an entry came to its content. Where no event said so, it was written step by step.
    pub(super) fn progress(&self, entry: &K) -> Progress {
        let known = self.entries.get(entry).copied();
        known.unwrap_or(Progress::InPlace)
    }

    /// Notes that an entry was put in place as a whole, by a link or a folder on its way. One that is being written
    /// stays so.
    pub(super) fn swap(&mut self, entry: K) {
        self.entries.entry(entry).or_insert(Progress::Whole);
    }

    /// Forgets how an entry came to a content that is in force now.
    pub(super) fn settle(&mut self, entry: &K) {
        if self.progress(entry) != Progress::Writing {
            self.entries.remove(entry);
        }
    }

    /// Forgets everything: events were lost.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.moving.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Event::{Closed, Created, Modified, MovedFrom, MovedTo, Removed};
    use Progress::{InPlace, Whole, Writing};

    const OURS: &str = "riser.toml";

    /// The progress of riser.toml after these events.
    fn after(events: &[(&'static str, Event)]) -> Progress {
        let mut tracker = Tracker::default();
        for (entry, event) in events {
            tracker.follow(*entry, *event, *entry == OURS);
        }
        tracker.progress(&OURS)
    }

    #[test]
    fn a_file_is_incomplete_from_its_first_modification_until_it_is_closed() {
        assert_eq!(after(&[]), InPlace, "no event said how");
        assert_eq!(after(&[(OURS, Modified)]), Writing);
        assert_eq!(after(&[(OURS, Modified), (OURS, Closed)]), InPlace);
        let again = [(OURS, Modified), (OURS, Closed), (OURS, Modified)];
        assert_eq!(after(&again), Writing);
        let new = [
            (OURS, Removed),
            (OURS, Created(Made::File)),
            (OURS, Modified),
        ];
        assert_eq!(after(&new), Writing);
        // A hard link is never closed.
        assert_eq!(after(&[(OURS, Created(Made::File))]), InPlace);
    }

    #[test]
    fn what_is_renamed_or_linked_into_place_is_whole() {
        let written = [
            ("new", Created(Made::File)),
            ("new", Modified),
            ("new", Closed),
        ];
        let renamed = [("new", MovedFrom(1)), (OURS, MovedTo(1))];
        assert_eq!(after(&[&written[..], &renamed].concat()), Whole);
        assert_eq!(after(&[(OURS, Modified), (OURS, MovedTo(2))]), Whole);
        let linked = [(OURS, Modified), (OURS, Created(Made::Link))];
        assert_eq!(after(&linked), Whole);
    }

    #[test]
    fn a_rename_does_not_complete_what_is_still_being_written() {
        let away = [
            (OURS, Modified),
            (OURS, MovedFrom(1)),
            ("aside", MovedTo(1)),
        ];
        let back = [("aside", MovedFrom(2)), (OURS, MovedTo(2))];
        assert_eq!(after(&[&away[..], &back].concat()), Writing);
        let half = [("new", Modified), ("new", MovedFrom(1)), (OURS, MovedTo(1))];
        assert_eq!(after(&half), Writing);
        let outside = [(OURS, Modified), (OURS, MovedFrom(1)), (OURS, MovedTo(2))];
        assert_eq!(after(&outside), InPlace);
    }

    #[test]
    fn an_edit_in_place_stays_one_when_the_file_is_renamed_to_and_fro() {
        let edited = [(OURS, Modified), (OURS, Closed), (OURS, MovedFrom(1))];
        let back = [
            ("aside", MovedTo(1)),
            ("aside", MovedFrom(2)),
            (OURS, MovedTo(2)),
        ];
        assert_eq!(after(&[&edited[..], &back].concat()), InPlace);
    }
}
