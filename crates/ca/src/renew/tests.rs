//! Renewal, compared with what the real pair issues.

use jiff::SignedDuration;
use pki::oid;
use serde_json::{Value, json};

use super::*;
use crate::fixture::{
    self, after, intermediate, leaf_ec, leaf_key, leaf_renewed, now, real_config, root, serial,
    server_certificate, sign,
};
use crate::{Grant, Recipient, Unsigned, prepare};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn check_with(provisioners: Value, revoked: bool, now: Timestamp) -> Result<Renewable, Refusal> {
    let config = fixture::config(provisioners);
    check(
        &leaf_ec(),
        &[intermediate()],
        &config.authority,
        Known {
            revoked,
            ..Known::default()
        },
        now,
    )
}

fn acme() -> Value {
    json!([{"type": "ACME", "name": "acme"}])
}

fn acme_claiming(claims: Value) -> Value {
    json!([{"type": "ACME", "name": "acme", "claims": claims}])
}

fn admitted(renewable: Renewable) -> Admitted<Renewable> {
    renewable.admit(&real_config()).unwrap()
}

fn renewed(new_key: Option<&PublicKey>, now: Timestamp) -> Unsigned {
    let renewable = check_with(acme(), false, now).ok().unwrap();
    let grant = Grant::renewal(admitted(renewable), new_key, MINUTE, now);
    prepare(grant, now, serial(), &intermediate()).unwrap()
}

#[test]
fn a_renewed_leaf_is_to_the_octet_what_the_real_pair_issues() {
    let real = leaf_renewed();
    let issued_at = real.not_before() + MINUTE;
    let renewable = check_with(acme(), false, issued_at).ok().unwrap();
    let grant = Grant::renewal(admitted(renewable), None, MINUTE, issued_at);
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
        let renewable = check_with(acme(), false, now()).ok().unwrap();
        renewable.may_change_to(new, &config).is_ok()
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
    let config = real_config();
    let at = short.not_before();
    let renewable = check(
        &short,
        &[intermediate()],
        &config.authority,
        Known::default(),
        at,
    )
    .ok();
    let grant = Grant::renewal(admitted(renewable.unwrap()), None, MINUTE, at);
    assert_eq!(grant.lifetime().length(), SignedDuration::from_secs(30));
    assert_eq!(grant.lifetime().not_before, at);
}

#[test]
fn a_certificate_of_another_authority_is_refused() {
    let config = real_config();
    let refused = check(
        &leaf_ec(),
        &[root()],
        &config.authority,
        Known::default(),
        now(),
    );
    assert!(matches!(refused.err(), Some(Refusal::NotOurs { .. })));
}

#[test]
fn an_intermediate_is_not_renewed_by_this_door() {
    let config = real_config();
    let refused = check(
        &intermediate(),
        &[root()],
        &config.authority,
        Known::default(),
        now(),
    );
    assert!(matches!(refused.err(), Some(Refusal::NotOurs { .. })));
}

#[test]
fn a_revoked_certificate_is_refused() {
    let refused = check_with(acme(), true, now());
    assert!(matches!(refused.err(), Some(Refusal::Revoked { .. })));
}

#[test]
fn a_certificate_that_is_over_or_not_yet_valid_is_refused() {
    let over = check_with(acme(), false, after(48));
    assert!(matches!(over.err(), Some(Refusal::Expired { .. })));
    let early = check_with(acme(), false, after(-48));
    assert!(matches!(early.err(), Some(Refusal::NotYetValid { .. })));
}

#[test]
fn a_provisioner_may_allow_renewal_after_expiry_or_none_at_all() {
    let after_expiry = acme_claiming(json!({"allowRenewalAfterExpiry": true}));
    assert!(check_with(after_expiry, false, after(48)).is_ok());
    let disabled = acme_claiming(json!({"disableRenewal": true}));
    let refused = check_with(disabled, false, now());
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
        let refused = check_with(provisioners, false, now());
        assert!(matches!(
            refused.err(),
            Some(Refusal::UnknownProvisioner { .. })
        ));
    }
}

#[test]
fn a_certificate_without_a_provisioner_is_renewable() {
    let grant = server_certificate(&["localhost"], leaf_key().public());
    let leaf = sign(&prepare(grant, now(), serial(), &intermediate()).unwrap());
    let config = real_config();
    let renewable = check(
        &leaf,
        &[intermediate()],
        &config.authority,
        Known::default(),
        now(),
    );
    assert_eq!(renewable.ok().unwrap().provisioner(), None);
}

/// A leaf without the extension that names its provisioner.
fn without_extension() -> Certificate {
    let grant = server_certificate(&["localhost"], leaf_key().public());
    sign(&prepare(grant, now(), serial(), &intermediate()).unwrap())
}

#[test]
fn the_record_stands_in_for_an_extension_that_was_left_out() {
    let known = Known {
        provisioner: Some("acme"),
        ..Known::default()
    };
    let decided = |provisioners: Value| {
        let authority = fixture::config(provisioners).authority;
        let leaf = without_extension();
        check(&leaf, &[intermediate()], &authority, known, now())
    };
    let renewable = decided(acme()).ok().unwrap();
    assert_eq!(renewable.provisioner(), Some("acme"));
    let gone = decided(json!([])).err();
    assert!(matches!(gone, Some(Refusal::UnknownProvisioner { .. })));
    let claims = json!({"disableRenewal": true, "disableSmallstepExtensions": true});
    let disabled = decided(acme_claiming(claims)).err();
    assert!(matches!(disabled, Some(Refusal::RenewalDisabled { .. })));
}

#[test]
fn the_houses_own_certificate_is_not_renewed_by_whoever_has_its_key() {
    let config = real_config();
    let known = Known {
        server_certificate: true,
        ..Known::default()
    };
    let refused = check(
        &without_extension(),
        &[intermediate()],
        &config.authority,
        known,
        now(),
    );
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
    let renewable = check_with(acme(), false, now()).ok().unwrap();
    let refusal = renewable.admit(&config).err().unwrap().to_string();
    for rule in [
        "localhost is refused by authority.policy.x509.deny.dns \"localhost\"",
        "127.0.0.1 is refused by provisioner.acme.policy.deny_ip \"127.0.0.0/8\"",
    ] {
        assert!(refusal.contains(rule), "{rule} is not in {refusal}");
    }
}
