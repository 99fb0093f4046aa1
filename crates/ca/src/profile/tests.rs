//! Profiles: who gets which, and what stands in the certificate.

use acme::problem::{Kind, Problem};
use pki::{ObjectIdentifier, PrivateKey, oid};
use serde_json::json;

use super::*;
use crate::claims::BadLifetime;
use crate::config::Config;
use crate::external_key::ExternalKeyRules;
use crate::fixture::{self, acme, authorize, finalized, leaf_key, leaf_rsa_key, now, order};
use crate::issue::{UnsignedCertificate, prepare};
use crate::refusal::Refusal;

const TOML: &str = r#"
    [profile.tls]
    life = "6h"
    longest_life = "12h"
    [profile.brief]
    life = "10m"
    extended_key_usages = ["serverAuth"]
    key_usages = ["digitalSignature", "keyEncipherment", "keyAgreement"]
    keys = ["P-256", "RSA-2048"]
    identifiers = ["dns", "ip"]
    most_names = 2
    common_name = false
    no_rev_avail = true
    [[profile.brief.extensions]]
    oid = "1.2.3.4"
    hex = "0500"
    [provisioner.acme]
    profiles = ["tls", "brief"]
"#;

fn config_of(toml: &str) -> Config {
    Config::parse(fixture::CA_JSON, Some(toml)).ok().unwrap().0
}

fn config() -> Config {
    config_of(TOML)
}

fn pinned(profile: &str) -> ExternalKeyRules {
    ExternalKeyRules {
        key: "k1".to_owned(),
        profile: Some(profile.to_owned()),
        ..ExternalKeyRules::default()
    }
}

fn chosen(asked: Option<&str>, rules: Option<&ExternalKeyRules>) -> Result<String, String> {
    let config = config();
    let policy = config.order_policy(acme(&config), asked, rules);
    match policy.barred {
        Some(refusal) => Err(refusal.to_string()),
        None => Ok(policy.profile().unwrap().name.clone()),
    }
}

fn issued_by(
    config: &Config,
    profile: Option<&str>,
    names: &[&str],
    key: &PrivateKey,
) -> Result<UnsignedCertificate, Refusal> {
    let mut order = order(names);
    order.profile = profile.map(str::to_owned);
    let finalized = finalized(order, Some(names[0]), key);
    let grant = authorize(finalized, config, None, now())?;
    prepare(grant, now(), fixture::serial(), &fixture::chain())
}

fn issued(profile: &str, names: &[&str]) -> Result<UnsignedCertificate, Refusal> {
    issued_by(&config(), Some(profile), names, &leaf_key())
}

fn find(unsigned: &UnsignedCertificate, oid: ObjectIdentifier) -> &Extension {
    let mut all = unsigned.tbs().extensions.iter();
    all.find(|extension| extension.oid == oid).unwrap()
}

#[test]
fn the_one_asked_for_is_taken_else_the_default_else_the_keys() {
    assert_eq!(chosen(Some("brief"), None), Ok("brief".to_owned()));
    assert_eq!(chosen(None, None), Ok("tls".to_owned()));
    assert_eq!(chosen(None, Some(&pinned("brief"))), Ok("brief".to_owned()));
    let same = chosen(Some("brief"), Some(&pinned("brief")));
    assert_eq!(same, Ok("brief".to_owned()));
    assert_eq!(
        chosen(None, Some(&ExternalKeyRules::default())),
        Ok("tls".to_owned())
    );
}

#[test]
fn one_that_is_not_offered_is_refused_with_those_that_are() {
    let words = chosen(Some("gone"), None).unwrap_err();
    assert_eq!(
        words,
        "The profile \"gone\" is not offered here. This provisioner offers tls, brief."
    );
    let words = chosen(Some("tls"), Some(&pinned("brief"))).unwrap_err();
    assert!(
        words.contains("whose external account key is for the profile \"brief\""),
        "{words}"
    );
    let words = chosen(None, Some(&pinned("gone"))).unwrap_err();
    assert!(
        words.contains("\"gone\", which is not offered here"),
        "{words}"
    );
    let none = fixture::real_config();
    let policy = none.order_policy(acme(&none), Some("tls"), None);
    let unfit = policy.barred.unwrap();
    assert!(
        unfit
            .to_string()
            .ends_with("offers no profiles: ask for none.")
    );
    let problem = Problem::from(unfit);
    assert_eq!((problem.kind, problem.status), (Kind::InvalidProfile, 400));
}

#[test]
fn one_that_is_withdrawn_before_finalize_is_refused() {
    let config = config_of("[profile.tls]\n[provisioner.acme]\nprofiles = [\"tls\"]");
    let refusal = issued_by(&config, Some("brief"), &["a.lab"], &leaf_key())
        .err()
        .unwrap();
    assert!(
        matches!(refusal, Refusal::Profile(Unfit::NotOffered { .. })),
        "{refusal}"
    );
}

#[test]
fn an_order_without_one_gets_the_default_that_is_in_force_at_finalize() {
    let toml = TOML.replace("profiles = [", "default_profile = \"brief\"\nprofiles = [");
    let leaf = issued_by(&config_of(&toml), None, &["a.lab"], &leaf_key()).unwrap();
    let life = leaf.tbs().not_after.duration_since(leaf.tbs().not_before);
    assert_eq!(life, SignedDuration::from_mins(11));
}

