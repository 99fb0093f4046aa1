//! The one place where the key of an authority signs. It takes [`ca::Unsigned`] and nothing else,
//! so that whatever it signs has passed the decisions of `ca`.

use ca::{Unsigned, UnsignedCertificate};
use pki::Certificate;

use crate::{Error, Signer};

/// A key and the certificate that lets it issue.
pub struct CertificateSigner {
    signer: Box<dyn Signer>,
    issuer: Certificate,
}

impl CertificateSigner {
    /// Combines an issuing certificate with its key.
    ///
    /// # Errors
    /// When the key does not match the certificate, or the certificate may not issue others.
    pub fn new(signer: Box<dyn Signer>, issuer: Certificate) -> Result<Self, Error> {
        let subject = || issuer.subject().to_string();
        if issuer.public_key()? != signer.public_key() {
            return Err(Error::KeyMismatch { subject: subject() });
        }
        if !issuer.is_ca() {
            return Err(Error::NotAnAuthority { subject: subject() });
        }
        Ok(Self { signer, issuer })
    }

    /// Signs a root with its own key; [`CertificateSigner::issuer`] is then the root.
    ///
    /// # Errors
    /// When it is no root, or is for another key.
    pub fn self_signed(signer: Box<dyn Signer>, root: UnsignedCertificate) -> Result<Self, Error> {
        if !root.is_self_signed() {
            return Err(Error::Root);
        }
        let tbs = root.tbs();
        if tbs.public_key != *signer.public_key() {
            return Err(Error::KeyMismatch {
                subject: tbs.subject.to_string(),
            });
        }
        let issuer = sign(signer.as_ref(), &root)?;
        Ok(Self { signer, issuer })
    }

    /// Signs, and verifies the signature that came back.
    ///
    /// # Errors
    /// When it names another issuer, the signer fails, or its signature does not verify.
    pub fn sign<U: Unsigned>(&self, unsigned: U) -> Result<U::Signed, Error> {
        if unsigned.is_self_signed() {
            return Err(Error::Root);
        }
        let named = unsigned.issuer();
        if named != self.issuer.subject() {
            return Err(Error::ForeignIssuer {
                named: named.to_string(),
                own: self.issuer.subject().to_string(),
            });
        }
        sign(self.signer.as_ref(), &unsigned)
    }

    /// The certificate that it issues with.
    #[must_use]
    pub fn issuer(&self) -> &Certificate {
        &self.issuer
    }

    /// `true` when a signature takes long; see [`Signer::is_slow`].
    #[must_use]
    pub fn is_slow(&self) -> bool {
        self.signer.is_slow()
    }
}

fn sign<U: Unsigned>(signer: &dyn Signer, unsigned: &U) -> Result<U::Signed, Error> {
    let algorithm = signer.algorithm();
    let message = unsigned.to_der(algorithm)?;
    let signature = signer.sign(&message)?;
    signer
        .public_key()
        .verify(algorithm, &message, &signature)
        .map_err(|_| Error::BadSignature)?;
    Ok(U::assemble(&message, algorithm, &signature)?)
}

#[cfg(test)]
mod tests;
