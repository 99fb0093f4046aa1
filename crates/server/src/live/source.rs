//! When a text of the files counts: each file's last complete text is kept, and both are judged together. What removes
//! a restriction, or is missing, has to stay as it is for a while.

use std::sync::Arc;
use std::time::Duration;

use ca::config::{Config, Restriction, UnusedTable, Warning, removed};
use tokio::time::Instant;

use super::files::{Content, File, Files, Pair};
use super::progress::Progress;
use super::watcher::Watcher;
use super::{Error, Gone, Overrides, Removal, parse};

/// How long files have to stay as they are before their text counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waits {
    /// Any text: writes that no event tells are over by then.
    pub(super) settle: Duration,
    /// A file that is missing or empty, before that is reported: editors put a file aside for a moment.
    pub(super) absence: Duration,
    /// A file that was edited in place and removes a restriction: it may be half of one.
    pub(super) quiet: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(50),
            absence: Duration::from_secs(1),
            quiet: Duration::from_secs(5),
        }
    }
}

/// How long a file may be open for writing before that is reported.
const WRITING: Duration = Duration::from_secs(60);
/// Maximum reads before files count as changing all the time.
const READS: usize = 20;

/// The texts of both files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Texts {
    pub(super) ca_json: Arc<str>,
    pub(super) riser_toml: Option<Arc<str>>,
}

impl Texts {
    pub(super) fn get(&self, file: File) -> Option<&Arc<str>> {
        match file {
            File::CaJson => Some(&self.ca_json),
            File::RiserToml => self.riser_toml.as_ref(),
        }
    }
}

/// A complete content of a file.
#[derive(Debug, Clone)]
struct Complete {
    content: Content,
    /// The last time at which something happened to the file.
    since: Instant,
}

/// A configuration that may come into force.
pub(super) struct Candidate {
    pub(super) texts: Texts,
    pub(super) config: Config,
    pub(super) warnings: Vec<Warning>,
    pub(super) removed: Vec<Restriction>,
}

/// What is to be done about the files now.
pub(super) enum Step {
    /// Nothing: what they contain is in force.
    Nothing,
    /// Bring this into force, and look again.
    Take(Box<Candidate>),
    /// Look again at this time, or when something happens.
    Wait(Instant),
    /// Report this.
    Refuse(Error),
}

/// The files, and what is known about their texts.
pub(super) struct Source {
    pub(super) files: Files,
    waits: Waits,
    watcher: Option<Watcher>,
    complete: Pair<Complete>,
    /// Since when a file is being written.
    writing: Pair<Option<Instant>>,
    /// A text that may have been cut by a full disk.
    cut: Pair<Option<Arc<str>>>,
    pub(super) in_force: Texts,
}

impl Source {
    /// Begins to watch the files, and then reads them for the first time.
    ///
    /// # Errors
    /// [`Error::Unreadable`].
    pub(super) fn open(files: Files, waits: Waits) -> Result<Self, Error> {
        let watcher = Watcher::open(&files).ok();
        let now = Instant::now();
        let complete = Pair::of(|file| Complete {
            content: files.read(file),
            since: now,
        });
        let in_force = Texts {
            ca_json: (complete.ca_json.content.text().cloned())
                .ok_or_else(|| files.unreadable(File::CaJson, &complete.ca_json.content))?,
            riser_toml: match &complete.riser_toml.content {
                Content::Text(text) => Some(text.clone()),
                Content::Blank | Content::Missing => None,
                content @ Content::Unreadable(_) => {
                    return Err(files.unreadable(File::RiserToml, content));
                }
            },
        };
        Ok(Self {
            files,
            waits,
            watcher,
            complete,
            writing: Pair::default(),
            cut: Pair::default(),
            in_force,
        })
    }

    pub(super) const fn watcher(&self) -> Option<&Watcher> {
        self.watcher.as_ref()
    }

    /// Reads the files between two reads of the events, until nothing happens between them.
    pub(super) fn look(&mut self) {
        let mut touched = Pair::default();
        for _ in 0..READS {
            let before = self.read_events();
            let contents = Pair::of(|file| self.files.read(file));
            let meanwhile = self.read_events();
            let is_quiet = meanwhile == Pair::default();
            for file in File::ALL {
                *touched.get_mut(file) |= *before.get(file) | *meanwhile.get(file);
                self.note(file, contents.get(file), *touched.get(file));
            }
            if is_quiet {
                return;
            }
        }
    }

    fn read_events(&mut self) -> Pair<bool> {
        let Some(watcher) = &mut self.watcher else {
            return Pair::default();
        };
        match watcher.read(&self.files) {
            Ok(seen) if seen.lost => Pair::of(|_| true),
            Ok(seen) => seen.touched,
            Err(error) => {
                tracing::warn!(%error, "the folders of the configuration cannot be watched any more");
                self.watcher = None;
                Pair::of(|_| true)
            }
        }
    }

