//! The JWK provisioner: a key whose holder signs tokens. It is listed, with the encrypted key
//! that the command line needs; tokens are not taken yet.

use super::{Common, ProvisionerType};

/// The type's name in ca.json.
pub(crate) const TYPE: &str = "JWK";

/// A provisioner whose tokens are signed by a key of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Jwk {
    pub(crate) common: Common,
    pub(crate) kid: String,
    pub(crate) encrypted_key: Option<String>,
}

impl ProvisionerType for Jwk {
    fn common(&self) -> &Common {
        &self.common
    }

    fn type_name(&self) -> &str {
        TYPE
    }

    fn number(&self) -> Option<u32> {
        Some(NUMBER)
    }

    fn id(&self) -> String {
        format!("{}:{}", self.name(), self.kid)
    }

    fn has_credential(&self, id: &str) -> bool {
        id == self.kid
    }
}

impl Jwk {
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
}

/// The type's number in the certificate extension.
const NUMBER: u32 = 1;
