//! Which authority a command uses, and what it trusts: `--ca-url`, `--root`, `--context`.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use client::{Http, Trust, step};
use pki::Certificate;

use crate::context::Context;
use crate::file;

/// The flags that nearly every `step ca` command has.
#[derive(clap::Args)]
pub(crate) struct Authority {
    /// URL of the authority (default: the one that was bootstrapped)
    #[arg(long, value_name = "uri")]
    ca_url: Option<String>,
    /// Root certificate to trust (default: $(step path)/certs/root_ca.crt)
    #[arg(long, value_name = "file")]
    root: Option<PathBuf>,
    /// Context to use
    #[arg(long, value_name = "name")]
    context: Option<String>,
    #[arg(long, hide = true)]
    no_context: bool,
}

impl Authority {
    /// The authority's address; an error names `command`.
    ///
    /// # Errors
    /// When neither flag, environment nor `defaults.json` has one.
    pub(crate) fn url(&self, command: &str) -> Result<String> {
        match self.known_url() {
            Some(url) => Ok(url),
            None => bail!("'{command}' requires the '--ca-url' flag"),
        }
    }

    /// The authority's address, if any is known.
    pub(crate) fn known_url(&self) -> Option<String> {
        let url = self.ca_url.as_deref().filter(|url| !url.is_empty())?;
        Some(complete(url))
    }

    /// The root certificates to trust, as DER.
    ///
    /// # Errors
    /// When the file is missing or has no certificate in it.
    pub(crate) fn roots(&self, context: &Context) -> Result<Vec<Vec<u8>>> {
        let path = self.root.clone().unwrap_or_else(|| context.root());
        let text = file::read(&path).with_context(
            || "no root certificate to trust: run 'step ca bootstrap', or name one with '--root'",
        )?;
        let roots = Certificate::all_from_file(&text)
            .with_context(|| format!("error parsing {}", path.display()))?;
        Ok(roots.iter().map(|root| root.der().to_vec()).collect())
    }

    /// Whether a root is named or saved.
    pub(crate) fn has_root(&self, context: &Context) -> bool {
        self.root.is_some() || context.root().exists()
    }

    /// A connection that trusts the roots.
    ///
    /// # Errors
    /// As [`Authority::roots`].
    pub(crate) fn http(&self, context: &Context) -> Result<Http> {
        Ok(Http::new(&Trust::Roots(self.roots(context)?), None)?)
    }

    /// A client of the authority's API that trusts the roots.
    ///
    /// # Errors
    /// As [`Authority::url`] and [`Authority::roots`].
    pub(crate) fn client(&self, command: &str, context: &Context) -> Result<step::Client> {
        let url = self.url(command)?;
        Ok(step::Client::new(self.http(context)?, &url))
    }
}

/// Puts `https://` before an address without a scheme, and removes a final slash.
pub(crate) fn complete(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    if url.contains("://") {
        url.to_owned()
    } else {
        format!("https://{url}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_scheme_is_https() {
        assert_eq!(complete("localhost:9443"), "https://localhost:9443");
        assert_eq!(complete("https://ca.example/"), "https://ca.example");
    }
}
