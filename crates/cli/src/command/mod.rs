//! The commands, one file each; the path is the command line: `ca/provisioner/add.rs` is
//! `step ca provisioner add`.

pub(crate) mod ca;
pub(crate) mod certificate;
pub(crate) mod completion;
pub(crate) mod path;
pub(crate) mod version;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use clap::builder::StyledStr;

use crate::context::Context;
use crate::output;

/// What the reference implementation has and this one does not yet.
const LATER: &[&str] = &[
    "api",
    "base64",
    "beta",
    "context",
    "crl",
    "crypto",
    "fileserver",
    "oauth",
    "ssh",
];

/// The commands of `step`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes a certificate authority and talks to one.
    #[command(subcommand, arg_required_else_help = true, after_help = ca::EXAMPLES)]
    Ca(ca::Command),
    /// Looks at certificates.
    #[command(subcommand, arg_required_else_help = true, after_help = certificate::EXAMPLES)]
    Certificate(certificate::Command),
    /// Prints the folder where configuration, certificates and keys lie.
    Path(path::Args),
    /// Prints a completion script for a shell.
    Completion(completion::Args),
    /// Prints the version.
    #[command(after_help = version::EXAMPLES)]
    Version,
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Command {
    /// Does what was asked.
    ///
    /// # Errors
    /// Whatever stops the command, in words for the person who gave it.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        match self {
            Self::Ca(command) => command.run(context),
            Self::Certificate(command) => command.run(),
            Self::Path(args) => args.run(context),
            Self::Completion(args) => args.run(),
            Self::Version => version::run(),
            Self::Other(words) => other("step", &words, LATER),
        }
    }
}

/// A command that is not one of ours: known and to come, or unknown.
pub(crate) fn other(group: &str, words: &[OsString], later: &[&str]) -> Result<ExitCode> {
    let name = words
        .first()
        .map(|word| word.to_string_lossy().into_owned())
        .unwrap_or_default();
    if later.contains(&name.as_str()) {
        bail!("'{group} {name}' does not exist yet in this version of step");
    }
    Ok(no_help_topic(&name))
}

/// Tells that a command is unknown, with the exit code that scripts know.
pub(crate) fn no_help_topic(name: &str) -> ExitCode {
    output::say(&format!("No help topic for '{name}'"));
    ExitCode::from(3)
}

/// What a command's help says at length: the words that stand with its arguments, which its line in the
/// list of commands would otherwise take the place of.
pub(crate) fn prose<A: clap::Args>() -> StyledStr {
    let command = A::augment_args(clap::Command::new(""));
    let said = command.get_long_about().or_else(|| command.get_about());
    said.cloned().unwrap_or_default()
}

/// Runs `future` to its end; only commands that talk to a server pay for a reactor.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("error starting the network")?
        .block_on(future)
}

/// The certificates that this machine trusts, for ACME servers of others.
pub(crate) fn system_roots() -> Vec<Vec<u8>> {
    const PLACES: &[&str] = &[
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let places = named.into_iter().chain(PLACES.iter().map(PathBuf::from));
    for place in places {
        if let Ok(text) = std::fs::read(&place)
            && let Ok(blocks) = pki::pem::parse(&text)
        {
            return blocks.into_iter().map(|block| block.der).collect();
        }
    }
    Vec::new()
}
