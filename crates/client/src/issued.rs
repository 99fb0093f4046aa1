//! Whether the certificate that a server issued is the one that was asked for.

use pki::{AltName, Certificate, PublicKey};

use crate::Error;

/// What a new certificate has to certify.
pub(crate) struct Expected<'a> {
    /// The key.
    pub(crate) key: &'a PublicKey,
    /// The names; it may have more.
    pub(crate) names: &'a [AltName],
}

impl Expected<'_> {
    /// Reads a chain in PEM, leaf first, and checks its leaf.
    ///
    /// # Errors
    /// [`Error::Unexpected`] when it is no chain, [`Error::OtherKey`], [`Error::OtherNames`].
    pub(crate) fn check(&self, doing: &'static str, pem: &[u8]) -> Result<Vec<Certificate>, Error> {
        let unexpected = |what: String| Error::Unexpected { doing, what };
        let chain = Certificate::all_from_pem(pem).map_err(|e| unexpected(e.to_string()))?;
        let Some(leaf) = chain.first() else {
            return Err(unexpected("the server sent no certificate".to_owned()));
        };
        if leaf.public_key().ok() != Some(self.key) {
            return Err(Error::OtherKey);
        }
        let names = leaf.alt_names();
        match self.names.iter().find(|name| !names.contains(name)) {
            Some(missing) => Err(Error::OtherNames {
                missing: missing.to_string(),
                names: names.iter().map(ToString::to_string).collect(),
            }),
            None => Ok(chain),
        }
    }
}
