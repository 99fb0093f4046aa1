//! The issuing path, compared with what the real pair issues.

use jiff::{SignedDuration, Timestamp};
use pki::{ObjectIdentifier, PrivateKey, oid};
use serde_json::json;

use super::*;
use crate::Config;
use crate::fixture::{
    self, acme, after, finalized, intermediate, leaf_ec, leaf_ec_key, leaf_key, leaf_rsa,
    leaf_rsa_key, now, order, real_config, root, serial, server_certificate, sign,
};
use crate::policy::Binding;

/// What we would sign in place of a leaf that the real pair has issued.
fn same_as(real: &Certificate, key: &PrivateKey) -> Unsigned {
    let config = real_config();
    let issued_at = real.not_before() + SignedDuration::from_secs(60);
    let finalized = finalized(order(&["127.0.0.1", "localhost"]), Some("localhost"), key);
    let grant = acme(&config)
        .authorize(finalized, &config, None, issued_at)
        .unwrap();
    prepare(grant, issued_at, real.serial().clone(), &intermediate()).unwrap()
}

fn fresh(names: &[&str], common_name: Option<&str>) -> Unsigned {
    let grant = fixture::grant(&real_config(), names, common_name);
    prepare(grant, now(), serial(), &intermediate()).unwrap()
}

fn oids(unsigned: &Unsigned) -> Vec<ObjectIdentifier> {
    unsigned.tbs().extensions.iter().map(|e| e.oid).collect()
}

fn san(unsigned: &Unsigned) -> Extension {
    let extensions = &unsigned.tbs().extensions;
    let found = extensions.iter().find(|e| e.oid == oid::SUBJECT_ALT_NAME);
    found.unwrap().clone()
}

#[test]
fn an_acme_leaf_is_to_the_octet_what_the_real_pair_issues() {
    for (real, key) in [(leaf_ec(), leaf_ec_key()), (leaf_rsa(), leaf_rsa_key())] {
        let ours = same_as(&real, &key);
        let algorithm = real.signature_algorithm().unwrap();
        let der = ours.tbs().to_der(algorithm).unwrap();
        assert_eq!(der, real.tbs_der());
    }
}

#[test]
fn what_is_signed_verifies_up_to_the_root() {
    let leaf = sign(&fresh(&["example.com"], Some("example.com")));
    let options = pki::chain::Options {
        intermediates: &[intermediate()],
        roots: &[root()],
        at: now(),
        purpose: pki::chain::Purpose::ServerAuth,
        host: Some("example.com"),
    };
    assert_eq!(pki::chain::verify(&leaf, &options), Ok(()));
}

#[test]
fn extensions_come_in_the_known_order() {
    assert_eq!(
        oids(&fresh(&["example.com"], None)),
        [
            oid::KEY_USAGE,
            oid::EXTENDED_KEY_USAGE,
            oid::SUBJECT_KEY_ID,
            oid::AUTHORITY_KEY_ID,
            oid::SUBJECT_ALT_NAME,
            oid::STEP_PROVISIONER
        ]
    );
}

#[test]
fn the_names_are_critical_only_when_the_subject_is_empty() {
    assert!(san(&fresh(&["example.com"], None)).critical);
    assert!(!san(&fresh(&["example.com"], Some("example.com"))).critical);
}

#[test]
fn names_are_sorted_with_addresses_last() {
    let unsigned = fresh(&["10.0.0.1", "b.test", "a.test"], None);
    let names = pki::alt_name::parse(&san(&unsigned).value).unwrap();
    let texts: Vec<_> = names.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["a.test", "b.test", "10.0.0.1"]);
}

#[test]
fn a_forced_common_name_is_the_first_dns_name() {
    let provisioners = json!([{"type": "ACME", "name": "acme", "forceCN": true}]);
    let config = fixture::config(provisioners);
    let grant = fixture::grant(&config, &["10.0.0.1", "b.test", "a.test"], None);
    let unsigned = prepare(grant, now(), serial(), &intermediate()).unwrap();
    assert_eq!(unsigned.tbs().subject.cn().as_deref(), Some("b.test"));
    let finalized = finalized(order(&["10.0.0.1"]), None, &leaf_key());
    let refused = acme(&config).authorize(finalized, &config, None, now());
    assert!(matches!(refused.err(), Some(Refusal::NoCommonName { .. })));
}

#[test]
fn a_provisioner_may_leave_its_extension_out() {
    let provisioners = json!([
        {"type": "ACME", "name": "acme", "claims": {"disableSmallstepExtensions": true}}
    ]);
    let grant = fixture::grant(&fixture::config(provisioners), &["example.com"], None);
    let unsigned = prepare(grant, now(), serial(), &intermediate()).unwrap();
    assert!(!oids(&unsigned).contains(&oid::STEP_PROVISIONER));
}

