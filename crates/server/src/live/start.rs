//! How a start judges the files: by what was in force when the server ran last.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use ca::config::{Config, Restriction, UnusedTable, Warning, removed};
use store::AcceptedConfiguration;
use tokio::sync::{Mutex, watch};
use tokio::time::sleep;

use super::files::{File, Files, Pair};
use super::source::{Candidate, Source, Texts, Waits};
use super::{Error, Gone, Live, Overrides, Removal, accepted, parse};

/// How often a file is looked at that was written just before the start.
const LOOK: Duration = Duration::from_millis(200);

impl Live {
    /// Reads the files for the first time. The watch on them begins before, so that no edit is missed.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Unreadable`] and [`Error::Faults`].
    pub(crate) fn open(files: Files, overrides: Overrides) -> Result<(Self, Vec<Warning>), Error> {
        Self::open_with(files, overrides, Waits::default())
    }

    pub(super) fn open_with(
        files: Files,
        overrides: Overrides,
        waits: Waits,
    ) -> Result<(Self, Vec<Warning>), Error> {
        let source = Source::open(files, waits)?;
        let parse = |unused| parse(&source.files, &source.in_force, &overrides, unused);
        let parsed = match parse(UnusedTable::Fault) {
            Ok(parsed) => parsed,
            // Whether a table without provisioner is a fault depends on what was in force last.
            Err(fault) => match parse(UnusedTable::Warning) {
                Ok(parsed) if has_store(&parsed.config) => parsed,
                Ok(_) | Err(_) => return Err(fault),
            },
        };
        let warnings = parsed.warnings;
        let notes = warnings.iter().map(ToString::to_string).collect();
        let accepted = accepted(&source.in_force, &parsed.config);
        let live = Self {
            source: Some(Mutex::new(source)),
            overrides,
            notes: ArcSwap::from_pointee(notes),
            accepted: watch::Sender::new(Some(accepted)),
            ..Self::fixed(Arc::new(parsed.config))
        };
        Ok((live, warnings))
    }

    /// Judges what [`Live::open`] read by what was in force when the server ran last. A file that was written just now
    /// and removes a restriction has to stay as it is for a while; what it contains then is in force.
    ///
    /// # Errors
    /// [`Error::Gone`] where riser.toml was in force and is missing or empty, and the operator has not accepted that;
    /// [`Error::Faults`] where it changed and has a table that names no provisioner, or became invalid meanwhile.
    pub(crate) async fn judge_start(
        &self,
        last: Option<&AcceptedConfiguration>,
        removal: Removal,
    ) -> Result<(), Error> {
        let Some(source) = &self.source else {
            return Ok(());
        };
        let mut source = source.lock().await;
        let lost = loop {
            let now = accepted(&source.in_force, &self.config());
            if now.riser_toml.is_none() && removal == Removal::Refused {
                check_not_gone(&source, last)?;
            }
            let is_new = changed(last, &now);
            if is_new.riser_toml {
                self.parsed(&source, source.in_force.clone(), UnusedTable::Fault)?;
            }
            let lost = last.map_or_else(Vec::new, |last| {
                removed(&last.restrictions, &now.restrictions)
            });
            let is_young = |file: &File| *is_new.get(*file) && source.is_young(*file);
            if lost.is_empty() || removal == Removal::Accepted || !File::ALL.iter().any(is_young) {
                break lost;
            }
            sleep(LOOK).await;
            source.look();
            self.take_over(&mut source)?;
        };
        if !lost.is_empty() && removal == Removal::Refused {
            self.check_whole(&source, last)?;
        }
        report(&lost);
        Ok(())
    }

    /// Whether a riser.toml that changed and removes restrictions has its end: another process may still write it, or
    /// the disk may have been full.
    fn check_whole(
        &self,
        source: &Source,
        last: Option<&AcceptedConfiguration>,
    ) -> Result<(), Error> {
        let file = File::RiserToml;
        let is_new = changed(last, &accepted(&source.in_force, &self.config())).riser_toml;
        let text = source.in_force.get(file);
        let has_its_end = text.is_none_or(|text| text.ends_with('\n'));
        if is_new && (!has_its_end || source.files.is_on_a_full_disk(file)) {
            return Err(Error::Cut(source.files.path(file).clone()));
        }
        Ok(())
    }

    /// Brings into force what the files contain by now, where they changed during the start.
    fn take_over(&self, source: &mut Source) -> Result<(), Error> {
        let Some(texts) = source.present() else {
            return Ok(());
        };
        if texts == source.in_force {
            return Ok(());
        }
        let parsed = self.parsed(source, texts.clone(), UnusedTable::Warning)?;
        self.adopt(
            source,
            Candidate {
                texts,
                config: parsed.config,
                warnings: parsed.warnings,
                removed: Vec::new(),
            },
        );
        Ok(())
    }

    fn parsed(
        &self,
        source: &Source,
        texts: Texts,
        unused: UnusedTable,
    ) -> Result<super::Parsed, Error> {
        parse(&source.files, &texts, &self.overrides, unused)
    }
}

/// Whether the store exists already; a new one knows of no configuration before.
fn has_store(config: &Config) -> bool {
    config.db.as_ref().is_some_and(|db| db.file().exists())
}

fn changed(last: Option<&AcceptedConfiguration>, now: &AcceptedConfiguration) -> Pair<bool> {
    Pair {
        ca_json: last.is_none_or(|last| last.ca_json != now.ca_json),
        riser_toml: last.is_none_or(|last| last.riser_toml != now.riser_toml),
    }
}

fn check_not_gone(source: &Source, last: Option<&AcceptedConfiguration>) -> Result<(), Error> {
    if last.is_none_or(|last| last.riser_toml.is_none()) {
        return Ok(());
    }
    let file = File::RiserToml;
    let content = source.files.read(file);
    Err(source.files.gone(file, &content, Gone::AtLastRun))
}

fn report(lost: &[Restriction]) {
    for restriction in lost {
        tracing::warn!(
            event = "configuration",
            "{restriction} no longer restricts: it did when the server ran last"
        );
    }
}
