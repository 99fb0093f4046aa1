//! Where certificates to look at come from: a file, stdin, a server.

use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use pki::Certificate;

use crate::file;

/// The certificates in `name`: a PEM or DER file, or `-` for stdin.
///
/// # Errors
/// Where it cannot be read or holds no certificate.
pub(crate) fn certificates(name: &str) -> Result<Vec<Certificate>> {
    let text = content(name)?;
    parse(&text).with_context(|| format!("error parsing {name}"))
}

/// The bytes of `name`.
///
/// # Errors
/// Where it cannot be read.
pub(crate) fn content(name: &str) -> Result<Vec<u8>> {
    if is_remote(name) {
        bail!("certificates of servers cannot be fetched yet: give a file instead of '{name}'");
    }
    if name == "-" {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text)?;
        return Ok(text);
    }
    std::fs::read(name).map_err(|e| {
        anyhow!(
            "error reading file {name}: open {name} failed: {}",
            file::words(&e)
        )
    })
}

/// The certificates in a file, a list of files with commas between, or a folder.
///
/// # Errors
/// Where nothing can be read.
pub(crate) fn pool(names: &str) -> Result<Vec<Certificate>> {
    let mut pool = Vec::new();
    for name in names.split(',').map(str::trim) {
        if Path::new(name).is_dir() {
            for entry in std::fs::read_dir(name)? {
                let path = entry?.path();
                // A folder may hold other files; what parses is taken.
                if path.is_file()
                    && let Ok(found) = parse(&file::read(&path)?)
                {
                    pool.extend(found);
                }
            }
        } else {
            pool.extend(certificates(name)?);
        }
    }
    if pool.is_empty() {
        bail!("there is no certificate in {names}");
    }
    Ok(pool)
}

fn parse(text: &[u8]) -> Result<Vec<Certificate>, pki::Error> {
    // A SEQUENCE's tag; PEM is text.
    if text.first() == Some(&0x30) {
        return Ok(vec![Certificate::from_der(text)?]);
    }
    Certificate::all_from_pem(text)
}

fn is_remote(name: &str) -> bool {
    ["https://", "tls://", "tcp://"]
        .iter()
        .any(|scheme| name.starts_with(scheme))
}
