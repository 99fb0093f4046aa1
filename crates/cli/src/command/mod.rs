//! The commands, one file each; the path is the command line: `ca/provisioner/add.rs` is
//! `step ca provisioner add`.

pub(crate) mod ca;
pub(crate) mod certificate;
pub(crate) mod completion;
pub(crate) mod context;
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

/// Commands of smallstep's `step` that do not exist here yet.
const LATER: &[&str] = &[
    "api",
    "base64",
    "beta",
    "crl",
    "crypto",
    "fileserver",
    "oauth",
    "ssh",
];

/// The commands of `step`.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create and use a certificate authority
    #[command(subcommand, arg_required_else_help = true, after_help = ca::EXAMPLES)]
    Ca(ca::Command),
    /// Inspect and verify certificates
    #[command(subcommand, arg_required_else_help = true, after_help = certificate::EXAMPLES)]
    Certificate(certificate::Command),
    /// Manage contexts: several authorities on one machine
    #[command(subcommand, arg_required_else_help = true, after_help = context::EXAMPLES)]
    Context(context::Command),
    /// Print the folder of configuration, certificates and keys
    Path(path::Args),
    /// Print a completion script for a shell
    Completion(completion::Args),
    /// Print the version
    #[command(after_help = version::EXAMPLES)]
    Version,
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// When the command fails, in words for the user.
    pub(crate) fn run(self, context: &Context) -> Result<ExitCode> {
        match self {
            Self::Ca(command) => command.run(context),
            Self::Certificate(command) => command.run(),
            Self::Context(command) => command.run(context),
            Self::Path(args) => args.run(context),
            Self::Completion(args) => args.run(),
            Self::Version => version::run(),
            Self::Other(words) => other("step", &words, LATER),
        }
    }
}

/// Reports a command that does not exist yet, or not at all.
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

/// The exit code where a command that answers by its exit code has no answer.
pub(crate) const NO_ANSWER: u8 = certificate::needs_renewal::FAILED;

/// Whether the exit code of the command is its answer, so that 1 does not mean that it was called wrongly.
pub(crate) fn answers_by_code(words: &[&str]) -> bool {
    words == ["step", "certificate", "needs-renewal"]
}

/// Reports an unknown command, with the exit code that scripts know.
pub(crate) fn no_help_topic(name: &str) -> ExitCode {
    output::say(&format!("No help topic for '{name}'"));
    ExitCode::from(3)
}

/// The long help of a command: the text at its arguments, which its line in the list of commands would
/// otherwise replace.
pub(crate) fn prose<A: clap::Args>() -> StyledStr {
    let command = A::augment_args(clap::Command::new(""));
    let said = command.get_long_about().or_else(|| command.get_about());
    said.cloned().unwrap_or_default()
}

/// Runs `future` to its end; only commands that need a server start a reactor.
pub(crate) fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("error starting the network")?
        .block_on(future)
}

/// The certificates that this machine trusts, for other ACME servers.
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
