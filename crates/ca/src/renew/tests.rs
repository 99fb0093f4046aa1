//! Renewal, compared with what smallstep's step-ca issues.

use jiff::{SignedDuration, Timestamp};
use pki::oid;
use serde_json::{Value, json};

use super::*;
use crate::admission::{Admission, Facts, Grant, KeyStanding, Renewed, Standing, admit};
use crate::config::Config;
use crate::fixture::{
    self, after, intermediate, leaf_ec, leaf_key, leaf_renewed, now, root, serial,
    server_certificate, sign,
};
use crate::issue::{UnsignedCertificate, prepare};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A certificate that is to be renewed, and what the records say about it.
struct Old {
    certificate: Certificate,
    renewed: Renewed,
    recorded: Option<&'static str>,
}

impl Old {
    fn new(certificate: Certificate) -> Self {
        Self {
            certificate,
            renewed: Renewed::Valid,
            recorded: None,
        }
    }

    fn renew(
        &self,
        config: &Config,
        new_key: Option<&PublicKey>,
        now: Timestamp,
    ) -> Result<Grant, Refusal> {
        let issuers = [intermediate()];
        let request = request(&self.certificate, &issuers, self.recorded, new_key)?;
        let policy = config.issuance_policy(&request, None);
        let standing = Standing {
            renewed: self.renewed,
            certified_key: KeyStanding::Good,
            ..Standing::default()
        };
        match admit(request, &policy, &standing, &Facts::default(), now) {
            Admission::Grant(grant) => Ok(grant),
            Admission::Refusal(refusal) => Err(refusal),
            Admission::Ask(question, _) => panic!("{question:?}"),
        }
    }
}

fn renew_with(provisioners: Value, renewed: Renewed, now: Timestamp) -> Result<Grant, Refusal> {
    let old = Old {
        renewed,
        ..Old::new(leaf_ec())
    };
    old.renew(&fixture::config(provisioners), None, now)
}

fn acme() -> Value {
    json!([{"type": "ACME", "name": "acme"}])
}

fn acme_claiming(claims: Value) -> Value {
    json!([{"type": "ACME", "name": "acme", "claims": claims}])
}

fn renewed(new_key: Option<&PublicKey>, now: Timestamp) -> UnsignedCertificate {
    let grant = Old::new(leaf_ec()).renew(&fixture::config(acme()), new_key, now);
    prepare(grant.unwrap(), now, serial(), &intermediate()).unwrap()
}

#[test]
fn a_renewed_leaf_is_to_the_octet_what_step_ca_issues() {
    let real = leaf_renewed();
    let issued_at = real.not_before() + MINUTE;
    let grant = renew_with(acme(), Renewed::Valid, issued_at).unwrap();
    let ours = prepare(grant, issued_at, real.serial().clone(), &intermediate()).unwrap();
    let algorithm = real.signature_algorithm().unwrap();
    assert_eq!(ours.tbs().to_der(algorithm).unwrap(), real.tbs_der());
}

#[test]
fn a_new_key_changes_the_key_and_its_identifier_only() {
    let old = leaf_ec();
    let unsigned = renewed(Some(leaf_key().public()), now());
    let tbs = unsigned.tbs();
    assert_eq!(tbs.public_key, *leaf_key().public());
    for extension in &tbs.extensions {
        let same = old.extension(&extension.oid) == Some(extension);
        assert_eq!(same, extension.oid != oid::SUBJECT_KEY_ID);
    }
    let provisioner = Some("acme".to_owned());
    let of = old.serial().clone();
    assert_eq!(
        *unsigned.recipient(),
        Recipient::Renewal { of, provisioner }
    );
}

