//! Where a private key is kept, as `key` of ca.json names it: a file, or a device or service by
//! its URI. Opening it is the `keys` crate's.

use std::path::PathBuf;

use thiserror::Error;

/// The schemes of smallstep's programs for keys that leave no file.
const UNSUPPORTED: &[&str] = &[
    "pkcs11:",
    "yubikey:",
    "tpmkms:",
    "awskms:",
    "cloudkms:",
    "azurekms:",
    "sshagentkms:",
    "mackms:",
    "capi:",
];

/// The place of a private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyUri {
    /// A file: a path, `file:PATH`, `softkms:PATH` or `softkms:path=PATH`.
    File(PathBuf),
}

/// The place of a private key that cannot be used yet.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("keys in {scheme} are not supported yet; name a key file")]
pub struct UnsupportedKeyUri {
    /// The URI's scheme with its colon.
    pub scheme: &'static str,
}

impl KeyUri {
    /// Reads a path or URI. A colon makes a URI only after a known scheme, since file names may
    /// have colons, too.
    ///
    /// # Errors
    /// When the scheme is known and not supported yet.
    pub fn parse(text: &str) -> Result<Self, UnsupportedKeyUri> {
        if let Some(scheme) = UNSUPPORTED.iter().find(|scheme| text.starts_with(**scheme)) {
            return Err(UnsupportedKeyUri { scheme });
        }
        let path = match text.strip_prefix("softkms:") {
            Some(uri) => {
                let named = uri.split('?').next().unwrap_or(uri);
                let mut parts = named.split(';');
                let path = parts.find_map(|part| part.strip_prefix("path="));
                decoded(path.unwrap_or(named))
            }
            None => text.strip_prefix("file:").unwrap_or(text).to_owned(),
        };
        Ok(Self::File(PathBuf::from(path)))
    }
}

/// A path in a URI without its percent-encoding (RFC 3986 §2.1); as it is where it has none.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let code = part
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (code, part.get(2..)) {
            (Some(code), Some(rest)) => {
                bytes.push(code);
                bytes.extend_from_slice(rest.as_bytes());
            }
            _ => return text.to_owned(),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_the_schemes_of_files_name_a_file() {
        for (text, path) in [
            ("/etc/ca/key", "/etc/ca/key"),
            ("file:/etc/ca/key", "/etc/ca/key"),
            ("softkms:/etc/ca/key", "/etc/ca/key"),
            ("softkms:path=/etc/ca/key", "/etc/ca/key"),
            ("softkms:name=x;path=secrets/key", "secrets/key"),
            (
                "softkms:path=/etc/my%20ca/key?pin-value=x",
                "/etc/my ca/key",
            ),
            ("softkms:/etc/ca/100%", "/etc/ca/100%"),
            ("odd:name", "odd:name"),
        ] {
            let file = KeyUri::File(PathBuf::from(path));
            assert_eq!(KeyUri::parse(text), Ok(file), "{text}");
        }
    }

    #[test]
    fn a_scheme_that_is_not_supported_is_named() {
        for scheme in UNSUPPORTED {
            let error = KeyUri::parse(&format!("{scheme}id=1")).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("keys in {scheme} are not supported yet; name a key file")
            );
        }
    }
}
