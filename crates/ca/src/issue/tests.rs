//! The issuing path, compared with what smallstep's step-ca issues.

use jiff::{SignedDuration, Timestamp};
use pki::{ObjectIdentifier, PrivateKey, oid};
use serde_json::json;

use super::*;
use crate::Config;
use crate::claims::BadLifetime;
use crate::external_key::ExternalKeyRules;
use crate::fixture::{
    self, admitted, after, authorize, chain, finalized, intermediate, leaf_ec, leaf_ec_key,
    leaf_key, leaf_rsa, leaf_rsa_key, now, order, real_config, request, root, serial,
    server_certificate, sign,
};

/// What we would sign in place of a leaf that smallstep's step-ca has issued.
fn same_as(real: &Certificate, key: &PrivateKey) -> UnsignedCertificate {
    let config = real_config();
    let issued_at = real.not_before() + SignedDuration::from_secs(60);
    let finalized = finalized(order(&["127.0.0.1", "localhost"]), Some("localhost"), key);
    let grant = authorize(finalized, &config, None, issued_at).unwrap();
    prepare(grant, issued_at, real.serial().clone(), &chain()).unwrap()
}

fn fresh(names: &[&str], common_name: Option<&str>) -> UnsignedCertificate {
    let grant = fixture::grant(&real_config(), names, common_name);
    prepare(grant, now(), serial(), &chain()).unwrap()
}

fn oids(unsigned: &UnsignedCertificate) -> Vec<ObjectIdentifier> {
    unsigned.tbs().extensions.iter().map(|e| e.oid).collect()
}

fn san(unsigned: &UnsignedCertificate) -> Extension {
    let extensions = &unsigned.tbs().extensions;
    let found = extensions.iter().find(|e| e.oid == oid::SUBJECT_ALT_NAME);
    found.unwrap().clone()
}

#[test]
fn an_acme_leaf_is_to_the_octet_what_step_ca_issues() {
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
    let unsigned = prepare(grant, now(), serial(), &chain()).unwrap();
    assert_eq!(unsigned.tbs().subject.cn().as_deref(), Some("b.test"));
    let finalized = finalized(order(&["10.0.0.1"]), None, &leaf_key());
    let refused = authorize(finalized, &config, None, now());
    assert!(matches!(refused.err(), Some(Refusal::NoCommonName { .. })));
}

#[test]
fn a_provisioner_may_leave_its_extension_out() {
    let provisioners = json!([
        {"type": "ACME", "name": "acme", "claims": {"disableSmallstepExtensions": true}}
    ]);
    let grant = fixture::grant(&fixture::config(provisioners), &["example.com"], None);
    let unsigned = prepare(grant, now(), serial(), &chain()).unwrap();
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
    let unsigned = prepare(grant, near_the_end, serial(), &chain()).unwrap();
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
        &chain(),
    );
    let at = issuer.not_after();
    assert_eq!(refused.err(), Some(Refusal::IssuerExpired { at }));
}

#[test]
fn the_server_has_a_certificate_without_a_provisioner() {
    let grant = server_certificate(&["localhost", "127.0.0.1", "[::1]"], leaf_key().public());
    assert_eq!(*grant.recipient(), Recipient::ServerCertificate);
    let unsigned = prepare(grant, now(), serial(), &chain()).unwrap();
    let leaf = sign(&unsigned);
    assert_eq!(leaf.subject().to_string(), "CN=Step Online CA");
    let names: Vec<_> = leaf.alt_names().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["localhost", "127.0.0.1", "::1"]);
    assert_eq!(leaf.step_provisioner(), Ok(None));
    let life = leaf.not_after().duration_since(leaf.not_before());
    assert_eq!(life, SignedDuration::from_secs(86_460));
}

#[test]
fn the_server_takes_no_name_that_is_none() {
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
    let policy = config.order_policy(other, None, None);
    let refused = admitted(request(finalized), &policy, now());
    assert!(matches!(refused.err(), Some(Refusal::ForeignOrder { .. })));
}

#[test]
fn an_order_whose_wished_end_has_passed_is_refused() {
    let config = real_config();
    let mut late = order(&["example.com"]);
    late.not_after = Some(now());
    let finalized = finalized(late, None, &leaf_key());
    let refused = authorize(finalized, &config, None, after(1));
    assert!(matches!(
        refused.err(),
        Some(Refusal::Lifetime(BadLifetime::EndsInThePast { .. }))
    ));
}

