//! `step ca`.

mod acme;
mod admin_socket;
mod authority;
mod bootstrap;
mod bundle;
mod certificate;
mod federation;
mod health;
mod init;
mod provisioner;
mod reload;
mod renew;
mod root;
mod roots;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::command::prose;
use crate::context::Context;

const LATER: &[&str] = &[
    "admin",
    "policy",
    "provisionerbeta",
    "rekey",
    "revoke",
    "sign",
    "token",
];

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Examples:
  Make an authority:
    $ step ca init

  Trust one that runs elsewhere, and get a certificate from it:
    $ step ca bootstrap --ca-url https://ca.example:9000 --fingerprint 0d7d…
    $ step ca certificate --provisioner acme example.com example.crt example.key";

/// The commands of `step ca`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes a new certificate authority.
    Init(Box<init::Args>),
    /// Trusts a certificate authority from here on.
    Bootstrap(bootstrap::Args),
    /// Asks whether the authority is up.
    Health(health::Args),
    /// Downloads and verifies the root certificate.
    Root(root::Args),
    /// Downloads all root certificates.
    Roots(roots::Args),
    /// Downloads the root certificates of the authority and its friends.
    Federation(federation::Args),
    /// Gets a certificate.
    Certificate(Box<certificate::Args>),
    /// Renews a certificate.
    Renew(Box<renew::Args>),
    /// Has the configuration read again and tells whether it holds.
    #[command(long_about = prose::<reload::Args>())]
    Reload(reload::Args),
    /// Lists and changes the authority's provisioners.
    #[command(subcommand, arg_required_else_help = true, after_help = provisioner::EXAMPLES)]
    Provisioner(provisioner::Command),
    /// Says what ACME clients may have.
    #[command(subcommand, arg_required_else_help = true, after_help = acme::EXAMPLES)]
    Acme(acme::Command),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Command {
    /// Does what was asked.
    ///
    /// # Errors
    /// Whatever stops the command.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        match self {
            Self::Init(args) => args.run(context),
            Self::Bootstrap(args) => args.run(context),
            Self::Health(args) => args.run(context),
            Self::Root(args) => args.run(),
            Self::Roots(args) => args.run(context),
            Self::Federation(args) => args.run(context),
            Self::Certificate(args) => args.run(context),
            Self::Renew(args) => args.run(context),
            Self::Reload(args) => args.run(context),
            Self::Provisioner(command) => command.run(context),
            Self::Acme(command) => command.run(context),
            Self::Other(words) => super::other("step ca", &words, LATER),
        }
    }
}