    fn note(&mut self, file: File, content: &Content, touched: bool) {
        let now = Instant::now();
        if self.progress(file) == Progress::Writing {
            self.writing.get_mut(file).get_or_insert(now);
            // A file that was missing for a while has its last text still.
            let text = self.in_force.get(file).cloned();
            let complete = self.complete.get_mut(file);
            if let Some(text) = text.filter(|_| complete.content.text().is_none()) {
                complete.content = Content::Text(text);
            }
            return;
        }
        *self.writing.get_mut(file) = None;
        let complete = self.complete.get_mut(file);
        if let Some(watcher) = &mut self.watcher
            && !touched
            && complete.content != *content
        {
            // No event tells how it came: an earlier rename says nothing about it.
            watcher.settle(file);
        }
        if complete.content != *content {
            complete.content = content.clone();
            complete.since = now;
        } else if touched {
            complete.since = now;
        }
    }

    fn progress(&self, file: File) -> Progress {
        let watcher = self.watcher.as_ref();
        watcher.map_or(Progress::InPlace, |watcher| watcher.progress(file))
    }

    /// Decides what to do about the files, where `old` is in force.
    pub(super) fn decide(&self, old: &Config, overrides: &Overrides, removal: Removal) -> Step {
        let now = Instant::now();
        let texts = match self.texts(now, removal) {
            Ok(texts) => texts,
            Err(step) => return step,
        };
        let has_more_files = !old.riser.chains.alternates.is_empty();
        let is_in_force = texts == self.in_force;
        if is_in_force && !has_more_files {
            return Step::Nothing;
        }
        let settled = self.settled(&texts, now);
        let candidate = match self.candidate(texts, old, overrides) {
            Ok(candidate) => candidate,
            Err(_) if now < settled => return Step::Wait(settled),
            Err(error) => return Step::Refuse(error),
        };
        if is_in_force && candidate.config == *old {
            return Step::Nothing;
        }
        let doubtful = match removal {
            Removal::Refused => self.doubtful(&candidate),
            Removal::Accepted => Vec::new(),
        };
        if let Some(file) = doubtful.iter().copied().find(|file| self.may_be_cut(*file)) {
            return Step::Refuse(Error::Cut(self.files.path(file).clone()));
        }
        // While a process writes again, there is no quiet, whatever was complete before.
        let quiet = doubtful.iter().map(|file| match self.progress(*file) {
            Progress::Writing => now + self.waits.quiet,
            Progress::Whole | Progress::InPlace => {
                self.complete.get(*file).since + self.waits.quiet
            }
        });
        match quiet.max().filter(|quiet| now < *quiet) {
            Some(quiet) => self
                .without(&doubtful, old, overrides)
                .unwrap_or(Step::Wait(quiet)),
            None if now < settled => Step::Wait(settled),
            None => Step::Take(Box::new(candidate)),
        }
    }

    /// The complete texts of both files.
    fn texts(&self, now: Instant, removal: Removal) -> Result<Texts, Step> {
        let missing = |file: File| {
            let Complete { content, since } = self.complete.get(file);
            let reported = *since + self.waits.absence;
            if now < reported {
                return Step::Wait(reported);
            }
            Step::Refuse(self.files.gone(file, content, Gone::InForce))
        };
        let ca_json = self.complete.ca_json.content.text().cloned();
        let ca_json = ca_json.ok_or_else(|| missing(File::CaJson))?;
        let riser_toml = match &self.complete.riser_toml.content {
            Content::Text(text) => Some(text.clone()),
            Content::Unreadable(_) => return Err(missing(File::RiserToml)),
            Content::Blank | Content::Missing => {
                if self.in_force.riser_toml.is_some() && removal == Removal::Refused {
                    return Err(missing(File::RiserToml));
                }
                None
            }
        };
        Ok(Texts {
            ca_json,
            riser_toml,
        })
    }

    /// The complete texts, whether or not they may come into force; `None` where ca.json has none.
    pub(super) fn present(&self) -> Option<Texts> {
        Some(Texts {
            ca_json: self.complete.ca_json.content.text()?.clone(),
            riser_toml: self.complete.riser_toml.content.text().cloned(),
        })
    }

    /// When the files that changed have stayed as they are for long enough.
    fn settled(&self, texts: &Texts, now: Instant) -> Instant {
        let changed = File::ALL
            .into_iter()
            .filter(|file| self.differs(texts, *file));
        let settled = changed.map(|file| self.complete.get(file).since + self.waits.settle);
        settled.max().unwrap_or(now)
    }

    fn differs(&self, texts: &Texts, file: File) -> bool {
        texts.get(file) != self.in_force.get(file)
    }