#[test]
fn a_leaf_ends_with_its_issuer() {
    let issuer = intermediate();
    let near_the_end = issuer.not_after() - SignedDuration::from_hours(1);
    let names = ["localhost".to_owned()];
    let life = SignedDuration::from_hours(24);
    let grant =
        Grant::server_certificate(&names, "x", leaf_key().public(), life, near_the_end).unwrap();
    let unsigned = prepare(grant, near_the_end, serial(), &issuer).unwrap();
    assert_eq!(unsigned.tbs().not_after, issuer.not_after());
}

#[test]
fn an_expired_issuer_issues_nothing() {
    let issuer = intermediate();
    let late: Timestamp = issuer.not_after() + SignedDuration::from_secs(1);
    let refused = prepare(
        server_certificate(&["localhost"], leaf_key().public()),
        late,
        serial(),
        &issuer,
    );
    let at = issuer.not_after();
    assert_eq!(refused.err(), Some(Refusal::IssuerExpired { at }));
}

#[test]
fn the_house_has_a_certificate_without_a_provisioner() {
    let grant = server_certificate(&["localhost", "127.0.0.1", "[::1]"], leaf_key().public());
    assert_eq!(*grant.recipient(), Recipient::ServerCertificate);
    let unsigned = prepare(grant, now(), serial(), &intermediate()).unwrap();
    let leaf = sign(&unsigned);
    assert_eq!(leaf.subject().to_string(), "CN=Step Online CA");
    let names: Vec<_> = leaf.alt_names().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["localhost", "127.0.0.1", "::1"]);
    assert_eq!(leaf.step_provisioner(), None);
    let life = leaf.not_after().duration_since(leaf.not_before());
    assert_eq!(life, SignedDuration::from_secs(86_460));
}

#[test]
fn the_house_takes_no_name_that_is_none() {
    let names = ["a b".to_owned()];
    let life = SignedDuration::from_hours(1);
    let grant = Grant::server_certificate(&names, "x", leaf_key().public(), life, now());
    assert!(matches!(grant.err(), Some(Refusal::BadName { .. })));
}

#[test]
fn an_order_of_another_provisioner_is_refused() {
    let config = fixture::config(json!([
        {"type": "ACME", "name": "acme"}, {"type": "ACME", "name": "other"}
    ]));
    let finalized = finalized(order(&["example.com"]), None, &leaf_key());
    let other = config.authority.working_acme("other").unwrap();
    let refused = other.authorize(finalized, &config, None, now());
    assert!(matches!(refused.err(), Some(Refusal::ForeignOrder { .. })));
}

#[test]
fn an_order_whose_wished_end_has_passed_is_refused() {
    let config = real_config();
    let mut late = order(&["example.com"]);
    late.not_after = Some(now());
    let finalized = finalized(late, None, &leaf_key());
    let refused = acme(&config).authorize(finalized, &config, None, after(1));
    assert!(matches!(refused.err(), Some(Refusal::EndsInThePast { .. })));
}

#[test]
fn policy_is_asked_again_when_the_order_is_finalized() {
    let toml = "[provisioner.acme.policy]\nallow_dns = [\"*.lab\"]";
    let (config, _) = Config::parse(fixture::CA_JSON, Some(toml)).ok().unwrap();
    let asked = |names: &[&str], binding: Option<&Binding>| {
        let finalized = finalized(order(names), None, &leaf_key());
        let grant = acme(&config).authorize(finalized, &config, binding, now());
        grant.map(|_| ()).map_err(|refusal| refusal.to_string())
    };
    assert_eq!(asked(&["a.lab"], None), Ok(()));
    let refusal = asked(&["a.corp"], None).unwrap_err();
    assert!(
        refusal.contains("provisioner.acme.policy.allow_dns"),
        "{refusal}"
    );
    let binding = Binding {
        key: "k1".into(),
        policy: serde_json::from_value(json!({"deny": {"dns": ["a.lab"]}})).unwrap(),
        profile: None,
    };
    let refusal = asked(&["a.lab"], Some(&binding)).unwrap_err();
    assert!(refusal.contains("external account key k1"), "{refusal}");
}

#[test]
fn the_common_name_that_forcing_would_set_is_judged_too() {
    let mut value: serde_json::Value = serde_json::from_str(fixture::CA_JSON).unwrap();
    value["authority"]["provisioners"] = json!([{"type": "ACME", "name": "acme", "forceCN": true}]);
    value["authority"]["policy"] = json!({"x509": {"deny": {"cn": ["a.lab"]}}});
    let (config, _) = Config::parse(&value.to_string(), None).ok().unwrap();
    let finalized = finalized(order(&["a.lab"]), None, &leaf_key());
    let refused = acme(&config).authorize(finalized, &config, None, now());
    let words = refused.err().unwrap().to_string();
    assert!(
        words.starts_with("The common name a.lab is refused by"),
        "{words}"
    );
}
