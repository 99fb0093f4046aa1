//! The live configuration: what is in force now, and how an edit of the files
//! takes effect without a restart.
//!
//! An edit is taken when its files are complete, and checked as a whole. An invalid one leaves the old configuration in
//! force and is logged as an error; so does a file that is missing. See `source.rs` for when a file is complete.

mod chains;
mod files;
mod progress;
mod source;
mod start;
mod watcher;

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use ca::config::{Config, RateLimits, UnusedTable, Warning};
use data_encoding::HEXLOWER;
use store::AcceptedConfiguration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep, sleep_until};

pub(crate) use files::Files;

use files::{Content, File};
use source::{Asked, Candidate, Source, Step, Texts};
use watcher::Watcher;

/// How often the files are read although no event tells of a change: another machine may have written them.
const POLL: Duration = Duration::from_secs(10);
/// The same where there are no events.
const POLL_UNWATCHED: Duration = Duration::from_secs(2);
/// How long to wait for files that keep changing.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a configuration is not in force.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no ca.json to start with.
    #[error("{} does not exist", .0.display())]
    Missing(PathBuf),
    /// A file cannot be read.
    #[error("error opening {}: {what}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A file that was in force has no content.
    #[error("{} {what}, and its settings were in force{since}: restore it{way_out}", .file.display())]
    Gone {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        what: String,
        /// Since when, in words.
        since: &'static str,
        /// What else to do.
        way_out: &'static str,
    },
    /// A file may lack its end.
    #[error(
        "{} lacks restrictions that are in force, and may be incomplete: its last line does not end, or the disk was \
         full when it was written; write it again, or accept it with `step ca reload --accept-removal` or `step-ca --accept-removal`", .0.display()
    )]
    Cut(PathBuf),
    /// A process has begun to write a file and still has it open.
    #[error(
        "{} is still open in a process that has changed it; its last complete text counts until that process closes \
         it", .0.display()
    )]
    BeingWritten(PathBuf),
    /// The files are invalid; a line for each fault.
    #[error("{}", .0.join("\n"))]
    Faults(Vec<String>),
    /// The files kept changing while they were read.
    #[error("the configuration files kept changing while they were read")]
    Unsettled,
    /// The store cannot change while the server runs.
    #[error("db has changed: the store cannot change while the server runs; restart it")]
    AnotherStore,
}

/// When a file was in force that has no content now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gone {
    /// Until now.
    InForce,
    /// When the server ran last.
    AtLastRun,
}

/// Whether files that were in force may be missing, and restrictions may end at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Removal {
    /// It is a fault.
    #[default]
    Refused,
    /// The operator has accepted it.
    Accepted,
}

/// The result of a reload.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reloaded {
    /// The files contain what is in force already.
    Same,
    /// New settings are in force.
    Changed,
}

/// Settings of the command line that take precedence over those of the files, at each
/// reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Overrides {
    /// The port of http-01.
    pub(crate) http_port: Option<u16>,
    /// The port of tls-alpn-01.
    pub(crate) tls_port: Option<u16>,
    /// The DNS server to ask, by its addresses; none to ask the machine's own.
    pub(crate) resolvers: Vec<SocketAddr>,
    /// What applies where the files set no rate limits.
    pub(crate) rate_limits: Option<RateLimits>,
}

impl Overrides {
    fn apply(&self, config: &mut Config) {
        let validation = &mut config.riser.validation;
        if let Some(port) = self.http_port {
            validation.http_port = port;
        }
        if let Some(port) = self.tls_port {
            validation.tls_port = port;
        }
        if !self.resolvers.is_empty() {
            validation.resolvers.clone_from(&self.resolvers);
        }
        if let Some(limits) = &self.rate_limits
            && config.riser.rate_limits == RateLimits::default()
        {
            config.riser.rate_limits.clone_from(limits);
        }
    }
}

/// The configuration in force.
pub(crate) struct Live {
    /// One reload at a time reads the files.
    source: Option<Mutex<Source>>,
    overrides: Overrides,
    config: ArcSwap<Config>,
    fault: ArcSwapOption<String>,
    notes: ArcSwap<Vec<String>>,
    revision: watch::Sender<u64>,
    accepted: watch::Sender<Option<AcceptedConfiguration>>,
}

