//! The last look before the pen: rules that hold for every certificate, whichever door its grant
//! came by. A finding is a fault of ours and holds the certificate back.

use std::collections::HashSet;

use pki::extension::{parse_basic_constraints, parse_extended_key_usage, parse_key_usage};
use pki::{Certificate, Extension, KeyUsages, ObjectIdentifier, encoding, extension, oid};

use crate::grant::Recipient;
use crate::issue::{Kind, Unsigned};

/// What is wrong with a certificate that was about to be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// RFC 5280 §4.1.2.2
    #[error("its serial number is not positive or longer than 20 octets")]
    Serial,
    /// RFC 5280 §4.1.2.5
    #[error("its validity is empty")]
    EmptyValidity,
    /// A chain holds only as long as each of its certificates.
    #[error("it would outlive its issuer")]
    OutlivesIssuer,
    /// RFC 5280 §4.1.2.4
    #[error("its issuer is not the subject of the issuing certificate")]
    WrongIssuer,
    /// The issuing certificate may not sign certificates.
    #[error("the issuing certificate is no authority's")]
    IssuerIsNoAuthority,
    /// RFC 5280 §4.2
    #[error("extension {0} is there twice")]
    Repeated(ObjectIdentifier),
    /// An extension that every certificate of this kind has is missing.
    #[error("extension {0} is missing")]
    Missing(ObjectIdentifier),
    /// An extension cannot be read.
    #[error("extension {0} cannot be read")]
    Unreadable(ObjectIdentifier),
    /// RFC 5280 §4.2.1.6
    #[error("it names nobody, or its names are not critical although its subject is empty")]
    Nameless,
    /// RFC 5280 §4.2.1.9: a leaf that could sign certificates.
    #[error("it is a leaf with an authority's rights")]
    LeafWithAuthority,
    /// An authority's certificate without the rights of one.
    #[error("it is an authority's and lacks the rights of one")]
    AuthorityWithoutRights,
    /// RFC 5280 §4.2.1.3
    #[error("its key may not sign")]
    NoDigitalSignature,
    /// RFC 5280 §4.2.1.12
    #[error("it is good for no purpose")]
    NoPurpose,
    /// RFC 9608 §2
    #[error("it says that nobody answers for its revocation, and is an authority's")]
    AuthorityWithoutRevocation,
    /// RFC 9608 §2
    #[error("it says that nobody answers for its revocation, and extension {0} says who does")]
    RevocationBothWays(ObjectIdentifier),
    /// RFC 9608 §2, RFC 7633 §4
    #[error("extension {0} is critical, and must not be")]
    Critical(ObjectIdentifier),
    /// RFC 5280 §4.2.1.2
    #[error("its subject key identifier is not that of its key")]
    WrongKeyId,
    /// RFC 5280 §4.2.1.1
    #[error("its authority key identifier is not that of its issuer")]
    WrongAuthorityKeyId,
}

/// Looks at everything that a certificate must be, whoever asked for it. `issuer` is `None` for a
/// root alone.
///
/// # Errors
/// The first rule that it breaks.
pub fn lint(unsigned: &Unsigned, issuer: Option<&Certificate>) -> Result<(), Finding> {
    let tbs = unsigned.tbs();
    let serial = tbs.serial.bytes();
    if serial.iter().all(|octet| *octet == 0) || serial.len() > 20 {
        return Err(Finding::Serial);
    }
    if tbs.not_before >= tbs.not_after {
        return Err(Finding::EmptyValidity);
    }
    match issuer {
        Some(issuer) => fits_issuer(unsigned, issuer)?,
        None if tbs.issuer != tbs.subject || unsigned.kind() != Kind::Root => {
            return Err(Finding::WrongIssuer);
        }
        None => {}
    }
    let mut seen = HashSet::new();
    if let Some(twice) = tbs.extensions.iter().find(|e| !seen.insert(e.oid)) {
        return Err(Finding::Repeated(twice.oid));
    }
    let own_id = extension::subject_key_id(&tbs.public_key.key_id());
    if expected(unsigned, oid::SUBJECT_KEY_ID)?.is_some_and(|id| id.value != own_id.value) {
        return Err(Finding::WrongKeyId);
    }
    match unsigned.kind() {
        Kind::Leaf => leaf(unsigned),
        Kind::Root | Kind::Intermediate => authority(unsigned),
    }
}

fn fits_issuer(unsigned: &Unsigned, issuer: &Certificate) -> Result<(), Finding> {
    let tbs = unsigned.tbs();
    if tbs.issuer != *issuer.subject() || issuer.subject().is_empty() {
        return Err(Finding::WrongIssuer);
    }
    if !issuer.is_ca() {
        return Err(Finding::IssuerIsNoAuthority);
    }
    if tbs.not_after > issuer.not_after() {
        return Err(Finding::OutlivesIssuer);
    }
    let expected = crate::issue::authority_key_id(issuer);
    if required(unsigned, oid::AUTHORITY_KEY_ID)?.value != expected.value {
        return Err(Finding::WrongAuthorityKeyId);
    }
    Ok(())
}