#[test]
fn policy_is_asked_again_when_the_order_is_finalized() {
    let toml = "[provisioner.acme.policy]\nallow_dns = [\"*.lab\"]";
    let (config, _) = Config::parse(fixture::CA_JSON, Some(toml)).ok().unwrap();
    let asked = |names: &[&str], rules: Option<&ExternalKeyRules>| {
        let finalized = finalized(order(names), None, &leaf_key());
        let grant = authorize(finalized, &config, rules, now());
        grant.map(|_| ()).map_err(|refusal| refusal.to_string())
    };
    assert_eq!(asked(&["a.lab"], None), Ok(()));
    let refusal = asked(&["a.corp"], None).unwrap_err();
    assert!(
        refusal.contains("provisioner.acme.policy.allow_dns"),
        "{refusal}"
    );
    let rules = ExternalKeyRules {
        key: "k1".into(),
        policy: serde_json::from_value(json!({"deny": {"dns": ["a.lab"]}})).unwrap(),
        profile: None,
    };
    let refusal = asked(&["a.lab"], Some(&rules)).unwrap_err();
    assert!(refusal.contains("external account key k1"), "{refusal}");
}

#[test]
fn the_common_name_that_forcing_would_set_is_judged_too() {
    let mut value: serde_json::Value = serde_json::from_str(fixture::CA_JSON).unwrap();
    value["authority"]["provisioners"] = json!([{"type": "ACME", "name": "acme", "forceCN": true}]);
    value["authority"]["policy"] = json!({"x509": {"deny": {"cn": ["a.lab"]}}});
    let (config, _) = Config::parse(&value.to_string(), None).ok().unwrap();
    let finalized = finalized(order(&["a.lab"]), None, &leaf_key());
    let refused = authorize(finalized, &config, None, now());
    let words = refused.err().unwrap().to_string();
    assert!(
        words.starts_with("The common name a.lab is refused by"),
        "{words}"
    );
}

#[test]
fn an_external_keys_policy_on_the_common_name_holds_at_finalize() {
    let rules = |deny: serde_json::Value| ExternalKeyRules {
        key: "k1".into(),
        policy: serde_json::from_value(json!({"deny": deny})).unwrap(),
        profile: None,
    };
    let asked = |common_name: Option<&str>, rules: &ExternalKeyRules| {
        let finalized = finalized(order(&["a.lab", "b.lab"]), common_name, &leaf_key());
        let grant = authorize(finalized, &real_config(), Some(rules), now());
        grant.map(|_| ()).map_err(|refusal| refusal.to_string())
    };
    let named = rules(json!({"cn": ["a.lab"]}));
    let refusal = asked(Some("a.lab"), &named).unwrap_err();
    assert!(
        refusal
            .starts_with("The common name a.lab is refused by deny.cn of external account key k1"),
        "{refusal}"
    );
    assert_eq!(asked(Some("b.lab"), &named), Ok(()));
    assert_eq!(asked(None, &named), Ok(()));
}

#[test]
fn where_revocation_is_published_stands_in_the_certificate_as_the_policy_says() {
    let config = real_config();
    let issued = |published_at: PublishedAt| {
        let finalized = finalized(order(&["a.lab"]), None, &leaf_key());
        let mut policy = config.order_policy(fixture::acme(&config), None, None);
        policy.leaf.published_at = published_at;
        let grant = admitted(request(finalized), &policy, now()).unwrap();
        prepare(grant, now(), serial(), &chain()).unwrap()
    };
    let url = |text: &str| vec![text.to_owned()];
    let with = issued(PublishedAt {
        crl: url("http://ca.lab/crl"),
        ocsp: url("http://ca.lab/ocsp"),
        issuer: Vec::new(),
    });
    let more = [oid::CRL_DISTRIBUTION_POINTS, oid::AUTHORITY_INFO_ACCESS];
    assert_eq!(oids(&with)[6..], more);
    let without = issued(PublishedAt::default());
    assert_eq!(oids(&without), oids(&fresh(&["a.lab"], None)));
}