/// A configuration as parsed.
struct Parsed {
    config: Config,
    warnings: Vec<Warning>,
}

fn parse(
    files: &Files,
    texts: &Texts,
    overrides: &Overrides,
    unused: UnusedTable,
) -> Result<Parsed, Error> {
    let riser_toml = texts.riser_toml.as_deref();
    let (mut config, warnings) = Config::parse_with(&texts.ca_json, riser_toml, unused)
        .map_err(|faults| Error::Faults(faults.iter().map(ToString::to_string).collect()))?;
    overrides.apply(&mut config);
    chains::load(files.path(File::CaJson), &mut config).map_err(Error::Faults)?;
    Ok(Parsed { config, warnings })
}

impl Files {
    fn unreadable(&self, file: File, content: &Content) -> Error {
        let path = self.path(file).clone();
        match content {
            Content::Missing => Error::Missing(path),
            Content::Text(_) | Content::Blank | Content::Unreadable(_) => Error::Unreadable {
                file: path,
                what: wrong(content),
            },
        }
    }

    fn gone(&self, file: File, content: &Content, when: Gone) -> Error {
        Error::Gone {
            file: self.path(file).clone(),
            what: wrong(content),
            since: match when {
                Gone::InForce => "",
                Gone::AtLastRun => " when the server ran last",
            },
            way_out: match (file, when) {
                (File::CaJson, _) => "",
                (File::RiserToml, Gone::InForce) => {
                    ", or accept that they end with `step ca reload --accept-removal`"
                }
                (File::RiserToml, Gone::AtLastRun) => {
                    ", or start once with `step-ca --accept-removal` to accept that they end"
                }
            },
        }
    }
}

/// What is wrong with a file without text, as the end of a sentence.
fn wrong(content: &Content) -> String {
    match content {
        Content::Text(_) => String::new(),
        Content::Blank => "is empty".to_owned(),
        Content::Missing => "is missing".to_owned(),
        Content::Unreadable(error) => format!("cannot be read ({error})"),
    }
}

fn accepted(texts: &Texts, config: &Config) -> AcceptedConfiguration {
    let digest = |text: &str| HEXLOWER.encode(&pki::sha256(text.as_bytes()));
    AcceptedConfiguration {
        ca_json: digest(&texts.ca_json),
        riser_toml: texts.riser_toml.as_deref().map(digest),
        restrictions: config.restrictions(),
    }
}

impl Live {
    /// A configuration without files, which never changes.
    pub(crate) fn fixed(config: Arc<Config>) -> Self {
        Self {
            source: None,
            overrides: Overrides::default(),
            config: ArcSwap::new(config),
            fault: ArcSwapOption::empty(),
            notes: ArcSwap::default(),
            revision: watch::Sender::new(0),
            accepted: watch::Sender::new(None),
        }
    }

    /// The configuration in force now. A request takes it once.
    pub(crate) fn config(&self) -> Arc<Config> {
        self.config.load_full()
    }

    /// Why the newest edit is not in force; `None` when it is.
    pub(crate) fn fault(&self) -> Option<String> {
        self.fault.load().as_deref().cloned()
    }

