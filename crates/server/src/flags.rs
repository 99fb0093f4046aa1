//! The command line of `step-ca`, including the flags of smallstep's step-ca that are refused because their
//! feature is not supported.

mod resolver;
mod store;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};

use self::resolver::Resolver;
pub(crate) use self::store::{Place, Store};

/// The command line.
#[derive(Debug, Parser)]
#[command(
    name = "step-ca",
    version,
    about = "A private certificate authority that speaks ACME",
    long_about = "A private certificate authority that speaks ACME.\n\n\
        Serves the authority that `step ca init` created, until SIGTERM.\n\
        The configuration is reloaded when its files change.",
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = false
)]
pub(crate) struct Flags {
    /// What to do instead of serving.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub(crate) serve: Serve,
}

/// The flags of `step-ca [config]`.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Configuration file [default: $(step path)/config/ca.json]
    #[arg(value_name = "config")]
    pub(crate) config: Option<PathBuf>,
    /// File with the password of the intermediate key
    #[arg(long, value_name = "file")]
    pub(crate) password_file: Option<PathBuf>,
    /// DNS server to ask instead of the machine's own (address, address:port, name:port or :port)
    #[arg(long, value_name = "addr", value_parser = resolver::parse)]
    pub(crate) resolver: Option<Resolver>,
    /// Context whose authority to serve
    #[arg(long, value_name = "name", env = "STEP_CA_CONTEXT")]
    pub(crate) context: Option<String>,
    /// Print only the essential lines at start
    #[arg(long, env = "STEP_CA_QUIET", value_parser = clap::builder::BoolishValueParser::new(),
        num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true")]
    pub(crate) quiet: bool,
    /// Port of http-01 validations, for tests (needs --insecure)
    #[arg(long, value_name = "port")]
    pub(crate) acme_http_port: Option<u16>,
    /// Port of tls-alpn-01 validations, for tests (needs --insecure)
    #[arg(long, value_name = "port")]
    pub(crate) acme_tls_port: Option<u16>,
    /// Resolve names without the machine's search list
    #[arg(long)]
    pub(crate) acme_strict_fqdn: bool,
    /// File to write the process id to
    #[arg(long, value_name = "file")]
    pub(crate) pidfile: Option<PathBuf>,
    /// Allow flags that are not meant for production
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Accept that the records of another program in the db folder are not imported, and
    /// renew certificates that the store does not know (needed once)
    #[arg(long)]
    pub(crate) fresh_store: bool,
    /// Accept that riser.toml, or restrictions in it, were in force and are gone (needed once)
    #[arg(long)]
    pub(crate) accept_removal: bool,
    /// Flags that are refused.
    #[command(flatten)]
    absent: Absent,
}

/// Flags of features that are not supported.
#[derive(Debug, Args)]
struct Absent {
    #[arg(long, value_name = "file", hide = true)]
    ssh_host_password_file: Option<PathBuf>,
    #[arg(long, value_name = "file", hide = true)]
    ssh_user_password_file: Option<PathBuf>,
    #[arg(long, value_name = "file", hide = true)]
    issuer_password_file: Option<PathBuf>,
    #[arg(
        long,
        value_name = "token",
        env = "STEP_CA_TOKEN",
        hide = true,
        hide_env_values = true
    )]
    token: Option<String>,
}

/// What `step-ca` does besides serving.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create and serve an authority for development
    Dev(Dev),
    /// Check, back up, restore and export the records; `step ca store` runs this
    #[command(subcommand, arg_required_else_help = true)]
    Store(Store),
    /// Print the version
    Version,
    /// Not supported: export a linked authority
    #[command(hide = true)]
    Export {
        /// Ignored.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Not supported: onboard a linked authority
    #[command(hide = true)]
    Onboard {
        /// Ignored.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
}

/// The flags of `step-ca dev`.
#[derive(Debug, Args)]
#[command(after_help = DEV_EXAMPLES)]
pub(crate) struct Dev {
    /// Folder of the authority [default: .step-ca-dev]
    #[arg(long, value_name = "folder", conflicts_with = "ephemeral")]
    pub(crate) dir: Option<PathBuf>,
    /// Use a temporary folder, removed when the process ends
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// Address to listen on, with port 0 for a free port [default: 127.0.0.1:9000]
    #[arg(long, value_name = "addr")]
    pub(crate) address: Option<SocketAddr>,
    /// Port that http-01 validations connect to
    #[arg(long, value_name = "port", default_value_t = 80)]
    pub(crate) http_port: u16,
    /// Port that tls-alpn-01 validations connect to
    #[arg(long, value_name = "port", default_value_t = 443)]
    pub(crate) tls_port: u16,
    /// DNS server to ask instead of the machine's own (address, address:port, name:port or :port)
    #[arg(long, value_name = "addr", value_parser = resolver::parse)]
    pub(crate) resolver: Option<Resolver>,
    /// Names that resolve to this machine without DNS, such as '*.test' (repeatable)
    #[arg(long, value_name = "pattern", value_delimiter = ',', value_parser = names)]
    pub(crate) names: Vec<String>,
}

const EXAMPLES: &str = "Examples:
  Serve the authority in this user's step path:
    step-ca
  Serve another authority, with the password of its key in a file:
    step-ca /etc/step-ca/config/ca.json --password-file /etc/step-ca/password.txt
  Serve a temporary authority:
    step-ca dev --ephemeral

The password of an encrypted key is asked for on the terminal unless --password-file is given.";

const DEV_EXAMPLES: &str = "Examples:
  Keep the authority in ./.step-ca-dev:
    step-ca dev
  Keep nothing, resolve all names under .test to this machine, use port 5002 for http-01:
    step-ca dev --ephemeral --names '*.test' --http-port 5002";

/// The result of parsing the command line.
pub(crate) enum Parsed {
    /// Run with these flags.
    Run(Box<Flags>),
    /// Exit with this code; everything has been printed.
    Exit(u8),
}

/// Parses the command line; prints help and errors itself.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Parsed {
    let flags = match Flags::try_parse_from(arguments.into_iter().map(two_dashes)) {
        Ok(flags) => flags,
        Err(error) => {
            let code = u8::from(error.use_stderr());
            // An error that cannot be printed cannot be reported otherwise.
            drop(error.print());
            return Parsed::Exit(code);
        }
    };
    match objection(&flags) {
        None => Parsed::Run(Box::new(flags)),
        Some(words) => {
            let error = Flags::command().error(clap::error::ErrorKind::ArgumentConflict, words);
            eprintln!("{}", error.to_string().lines().next().unwrap_or_default());
            Parsed::Exit(1)
        }
    }
}

