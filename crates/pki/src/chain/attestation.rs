//! The path of an attestation certificate. Devices' certificates have critical extensions, empty
//! subjects and purposes that webpki does not accept; what is checked here is what Go's verifier
//! checks for any purpose.

use der::asn1::ObjectIdentifier;
use jiff::Timestamp;

use super::{ChainError, allows_below, within_validity};
use crate::{
    certificate::Certificate,
    extension::{self, KeyUsages},
    oid,
};

/// The most certificates of a path, the root not counted.
const LONGEST: usize = 8;
/// The most signatures that are verified in the search for a path.
const MOST_SIGNATURES: usize = 32;

/// Verifies that a path leads from the first of these certificates over the others to a root, each
/// of them valid at `at`. Extended key usages do not count.
///
/// # Errors
/// [`ChainError`]; also for more than eight certificates.
pub fn verify_attestation(
    chain: &[Certificate],
    roots: &[Certificate],
    at: Timestamp,
) -> Result<(), ChainError> {
    let (leaf, between) = chain.split_first().ok_or(ChainError::UnknownAuthority)?;
    if chain.len() > LONGEST {
        return Err(ChainError::TooDeep);
    }
    check_itself(leaf, at)?;
    let mut search = Search {
        roots,
        between,
        at,
        signatures: 0,
    };
    search.climb(leaf, 0)
}

struct Search<'a> {
    roots: &'a [Certificate],
    between: &'a [Certificate],
    at: Timestamp,
    signatures: usize,
}

impl Search<'_> {
    /// Climbs from a certificate with `below` CAs under its issuer.
    fn climb(&mut self, certificate: &Certificate, below: u32) -> Result<(), ChainError> {
        let mut failure = ChainError::UnknownAuthority;
        if usize::try_from(below).is_ok_and(|below| below >= LONGEST) {
            return Err(ChainError::TooDeep);
        }
        let roots = self.roots.iter().map(|root| (root, true));
        let between = self.between.iter().map(|ca| (ca, false));
        for (issuer, trusted) in roots.chain(between) {
            if certificate.issuer() != issuer.subject() || !trusted && issuer == certificate {
                continue;
            }
            self.signatures += 1;
            if self.signatures > MOST_SIGNATURES {
                return Err(ChainError::TooDeep);
            }
            if certificate.is_issued_by(issuer).is_err() {
                continue;
            }
            let found = may_sign(issuer, below)
                .and_then(|()| check_itself(issuer, self.at))
                .and_then(|()| match trusted {
                    true => Ok(()),
                    false => self.climb(issuer, below + 1),
                });
            match found {
                Ok(()) => return Ok(()),
                Err(error) if failure == ChainError::UnknownAuthority => failure = error,
                Err(_) => {}
            }
        }
        Err(failure)
    }
}

/// Whether it is a CA that may sign certificates and have `below` CAs under it.
fn may_sign(issuer: &Certificate, below: u32) -> Result<(), ChainError> {
    allows_below(issuer, below)?;
    let Some(usage) = issuer.extension(&oid::KEY_USAGE) else {
        return Ok(());
    };
    let usage = extension::parse_key_usage(&usage.value).map_err(|_| ChainError::NotACa)?;
    if usage.contains(KeyUsages::KEY_CERT_SIGN) {
        Ok(())
    } else {
        Err(ChainError::NotACa)
    }
}

/// The validity, and critical extensions that are understood.
fn check_itself(certificate: &Certificate, at: Timestamp) -> Result<(), ChainError> {
    within_validity(certificate, at)?;
    let mut critical = certificate.extensions().iter().filter(|one| one.critical);
    if critical.all(|one| UNDERSTOOD.contains(&one.oid)) {
        Ok(())
    } else {
        Err(ChainError::CriticalExtension)
    }
}

/// Name constraints are not among them: a chain with critical ones is refused.
const UNDERSTOOD: [ObjectIdentifier; 4] = [
    oid::BASIC_CONSTRAINTS,
    oid::KEY_USAGE,
    oid::EXTENDED_KEY_USAGE,
    oid::SUBJECT_ALT_NAME,
];
