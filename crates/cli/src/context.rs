//! The step path, its contexts, and the defaults kept there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use pki::Foreign;
use serde_json::{Map, Value};

use crate::contexts::{Contexts, Named, authority_folder, profile_folder};
use crate::place::{Naming, Place};

/// The folder in which this run works.
pub(crate) struct Context {
    base: PathBuf,
    named: Option<Named>,
    wanted: Wanted,
    config: Option<PathBuf>,
}

/// What `--context` and its environment variable say.
enum Wanted {
    /// Nothing: the one that was selected last.
    Current,
    /// This one.
    Named(String),
    /// `--no-context`: none.
    Off,
}

impl Context {
    /// Finds the step path from the environment and the context from `argv` or the last selection.
    ///
    /// # Errors
    /// When the context does not exist, unless the command creates it; when a file about contexts is not JSON.
    pub(crate) fn find(argv: &[OsString]) -> Result<Self> {
        let base = match std::env::var_os("STEPPATH").filter(|path| !path.is_empty()) {
            Some(path) => std::path::absolute(path)?,
            None => home()?.join(".step"),
        };
        let variable = || std::env::var("STEP_CONTEXT").ok();
        let wanted = if argv.iter().any(|word| word == "--no-context") {
            Wanted::Off
        } else {
            let name = flag(argv, "--context").or_else(variable);
            let name = name.filter(|name| !name.is_empty());
            name.map_or(Wanted::Current, Wanted::Named)
        };
        let named = match select(&base, &wanted) {
            Err(_) if needs_none(argv) => None,
            other => other?,
        };
        Ok(Self {
            named,
            wanted,
            config: flag(argv, "--config").map(PathBuf::from),
            base,
        })
    }

    /// `$STEPPATH`, whatever the context.
    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    /// What `step path` prints: the authority's folder.
    pub(crate) fn path(&self) -> PathBuf {
        match &self.named {
            Some(named) => authority_folder(&self.base, &named.authority),
            None => self.base.clone(),
        }
    }

    /// The profile's folder.
    pub(crate) fn profile(&self) -> PathBuf {
        match &self.named {
            Some(named) => profile_folder(&self.base, &named.profile),
            None => self.base.clone(),
        }
    }

    /// Whether a context is in force.
    pub(crate) fn is_named(&self) -> bool {
        self.named.is_some()
    }

    /// Where a new authority goes; `default` names its context if `--context` does not.
    ///
    /// # Errors
    /// As [`Naming::place`].
    pub(crate) fn place(&self, naming: &Naming, default: &str) -> Result<Place> {
        match &self.wanted {
            Wanted::Off => Ok(Place::bare(&self.base)),
            Wanted::Named(name) => naming.place(&self.base, Some(name), default),
            Wanted::Current => naming.place(&self.base, None, default),
        }
    }

    /// The root certificate that is trusted by default.
    pub(crate) fn root(&self) -> PathBuf {
        self.path().join("certs").join("root_ca.crt")
    }

    /// The authority's `defaults.json`.
    pub(crate) fn defaults_file(&self) -> PathBuf {
        self.path().join("config").join("defaults.json")
    }

    /// The authority's `ca.json`.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.path().join("config").join("ca.json")
    }

    /// Default values of flags by name; the profile's go before the authority's.
    ///
    /// # Errors
    /// When a file exists and is not a JSON object.
    pub(crate) fn defaults(&self) -> Result<Map<String, Value>> {
        if let Some(config) = &self.config {
            if !config.exists() {
                bail!("open {}: no such file or directory", config.display());
            }
            return object(config);
        }
        let mut defaults = object(&self.defaults_file())?;
        if self.is_named() {
            defaults.extend(object(
                &self.profile().join("config").join("defaults.json"),
            )?);
        }
        Ok(defaults)
    }
}

fn select(base: &Path, wanted: &Wanted) -> Result<Option<Named>> {
    let contexts = match wanted {
        Wanted::Off => return Ok(None),
        Wanted::Current | Wanted::Named(_) => Contexts::load(base)?,
    };
    let name = match (wanted, contexts.current()) {
        (Wanted::Named(name), _) => name,
        (_, Some(name)) => name,
        (_, None) => return Ok(None),
    };
    match contexts.find(name) {
        Some(named) => Ok(Some(named.clone())),
        None => bail!(
            "could not load context '{}': 'step context list' shows the known ones",
            Foreign(name)
        ),
    }
}

/// Whether the command is one that creates the context, or manages contexts.
fn needs_none(argv: &[OsString]) -> bool {
    let mut words = argv.iter().skip(1).filter_map(|word| word.to_str());
    let mut command = Vec::new();
    while let Some(word) = words.next() {
        if word == "--config" || word == "--context" {
            words.next();
        } else if !word.starts_with('-') {
            command.push(word);
        }
    }
    matches!(
        command.as_slice(),
        ["context", ..] | ["ca", "init" | "bootstrap", ..]
    )
}

/// A JSON object from a file; a missing file is an empty one.
fn object(path: &Path) -> Result<Map<String, Value>> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
        Err(e) => bail!("open {}: {}", path.display(), crate::file::words(&e)),
    };
    serde_json::from_slice(&text).with_context(|| format!("error parsing {}", path.display()))
}

/// The value of `name` in `argv`, as `--name value` or `--name=value`.
fn flag(argv: &[OsString], name: &str) -> Option<String> {
    let mut words = argv.iter().filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        if word == "--" {
            return None;
        }
        if word == name {
            return words.next().map(str::to_owned);
        }
        if let Some(value) = word
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('='))
        {
            return Some(value.to_owned());
        }
    }
    None
}

fn home() -> Result<PathBuf> {
    match std::env::var_os("HOME").filter(|home| !home.is_empty()) {
        Some(home) => Ok(PathBuf::from(home)),
        None => bail!(
            "neither STEPPATH nor HOME is set: set STEPPATH to the folder of your configuration"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_moves_the_path() {
        let base = std::env::temp_dir().join(format!("step-context-{}", std::process::id()));
        std::fs::create_dir_all(&base).unwrap();
        std::fs::write(
            base.join("contexts.json"),
            r#"{"c1":{"profile":"p1","authority":"a1"}}"#,
        )
        .unwrap();
        assert!(select(&base, &Wanted::Current).unwrap().is_none());
        let named = |name: &str| select(&base, &Wanted::Named(name.to_owned()));
        let found = named("c1").unwrap().unwrap();
        assert_eq!((found.authority, found.profile), ("a1".into(), "p1".into()));
        assert!(named("c2").is_err());
        std::fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn only_what_creates_or_manages_contexts_runs_without_the_one_that_is_named() {
        let needs_none = |line: &str| {
            let argv: Vec<_> = line.split(' ').map(OsString::from).collect();
            needs_none(&argv)
        };
        for line in [
            "step context list",
            "step --config f ca init --name x",
            "step ca --context lab bootstrap",
        ] {
            assert!(needs_none(line), "{line}");
        }
        for line in ["step ca certificate context a b", "step ca health", "step"] {
            assert!(!needs_none(line), "{line}");
        }
    }

    #[test]
    fn a_flag_is_found_in_both_spellings() {
        let argv = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        assert_eq!(
            flag(&argv(&["step", "--context", "c"]), "--context").unwrap(),
            "c"
        );
        assert_eq!(
            flag(&argv(&["step", "--context=c"]), "--context").unwrap(),
            "c"
        );
        assert!(flag(&argv(&["step", "--", "--context=c"]), "--context").is_none());
    }
}
