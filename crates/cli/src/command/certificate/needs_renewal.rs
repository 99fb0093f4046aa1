//! `step certificate needs-renewal`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use ca::go_duration;
use jiff::{SignedDuration, Timestamp};
use pki::Certificate;

use super::source;
use crate::output;

const EXAMPLES: &str = "Examples:
  Renew when two thirds of the lifetime have passed:
    $ step certificate needs-renewal example.crt && step ca renew --force example.crt example.key

  Check whether less than a day is left:
    $ step certificate needs-renewal example.crt --expires-in 24h

The exit code is 0 when the certificate needs renewal, 1 when it does not, 2 when the file does
not exist, and 255 for any other error.";

/// The part of the lifetime that must have passed, in per cent.
const OVER: f64 = 66.0;
const NEEDS_NONE: u8 = 1;
const NO_FILE: u8 = 2;
/// The exit code of an error.
pub(crate) const FAILED: u8 = 255;

/// Check whether a certificate needs renewal; the exit code is the answer
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Certificate to check
    crt_file: String,
    /// Part of the lifetime that may have passed, such as 75%, or time that must be left, such as 8h (default: 66%)
    #[arg(long, value_name = "percent|duration")]
    expires_in: Option<String>,
    /// Check each certificate in the file
    #[arg(long)]
    bundle: bool,
    /// Print the answer, too
    #[arg(long, short = 'v')]
    verbose: bool,
}

impl Args {
    /// Checks it.
    pub(crate) fn run(self) -> Result<ExitCode> {
        match self.is_due(Timestamp::now()) {
            Ok(true) => {
                if self.verbose {
                    output::data("certificate needs renewal\n")?;
                }
                Ok(ExitCode::SUCCESS)
            }
            Ok(false) => {
                if self.verbose {
                    output::say("certificate does not need renewal");
                }
                Ok(ExitCode::from(NEEDS_NONE))
            }
            Err(error) => {
                output::failure(&error);
                let is_missing = self.crt_file != "-" && !Path::new(&self.crt_file).exists();
                let is_local = !self.crt_file.contains("://");
                Ok(ExitCode::from(if is_missing && is_local {
                    NO_FILE
                } else {
                    FAILED
                }))
            }
        }
    }

    fn is_due(&self, now: Timestamp) -> Result<bool> {
        let limit = Limit::parse(self.expires_in.as_deref())?;
        let mut certificates = source::certificates(&self.crt_file)?;
        if !self.bundle {
            certificates.truncate(1);
        }
        Ok(certificates.iter().any(|one| limit.is_passed(one, now)))
    }
}

enum Limit {
    /// Per cent of the lifetime that may have passed.
    Over(f64),
    /// The time that must be left.
    Left(SignedDuration),
}

impl Limit {
    fn parse(text: Option<&str>) -> Result<Self> {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(Self::Over(OVER));
        };
        let Some(part) = text.strip_suffix('%') else {
            let left = go_duration::parse(text)
                .with_context(|| format!("invalid value '{text}' for flag '--expires-in'"))?;
            return Ok(Self::Left(left));
        };
        match part.trim().parse::<f64>() {
            Ok(part) if (0.0..=100.0).contains(&part) => Ok(Self::Over(part)),
            Ok(_) | Err(_) => bail!(
                "invalid value '{text}' for flag '--expires-in': give a part from 0% to 100% or a duration"
            ),
        }
    }

    fn is_passed(&self, certificate: &Certificate, now: Timestamp) -> bool {
        let left = certificate.not_after().duration_since(now);
        match self {
            Self::Left(limit) => left < *limit,
            Self::Over(part) => {
                let life = certificate
                    .not_after()
                    .duration_since(certificate.not_before());
                100.0 - left.as_secs_f64() / life.as_secs_f64() * 100.0 >= *part
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_thirds_of_the_lifetime_or_a_limit_decide() {
        let text = include_bytes!("../../../testdata/ca.crt");
        let certificate = Certificate::from_pem(text).unwrap();
        let life = certificate
            .not_after()
            .duration_since(certificate.not_before());
        let at = |part: i32| certificate.not_before() + life / 100 * part;
        let default = Limit::parse(None).unwrap();
        assert!(!default.is_passed(&certificate, at(65)));
        assert!(default.is_passed(&certificate, at(67)));
        let part = Limit::parse(Some("90%")).unwrap();
        assert!(!part.is_passed(&certificate, at(89)));
        assert!(part.is_passed(&certificate, at(91)));
        let hour = Limit::parse(Some("1h")).unwrap();
        assert!(!hour.is_passed(&certificate, at(99)));
        assert!(Limit::parse(Some("101%")).is_err());
    }
}
