//! `step certificate fingerprint`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use clap::ValueEnum;
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER};

use super::source::{self, Found};
use crate::output;

const EXAMPLES: &str = "Examples:
  The fingerprint that `step ca bootstrap` wants:
    $ step certificate fingerprint $(step path)/certs/root_ca.crt

  Of each certificate in a file:
    $ step certificate fingerprint --bundle example.crt";

/// Print the SHA-256 fingerprint of a certificate or a certificate request
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Certificate or request: a file, - for stdin, or a server as https://host:port
    #[arg(default_value = "-", hide_default_value = true)]
    crt_file: String,
    /// Print one line for each certificate in the file
    #[arg(long)]
    bundle: bool,
    /// Output format
    #[arg(long, value_name = "format", default_value = "hex")]
    format: Format,
    /// Use SHA-1, which is no longer safe
    #[arg(long)]
    sha1: bool,
    #[command(flatten)]
    remote: source::Remote,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Hex,
    Base64,
    Base64Url,
    #[value(alias = "base64-std")]
    Base64Raw,
    Base64UrlRaw,
    #[value(hide = true)]
    Emoji,
}

impl Args {
    /// Prints it.
    pub(crate) fn run(self) -> Result<ExitCode> {
        if self.sha1 && !self.remote.insecure {
            bail!("flag '--sha1' requires the '--insecure' flag");
        }
        let mut all: Vec<Vec<u8>> = match self.remote.read(&self.crt_file)? {
            Found::Request(request) => vec![request.der],
            Found::Certificates(found) => found.iter().map(|one| one.der().to_vec()).collect(),
        };
        if !self.bundle {
            all.truncate(1);
        }
        let mut text = String::new();
        for (at, der) in all.iter().enumerate() {
            if self.bundle {
                text.push_str(&format!("{at}: "));
            }
            text.push_str(&self.write(der)?);
            text.push('\n');
        }
        output::data(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    fn write(&self, der: &[u8]) -> Result<String> {
        let algorithm = if self.sha1 {
            &SHA1_FOR_LEGACY_USE_ONLY
        } else {
            &SHA256
        };
        let hash = digest(algorithm, der);
        let encoding = match self.format {
            Format::Hex => HEXLOWER,
            Format::Base64 => BASE64,
            Format::Base64Url => BASE64URL,
            Format::Base64Raw => BASE64_NOPAD,
            Format::Base64UrlRaw => BASE64URL_NOPAD,
            Format::Emoji => bail!("'--format emoji' does not exist yet in this version of step"),
        };
        Ok(encoding.encode(hash.as_ref()))
    }
}