/// Why well-formed flags are refused.
fn objection(flags: &Flags) -> Option<String> {
    match &flags.command {
        Some(Command::Export { .. }) => return Some(absent("command 'export'", LINKED)),
        Some(Command::Onboard { .. }) => return Some(absent("command 'onboard'", LINKED)),
        Some(Command::Dev(_) | Command::Store(_) | Command::Version) | None => {}
    }
    let Serve { absent: no, .. } = &flags.serve;
    let refused = [
        (
            "ssh-host-password-file",
            no.ssh_host_password_file.is_some(),
            SSH,
        ),
        (
            "ssh-user-password-file",
            no.ssh_user_password_file.is_some(),
            SSH,
        ),
        (
            "issuer-password-file",
            no.issuer_password_file.is_some(),
            RA,
        ),
        ("token", no.token.is_some(), LINKED),
    ];
    if let Some((flag, _, part)) = refused.into_iter().find(|(_, given, _)| *given) {
        return Some(absent(&format!("flag '--{flag}'"), part));
    }
    let ports = [
        ("acme-http-port", flags.serve.acme_http_port.is_some()),
        ("acme-tls-port", flags.serve.acme_tls_port.is_some()),
    ];
    let (flag, _) = ports.into_iter().find(|(_, given)| *given)?;
    (!flags.serve.insecure).then(|| format!("flag '--{flag}' requires the '--insecure' flag"))
}

const SSH: &str = "SSH certificates";
const RA: &str = "registration authority mode";
const LINKED: &str = "linked authorities";

fn absent(what: &str, part: &str) -> String {
    format!("{what} is not available: {part} are not part of this program")
        .replace("mode are", "mode is")
}

/// Rewrites `-flag` to `--flag`: smallstep's step-ca accepts both, and scripts use both.
fn two_dashes(argument: OsString) -> OsString {
    match argument.to_str() {
        Some(text)
            if text.len() > 2
                && text.starts_with('-')
                && text[1..].starts_with(|c: char| c.is_ascii_alphabetic()) =>
        {
            format!("-{text}").into()
        }
        _ => argument,
    }
}

/// A name, or `*.` and a domain.
fn names(text: &str) -> Result<String, String> {
    let bare = text.strip_prefix("*.").unwrap_or(text);
    if bare.is_empty() || bare.contains(['*', ' ', '/', ':']) || bare.starts_with('.') {
        return Err("expected a name, or one with '*.' before it, such as *.test".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_would_never_match_is_refused() {
        assert!(flags("step-ca dev --names *.test,app.example").is_ok());
        for pattern in ["a*b", "*", "*.", "*test", "https://a.test"] {
            let message = flags(&format!("step-ca dev --names {pattern}")).unwrap_err();
            assert!(message.contains("such as *.test"), "{message}");
        }
    }

    fn flags(line: &str) -> Result<Flags, String> {
        let words = line.split_whitespace().map(OsString::from).map(two_dashes);
        let flags = Flags::try_parse_from(words).map_err(|e| e.to_string())?;
        objection(&flags).map_or(Ok(flags), Err)
    }

    #[test]
    fn the_configuration_comes_before_or_after_the_flags() {
        for line in [
            "step-ca ca.json --password-file pw",
            "step-ca -password-file pw ca.json",
        ] {
            let serve = flags(line).unwrap().serve;
            assert_eq!(serve.config, Some(PathBuf::from("ca.json")));
            assert_eq!(serve.password_file, Some(PathBuf::from("pw")));
        }
    }

    #[test]
    fn validation_ports_need_insecure() {
        assert!(
            flags("step-ca --acme-http-port 8080")
                .unwrap_err()
                .contains("requires the '--insecure' flag")
        );
        assert!(flags("step-ca --acme-http-port 8080 --insecure").is_ok());
    }

    #[test]
    fn unsupported_flags_are_refused_in_one_line() {
        for line in [
            "step-ca --token x",
            "step-ca --ssh-host-password-file x",
            "step-ca --ssh-user-password-file x",
            "step-ca --issuer-password-file x",
            "step-ca onboard a --b",
            "step-ca export ca.json",
        ] {
            let words = flags(line).unwrap_err();
            assert!(words.contains("not available"), "{line}: {words}");
            assert_eq!(words.lines().count(), 1);
        }
    }

    #[test]
    fn quiet_is_a_flag_with_or_without_a_value() {
        assert!(flags("step-ca --quiet").unwrap().serve.quiet);
        assert!(!flags("step-ca --quiet=false").unwrap().serve.quiet);
        assert!(!flags("step-ca").unwrap().serve.quiet);
    }

    #[test]
    fn the_command_line_is_consistent() {
        Flags::command().debug_assert();
    }
}
