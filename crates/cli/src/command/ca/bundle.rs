//! Saves several certificates in one file or prints them, for `step ca roots` and
//! `step ca federation`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use pki::Certificate;

use crate::{file, output};

/// Prints the certificates as PEM, or saves them in a file and reports which `kind` of bundle it is.
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
