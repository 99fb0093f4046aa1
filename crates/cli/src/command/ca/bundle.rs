//! Several certificates as one file, or on standard output: what `step ca roots` and
//! `step ca federation` do with what they have downloaded.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use pki::Certificate;

use crate::{file, output};

/// Prints the certificates as PEM, or saves them and says which `kind` of bundle lies where.
///
/// # Errors
/// When they cannot be written.
pub(super) fn deliver(
    certificates: &[Certificate],
    path: Option<&Path>,
    kind: &str,
) -> Result<ExitCode> {
    let bundle: String = certificates.iter().map(Certificate::to_pem).collect();
    match path {
        None => output::data(&bundle)?,
        Some(path) => {
            file::write(path, bundle.as_bytes(), file::PRIVATE)?;
            let path = path.display();
            output::say(&format!(
                "The {kind} certificate bundle has been saved in {path}."
            ));
        }
    }
    Ok(ExitCode::SUCCESS)
}
