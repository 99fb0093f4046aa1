//! Renewal, compared with what smallstep's step-ca issues.

use acme::caa::Record;
use acme::challenge::Method;
use jiff::{SignedDuration, Timestamp};
use pki::oid;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::admission::{
    Admission, Facts, Grant, KeyStanding, Question, Renewed, Right, Standing, admit,
};
use crate::config::Config;
use crate::fixture::{
    self, after, chain, intermediate, leaf_ec, leaf_key, leaf_renewed, now, root, serial,
    server_certificate, sign,
};
use crate::issue::{UnsignedCertificate, prepare};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A certificate that is to be renewed, and what the records say about it.
struct Old {
    certificate: Certificate,
    renewed: Renewed,
    recorded: Recorded,
}

impl Old {
    fn new(certificate: Certificate) -> Self {
        Self {
            certificate,
            renewed: Renewed::Valid,
            recorded: Recorded::default(),
        }
    }

    /// One that an account has ordered, whose names rest on this.
    fn ordered(means: Means) -> Self {
        let certificate = leaf_ec();
        let recorded = Recorded {
            provisioner: Some("acme".to_owned()),
            account: Some(AccountBasis {
                id: Uuid::from_u128(2),
                uri: "https://ca.lab/acme/acme/account/2".to_owned(),
                external_key: None,
            }),
            basis: vec![Some(means); certificate.alt_names().len()],
            ..Recorded::default()
        };
        Self {
            recorded,
            ..Self::new(certificate)
        }
    }

    fn renew(
        &self,
        config: &Config,
        new_key: Option<&PublicKey>,
        now: Timestamp,
    ) -> Result<Grant, Refusal> {
        let issuers = [intermediate()];
        let recorded = self.recorded.clone();
        let request = request(&self.certificate, &issuers, recorded, new_key)?;
        let policy = config.issuance_policy(&request, None);
        match admit(request, &policy, &self.standing(), &Facts::default(), now) {
            Admission::Grant(grant) => Ok(grant),
            Admission::Refusal(refusal) => Err(refusal),
            Admission::Ask(question, _) => panic!("{question:?}"),
        }
    }

