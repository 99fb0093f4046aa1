//! `step certificate`.

mod fingerprint;
mod inspect;
pub(crate) mod needs_renewal;
mod request;
mod source;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

const LATER: &[&str] = &[
    "bundle",
    "create",
    "format",
    "install",
    "key",
    "lint",
    "p12",
    "sign",
    "uninstall",
];

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  Show a summary of a certificate:
    $ step certificate inspect example.crt --short

  Verify a certificate:
    $ step certificate verify example.crt --roots $(step path)/certs/root_ca.crt";

/// The commands of `step certificate`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print the contents of a certificate or a request
    Inspect(inspect::Args),
    /// Print the fingerprint of a certificate or a request
    Fingerprint(fingerprint::Args),
    /// Verify that a certificate chains to a trusted root
    Verify(verify::Args),
    /// Check whether a certificate needs renewal
    NeedsRenewal(needs_renewal::Args),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// When the command fails.
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self {
            Self::Inspect(args) => args.run(),
            Self::Fingerprint(args) => args.run(),
            Self::Verify(args) => args.run(),
            Self::NeedsRenewal(args) => args.run(),
            Self::Other(words) => super::other("step certificate", &words, LATER),
        }
    }
}
