//! Chains with limits, and webpki's verdict on leaves below them (it takes no wildcard below constraints).

use jiff::SignedDuration;
use pki::chain::{self, ChainError, Options, Purpose};
use pki::extension::{basic_constraints, extended_key_usage, key_usage};
use pki::{Extension, KeyUsages, Serial, TbsCertificate, assemble};

use super::*;
use crate::admission::Grant;
use crate::fixture::{leaf_key, now, other_key, serial, sign_with};
use crate::issue::prepare;
use crate::lint::Finding;
use crate::refusal::Refusal;

/// A CA certificate with these further extensions; all CAs here have one key.
fn ca(subject: &str, issuer: &str, more: Vec<Extension>) -> Certificate {
    let usage = key_usage(KeyUsages::KEY_CERT_SIGN | KeyUsages::CRL_SIGN);
    let mut extensions = vec![usage];
    if !more.iter().any(|it| it.oid == oid::BASIC_CONSTRAINTS) {
        extensions.push(basic_constraints(Some(1)));
    }
    extensions.extend(more);
    let key = other_key();
    let tbs = TbsCertificate {
        serial: Serial::from_random([9; 16]),
        issuer: Name::common_name(issuer).unwrap(),
        subject: Name::common_name(subject).unwrap(),
        not_before: now() - SignedDuration::from_hours(1),
        not_after: now() + SignedDuration::from_hours(100),
        public_key: key.public().clone(),
        extensions,
    };
    let algorithm = key.default_signature();
    let der = tbs.to_der(algorithm).unwrap();
    assemble(&der, algorithm, &key.sign(algorithm, &der).unwrap()).unwrap()
}

/// nameConstraints that permit, or with tag 0xa1 exclude, one DNS subtree.
fn subtree(list: u8, base: &str) -> Extension {
    let wrap = |tag: u8, inner: &[u8]| [&[tag, u8::try_from(inner.len()).unwrap()], inner].concat();
    let tree = wrap(0x30, &wrap(0x82, base.as_bytes()));
    Extension {
        oid: oid::NAME_CONSTRAINTS,
        critical: true,
        value: wrap(0x30, &wrap(list, &tree)),
    }
}

const PERMITTED: u8 = 0xa0;
const EXCLUDED: u8 = 0xa1;

fn leaf(chain: &IssuingChain, name: &str) -> Result<Certificate, Refusal> {
    let names = [name.to_owned()];
    let life = SignedDuration::from_hours(1);
    let grant = Grant::server_certificate(&names, "", leaf_key().public(), life, now())?;
    let unsigned = prepare(grant, now(), serial(), chain)?;
    Ok(sign_with(&unsigned, &other_key()))
}

#[test]
fn a_leaf_is_made_where_a_verifier_accepts_it_and_nowhere_else() {
    let free = ca("Issuer", "Root", vec![]);
    let root = ca("Root", "Root", vec![]);
    for (issuer, root) in [
        (
            ca("Issuer", "Root", vec![subtree(PERMITTED, "lab")]),
            root.clone(),
        ),
        (
            free.clone(),
            ca("Root", "Root", vec![subtree(PERMITTED, "lab")]),
        ),
        (
            ca("Issuer", "Root", vec![subtree(EXCLUDED, "example")]),
            root,
        ),
    ] {
        let limited = IssuingChain::new(issuer.clone(), [&root].into_iter()).unwrap();
        // Made below the same names and keys, without the limits.
        let unlimited = IssuingChain::new(free.clone(), [].iter()).unwrap();
        for name in ["lab", "a.lab", "xlab", "example", "a.example", "localhost"] {
            let made = leaf(&limited, name);
            let verified = chain::verify(
                &leaf(&unlimited, name).unwrap(),
                &Options {
                    intermediates: std::slice::from_ref(&issuer),
                    roots: std::slice::from_ref(&root),
                    at: now(),
                    purpose: Purpose::ServerAuth,
                    host: None,
                },
            );
            assert_eq!(made.is_ok(), verified.is_ok(), "{name}: {verified:?}");
            if let Err(refused) = made {
                assert_eq!(verified, Err(ChainError::NotPermitted));
                let constrained = matches!(&refused, Refusal::Lint(Finding::Constrained(_)));
                assert!(
                    constrained && refused.to_string().contains(name),
                    "{refused}"
                );
            }
        }
    }
}

#[test]
fn a_chain_longer_than_one_of_its_certificates_allows_is_refused() {
    let root = ca("Root", "Root", vec![basic_constraints(Some(0))]);
    let issuer = ca("Issuer", "Root", vec![]);
    let refused = IssuingChain::new(issuer.clone(), [&root].into_iter()).err();
    let expected = BadChain::TooDeep {
        subject: "CN=Root".to_owned(),
        allowed: 0,
        below: 1,
    };
    assert_eq!(refused, Some(expected));
    // Without the root it cannot be seen.
    assert!(IssuingChain::new(issuer, [].iter()).is_ok());
}

#[test]
fn a_root_and_its_successor_with_the_same_key_are_one_step() {
    let root = || ca("Root", "Root", vec![]);
    let issuer = ca("Issuer", "Root", vec![basic_constraints(Some(0))]);
    let (old, new) = (root(), ca("Root", "Root", vec![subtree(EXCLUDED, "x")]));
    let chain = IssuingChain::new(issuer, [&old, &new].into_iter()).unwrap();
    assert_eq!(chain.limits.len(), 2);
}

#[test]
fn a_leaf_has_to_serve_one_purpose_that_the_whole_chain_allows() {
    let only = |purpose| vec![extended_key_usage(&[purpose])];
    let clients = ca("Issuer", "Root", only(ExtendedKeyUsage::ClientAuth));
    let servers = ca("Root", "Root", only(ExtendedKeyUsage::ServerAuth));
    let one = IssuingChain::new(clients.clone(), [].iter()).unwrap();
    assert!(leaf(&one, "a.lab").is_ok());
    let both = IssuingChain::new(clients, [&servers].into_iter()).unwrap();
    let none = Refusal::Lint(Finding::PurposesNotAllowed("CN=Root".to_owned()));
    assert_eq!(leaf(&both, "a.lab").err(), Some(none));
}
