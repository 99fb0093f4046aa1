//! The lint: rules that every certificate has to keep, whatever requested it. It runs last before
//! the signature; a finding is a fault of the authority and holds the certificate back.
//!
//! Not here: what is not a certificate. CRLs and OCSP responses have rules of their own.

use std::collections::HashSet;

use pki::extension::{parse_basic_constraints, parse_extended_key_usage, parse_key_usage};
use pki::{
    Certificate, Extension, KeyUsages, ObjectIdentifier, TbsCertificate, encoding, extension, oid,
};

use crate::issuing_chain::{Constrained, IssuingChain};

/// A certificate that lacks only its signature, as the lint sees it.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// What would be signed.
    pub tbs: &'a TbsCertificate,
    /// What it is for.
    pub kind: Kind,
    /// Where its contents come from.
    pub contents: Contents,
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A server or a client.
    Leaf,
    /// The root of the authority, signed by its own key.
    Root,
    /// The intermediate of the authority.
    Intermediate,
}

/// Where a certificate's contents come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// They were put together here.
    New,
    /// They were copied from an older certificate and stay as they were.
    Copied,
}

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
    #[error("the issuing certificate is not an authority's")]
    IssuerIsNoAuthority,
    /// RFC 5280 §4.2
    #[error("extension {0} appears twice")]
    Repeated(ObjectIdentifier),
    /// An extension that every certificate of this kind has is missing.
    #[error("extension {0} is missing")]
    Missing(ObjectIdentifier),
    /// An extension cannot be read.
    #[error("extension {0} cannot be read")]
    Unreadable(ObjectIdentifier),
    /// RFC 5280 §4.2.1.6
    #[error("it has no names, or its subjectAltName is not critical although its subject is empty")]
    Nameless,
    /// RFC 5280 §4.2.1.9: a leaf that could sign certificates.
    #[error("it is a leaf that could sign certificates")]
    LeafWithAuthority,
    /// An authority's certificate without the rights of one.
    #[error("it is an authority's and could not sign certificates")]
    AuthorityWithoutRights,
    /// RFC 5280 §4.2.1.3
    #[error("its keyUsage lacks digitalSignature")]
    NoDigitalSignature,
    /// RFC 5280 §4.2.1.12
    #[error("its extKeyUsage is empty")]
    NoPurpose,
    /// RFC 9608 §2
    #[error("it is an authority's and has noRevAvail")]
    AuthorityWithoutRevocation,
    /// RFC 9608 §2
    #[error("it has noRevAvail, and extension {0} says where revocation is published")]
    RevocationBothWays(ObjectIdentifier),
    /// RFC 9608 §2, RFC 7633 §4
    #[error("extension {0} is critical, and must not be")]
    Critical(ObjectIdentifier),
    /// RFC 5280 §4.2.1.2
    #[error("its subject key identifier is not that of its key")]
    WrongKeyId,
    /// RFC 5280 §4.2.1.10
    #[error(transparent)]
    Constrained(#[from] Constrained),
    /// RFC 5280 §4.2.1.12
    #[error("the CA certificate {0:?} may be used for none of its purposes (extendedKeyUsage)")]
    PurposesNotAllowed(String),
    /// RFC 5280 §4.2.1.1
    #[error("its authority key identifier is not that of its issuer")]
    WrongAuthorityKeyId,
}

/// Checks every rule. `issuer` is `None` for a root alone.
///
/// # Errors
/// The first rule that the certificate breaks.
pub fn lint(draft: Draft<'_>, issuer: Option<&Certificate>) -> Result<(), Finding> {
    let tbs = draft.tbs;
    let serial = tbs.serial.bytes();
    if serial.iter().all(|octet| *octet == 0) || serial.len() > 20 {
        return Err(Finding::Serial);
    }
    if tbs.not_before >= tbs.not_after {
        return Err(Finding::EmptyValidity);
    }
    match issuer {
        Some(issuer) => fits_issuer(draft, issuer)?,
        None if tbs.issuer != tbs.subject || draft.kind != Kind::Root => {
            return Err(Finding::WrongIssuer);
        }
        None => {}
    }
    let mut seen = HashSet::new();
    if let Some(twice) = tbs.extensions.iter().find(|e| !seen.insert(e.oid)) {
        return Err(Finding::Repeated(twice.oid));
    }
    let own_id = extension::subject_key_id(&tbs.public_key.key_id());
    if expected(draft, oid::SUBJECT_KEY_ID)?.is_some_and(|id| id.value != own_id.value) {
        return Err(Finding::WrongKeyId);
    }
    match draft.kind {
        Kind::Leaf => leaf(draft),
        Kind::Root | Kind::Intermediate => authority(draft),
    }
}

/// Checks a leaf against every certificate of the chain above it.
///
/// # Errors
/// The first rule of the chain that the leaf breaks.
pub fn below(draft: Draft<'_>, chain: &IssuingChain) -> Result<(), Finding> {
    let names = match find(draft, oid::SUBJECT_ALT_NAME) {
        Some(found) => pki::alt_name::parse(&found.value)
            .map_err(|_| Finding::Unreadable(oid::SUBJECT_ALT_NAME))?,
        None => Vec::new(),
    };
    chain.check_names(&names, &draft.tbs.subject)?;
    let Some(found) = find(draft, oid::EXTENDED_KEY_USAGE) else {
        return Ok(());
    };
    let purposes = parse_extended_key_usage(&found.value)
        .map_err(|_| Finding::Unreadable(oid::EXTENDED_KEY_USAGE))?;
    chain
        .check_purposes(&purposes)
        .map_err(|subject| Finding::PurposesNotAllowed(subject.to_owned()))
}