fn leaf(unsigned: &Unsigned) -> Result<(), Finding> {
    if let Some(found) = find(unsigned, oid::BASIC_CONSTRAINTS) {
        let (is_authority, _) = parse_basic_constraints(&found.value)
            .map_err(|_| Finding::Unreadable(oid::BASIC_CONSTRAINTS))?;
        if is_authority {
            return Err(Finding::LeafWithAuthority);
        }
    }
    if let Some(found) = expected(unsigned, oid::KEY_USAGE)? {
        let usage = key_usage(found)?;
        if usage.contains(KeyUsages::KEY_CERT_SIGN) || usage.contains(KeyUsages::CRL_SIGN) {
            return Err(Finding::LeafWithAuthority);
        }
        if !usage.contains(KeyUsages::DIGITAL_SIGNATURE) {
            return Err(Finding::NoDigitalSignature);
        }
    }
    if let Some(found) = expected(unsigned, oid::EXTENDED_KEY_USAGE)? {
        let purposes = parse_extended_key_usage(&found.value)
            .map_err(|_| Finding::Unreadable(oid::EXTENDED_KEY_USAGE))?;
        if purposes.is_empty() {
            return Err(Finding::NoPurpose);
        }
    }
    revocation(unsigned)?;
    names(unsigned)
}

/// What the leaf says about its own revocation has to be one thing. A copy stays as it was.
fn revocation(unsigned: &Unsigned) -> Result<(), Finding> {
    if matches!(unsigned.recipient(), Recipient::Renewal { .. }) {
        return Ok(());
    }
    for oid in [oid::NO_REV_AVAIL, oid::TLS_FEATURE] {
        match find(unsigned, oid) {
            Some(found) if found.critical => return Err(Finding::Critical(oid)),
            Some(found) if encoding::check(&found.value).is_err() => {
                return Err(Finding::Unreadable(oid));
            }
            Some(_) | None => {}
        }
    }
    let Some(none) = find(unsigned, oid::NO_REV_AVAIL) else {
        return Ok(());
    };
    if *none != extension::no_rev_avail() {
        return Err(Finding::Unreadable(oid::NO_REV_AVAIL));
    }
    for oid in [
        oid::CRL_DISTRIBUTION_POINTS,
        oid::FRESHEST_CRL,
        oid::TLS_FEATURE,
    ] {
        if find(unsigned, oid).is_some() {
            return Err(Finding::RevocationBothWays(oid));
        }
    }
    let Some(access) = find(unsigned, oid::AUTHORITY_INFO_ACCESS) else {
        return Ok(());
    };
    let methods = extension::parse_access_methods(&access.value)
        .map_err(|_| Finding::Unreadable(oid::AUTHORITY_INFO_ACCESS))?;
    match methods.contains(&oid::OCSP) {
        true => Err(Finding::RevocationBothWays(oid::AUTHORITY_INFO_ACCESS)),
        false => Ok(()),
    }
}

fn names(unsigned: &Unsigned) -> Result<(), Finding> {
    let nameless = unsigned.tbs().subject.is_empty();
    let Some(found) = expected(unsigned, oid::SUBJECT_ALT_NAME)? else {
        return if nameless {
            Err(Finding::Nameless)
        } else {
            Ok(())
        };
    };
    let names = pki::alt_name::parse(&found.value)
        .map_err(|_| Finding::Unreadable(oid::SUBJECT_ALT_NAME))?;
    if names.is_empty() || (nameless && !found.critical) {
        return Err(Finding::Nameless);
    }
    Ok(())
}

fn authority(unsigned: &Unsigned) -> Result<(), Finding> {
    if unsigned.tbs().subject.is_empty() {
        return Err(Finding::Nameless);
    }
    if find(unsigned, oid::NO_REV_AVAIL).is_some() {
        return Err(Finding::AuthorityWithoutRevocation);
    }
    let constraints = required(unsigned, oid::BASIC_CONSTRAINTS)?;
    let (is_authority, _) = parse_basic_constraints(&constraints.value)
        .map_err(|_| Finding::Unreadable(oid::BASIC_CONSTRAINTS))?;
    let usage = key_usage(required(unsigned, oid::KEY_USAGE)?)?;
    let signs = usage.contains(KeyUsages::KEY_CERT_SIGN);
    if !is_authority || !constraints.critical || !signs {
        return Err(Finding::AuthorityWithoutRights);
    }
    Ok(())
}

fn key_usage(found: &Extension) -> Result<KeyUsages, Finding> {
    parse_key_usage(&found.value).map_err(|_| Finding::Unreadable(oid::KEY_USAGE))
}

fn find(unsigned: &Unsigned, oid: ObjectIdentifier) -> Option<&Extension> {
    let extensions = &unsigned.tbs().extensions;
    extensions.iter().find(|extension| extension.oid == oid)
}

fn required(unsigned: &Unsigned, oid: ObjectIdentifier) -> Result<&Extension, Finding> {
    find(unsigned, oid).ok_or(Finding::Missing(oid))
}

/// An extension that must be there, unless the certificate is a copy of one that lacks it: what
/// a template of another program left out stays out.
fn expected(unsigned: &Unsigned, oid: ObjectIdentifier) -> Result<Option<&Extension>, Finding> {
    let found = find(unsigned, oid);
    let copied = matches!(unsigned.recipient(), Recipient::Renewal { .. });
    if found.is_none() && !copied {
        return Err(Finding::Missing(oid));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
