//! `step ca bootstrap`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use ca::authority::Layout;
use serde_json::{Map, Value};

use super::authority::Authority;
use super::root;
use crate::context::Context;
use crate::json::pretty;
use crate::place::Naming;
use crate::{file, output, prompt};

const EXAMPLES: &str = "Examples:
  Trust an authority by the fingerprint that `step ca init` printed:
    $ step ca bootstrap --ca-url https://ca.example:9000 --fingerprint 0d7d…

  Trust another one beside it, as a context:
    $ step ca bootstrap --ca-url https://lab.example:9000 --fingerprint 93f1… --context lab";

/// Trust a certificate authority: save its root certificate and its URL as the defaults
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// SHA-256 fingerprint of the root certificate
    #[arg(long, value_name = "fingerprint")]
    fingerprint: Option<String>,
    /// Overwrite files without asking
    #[arg(long, short)]
    force: bool,
    /// Install the root certificate into the system's trust store (not supported yet)
    #[arg(long, hide = true)]
    install: bool,
    /// URL to which a browser is redirected after login
    #[arg(long, value_name = "url", hide = true)]
    redirect_url: Option<String>,
    #[command(flatten)]
    naming: Naming,
    #[command(flatten)]
    server: Authority,
}

impl Args {
    /// Downloads the root and saves both.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        let url = self.server.url("step ca bootstrap")?;
        let Some(fingerprint) = &self.fingerprint else {
            bail!("'step ca bootstrap' requires the '--fingerprint' flag");
        };
        if self.install {
            bail!("'--install' does not exist yet in this version of step");
        }
        let default = self.naming.given_authority().unwrap_or_else(|| host(&url));
        let place = context.place(&self.naming, default)?;
        let layout = Layout::new(&place.folder);
        let (root_file, defaults_file) = (layout.root, layout.defaults_json);
        let root = root::download(&url, fingerprint)?;
        let kept = file::read(&root_file).ok();
        let is_same = kept.as_deref() == Some(root.to_pem().as_bytes());
        for path in [&root_file, &defaults_file] {
            if let Some(folder) = path.parent() {
                file::make_folder(folder)?;
            }
        }
        prompt::may_overwrite(&[&root_file], self.force || is_same)?;
        prompt::may_overwrite(&[&defaults_file], self.force)?;
        file::write(&root_file, root.to_pem().as_bytes(), file::PRIVATE)?;
        output::say(&format!(
            "The root certificate has been saved in {}.",
            root_file.display()
        ));
        let mut defaults = Map::new();
        let mut set = |name: &str, value: String| {
            defaults.insert(name.to_owned(), Value::String(value));
        };
        set("ca-url", url);
        set("fingerprint", root.fingerprint());
        set("root", root_file.display().to_string());
        if let Some(redirect) = self.redirect_url {
            set("redirect-url", redirect);
        }
        file::write(&defaults_file, &pretty(&defaults, b"  ")?, file::SHARED)?;
        output::say(&format!(
            "The authority configuration has been saved in {}.",
            defaults_file.display()
        ));
        if let Some(profile) = place.use_context()? {
            output::say(&format!(
                "The profile configuration has been saved in {}.",
                profile.display()
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The host of an address with a scheme, without brackets.
fn host(url: &str) -> &str {
    let address = url.split_once("://").map_or(url, |(_, rest)| rest);
    let address = address.split(['/', '?', '#']).next().unwrap_or(address);
    match address.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => address.split(':').next().unwrap_or(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_named_after_the_host() {
        for (url, name) in [
            ("https://ca.example:9000", "ca.example"),
            ("https://[::1]:9000/x", "::1"),
            ("https://127.0.0.1", "127.0.0.1"),
        ] {
            assert_eq!(host(url), name);
        }
    }
}