/// The identifier by which an issuer's key is named in what it signs: its own certificate's
/// where it has one, so that the chain can be followed.
pub(crate) fn authority_key_id(issuer: &Certificate) -> Extension {
    let id = issuer.subject_key_id().or_else(|| {
        let key = issuer.public_key().ok()?;
        Some(key.key_id().to_vec())
    });
    extension::authority_key_id(&id.unwrap_or_default())
}

fn fits_issuer(draft: Draft<'_>, issuer: &Certificate) -> Result<(), Finding> {
    let tbs = draft.tbs;
    if tbs.issuer != *issuer.subject() || issuer.subject().is_empty() {
        return Err(Finding::WrongIssuer);
    }
    if !issuer.is_ca() {
        return Err(Finding::IssuerIsNoAuthority);
    }
    if tbs.not_after > issuer.not_after() {
        return Err(Finding::OutlivesIssuer);
    }
    let expected = authority_key_id(issuer);
    if required(draft, oid::AUTHORITY_KEY_ID)?.value != expected.value {
        return Err(Finding::WrongAuthorityKeyId);
    }
    Ok(())
}

fn leaf(draft: Draft<'_>) -> Result<(), Finding> {
    if let Some(found) = find(draft, oid::BASIC_CONSTRAINTS) {
        let (is_authority, _) = parse_basic_constraints(&found.value)
            .map_err(|_| Finding::Unreadable(oid::BASIC_CONSTRAINTS))?;
        if is_authority {
            return Err(Finding::LeafWithAuthority);
        }
    }
    if let Some(found) = expected(draft, oid::KEY_USAGE)? {
        let usage = key_usage(found)?;
        if usage.contains(KeyUsages::KEY_CERT_SIGN) || usage.contains(KeyUsages::CRL_SIGN) {
            return Err(Finding::LeafWithAuthority);
        }
        if !usage.contains(KeyUsages::DIGITAL_SIGNATURE) {
            return Err(Finding::NoDigitalSignature);
        }
    }
    if let Some(found) = expected(draft, oid::EXTENDED_KEY_USAGE)? {
        let purposes = parse_extended_key_usage(&found.value)
            .map_err(|_| Finding::Unreadable(oid::EXTENDED_KEY_USAGE))?;
        if purposes.is_empty() {
            return Err(Finding::NoPurpose);
        }
    }
    revocation(draft)?;
    names(draft)
}

/// What the leaf says about its own revocation has to be one thing. A copy stays as it was.
fn revocation(draft: Draft<'_>) -> Result<(), Finding> {
    if draft.contents == Contents::Copied {
        return Ok(());
    }
    for oid in [oid::NO_REV_AVAIL, oid::TLS_FEATURE] {
        match find(draft, oid) {
            Some(found) if found.critical => return Err(Finding::Critical(oid)),
            Some(found) if encoding::check(&found.value).is_err() => {
                return Err(Finding::Unreadable(oid));
            }
            Some(_) | None => {}
        }
    }
    let Some(none) = find(draft, oid::NO_REV_AVAIL) else {
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
        if find(draft, oid).is_some() {
            return Err(Finding::RevocationBothWays(oid));
        }
    }
    let Some(access) = find(draft, oid::AUTHORITY_INFO_ACCESS) else {
        return Ok(());
    };
    let methods = extension::parse_access_methods(&access.value)
        .map_err(|_| Finding::Unreadable(oid::AUTHORITY_INFO_ACCESS))?;
    match methods.contains(&oid::OCSP) {
        true => Err(Finding::RevocationBothWays(oid::AUTHORITY_INFO_ACCESS)),
        false => Ok(()),
    }
}

fn names(draft: Draft<'_>) -> Result<(), Finding> {
    let nameless = draft.tbs.subject.is_empty();
    let Some(found) = expected(draft, oid::SUBJECT_ALT_NAME)? else {
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

fn authority(draft: Draft<'_>) -> Result<(), Finding> {
    if draft.tbs.subject.is_empty() {
        return Err(Finding::Nameless);
    }
    if find(draft, oid::NO_REV_AVAIL).is_some() {
        return Err(Finding::AuthorityWithoutRevocation);
    }
    let constraints = required(draft, oid::BASIC_CONSTRAINTS)?;
    let (is_authority, _) = parse_basic_constraints(&constraints.value)
        .map_err(|_| Finding::Unreadable(oid::BASIC_CONSTRAINTS))?;
    let usage = key_usage(required(draft, oid::KEY_USAGE)?)?;
    let signs = usage.contains(KeyUsages::KEY_CERT_SIGN);
    if !is_authority || !constraints.critical || !signs {
        return Err(Finding::AuthorityWithoutRights);
    }
    Ok(())
}

fn key_usage(found: &Extension) -> Result<KeyUsages, Finding> {
    parse_key_usage(&found.value).map_err(|_| Finding::Unreadable(oid::KEY_USAGE))
}

fn find(draft: Draft<'_>, oid: ObjectIdentifier) -> Option<&Extension> {
    let extensions = &draft.tbs.extensions;
    extensions.iter().find(|extension| extension.oid == oid)
}

fn required(draft: Draft<'_>, oid: ObjectIdentifier) -> Result<&Extension, Finding> {
    find(draft, oid).ok_or(Finding::Missing(oid))
}

/// An extension that must be there, unless the certificate is a copy of one that lacks it: what
/// a template of another program left out stays out.
fn expected(draft: Draft<'_>, oid: ObjectIdentifier) -> Result<Option<&Extension>, Finding> {
    let found = find(draft, oid);
    let copied = draft.contents == Contents::Copied;
    if found.is_none() && !copied {
        return Err(Finding::Missing(oid));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