    /// Which parts of the newest edit have no effect, or none before the next start, and what it removed.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.load().to_vec()
    }

    /// Notifies of each change of what is in force.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// What is in force, for the store: the next start is judged by it. None without files.
    pub(crate) fn accepted(&self) -> watch::Receiver<Option<AcceptedConfiguration>> {
        self.accepted.subscribe()
    }

    /// Puts the files' present content into force, or logs why not.
    pub(crate) async fn reload(&self, removal: Removal) -> Option<Reloaded> {
        self.attempt(removal, Asked::ByOperator).await
    }

    async fn attempt(&self, removal: Removal, asked: Asked) -> Option<Reloaded> {
        match self.try_reload(removal, asked).await {
            Ok(reloaded) => {
                if self.fault.swap(None).is_some() {
                    tracing::info!(
                        event = "configuration",
                        "the configuration files are valid again"
                    );
                }
                Some(reloaded)
            }
            Err(error) => {
                let words = error.to_string();
                if self.fault.load().as_deref() == Some(&words) {
                    return None;
                }
                for fault in words.lines() {
                    tracing::error!(
                        event = "configuration",
                        outcome = "refused",
                        "{fault}; the previous configuration stays in force"
                    );
                }
                self.fault.store(Some(Arc::new(words)));
                None
            }
        }
    }

    async fn try_reload(&self, removal: Removal, asked: Asked) -> Result<Reloaded, Error> {
        let Some(source) = &self.source else {
            return Ok(Reloaded::Same);
        };
        let mut source = source.lock().await;
        let end = Instant::now() + PATIENCE;
        let mut reloaded = Reloaded::Same;
        loop {
            source.look();
            source.note_full_disk();
            match source.decide(&self.config(), &self.overrides, removal) {
                Step::Take(candidate) => {
                    if self.adopt(&mut source, *candidate) == Reloaded::Changed {
                        reloaded = Reloaded::Changed;
                    }
                }
                Step::Wait(_) if Instant::now() > end => return Err(Error::Unsettled),
                Step::Wait(until) => sleep_until(until).await,
                Step::Refuse(error) => return Err(error),
                Step::Nothing => {
                    source.settle();
                    return source.being_written(asked).map_or(Ok(reloaded), Err);
                }
            }
        }
    }

    /// Brings a checked configuration into force.
    fn adopt(&self, source: &mut Source, new: Candidate) -> Reloaded {
        let old = self.config();
        let changes = old.changes(&new.config);
        let mut notes: Vec<String> = new.warnings.iter().map(ToString::to_string).collect();
        let removed = new.removed.iter();
        notes.extend(removed.map(|restriction| format!("{restriction} no longer restricts")));
        for warning in &notes {
            tracing::warn!(event = "configuration", "{warning}");
        }
        for change in &changes {
            if change.live {
                tracing::info!(
                    event = "configuration",
                    outcome = "in force",
                    "{}",
                    change.what
                );
            } else {
                let note = format!("{}: takes effect at the next start", change.what);
                tracing::warn!(event = "configuration", outcome = "waiting", "{note}");
                notes.push(note);
            }
        }
        self.accepted
            .send_replace(Some(accepted(&new.texts, &new.config)));
        self.notes.store(Arc::new(notes));
        self.config.store(Arc::new(new.config));
        source.in_force = new.texts;
        if changes.is_empty() {
            return Reloaded::Same;
        }
        self.revision.send_modify(|revision| *revision += 1);
        Reloaded::Changed
    }

    /// Watches the files and reloads after each edit; never returns.
    pub(crate) async fn watch(&self) {
        let Some(source) = &self.source else {
            return;
        };
        let events = match source.lock().await.watcher().map(Watcher::handle) {
            Some(Ok(handle)) => readable(handle).ok(),
            Some(Err(_)) | None => None,
        };
        if events.is_none() {
            tracing::warn!(
                event = "configuration",
                "the folders of the configuration cannot be watched; the files are read every {POLL_UNWATCHED:?}"
            );
        }
        loop {
            // What happened since the first read is among the events.
            self.attempt(Removal::Refused, Asked::ByEvent).await;
            next_event(events.as_ref()).await;
        }
    }
}

#[expect(
    deprecated,
    reason = "its successor is unsafe for types that may not own their descriptor, and an OwnedFd does"
)]
fn readable(events: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(events, Interest::READABLE)
}

/// Waits for an event, or until the files are to be read without one.
async fn next_event(events: Option<&AsyncFd<OwnedFd>>) {
    let Some(events) = events else {
        return sleep(POLL_UNWATCHED).await;
    };
    tokio::select! {
        ready = events.readable() => match ready {
            // The reload reads the events; those that come from now on are told again.
            Ok(mut ready) => ready.clear_ready(),
            Err(_) => sleep(POLL_UNWATCHED).await,
        },
        () = sleep(POLL) => {}
    }
}

#[cfg(test)]
mod tests;
