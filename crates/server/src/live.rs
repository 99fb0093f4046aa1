//! The live configuration: what is in force now, and how an edit of the files
//! takes effect without a restart.
//!
//! An edit is taken when two reads of the files agree, and checked as a whole. An invalid one leaves the old
//! configuration in force and is logged as an error.

mod chains;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use ca::authority::Layout;
use ca::config::{Config, RISER_TOML, RateLimits, Warning};
use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

/// Two reads this far apart have to agree before an edit is taken.
const SETTLE: Duration = Duration::from_millis(50);
/// Maximum reads before files that keep changing are reported.
const READS: usize = 100;

/// The configuration files of one authority.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    ca_json: PathBuf,
    riser_toml: PathBuf,
}

/// The contents of the files, unparsed.
#[derive(Clone, PartialEq)]
struct Text {
    ca_json: String,
    riser_toml: Option<String>,
}

/// Why a configuration is not in force.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file cannot be read.
    #[error("error opening {}: {error}", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The system's error.
        error: io::Error,
    },
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
    files: Option<Files>,
    overrides: Overrides,
    seen: ArcSwapOption<Text>,
    config: ArcSwap<Config>,
    fault: ArcSwapOption<String>,
    notes: ArcSwap<Vec<String>>,
    revision: watch::Sender<u64>,
}

impl Files {
    /// `ca_json`, and `riser.toml` beside it.
    pub(crate) fn beside(ca_json: PathBuf) -> Self {
        let riser_toml = ca_json.with_file_name(RISER_TOML);
        Self {
            ca_json,
            riser_toml,
        }
    }

    fn read(&self) -> Result<Text, Error> {
        let unreadable = |file: &Path, error| Error::Unreadable {
            file: file.to_owned(),
            error,
        };
        let ca_json = std::fs::read_to_string(&self.ca_json)
            .map_err(|error| unreadable(&self.ca_json, error))?;
        let riser_toml = match std::fs::read_to_string(&self.riser_toml) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unreadable(&self.riser_toml, error)),
        };
        Ok(Text {
            ca_json,
            riser_toml,
        })
    }

    /// The folders to watch for changes of the files: their own, and those that symbolic links lead to.
    fn folders(&self) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for file in [&self.ca_json, &self.riser_toml] {
            let real = file.canonicalize().ok();
            for file in std::iter::once(file).chain(&real) {
                let folder = file.parent().filter(|p| !p.as_os_str().is_empty());
                let folder = folder.unwrap_or_else(|| Path::new(".")).to_owned();
                if !folders.contains(&folder) {
                    folders.push(folder);
                }
            }
        }
        folders
    }
}

/// Calls `read` until two reads in a row agree, so that a file is not taken while it is being written.
async fn settled(mut read: impl FnMut() -> Result<Text, Error>) -> Result<Text, Error> {
    let mut last = read();
    for _ in 0..READS {
        sleep(SETTLE).await;
        let next = read();
        match (last, next) {
            (Ok(a), Ok(b)) if a == b => return Ok(b),
            (Err(_), Err(error)) => return Err(error),
            (_, next) => last = next,
        }
    }
    last.and(Err(Error::Unsettled))
}

fn parse(
    files: &Files,
    text: &Text,
    overrides: &Overrides,
) -> Result<(Config, Vec<Warning>), Error> {
    let (mut config, warnings) = Config::parse(&text.ca_json, text.riser_toml.as_deref())
        .map_err(|faults| Error::Faults(faults.iter().map(ToString::to_string).collect()))?;
    overrides.apply(&mut config);
    chains::load(&files.ca_json, &mut config).map_err(Error::Faults)?;
    Ok((config, warnings))
}

impl Live {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// [`Error::Unreadable`] and [`Error::Faults`].
    pub(crate) fn open(files: Files, overrides: Overrides) -> Result<(Self, Vec<Warning>), Error> {
        let text = files.read()?;
        let (config, warnings) = parse(&files, &text, &overrides)?;
        let live = Self {
            files: Some(files),
            overrides,
            seen: ArcSwapOption::from_pointee(text),
            notes: ArcSwap::from_pointee(warnings.iter().map(ToString::to_string).collect()),
            ..Self::fixed(Arc::new(config))
        };
        Ok((live, warnings))
    }

    /// A configuration without files, which never changes.
    pub(crate) fn fixed(config: Arc<Config>) -> Self {
        Self {
            files: None,
            overrides: Overrides::default(),
            seen: ArcSwapOption::empty(),
            config: ArcSwap::new(config),
            fault: ArcSwapOption::empty(),
            notes: ArcSwap::default(),
            revision: watch::Sender::new(0),
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

    /// Which parts of the newest edit have no effect, or none before the next start.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.load().to_vec()
    }

    /// Notifies of each change of what is in force.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// Puts the files' present content into force, or logs why not.
    pub(crate) async fn reload(&self) -> Option<Reloaded> {
        match self.try_reload().await {
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

    async fn try_reload(&self) -> Result<Reloaded, Error> {
        let Some(files) = &self.files else {
            return Ok(Reloaded::Same);
        };
        let text = settled(|| files.read()).await?;
        let has_more_files = !self.config().riser.chains.alternates.is_empty();
        if self.seen.load().as_deref() == Some(&text) && !has_more_files {
            return Ok(Reloaded::Same);
        }
        let (new, warnings) = parse(files, &text, &self.overrides)?;
        let old = self.config();
        if old.db != new.db {
            return Err(Error::AnotherStore);
        }
        let changes = old.changes(&new);
        let mut notes: Vec<String> = warnings.iter().map(ToString::to_string).collect();
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
        self.notes.store(Arc::new(notes));
        self.config.store(Arc::new(new));
        self.seen.store(Some(Arc::new(text)));
        if changes.is_empty() {
            return Ok(Reloaded::Same);
        }
        self.revision.send_modify(|revision| *revision += 1);
        Ok(Reloaded::Changed)
    }

    /// Watches the files' folders and reloads after each edit; never returns.
    pub(crate) async fn watch(&self) {
        let Some(files) = &self.files else {
            return;
        };
        let changed = Arc::new(Notify::new());
        let _watcher = match watcher(files, Arc::clone(&changed)) {
            Ok(watcher) => watcher,
            Err(error) => {
                tracing::warn!(%error, "the configuration is not watched; SIGHUP reloads it");
                return;
            }
        };
        // An edit between the first read and now causes no event.
        changed.notify_one();
        loop {
            changed.notified().await;
            self.reload().await;
        }
    }
}

fn watcher(files: &Files, changed: Arc<Notify>) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if event.is_ok_and(|event| is_an_edit(&event.kind)) {
            changed.notify_one();
        }
    })?;
    for folder in files.folders() {
        watcher.watch(&folder, RecursiveMode::NonRecursive)?;
    }
    let certs = Layout::around(&files.ca_json).root;
    if let Some(certs) = certs.parent().filter(|certs| certs.is_dir()) {
        watcher.watch(certs, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

/// Closed after writing, renamed, created as a link, or removed. Reads do not count: our own would cause another
/// reload.
fn is_an_edit(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(_))
            | EventKind::Create(_)
            | EventKind::Remove(_)
    )
}

#[cfg(test)]
mod tests;
