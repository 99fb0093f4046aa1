//! Where `step ca init` and `step ca bootstrap` put an authority: the step path itself, or a context of its own.

use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::contexts::{Contexts, Named, authority_folder, check_name, profile_folder};
use crate::file;

/// The flags that name the parts of a context.
#[derive(clap::Args)]
pub(crate) struct Naming {
    /// Profile of the context (default: the name of the context)
    #[arg(long, value_name = "name")]
    profile: Option<String>,
    /// Authority of the context (default: the name of the context)
    #[arg(long, value_name = "name")]
    authority: Option<String>,
}

/// The folders of an authority, and the context to create for them.
pub(crate) struct Place {
    /// The authority's folder.
    pub(crate) folder: PathBuf,
    context: Option<New>,
}

struct New {
    base: PathBuf,
    name: String,
    named: Named,
}

impl Naming {
    /// The place below `base`. There is a context if one is named, or others exist; its name is `context`, else
    /// `default`.
    ///
    /// # Errors
    /// When a name is not that of a folder, or the contexts cannot be read.
    pub(crate) fn place(&self, base: &Path, context: Option<&str>, default: &str) -> Result<Place> {
        let is_named = [context, self.given_profile(), self.given_authority()];
        let is_named = is_named.iter().any(Option::is_some);
        if !is_named && !Contexts::load(base)?.is_enabled() {
            return Ok(Place::bare(base));
        }
        let name = context.unwrap_or(default);
        let named = Named {
            profile: self.given_profile().unwrap_or(name).to_owned(),
            authority: self.given_authority().unwrap_or(name).to_owned(),
        };
        for part in [name, &named.profile, &named.authority] {
            check_name(part)?;
        }
        Ok(Place {
            folder: authority_folder(base, &named.authority),
            context: Some(New {
                base: base.to_owned(),
                name: name.to_owned(),
                named,
            }),
        })
    }

    /// `--authority`.
    pub(crate) fn given_authority(&self) -> Option<&str> {
        self.authority.as_deref().filter(|name| !name.is_empty())
    }

    fn given_profile(&self) -> Option<&str> {
        self.profile.as_deref().filter(|name| !name.is_empty())
    }
}

impl Place {
    /// The step path itself, without a context.
    pub(crate) fn bare(base: &Path) -> Self {
        Self {
            folder: base.to_owned(),
            context: None,
        }
    }

    /// The profile's `defaults.json`, where there is a context.
    pub(crate) fn profile_defaults(&self) -> Option<PathBuf> {
        let new = self.context.as_ref()?;
        let folder = profile_folder(&new.base, &new.named.profile);
        Some(folder.join("config").join("defaults.json"))
    }

    /// Adds the context and uses it from now on. Returns the profile's defaults if they are new.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn use_context(&self) -> Result<Option<PathBuf>> {
        let (Some(new), Some(defaults)) = (&self.context, self.profile_defaults()) else {
            return Ok(None);
        };
        let is_new = !defaults.exists();
        if is_new {
            if let Some(folder) = defaults.parent() {
                file::make_folder(folder)?;
            }
            file::write(&defaults, b"{}", file::PRIVATE)?;
        }
        Contexts::load(&new.base)?.add(&new.name, new.named.clone())?;
        Ok(is_new.then_some(defaults))
    }
}
