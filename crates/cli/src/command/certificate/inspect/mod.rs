//! `step certificate inspect`: the same fields and values as those of smallstep's `step`.

mod extensions;
mod json;
mod json_extensions;
mod json_name;
mod key;
mod request;
mod short;
mod text;
mod words;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::ValueEnum;
use pki::Certificate;

use super::request::Request;
use super::source::{self, Found};
use crate::output;

const EXAMPLES: &str = "Examples:
  Print a summary:
    $ step certificate inspect example.crt --short

  Print one field for a program:
    $ step certificate inspect example.crt --format json | jq -r .validity.end

  Print the certificate of a server:
    $ step certificate inspect https://localhost:9000 --roots $(step path)/certs/root_ca.crt

  Print a certificate request:
    $ step certificate inspect example.csr

  Print each certificate in a file:
    $ step certificate inspect --bundle example.crt";

/// Print the contents of a certificate or a certificate request, as text, JSON or PEM
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Certificate or request: a file, - for stdin, or a server as https://host:port
    #[arg(default_value = "-", hide_default_value = true)]
    crt_file: String,
    /// Output format
    #[arg(long, value_name = "format", default_value = "text")]
    format: Format,
    /// Print a summary
    #[arg(long)]
    short: bool,
    /// Print each certificate in the file
    #[arg(long)]
    bundle: bool,
    #[command(flatten)]
    remote: source::Remote,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Pem,
}

impl Args {
    /// Prints it.
    pub(crate) fn run(self) -> Result<ExitCode> {
        if self.short && self.format != Format::Text {
            let format = match self.format {
                Format::Json => "json",
                Format::Text | Format::Pem => "pem",
            };
            bail!("flag '--short' is incompatible with '--format {format}'");
        }
        let text = match self.remote.read(&self.crt_file)? {
            Found::Request(request) => self.print_request(&request)?,
            Found::Certificates(mut certificates) => {
                if !self.bundle {
                    certificates.truncate(1);
                }
                self.print(&certificates)?
            }
        };
        output::data(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    fn print_request(&self, found: &Request) -> Result<String> {
        Ok(match self.format {
            Format::Text if self.short => request::short(found),
            Format::Text => request::text(found),
            Format::Pem => found.to_pem(),
            Format::Json => format!("{}\n", serde_json::to_string_pretty(&request::json(found))?),
        })
    }

    fn print(&self, certificates: &[Certificate]) -> Result<String> {
        let each = |print: &dyn Fn(&Certificate) -> String| -> String {
            certificates.iter().map(print).collect()
        };
        Ok(match self.format {
            Format::Text if self.short => each(&short::print),
            Format::Text => each(&text::print),
            Format::Pem => each(&Certificate::to_pem),
            Format::Json if self.bundle => {
                let all: Vec<_> = certificates.iter().map(json::value).collect();
                format!("{}\n", serde_json::to_string_pretty(&all)?)
            }
            Format::Json => {
                let first = certificates.first().map(json::value);
                format!("{}\n", serde_json::to_string_pretty(&first)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] = ["rsa", "p256", "ed25519", "ca", "ip", "provisioner"];

    fn read(name: &str) -> String {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/");
        std::fs::read_to_string(format!("{folder}{name}")).unwrap()
    }

    fn certificate(name: &str) -> Certificate {
        Certificate::from_pem(read(&format!("{name}.crt")).as_bytes()).unwrap()
    }

    #[test]
    fn the_text_is_what_smallsteps_step_prints() {
        for name in NAMES {
            let expected = read(&format!("{name}.txt"));
            assert_eq!(text::print(&certificate(name)), expected, "{name}");
        }
    }

    #[test]
    fn the_short_form_is_what_smallsteps_step_prints() {
        for name in NAMES {
            let expected = read(&format!("{name}.short.txt"));
            assert_eq!(short::print(&certificate(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_request_is_shown_as_by_smallsteps_step() {
        for name in ["ask", "many"] {
            let request = Request::find(read(&format!("{name}.csr")).as_bytes());
            let request = request.unwrap().unwrap();
            assert_eq!(request::text(&request), read(&format!("{name}.txt")));
            assert_eq!(request::short(&request), read(&format!("{name}.short.txt")));
            let expected: serde_json::Value =
                serde_json::from_str(&read(&format!("{name}.json"))).unwrap();
            for (member, value) in request::json(&request).as_object().unwrap() {
                assert_eq!(*value, expected[member], "{name}: {member}");
            }
        }
    }

    #[test]
    fn the_json_has_the_values_of_smallsteps_step() {
        for name in NAMES {
            let expected: serde_json::Value =
                serde_json::from_str(&read(&format!("{name}.json"))).unwrap();
            assert_eq!(json::value(&certificate(name)), expected, "{name}");
        }
    }
}
