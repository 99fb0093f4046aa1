//! Where the files of an authority are: `$STEPPATH` or `~/.step`, and the contexts there.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Why the step path cannot be determined.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Neither STEPPATH nor a home folder.
    #[error(
        "neither STEPPATH nor HOME is set: name the configuration file: `step-ca /path/to/ca.json`"
    )]
    Homeless,
    /// A context that `contexts.json` does not have.
    #[error("context {name:?} is not in {}: `step context list` shows the known ones", .file.display())]
    NoContext {
        /// The name asked for.
        name: String,
        /// The file with the known contexts.
        file: PathBuf,
    },
}

/// The folder of an authority, and its context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepPath {
    /// What `step path` prints.
    pub(crate) folder: PathBuf,
    /// The context in force, if contexts are used.
    pub(crate) context: Option<String>,
}

#[derive(Deserialize)]
struct Current {
    context: String,
}

#[derive(Deserialize)]
struct Context {
    authority: String,
}

impl StepPath {
    /// The step path of this process's environment.
    ///
    /// # Errors
    /// [`Error`].
    pub(crate) fn of_environment(context: Option<&str>) -> Result<Self, Error> {
        let set = |name| env::var_os(name).filter(|v| !v.is_empty());
        let base = match set("STEPPATH") {
            Some(path) => PathBuf::from(path),
            None => PathBuf::from(set("HOME").ok_or(Error::Homeless)?).join(".step"),
        };
        Self::under(&base, context)
    }

    fn under(base: &Path, context: Option<&str>) -> Result<Self, Error> {
        let current = || {
            let text = fs::read(base.join("current-context.json")).ok()?;
            let current: Current = serde_json::from_slice(&text).ok()?;
            Some(current.context).filter(|c| !c.is_empty())
        };
        let Some(name) = context.map(str::to_owned).or_else(current) else {
            return Ok(Self {
                folder: base.to_owned(),
                context: None,
            });
        };
        let file = base.join("contexts.json");
        let known = fs::read(&file)
            .ok()
            .and_then(|text| serde_json::from_slice::<HashMap<String, Context>>(&text).ok());
        match known.and_then(|mut all| all.remove(&name)) {
            Some(found) => Ok(Self {
                folder: base.join("authorities").join(found.authority),
                context: Some(name),
            }),
            None => Err(Error::NoContext { name, file }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_leads_to_its_authority() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path();
        assert_eq!(StepPath::under(base, None).unwrap().folder, base);
        assert!(StepPath::under(base, Some("c1")).is_err());
        let contexts = r#"{"c1":{"profile":"p","authority":"a1"}}"#;
        fs::File::create(base.join("contexts.json")).unwrap();
        std::io::Write::write_all(
            &mut fs::File::create(base.join("contexts.json")).unwrap(),
            contexts.as_bytes(),
        )
        .unwrap();
        let found = StepPath::under(base, Some("c1")).unwrap();
        assert_eq!(found.folder, base.join("authorities/a1"));
        std::io::Write::write_all(
            &mut fs::File::create(base.join("current-context.json")).unwrap(),
            br#"{"context":"c1"}"#,
        )
        .unwrap();
        assert_eq!(StepPath::under(base, None).unwrap(), found);
    }
}