#[test]
fn its_life_is_the_profiles_within_its_bounds() {
    let config = config();
    let policy = config.order_policy(acme(&config), Some("tls"), None);
    let hours = SignedDuration::from_hours;
    assert_eq!(
        (policy.claims().default, policy.claims().maximum),
        (hours(6), hours(12))
    );
    let mut long = order(&["a.lab"]);
    long.profile = Some("tls".to_owned());
    long.not_after = Some(now() + hours(13));
    let finalized = finalized(long, None, &leaf_key());
    let refusal = authorize(finalized, &config, None, now());
    assert!(matches!(
        refusal.err(),
        Some(Refusal::Lifetime(BadLifetime::TooLong { .. }))
    ));
}

#[test]
fn identifiers_that_it_is_not_for_are_named() {
    let refusal = issued("brief", &["*.lab"]).err().unwrap().to_string();
    assert!(
        refusal.contains("is for host names, addresses only, and the order has *.lab"),
        "{refusal}"
    );
    let refusal = issued("brief", &["a.lab", "b.lab", "c.lab"])
        .err()
        .unwrap()
        .to_string();
    assert!(refusal.contains("at most 2 names"), "{refusal}");
}

#[test]
fn a_key_that_it_is_not_for_is_a_bad_csr_with_those_that_are() {
    let config = config_of(&TOML.replace("\"P-256\", ", "\"P-384\", "));
    let refusal = issued_by(&config, Some("brief"), &["a.lab"], &leaf_key())
        .err()
        .unwrap();
    let problem = Problem::from(refusal);
    assert_eq!(problem.kind, Kind::BadCsr);
    assert!(
        problem
            .detail
            .contains("keys of P-384, RSA-2048 only, and the CSR's key is P-256"),
        "{problem}"
    );
}

#[test]
fn what_it_says_stands_in_the_certificate_after_what_every_leaf_has() {
    let leaf = issued("brief", &["a.lab", "127.0.0.1"]).unwrap();
    let oids: Vec<_> = leaf.tbs().extensions.iter().map(|e| e.oid).collect();
    let own: ObjectIdentifier = "1.2.3.4".parse().unwrap();
    assert_eq!(oids[5..], [oid::STEP_PROVISIONER, oid::NO_REV_AVAIL, own]);
    assert!(leaf.tbs().subject.is_empty());
    assert!(find(&leaf, oid::SUBJECT_ALT_NAME).critical);
    assert_eq!(find(&leaf, own).value, [5, 0]);
    let purposes = extension::extended_key_usage(&[ExtendedKeyUsage::ServerAuth]);
    assert_eq!(*find(&leaf, oid::EXTENDED_KEY_USAGE), purposes);
}

#[test]
fn what_a_key_cannot_do_is_not_asserted_for_it() {
    let usage = |key: &PrivateKey| {
        let leaf = issued_by(&config(), Some("brief"), &["a.lab"], key).unwrap();
        find(&leaf, oid::KEY_USAGE).clone()
    };
    let signs = KeyUsages::DIGITAL_SIGNATURE;
    let ec = extension::key_usage(signs | KeyUsages::KEY_AGREEMENT);
    assert_eq!(usage(&leaf_key()), ec);
    let rsa = extension::key_usage(signs | KeyUsages::KEY_ENCIPHERMENT);
    assert_eq!(usage(&leaf_rsa_key()), rsa);
}

#[test]
fn one_that_says_nothing_changes_nothing() {
    let config = config_of("[profile.tls]\n[provisioner.acme]\nprofiles = [\"tls\"]");
    let with = issued_by(&config, Some("tls"), &["a.lab"], &leaf_key()).unwrap();
    let without = issued_by(&fixture::real_config(), None, &["a.lab"], &leaf_key()).unwrap();
    let der = |unsigned: &UnsignedCertificate| {
        let algorithm = pki::SignatureAlgorithm::default_for(KeyKind::EcP256);
        unsigned.tbs().to_der(algorithm).unwrap()
    };
    assert_eq!(der(&with), der(&without));
}

#[test]
fn a_renewal_keeps_what_the_profile_gave() {
    let leaf = fixture::sign(&issued("brief", &["a.lab"]).unwrap());
    let config = fixture::config(json!([{"type": "ACME", "name": "acme"}]));
    let issuers = [fixture::intermediate()];
    let request =
        crate::renew::request(&leaf, &issuers, crate::renew::Recorded::default(), None).unwrap();
    let policy = config.issuance_policy(&request, None);
    let grant = fixture::admitted(request, &policy, now()).unwrap();
    let next = prepare(grant, now(), fixture::serial(), &fixture::chain()).unwrap();
    assert_eq!(find(&next, oid::NO_REV_AVAIL).value, [5, 0]);
    let life = next.tbs().not_after.duration_since(next.tbs().not_before);
    assert_eq!(life, SignedDuration::from_mins(11));
}

#[test]
fn must_staple_is_the_feature_of_its_document() {
    let toml = "profile = { staple = { must_staple = true } }\n[provisioner.acme]\nprofiles = [\"staple\"]";
    let (config, warnings) = Config::parse(fixture::CA_JSON, Some(toml)).ok().unwrap();
    assert!(
        warnings[0].place.ends_with("staple.must_staple"),
        "{warnings:?}"
    );
    let leaf = issued_by(&config, None, &["a.lab"], &leaf_key()).unwrap();
    assert_eq!(find(&leaf, oid::TLS_FEATURE).value, [0x30, 3, 2, 1, 5]);
}
