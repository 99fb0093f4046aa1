//! The certificates that a leaf is verified with, from the one that issues it to the root, and what they
//! let it be: name constraints, path lengths and purposes (RFC 5280 §4.2.1.9, §4.2.1.10, §4.2.1.12).

use pki::name_constraints::{NameConstraints, Violation};
use pki::{AltName, Certificate, ExtendedKeyUsage, Name, extension, oid};

/// The chain above the leaves of an authority. It has at least one certificate.
#[derive(Debug, Clone)]
pub struct IssuingChain {
    issuer: Certificate,
    limits: Vec<CaLimits>,
}

/// What one CA certificate says about those below it.
#[derive(Debug, Clone)]
struct CaLimits {
    name: Name,
    subject: String,
    constraints: Option<NameConstraints>,
    /// `None` if it may be used for everything.
    purposes: Option<Vec<ExtendedKeyUsage>>,
}

/// A chain whose leaves no verifier would accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadChain {
    /// An extension cannot be read.
    #[error("the certificate {subject:?} cannot be used: its {what} cannot be read")]
    Unreadable {
        /// The subject of the certificate.
        subject: String,
        /// The extension.
        what: &'static str,
    },
    /// A path length is exceeded.
    #[error(
        "the certificate {subject:?} allows {allowed} CA certificates below it (pathLenConstraint), and \
         the chain has {below}: no verifier accepts a certificate below it. Issue from a CA further up, \
         or renew {subject:?} with a longer path length"
    )]
    TooDeep {
        /// The subject of the certificate that limits the length.
        subject: String,
        /// How many CA certificates may stand below it.
        allowed: u32,
        /// How many do.
        below: u32,
    },
}

/// A name that a CA certificate of the chain forbids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{violation} by the name constraints of the CA certificate {subject:?}, so that every verifier \
     would reject the certificate; ask for other names, or have the operator issue from another \
     intermediate"
)]
pub struct Constrained {
    /// The subject of the CA certificate.
    pub subject: String,
    /// What is wrong with which name.
    pub violation: Violation,
}

impl IssuingChain {
    /// Combines the issuing certificate with those above it. `authorities` are the further certificates
    /// of the authority, in the order in which they are preferred; those that are not above the issuer are left out. The
    /// chain ends at a certificate that names itself as its issuer.
    ///
    /// # Errors
    /// [`BadChain`].
    pub fn new<'a>(
        issuer: Certificate,
        authorities: impl Iterator<Item = &'a Certificate> + Clone,
    ) -> Result<Self, BadChain> {
        let mut limits = Vec::new();
        let mut current = &issuer;
        for below in 0..MOST_LENGTH {
            limits.push(CaLimits::of(current, below)?);
            if current.subject() == current.issuer() {
                break;
            }
            let seen =
                |it: &Certificate| limits.iter().any(|ca: &CaLimits| ca.name == *it.subject());
            let is_above = |it: &&Certificate| !seen(it) && current.is_issued_by(it).is_ok();
            let Some(above) = authorities.clone().find(is_above) else {
                break;
            };
            current = above;
        }
        Ok(Self { issuer, limits })
    }

    /// The certificate that issues.
    #[must_use]
    pub fn issuer(&self) -> &Certificate {
        &self.issuer
    }

    /// Checks names and subject of a leaf against the name constraints of the whole chain.
    ///
    /// # Errors
    /// The first name that one of the certificates forbids.
    pub fn check_names(&self, names: &[AltName], subject: &Name) -> Result<(), Constrained> {
        for ca in &self.limits {
            let checked = ca.constraints.as_ref().map(|it| it.check(names, subject));
            checked.unwrap_or(Ok(())).map_err(|violation| Constrained {
                subject: ca.subject.clone(),
                violation,
            })?;
        }
        Ok(())
    }

    /// Checks that a leaf for these purposes may be used for one of them at least.
    ///
    /// # Errors
    /// The subject of the certificate that leaves no purpose over.
    pub(crate) fn check_purposes(&self, purposes: &[ExtendedKeyUsage]) -> Result<(), &str> {
        let mut left = purposes.to_vec();
        for ca in &self.limits {
            let allows = |purpose: &ExtendedKeyUsage| {
                ca.purposes.as_ref().is_none_or(|allowed| {
                    allowed.contains(purpose) || allowed.contains(&ExtendedKeyUsage::Any)
                })
            };
            left.retain(allows);
            if left.is_empty() {
                return Err(&ca.subject);
            }
        }
        Ok(())
    }
}

impl CaLimits {
    fn of(certificate: &Certificate, below: u32) -> Result<Self, BadChain> {
        let subject = certificate.subject().to_string();
        let unreadable = |what| BadChain::Unreadable {
            subject: subject.clone(),
            what,
        };
        if let Some((_, Some(allowed))) = certificate.basic_constraints()
            && below > allowed
        {
            return Err(BadChain::TooDeep {
                subject,
                allowed,
                below,
            });
        }
        let constraints = NameConstraints::of(certificate)
            .map_err(|_| unreadable("nameConstraints extension"))?;
        let purposes = certificate.extension(&oid::EXTENDED_KEY_USAGE);
        let purposes = purposes.map(|it| extension::parse_extended_key_usage(&it.value));
        let purposes = purposes.transpose();
        Ok(Self {
            name: certificate.subject().clone(),
            constraints,
            purposes: purposes.map_err(|_| unreadable("extendedKeyUsage extension"))?,
            subject,
        })
    }
}

/// No verifier follows more.
const MOST_LENGTH: u32 = 8;

#[cfg(test)]
mod tests;
