//! Reads certificates from a file, stdin or a server.

use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use client::Trust;
use pki::Certificate;

use super::request::Request;
use crate::command::{block_on, system_roots};
use crate::file;

/// What a file has in it.
pub(super) enum Found {
    /// At least one certificate.
    Certificates(Vec<Certificate>),
    /// A certificate request.
    Request(Box<Request>),
}

/// The flags of a server whose certificates are read.
#[derive(clap::Args)]
pub(super) struct Remote {
    /// Roots to verify a server with: a file, comma-separated files, or a folder (default: the system's)
    #[arg(long, value_name = "files")]
    roots: Option<String>,
    /// Name to request from the server (default: its host name)
    #[arg(long, value_name = "name")]
    servername: Option<String>,
    /// Read the certificates of a server without verifying them
    #[arg(long)]
    pub(super) insecure: bool,
}

impl Remote {
    /// The certificates or the request in `name`: a PEM or DER file, `-` for stdin, or a server.
    ///
    /// # Errors
    /// When it cannot be read or has neither in it.
    pub(super) fn read(&self, name: &str) -> Result<Found> {
        if let Some(address) = address(name) {
            return self.fetch(address).map(Found::Certificates);
        }
        let content = content(name)?;
        let request = Request::find(&content).with_context(|| format!("error parsing {name}"))?;
        match request {
            Some(request) => Ok(Found::Request(Box::new(request))),
            None => parse(name, &content).map(Found::Certificates),
        }
    }

    fn fetch(&self, address: &str) -> Result<Vec<Certificate>> {
        let (host, port) = split(address)?;
        let trust = if self.insecure {
            Trust::Unverified
        } else if let Some(names) = &self.roots {
            let pool = pool(names)?;
            Trust::Roots(pool.iter().map(|root| root.der().to_vec()).collect())
        } else {
            Trust::Roots(system_roots())
        };
        let name = self.servername.as_deref().unwrap_or(host);
        let chain = block_on(async { Ok(client::peer::chain(host, port, name, &trust).await?) })?;
        let chain = chain.iter().map(|der| Certificate::from_der(der));
        Ok(chain.collect::<Result<_, _>>()?)
    }
}

/// The certificates in `name`: a PEM or DER file, or `-` for stdin.
///
/// # Errors
/// When it cannot be read or has no certificate in it.
pub(super) fn certificates(name: &str) -> Result<Vec<Certificate>> {
    if address(name).is_some() {
        bail!("'{name}' is a server, and this command reads files only");
    }
    parse(name, &content(name)?)
}

fn parse(name: &str, content: &[u8]) -> Result<Vec<Certificate>> {
    Certificate::all_from_file(content).map_err(|error| anyhow!("error parsing {name}: {error}"))
}

fn content(name: &str) -> Result<Vec<u8>> {
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

/// The certificates in a file, in comma-separated files, or in a folder.
///
/// # Errors
/// When a file cannot be read, or there is no certificate.
pub(crate) fn pool(names: &str) -> Result<Vec<Certificate>> {
    let mut pool = Vec::new();
    for name in names.split(',').map(str::trim) {
        if Path::new(name).is_dir() {
            for entry in std::fs::read_dir(name)? {
                let path = entry?.path();
                // A folder may have other files in it; those that parse are used.
                if path.is_file()
                    && let Ok(found) = Certificate::all_from_file(&file::read(&path)?)
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

/// The host and port of a server's URL; nothing for a file.
fn address(name: &str) -> Option<&str> {
    let schemes = ["https://", "tls://", "tcp://"];
    let address = schemes
        .iter()
        .find_map(|scheme| name.strip_prefix(scheme))?;
    address.split('/').next()
}

fn split(address: &str) -> Result<(&str, u16)> {
    match address.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let port = port.parse().with_context(|| {
                format!("the port of '{address}' is not a number from 0 to 65535")
            })?;
            Ok((host, port))
        }
        Some(_) | None => Ok((address, 443)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_server_and_anything_else_a_file() {
        assert_eq!(address("https://a.test:9000/x"), Some("a.test:9000"));
        assert_eq!(address("a.crt"), None);
        assert_eq!(split("a.test:9000").unwrap(), ("a.test", 9000));
        assert_eq!(split("[::1]").unwrap(), ("[::1]", 443));
        assert!(split("a.test:x").is_err());
    }
}
