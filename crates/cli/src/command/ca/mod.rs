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
mod store;

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
  Create an authority:
    $ step ca init

  Trust an authority elsewhere and request a certificate from it:
    $ step ca bootstrap --ca-url https://ca.example:9000 --fingerprint 0d7d…
    $ step ca certificate --provisioner acme example.com example.crt example.key";

/// The commands of `step ca`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create a certificate authority
    Init(Box<init::Args>),
    /// Trust a certificate authority
    Bootstrap(bootstrap::Args),
    /// Check the health of the authority
    Health(health::Args),
    /// Download and verify the root certificate
    Root(root::Args),
    /// Download all root certificates
    Roots(roots::Args),
    /// Download the root certificates of the authority and its federation
    Federation(federation::Args),
    /// Request a certificate
    Certificate(Box<certificate::Args>),
    /// Renew a certificate
    Renew(Box<renew::Args>),
    /// Reload the configuration of the server and report whether it is in force
    #[command(long_about = prose::<reload::Args>())]
    Reload(reload::Args),
    /// List and change the provisioners of the authority
    #[command(subcommand, arg_required_else_help = true, after_help = provisioner::EXAMPLES)]
    Provisioner(provisioner::Command),
    /// Manage external account keys, authorized names and renewal windows
    #[command(subcommand, arg_required_else_help = true, after_help = acme::EXAMPLES)]
    Acme(acme::Command),
    /// Check, back up, restore and export the records of the authority
    #[command(subcommand, arg_required_else_help = true, after_help = store::EXAMPLES)]
    Store(store::Command),
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// When the command fails.
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
            Self::Store(command) => command.run(context),
            Self::Other(words) => super::other("step ca", &words, LATER),
        }
    }
}