#[test]
fn a_new_key_is_of_a_kind_that_the_profiles_of_the_old_one_are_for() {
    let may = |profiles: &str, new: &PublicKey| {
        let names = "[provisioner.acme]\nprofiles = [\"a\", \"b\"]\n";
        let toml = format!("profile = {{ {profiles} }}\n{names}");
        let (config, _) = Config::parse(fixture::CA_JSON, Some(&toml)).ok().unwrap();
        Old::new(leaf_ec()).renew(&config, Some(new), now()).is_ok()
    };
    let (ec, rsa) = (fixture::leaf_ec_key(), fixture::leaf_rsa_key());
    for (profiles, allowed) in [
        ("a = {}, b = {}", true),
        (r#"a = { keys = ["P-256"] }, b = {}"#, false),
        (r#"a = { keys = ["P-256", "RSA-2048"] }, b = {}"#, true),
        (r#"a = { keys = ["P-384"] }, b = {}"#, true),
    ] {
        assert_eq!(may(profiles, rsa.public()), allowed, "{profiles}");
        assert!(may(profiles, ec.public()), "{profiles}");
    }
}

#[test]
fn a_life_shorter_than_the_backdate_does_not_end_before_it_is_handed_out() {
    let life = SignedDuration::from_secs(-30);
    let names = ["localhost".to_owned()];
    let grant = Grant::server_certificate(&names, "x", leaf_key().public(), life, now()).unwrap();
    let short = sign(&prepare(grant, now(), serial(), &intermediate()).unwrap());
    let at = short.not_before();
    let grant = Old::new(short).renew(&fixture::real_config(), None, at);
    let grant = grant.unwrap();
    assert_eq!(grant.lifetime().length(), SignedDuration::from_secs(30));
    assert_eq!(grant.lifetime().not_before, at);
}

#[test]
fn a_certificate_of_another_authority_is_refused() {
    let refused = request(&leaf_ec(), &[root()], None, None);
    assert!(matches!(refused.err(), Some(Refusal::NotOurs { .. })));
}

#[test]
fn an_intermediate_is_not_renewed() {
    let refused = request(&intermediate(), &[root()], None, None);
    assert!(matches!(refused.err(), Some(Refusal::NotOurs { .. })));
}

#[test]
fn a_revoked_certificate_is_refused() {
    let refused = renew_with(acme(), Renewed::Revoked, now());
    assert!(matches!(refused.err(), Some(Refusal::Revoked { .. })));
}

#[test]
fn a_certificate_that_is_over_or_not_yet_valid_is_refused() {
    let over = renew_with(acme(), Renewed::Valid, after(48));
    assert!(matches!(over.err(), Some(Refusal::Expired { .. })));
    let early = renew_with(acme(), Renewed::Valid, after(-48));
    assert!(matches!(early.err(), Some(Refusal::NotYetValid { .. })));
}

#[test]
fn a_provisioner_may_allow_renewal_after_expiry_or_none_at_all() {
    let after_expiry = acme_claiming(json!({"allowRenewalAfterExpiry": true}));
    assert!(renew_with(after_expiry, Renewed::Valid, after(48)).is_ok());
    let disabled = acme_claiming(json!({"disableRenewal": true}));
    let refused = renew_with(disabled, Renewed::Valid, now());
    assert!(matches!(
        refused.err(),
        Some(Refusal::RenewalDisabled { .. })
    ));
}

#[test]
fn a_provisioner_that_is_gone_or_of_another_type_ends_the_right() {
    for provisioners in [
        json!([]),
        json!([{"type": "ACME", "name": "other"}]),
        json!([{"type": "JWK", "name": "acme", "key": {"kid": "1"}}]),
    ] {
        let refused = renew_with(provisioners, Renewed::Valid, now());
        assert!(matches!(
            refused.err(),
            Some(Refusal::UnknownProvisioner { .. })
        ));
    }
}

#[test]
fn a_certificate_without_a_provisioner_is_renewable() {
    let config = fixture::real_config();
    let request = request(&without_extension(), &[intermediate()], None, None).unwrap();
    assert_eq!(request.basis().provisioner, None);
    let policy = config.issuance_policy(&request, None);
    assert!(fixture::admitted(request, &policy, now()).is_ok());
}

/// A leaf without the extension that names its provisioner.
fn without_extension() -> Certificate {
    let grant = server_certificate(&["localhost"], leaf_key().public());
    sign(&prepare(grant, now(), serial(), &intermediate()).unwrap())
}

#[test]
fn the_record_stands_in_for_an_extension_that_was_left_out() {
    let decided = |provisioners: Value| {
        let old = Old {
            recorded: Some("acme"),
            ..Old::new(without_extension())
        };
        old.renew(&fixture::config(provisioners), None, now())
    };
    let grant = decided(acme()).ok().unwrap();
    let Recipient::Renewal { provisioner, .. } = grant.recipient() else {
        panic!("it is a renewal");
    };
    assert_eq!(provisioner.as_deref(), Some("acme"));
    let gone = decided(json!([])).err();
    assert!(matches!(gone, Some(Refusal::UnknownProvisioner { .. })));
    let claims = json!({"disableRenewal": true, "disableSmallstepExtensions": true});
    let disabled = decided(acme_claiming(claims)).err();
    assert!(matches!(disabled, Some(Refusal::RenewalDisabled { .. })));
}

#[test]
fn the_servers_own_certificate_is_not_renewed_with_its_key() {
    let old = Old {
        renewed: Renewed::ServerCertificate,
        ..Old::new(without_extension())
    };
    let refused = old.renew(&fixture::real_config(), None, now());
    assert!(matches!(
        refused.err(),
        Some(Refusal::ServerCertificate { .. })
    ));
}

#[test]
fn a_name_that_policy_has_come_to_deny_is_not_renewed() {
    let mut value: Value = serde_json::from_str(fixture::CA_JSON).unwrap();
    value["authority"]["policy"] = json!({"x509": {"deny": {"dns": ["localhost"]}}});
    let toml = "[provisioner.acme.policy]\ndeny_ip = [\"127.0.0.0/8\"]";
    let (config, _) = Config::parse(&value.to_string(), Some(toml)).ok().unwrap();
    let refusal = Old::new(leaf_ec()).renew(&config, None, now());
    let refusal = refusal.err().unwrap().to_string();
    for rule in [
        "localhost is refused by authority.policy.x509.deny.dns \"localhost\"",
        "127.0.0.1 is refused by provisioner.acme.policy.deny_ip \"127.0.0.0/8\"",
    ] {
        assert!(refusal.contains(rule), "{rule} is not in {refusal}");
    }
}

#[test]
fn a_renewal_asks_no_caa_and_no_times_of_the_claims() {
    let mut value: Value = serde_json::from_str(fixture::CA_JSON).unwrap();
    let claims = json!({"maxTLSCertDuration": "1h", "defaultTLSCertDuration": "1h"});
    let caa = json!(["ca.lab"]);
    value["authority"]["provisioners"] =
        json!([{"type": "ACME", "name": "acme", "claims": claims, "caaIdentities": caa}]);
    let toml = "[provisioner.acme]\ncaa = \"enforce\"";
    let (config, _) = Config::parse(&value.to_string(), Some(toml)).ok().unwrap();
    let old = leaf_ec();
    let period = old.not_after().duration_since(old.not_before());
    let grant = Old::new(old).renew(&config, None, now()).unwrap();
    assert_eq!(grant.lifetime().length(), period);
}

#[test]
fn a_certificate_that_was_not_looked_up_is_not_renewed() {
    let refused = renew_with(acme(), Renewed::None, now());
    assert!(matches!(refused.err(), Some(Refusal::NotOurs { .. })));
    assert!(renew_with(acme(), Renewed::Unknown, now()).is_ok());
}
