//! The JWK provisioner: a key whose holder signs tokens. It is listed, with the encrypted key
//! that the command line needs; tokens are not taken yet.

use super::{Common, read_options};
use crate::config::section::Section;

/// The type's name in ca.json.
pub(super) const KIND: &str = "JWK";
/// The type's number in the certificate extension.
pub(super) const NUMBER: u32 = 1;

/// A provisioner whose tokens are signed by a key of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Jwk {
    common: Common,
    kid: String,
    encrypted_key: Option<String>,
}

impl Jwk {
    pub(super) fn read(mut common: Common, section: &mut Section<'_>) -> Self {
        read_options(&mut common, section);
        let kid = match section.section("key") {
            Some(mut key) => key.text("kid").unwrap_or_default(),
            None => String::new(),
        };
        if kid.is_empty() {
            common.disable(
                section,
                "key",
                "the public key or its kid is missing".into(),
            );
        }
        Self {
            kid,
            encrypted_key: section.text("encryptedKey"),
            common,
        }
    }

    /// The name: the issuer of its tokens.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.common.name
    }

    /// The id of its key, as written in the file.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The private key as a compact JWE, encrypted with a password that the server never learns.
    #[must_use]
    pub fn encrypted_key(&self) -> Option<&str> {
        self.encrypted_key.as_deref()
    }

    pub(super) fn common(&self) -> &Common {
        &self.common
    }
}
