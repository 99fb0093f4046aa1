//! The contexts below a step path: `contexts.json` names the folders of each, `current-context.json` the one in
//! use. Which one a run works in is `context`'s.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use pki::Foreign;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::file;
use crate::json::pretty;

/// The contexts of a step path.
pub(crate) struct Contexts {
    base: PathBuf,
    all: BTreeMap<String, Named>,
    current: Option<String>,
}

/// The two folders of a context.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Named {
    /// The name of the folder below `profiles`, with the user's defaults.
    pub(crate) profile: String,
    /// The name of the folder below `authorities`, with the authority's files.
    pub(crate) authority: String,
}

#[derive(Serialize, Deserialize)]
struct Current {
    context: String,
}

impl Contexts {
    /// Reads the contexts below `base`; there are none where the files are missing.
    ///
    /// # Errors
    /// When a file cannot be read or is not of its form, or a name leads out of `base`.
    pub(crate) fn load(base: &Path) -> Result<Self> {
        let all: BTreeMap<String, Named> = read(&base.join(LIST))?.unwrap_or_default();
        for (name, named) in &all {
            for part in [&named.authority, &named.profile] {
                check_name(part).with_context(|| {
                    format!("error reading context '{}' in {LIST}", Foreign(name))
                })?;
            }
        }
        let current: Option<Current> = read(&base.join(CURRENT))?;
        Ok(Self {
            base: base.to_owned(),
            all,
            current: current
                .map(|found| found.context)
                .filter(|name| !name.is_empty()),
        })
    }

    /// Whether there is any.
    pub(crate) fn is_enabled(&self) -> bool {
        !self.all.is_empty()
    }

    /// The name of the one in use.
    pub(crate) fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// The names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.all.keys().map(String::as_str)
    }

    /// The context of this name.
    pub(crate) fn find(&self, name: &str) -> Option<&Named> {
        self.all.get(name)
    }

    /// Adds or replaces a context, and uses it from now on.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn add(&mut self, name: &str, named: Named) -> Result<()> {
        self.all.insert(name.to_owned(), named);
        self.save()?;
        self.select(name)
    }

    /// Uses this context from now on.
    ///
    /// # Errors
    /// When there is none of this name, or the file cannot be written.
    pub(crate) fn select(&mut self, name: &str) -> Result<()> {
        if !self.all.contains_key(name) {
            bail!("context '{name}' not found");
        }
        let current = Current {
            context: name.to_owned(),
        };
        let text = serde_json::to_vec(&current)?;
        file::write(&self.base.join(CURRENT), &text, file::SHARED)?;
        self.current = Some(current.context);
        Ok(())
    }

    /// Removes this context from the list; its folders stay.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn remove(&mut self, name: &str) -> Result<()> {
        self.all.remove(name);
        self.save()
    }

    /// The folders that only this context uses.
    pub(crate) fn own_folders(&self, name: &str) -> Vec<PathBuf> {
        let Some(named) = self.all.get(name) else {
            return Vec::new();
        };
        let others = || self.all.iter().filter(|(other, _)| *other != name);
        let mut folders = Vec::new();
        if others().all(|(_, other)| other.authority != named.authority) {
            folders.push(authority_folder(&self.base, &named.authority));
        }
        if others().all(|(_, other)| other.profile != named.profile) {
            folders.push(profile_folder(&self.base, &named.profile));
        }
        folders
    }

    fn save(&self) -> Result<()> {
        file::write(
            &self.base.join(LIST),
            &pretty(&self.all, b"    ")?,
            file::PRIVATE,
        )
    }
}

/// The folder of an authority.
pub(crate) fn authority_folder(base: &Path, name: &str) -> PathBuf {
    base.join("authorities").join(name)
}

/// The folder of a profile.
pub(crate) fn profile_folder(base: &Path, name: &str) -> PathBuf {
    base.join("profiles").join(name)
}

/// Checks that a name is one folder's.
///
/// # Errors
/// When it leads elsewhere.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        bail!(
            "the name '{}' is not that of a folder: give one without slashes",
            Foreign(name)
        );
    }
    Ok(())
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    if !path.exists() {
        return Ok(None);
    }
    let parsed = serde_json::from_slice(&file::read(path)?);
    parsed
        .map(Some)
        .with_context(|| format!("error parsing {}", path.display()))
}

const LIST: &str = "contexts.json";
const CURRENT: &str = "current-context.json";

#[cfg(test)]
mod tests {
    use super::*;

    fn named(authority: &str, profile: &str) -> Named {
        Named {
            profile: profile.to_owned(),
            authority: authority.to_owned(),
        }
    }

    #[test]
    fn the_files_are_those_of_smallsteps_step() {
        let base = std::env::temp_dir().join(format!("step-contexts-{}", std::process::id()));
        std::fs::create_dir_all(&base).unwrap();
        let mut contexts = Contexts::load(&base).unwrap();
        assert!(!contexts.is_enabled());
        contexts.add("two", named("a2", "p2")).unwrap();
        contexts.add("lab", named("lab", "lab")).unwrap();
        let text = |name: &str| std::fs::read_to_string(base.join(name)).unwrap();
        assert_eq!(
            text(LIST),
            "{\n    \"lab\": {\n        \"profile\": \"lab\",\n        \"authority\": \"lab\"\n    },\n    \"two\": {\n        \"profile\": \"p2\",\n        \"authority\": \"a2\"\n    }\n}"
        );
        assert_eq!(text(CURRENT), "{\"context\":\"lab\"}");
        let again = Contexts::load(&base).unwrap();
        assert_eq!(
            (again.current(), again.find("two")),
            (Some("lab"), Some(&named("a2", "p2")))
        );
        std::fs::remove_dir_all(base).unwrap();
    }

    #[test]
    fn a_folder_that_another_context_uses_is_not_its_own() {
        let all = [("a", named("one", "p")), ("b", named("two", "p"))];
        let contexts = Contexts {
            base: PathBuf::from("/s"),
            all: all.map(|(name, named)| (name.to_owned(), named)).into(),
            current: None,
        };
        assert_eq!(contexts.own_folders("a"), [Path::new("/s/authorities/one")]);
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in ["", ".", "..", "../x", "/x", "a/b"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name("lab.example").is_ok());
    }
}
