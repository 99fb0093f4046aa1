//! The step path, its contexts, and the defaults kept there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The folder in which this run works.
pub(crate) struct Context {
    base: PathBuf,
    named: Option<Named>,
    config: Option<PathBuf>,
}

struct Named {
    authority: String,
    profile: String,
}

#[derive(Deserialize)]
struct Entry {
    authority: Option<String>,
    profile: Option<String>,
}

#[derive(Deserialize)]
struct Current {
    context: String,
}

impl Context {
    /// Finds the step path from the environment and the context from `argv` or the last selection.
    ///
    /// # Errors
    /// When the context does not exist, or a file about contexts is not JSON.
    pub(crate) fn find(argv: &[OsString]) -> Result<Self> {
        let base = match std::env::var_os("STEPPATH").filter(|path| !path.is_empty()) {
            Some(path) => std::path::absolute(path)?,
            None => home()?.join(".step"),
        };
        let config = flag(argv, "--config").map(PathBuf::from);
        let wanted = flag(argv, "--context").or_else(|| {
            std::env::var("STEP_CONTEXT")
                .ok()
                .filter(|name| !name.is_empty())
        });
        let named = if argv.iter().any(|word| word == "--no-context") {
            None
        } else {
            select(&base, wanted)?
        };
        Ok(Self {
            base,
            named,
            config,
        })
    }

    /// `$STEPPATH`, whatever the context.
    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    /// What `step path` prints: the authority's folder.
    pub(crate) fn path(&self) -> PathBuf {
        match &self.named {
            Some(named) => self.base.join("authorities").join(&named.authority),
            None => self.base.clone(),
        }
    }

    /// The profile's folder.
    pub(crate) fn profile(&self) -> PathBuf {
        match &self.named {
            Some(named) => self.base.join("profiles").join(&named.profile),
            None => self.base.clone(),
        }
    }

    /// Whether a context is in force.
    pub(crate) fn is_named(&self) -> bool {
        self.named.is_some()
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

fn select(base: &Path, wanted: Option<String>) -> Result<Option<Named>> {
    let mut contexts = object(&base.join("contexts.json"))?;
    let current = || -> Result<Option<String>> {
        let found = object(&base.join("current-context.json"))?;
        if found.is_empty() {
            return Ok(None);
        }
        let current: Current = serde_json::from_value(Value::Object(found))
            .context("current-context.json does not name a context")?;
        Ok(Some(current.context))
    };
    let name = match wanted {
        Some(name) => name,
        None => match current()? {
            Some(name) => name,
            None => return Ok(None),
        },
    };
    let Some(entry) = contexts.remove(&name) else {
        bail!("context '{name}' not found");
    };
    let entry: Entry = serde_json::from_value(entry)
        .with_context(|| format!("error parsing context '{name}' in contexts.json"))?;
    Ok(Some(Named {
        authority: entry.authority.unwrap_or_else(|| name.clone()),
        profile: entry.profile.unwrap_or(name),
    }))
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
        assert!(select(&base, None).unwrap().is_none());
        let named = select(&base, Some("c1".into())).unwrap().unwrap();
        assert_eq!((named.authority, named.profile), ("a1".into(), "p1".into()));
        assert!(select(&base, Some("c2".into())).is_err());
        std::fs::remove_dir_all(base).unwrap();
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
