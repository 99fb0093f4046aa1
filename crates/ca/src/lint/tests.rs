//! The lint, tried on good leaves that each break one rule.

use jiff::SignedDuration;
use pki::{AltName, ExtendedKeyUsage, Name, TbsCertificate};

use super::*;
use crate::fixture::*;
use crate::prepare;

/// A leaf without fault, which each test spoils.
fn good() -> TbsCertificate {
    let grant = server_certificate(&["localhost"], leaf_key().public());
    let unsigned = prepare(grant, now(), serial(), &chain()).unwrap();
    unsigned.tbs().clone()
}

fn check(tbs: &TbsCertificate, kind: Kind, issuer: Option<&Certificate>) -> Result<(), Finding> {
    let contents = Contents::New;
    let draft = Draft {
        tbs,
        kind,
        contents,
    };
    lint(draft, issuer)
}

fn finding(spoil: impl FnOnce(&mut TbsCertificate)) -> Option<Finding> {
    let mut tbs = good();
    spoil(&mut tbs);
    check(&tbs, Kind::Leaf, Some(&intermediate())).err()
}

fn replace(tbs: &mut TbsCertificate, extension: Extension) {
    tbs.extensions.retain(|e| e.oid != extension.oid);
    tbs.extensions.push(extension);
}

#[test]
fn a_good_leaf_passes() {
    assert_eq!(finding(|_| {}), None);
}

#[test]
fn a_leaf_must_end_after_it_begins_and_not_after_its_issuer() {
    let empty = finding(|tbs| tbs.not_after = tbs.not_before);
    assert_eq!(empty, Some(Finding::EmptyValidity));
    let beyond = intermediate().not_after() + SignedDuration::from_secs(1);
    let outlives = finding(|tbs| tbs.not_after = beyond);
    assert_eq!(outlives, Some(Finding::OutlivesIssuer));
}

#[test]
fn a_leaf_names_its_issuer() {
    let issuer = finding(|tbs| tbs.issuer = Name::common_name("x").unwrap());
    assert_eq!(issuer, Some(Finding::WrongIssuer));
    let id = finding(|tbs| replace(tbs, extension::authority_key_id(&[1; 20])));
    assert_eq!(id, Some(Finding::WrongAuthorityKeyId));
}

#[test]
fn only_an_authority_issues() {
    let grant = server_certificate(&["localhost"], leaf_key().public());
    let leaf = sign(&prepare(grant, now(), serial(), &chain()).unwrap());
    let mut tbs = good();
    tbs.issuer = leaf.subject().clone();
    assert_eq!(
        check(&tbs, Kind::Leaf, Some(&leaf)),
        Err(Finding::IssuerIsNoAuthority)
    );
}

#[test]
fn a_leaf_has_no_rights_of_an_authority() {
    let constraints = finding(|tbs| replace(tbs, extension::basic_constraints(None)));
    assert_eq!(constraints, Some(Finding::LeafWithAuthority));
    let rights = KeyUsages::DIGITAL_SIGNATURE | KeyUsages::KEY_CERT_SIGN;
    let usage = finding(|tbs| replace(tbs, extension::key_usage(rights)));
    assert_eq!(usage, Some(Finding::LeafWithAuthority));
}

#[test]
fn a_leaf_is_good_for_something() {
    let rights = KeyUsages::KEY_ENCIPHERMENT;
    let usage = finding(|tbs| replace(tbs, extension::key_usage(rights)));
    assert_eq!(usage, Some(Finding::NoDigitalSignature));
    let none: [ExtendedKeyUsage; 0] = [];
    let purposes = finding(|tbs| replace(tbs, extension::extended_key_usage(&none)));
    assert_eq!(purposes, Some(Finding::NoPurpose));
}

#[test]
fn a_leaf_has_names_that_no_verifier_overlooks() {
    let none = finding(|tbs| replace(tbs, extension::subject_alt_names(&[], false)));
    assert_eq!(none, Some(Finding::Unreadable(oid::SUBJECT_ALT_NAME)));
    let names = [AltName::Dns("localhost".into())];
    let not_critical = finding(|tbs| {
        tbs.subject = Name::empty();
        replace(tbs, extension::subject_alt_names(&names, false));
    });
    assert_eq!(not_critical, Some(Finding::Nameless));
}

#[test]
fn an_extension_is_there_once_and_all_are_there() {
    let repeated = finding(|tbs| tbs.extensions.push(tbs.extensions[0].clone()));
    assert_eq!(repeated, Some(Finding::Repeated(oid::KEY_USAGE)));
    let missing = finding(|tbs| tbs.extensions.retain(|e| e.oid != oid::EXTENDED_KEY_USAGE));
    assert_eq!(missing, Some(Finding::Missing(oid::EXTENDED_KEY_USAGE)));
}

#[test]
fn the_key_identifier_is_that_of_the_key() {
    let wrong = finding(|tbs| tbs.public_key = other_key().public().clone());
    assert_eq!(wrong, Some(Finding::WrongKeyId));
}

#[test]
fn a_leaf_is_not_signed_by_itself() {
    let mut tbs = good();
    tbs.issuer = tbs.subject.clone();
    assert_eq!(check(&tbs, Kind::Leaf, None), Err(Finding::WrongIssuer));
}

#[test]
fn an_authority_without_the_rights_of_one_is_held_back() {
    assert_eq!(
        check(&good(), Kind::Intermediate, Some(&intermediate())),
        Err(Finding::Missing(oid::BASIC_CONSTRAINTS))
    );
}

#[test]
fn a_leaf_says_one_thing_about_its_revocation() {
    let both = |other: Extension| {
        finding(|tbs| {
            tbs.extensions.push(extension::no_rev_avail());
            tbs.extensions.push(other);
        })
    };
    let saying = |oid, value: &[u8]| Extension {
        oid,
        critical: false,
        value: value.to_vec(),
    };
    assert_eq!(both(saying("1.2.3".parse().unwrap(), &[5, 0])), None);
    for oid in [
        oid::CRL_DISTRIBUTION_POINTS,
        oid::FRESHEST_CRL,
        oid::TLS_FEATURE,
    ] {
        let found = both(saying(oid, &[0x30, 0]));
        assert_eq!(found, Some(Finding::RevocationBothWays(oid)));
    }
    let method = |last| {
        let way = [
            0x30, 0x0d, 6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, last, 0x86, 1, b'x',
        ];
        saying(
            oid::AUTHORITY_INFO_ACCESS,
            &[&[0x30, 0x0f][..], &way].concat(),
        )
    };
    let ocsp = Finding::RevocationBothWays(oid::AUTHORITY_INFO_ACCESS);
    assert_eq!((both(method(1)), both(method(2))), (Some(ocsp), None));
    let critical = finding(|tbs| {
        tbs.extensions.push(Extension {
            critical: true,
            ..extension::must_staple()
        });
    });
    assert_eq!(critical, Some(Finding::Critical(oid::TLS_FEATURE)));
}
