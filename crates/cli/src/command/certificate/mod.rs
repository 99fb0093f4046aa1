//! `step certificate`.

mod fingerprint;
mod inspect;
mod needs_renewal;
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
  What is in it, in a few lines:
    $ step certificate inspect example.crt --short

  Is it good?
    $ step certificate verify example.crt --roots $(step path)/certs/root_ca.crt";

/// The commands of `step certificate`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Prints a certificate for people or programs.
    Inspect(inspect::Args),
    /// Prints the fingerprint of a certificate.
    Fingerprint(fingerprint::Args),
    /// Verifies that a certificate leads to a trusted root.
    Verify(verify::Args),
    /// Tells by its exit code whether a certificate should be renewed.
    NeedsRenewal(needs_renewal::Args),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Command {
    /// Does what was asked.
    ///
    /// # Errors
    /// Whatever stops the command.
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