    /// Records that have nothing against the renewal.
    fn standing(&self) -> Standing {
        let ordered = self.recorded.account.is_some();
        Standing {
            account: if ordered {
                Right::Valid
            } else {
                Right::NotNeeded
            },
            renewed: self.renewed,
            certified_key: KeyStanding::Good,
            ..Standing::default()
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
    prepare(grant.unwrap(), now, serial(), &chain()).unwrap()
}

#[test]
fn a_renewed_leaf_is_to_the_octet_what_step_ca_issues() {
    let real = leaf_renewed();
    let issued_at = real.not_before() + MINUTE;
    let grant = renew_with(acme(), Renewed::Valid, issued_at).unwrap();
    let ours = prepare(grant, issued_at, real.serial().clone(), &chain()).unwrap();
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
    let expected = Recipient::Renewal {
        of: old.serial().clone(),
        asking_key: old.public_key().unwrap().digest(),
        lineage: old.serial().clone(),
        account: None,
        provisioner,
    };
    assert_eq!(*unsigned.recipient(), expected);
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
    let short = sign(&prepare(grant, now(), serial(), &chain()).unwrap());
    let at = short.not_before();
    let grant = Old::new(short).renew(&fixture::real_config(), None, at);
    let grant = grant.unwrap();
    assert_eq!(grant.lifetime().length(), SignedDuration::from_secs(30));
    assert_eq!(grant.lifetime().not_before, at);
}

#[test]
fn a_certificate_of_another_authority_is_refused() {
    let refused = request(&leaf_ec(), &[root()], Recorded::default(), None);
    assert!(matches!(refused.err(), Some(Refusal::NotOurs { .. })));
}

#[test]
fn an_intermediate_is_not_renewed() {
    let refused = request(&intermediate(), &[root()], Recorded::default(), None);
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
    let issuers = [intermediate()];
    let request = request(&without_extension(), &issuers, Recorded::default(), None).unwrap();
    assert_eq!(request.basis().provisioner, None);
    let policy = config.issuance_policy(&request, None);
    assert!(fixture::admitted(request, &policy, now()).is_ok());
}

/// A leaf without the extension that names its provisioner.
fn without_extension() -> Certificate {
    let grant = server_certificate(&["localhost"], leaf_key().public());
    sign(&prepare(grant, now(), serial(), &chain()).unwrap())
}

#[test]
fn the_record_stands_in_for_an_extension_that_was_left_out() {
    let decided = |provisioners: Value| {
        let old = Old {
            recorded: Recorded {
                provisioner: Some("acme".to_owned()),
                ..Recorded::default()
            },
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
fn what_an_account_has_ordered_is_not_renewed_by_a_provisioner_of_another_type() {
    let mut old = Old::ordered(Means::Challenge(Method::Http01));
    old.certificate = without_extension();
    old.recorded.basis.clear();
    let renewed = |provisioners: Value| old.renew(&fixture::config(provisioners), None, now());
    assert!(renewed(acme()).is_ok());
    let key = json!([{"type": "JWK", "name": "acme", "key": {"kid": "1"}}]);
    let refused = renewed(key).err();
    assert!(matches!(refused, Some(Refusal::UnknownProvisioner { .. })));
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

/// The provisioner `acme`, which enforces CAA.
fn enforcing_caa() -> Config {
    let mut value: Value = serde_json::from_str(fixture::CA_JSON).unwrap();
    value["authority"]["provisioners"] =
        json!([{"type": "ACME", "name": "acme", "caaIdentities": ["ca.lab"]}]);
    let toml = "[provisioner.acme]\ncaa = \"enforce\"";
    let (config, _) = Config::parse(&value.to_string(), Some(toml)).ok().unwrap();
    config
}

#[test]
fn a_renewal_lives_no_longer_than_the_old_one_and_the_claims_allow() {
    let life = |most: &str| {
        let claims = json!({"maxTLSCertDuration": most, "defaultTLSCertDuration": most});
        let config = fixture::config(acme_claiming(claims));
        let grant = Old::new(leaf_ec()).renew(&config, None, now()).unwrap();
        grant.lifetime().length()
    };
    let old = leaf_ec();
    let period = old.not_after().duration_since(old.not_before());
    assert_eq!(life("1h"), SignedDuration::from_hours(1) + MINUTE);
    assert_eq!(life("2400h"), period);
}

#[test]
fn caa_is_asked_for_a_renewal_with_the_method_that_proved_the_name() {
    let config = enforcing_caa();
    for (method, allowed) in [(Method::Dns01, true), (Method::Http01, false)] {
        let old = Old::ordered(Means::Challenge(method));
        let request = request(
            &old.certificate,
            &[intermediate()],
            old.recorded.clone(),
            None,
        );
        let request = request.unwrap();
        let policy = config.issuance_policy(&request, None);
        let Admission::Ask(Question::Caa(question), asked) =
            admit(request, &policy, &old.standing(), &Facts::default(), now())
        else {
            panic!("it is not asked");
        };
        let record = Record {
            critical: false,
            tag: "issue".to_owned(),
            value: "ca.lab; validationmethods=dns-01".to_owned(),
        };
        let mut facts = Facts::default();
        for name in question.names {
            facts.caa.records.insert(name, vec![record.clone()]);
        }
        let decided = admit(*asked, &policy, &old.standing(), &facts, now());
        assert_eq!(matches!(decided, Admission::Grant(_)), allowed);
    }
}

#[test]
fn a_certificate_that_no_account_has_ordered_has_no_names_to_ask_for() {
    assert!(
        Old::new(leaf_ec())
            .renew(&enforcing_caa(), None, now())
            .is_ok()
    );
}

#[test]
fn a_disabled_provisioner_still_renews_what_no_account_has_ordered() {
    let template = json!({"x509": {"template": "{}"}});
    let disabled = json!([{"type": "ACME", "name": "acme", "options": template}]);
    let config = fixture::config(disabled);
    assert!(Old::new(leaf_ec()).renew(&config, None, now()).is_ok());
    let ordered = Old::ordered(Means::Challenge(Method::Http01));
    let refused = ordered.renew(&config, None, now()).err();
    assert!(matches!(refused, Some(Refusal::ProvisionerDisabled { .. })));
}

#[test]
fn each_right_that_has_ended_refuses_the_renewal_for_itself() {
    let permit = Uuid::from_u128(7);
    let old = Old::ordered(Means::Permit(permit));
    let refusal = |standing: Standing| {
        let issuers = [intermediate()];
        let request = request(&old.certificate, &issuers, old.recorded.clone(), None).unwrap();
        let config = fixture::config(acme());
        let policy = config.issuance_policy(&request, None);
        match admit(request, &policy, &standing, &Facts::default(), now()) {
            Admission::Grant(_) => None,
            Admission::Refusal(refusal) => Some(refusal),
            Admission::Ask(question, _) => panic!("{question:?}"),
        }
    };
    let good = || Standing {
        permits: vec![permit],
        ..old.standing()
    };
    assert_eq!(refusal(good()), None);
    let ended = |change: fn(&mut Standing)| {
        let mut standing = good();
        change(&mut standing);
        refusal(standing).unwrap()
    };
    let account = ended(|it| it.account = Right::Ended);
    assert!(matches!(account, Refusal::AccountEnded { .. }));
    let permit = ended(|it| it.permits.clear());
    assert!(matches!(permit, Refusal::PermitEnded { .. }));
    let lineage = ended(|it| it.renewed = Renewed::LineageEnded);
    assert!(matches!(lineage, Refusal::LineageEnded { .. }));
    let newer = ended(|it| it.renewed = Renewed::Superseded);
    assert!(matches!(newer, Refusal::Superseded { .. }));
    let deleted = ended(|it| it.renewed = Renewed::Deleted);
    assert!(matches!(deleted, Refusal::RecordDeleted { .. }));
    let asking = ended(|it| it.asking_key = KeyStanding::Compromised);
    assert_eq!(asking, Refusal::CompromisedAskingKey);
}

#[test]
fn the_profile_of_a_certificate_has_to_be_offered_when_it_is_renewed() {
    let renewed = |offered: &str, profile: Option<&str>| {
        let profiles = "profile = { a = { longest_life = \"1h\" , life = \"1h\" }, b = {} }\n";
        let toml = format!("{profiles}[provisioner.acme]\nprofiles = [{offered}]\n");
        let (config, _) = Config::parse(fixture::CA_JSON, Some(&toml)).ok().unwrap();
        let mut old = Old::ordered(Means::Challenge(Method::Http01));
        old.recorded.profile = profile.map(str::to_owned);
        old.renew(&config, None, now())
    };
    let hour = SignedDuration::from_hours(1) + MINUTE;
    let grant = renewed(r#""b", "a""#, Some("a")).unwrap();
    assert_eq!(grant.lifetime().length(), hour);
    assert_eq!(grant.grounds().profile.as_deref(), Some("a"));
    let withdrawn = renewed(r#""b""#, Some("a")).err();
    assert!(matches!(withdrawn, Some(Refusal::Profile(_))));
    // One that was made before there were profiles gets the first, as an order would.
    let grant = renewed(r#""a", "b""#, None).unwrap();
    assert_eq!(grant.lifetime().length(), hour);
}

#[test]
fn a_certificate_that_was_not_looked_up_is_not_renewed() {
    let refused = renew_with(acme(), Renewed::None, now());
    assert!(matches!(refused.err(), Some(Refusal::NotOurs { .. })));
    assert!(renew_with(acme(), Renewed::Unknown, now()).is_ok());
}

#[test]
fn a_provisioner_extension_that_cannot_be_read_is_no_certificate_without_one() {
    let grant = server_certificate(&["localhost"], leaf_key().public());
    let unsigned = prepare(grant, now(), serial(), &chain()).unwrap();
    let mut tbs = unsigned.tbs().clone();
    tbs.extensions.push(pki::Extension {
        oid: oid::STEP_PROVISIONER,
        critical: false,
        value: vec![0x30, 1, 0],
    });
    let broken = fixture::sign_tbs(&tbs, &fixture::intermediate_key());
    let old = Old {
        recorded: Recorded {
            provisioner: Some("acme".to_owned()),
            ..Recorded::default()
        },
        ..Old::new(broken)
    };
    let refused = old.renew(&fixture::config(acme()), None, now()).err();
    assert!(matches!(refused, Some(Refusal::Encoding(_))), "{refused:?}");
}
