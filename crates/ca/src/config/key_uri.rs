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
            Some(rest) => rest
                .split(';')
                .find_map(|part| part.strip_prefix("path="))
                .unwrap_or(rest),
            None => text.strip_prefix("file:").unwrap_or(text),
        };
        Ok(Self::File(PathBuf::from(path)))
    }
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