    fn candidate(
        &self,
        texts: Texts,
        old: &Config,
        overrides: &Overrides,
    ) -> Result<Candidate, Error> {
        // Another program that removes a provisioner does not know riser.toml.
        let unused = if self.differs(&texts, File::RiserToml) {
            UnusedTable::Fault
        } else {
            UnusedTable::Warning
        };
        let parsed = parse(&self.files, &texts, overrides, unused)?;
        if old.db != parsed.config.db {
            return Err(Error::AnotherStore);
        }
        let removed = removed(&old.restrictions(), &parsed.config.restrictions());
        Ok(Candidate {
            texts,
            config: parsed.config,
            warnings: parsed.warnings,
            removed,
        })
    }

    /// The files that remove a restriction and were edited in place.
    fn doubtful(&self, candidate: &Candidate) -> Vec<File> {
        let is_edited = |file: File| self.differs(&candidate.texts, file);
        // A restriction of a file that stays as it is can end with a provisioner of the other one.
        let removes = |file: File| {
            let by_file = |one: &Restriction| {
                let own = File::ALL.into_iter().find(|it| it.name() == one.file);
                own.is_none_or(|own| own == file || !is_edited(own))
            };
            candidate.removed.iter().any(by_file)
        };
        let is_doubtful = |file: &File| {
            is_edited(*file) && removes(*file) && self.progress(*file) != Progress::Whole
        };
        File::ALL.into_iter().filter(is_doubtful).collect()
    }

    /// What to do meanwhile about the other file, where these have to wait.
    fn without(&self, doubtful: &[File], old: &Config, overrides: &Overrides) -> Option<Step> {
        let now = Instant::now();
        let mut texts = self.texts(now, Removal::Refused).ok()?;
        for file in doubtful {
            match file {
                File::CaJson => texts.ca_json = self.in_force.ca_json.clone(),
                File::RiserToml => texts.riser_toml = self.in_force.riser_toml.clone(),
            }
        }
        if texts == self.in_force {
            return None;
        }
        let settled = self.settled(&texts, now);
        let candidate = self.candidate(texts, old, overrides).ok()?;
        if !self.doubtful(&candidate).is_empty() {
            return None;
        }
        Some(match now < settled {
            true => Step::Wait(settled),
            false => Step::Take(Box::new(candidate)),
        })
    }

    /// Whether a text may lack its end: it was written to a full disk, or does not end with a line as the one in force
    /// does. Half of a ca.json is not JSON.
    fn may_be_cut(&self, file: File) -> bool {
        let text = self.complete.get(file).content.text();
        let Some(text) = text.filter(|_| file == File::RiserToml) else {
            return false;
        };
        let ended = |text: &Arc<str>| text.ends_with('\n');
        let lost_its_end = self.in_force.get(file).is_some_and(ended) && !ended(text);
        lost_its_end || self.cut.get(file).as_ref() == Some(text)
    }

    /// Notes the texts that a full disk may have cut.
    pub(super) fn note_full_disk(&mut self) {
        for file in File::ALL {
            let text = self.complete.get(file).content.text().cloned();
            let is_new = text.as_ref() != self.in_force.get(file);
            if is_new && self.cut.get(file) != &text && self.files.is_on_a_full_disk(file) {
                *self.cut.get_mut(file) = text;
            }
        }
    }

    /// The file that has been open for writing for this long, if there is one.
    pub(super) fn being_written(&self, asked: Asked) -> Option<Error> {
        let least = match asked {
            Asked::ByOperator => Duration::ZERO,
            Asked::ByEvent => WRITING,
        };
        let long = |file: &File| {
            self.writing
                .get(*file)
                .is_some_and(|since| since.elapsed() >= least)
        };
        let file = File::ALL.into_iter().find(long)?;
        Some(Error::BeingWritten(self.files.path(file).clone()))
    }

    /// Forgets how the files in force were written.
    pub(super) fn settle(&mut self) {
        for file in File::ALL {
            let content = self.complete.get(file).content.text();
            let is_in_force = content == self.in_force.get(file);
            if let Some(watcher) = self.watcher.as_mut().filter(|_| is_in_force) {
                watcher.settle(file);
            }
        }
    }

    /// Whether a file was written so lately that its writing may go on.
    pub(super) fn is_young(&self, file: File) -> bool {
        let by_clock = self
            .files
            .age(file)
            .is_none_or(|age| age < self.waits.quiet);
        let first_seen = self.complete.get(file).since.elapsed() < self.waits.quiet;
        self.progress(file) == Progress::Writing || (by_clock && first_seen)
    }
}

/// Who wants to know what the files came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// An operator, now.
    ByOperator,
    /// Nobody: something happened to the files.
    ByEvent,
}
