//! Admission: which records end a right, and how questions are settled.

use acme::caa::Record;
use acme::challenge::Method;
use acme::identifier::Identifier;
use acme::order::Finalized;
use acme::problem::{Kind, Problem};
use serde_json::{Value, json};

use super::caa::{CaaMode, OnOutage};
use super::*;
use crate::config::Config;
use crate::fixture::{
    self, finalized, leaf_key, now, order, proof_by, request, request_with, standing,
};

fn order_of(names: &[&str]) -> Finalized {
    finalized(order(names), None, &leaf_key())
}

/// The configuration with CAA in this mode.
fn config(caa: &str) -> Config {
    let mut value: Value = serde_json::from_str(fixture::CA_JSON).unwrap();
    value["authority"]["provisioners"] =
        json!([{"type": "ACME", "name": "acme", "caaIdentities": ["ca.lab"]}]);
    let toml = format!("[provisioner.acme]\ncaa = \"{caa}\"");
    let (config, _) = Config::parse(&value.to_string(), Some(&toml)).ok().unwrap();
    config
}

fn decided(config: &Config, names: &[&str], facts: &Facts) -> Admission {
    let request = request(order_of(names));
    let policy = config.issuance_policy(&request, None);
    admit(request, &policy, &standing(), facts, now())
}

fn refused(standing: &Standing) -> Option<Refusal> {
    let mut request = request(order_of(&["a.lab"]));
    if let Some(account) = &mut request.basis.account {
        account.external_key = Some("k1".to_owned());
    }
    let config = config("off");
    let policy = config.issuance_policy(&request, None);
    match admit(request, &policy, standing, &Facts::default(), now()) {
        Admission::Refusal(refusal) => Some(refusal),
        Admission::Grant(_) | Admission::Ask(..) => None,
    }
}

fn record(value: &str) -> Record {
    Record {
        critical: false,
        tag: "issue".to_owned(),
        value: value.to_owned(),
    }
}

fn found(name: &str, value: &str) -> Facts {
    let mut facts = Facts::default();
    facts
        .caa
        .records
        .insert(name.to_owned(), vec![record(value)]);
    facts
}

#[test]
fn an_order_whose_account_key_or_certified_key_has_ended_is_refused() {
    assert_eq!(refused(&standing()), None);
    for account in [Right::Ended, Right::NotNeeded] {
        let ended = refused(&Standing {
            account,
            ..standing()
        });
        assert!(matches!(ended, Some(Refusal::AccountEnded { .. })));
    }
    for external_key in [Right::Ended, Right::NotNeeded] {
        let removed = refused(&Standing {
            external_key,
            ..standing()
        });
        let problem = Problem::from(removed.unwrap());
        assert_eq!(problem, crate::external_key::removed("k1"));
    }
    for certified_key in [KeyStanding::Compromised, KeyStanding::NotAsked] {
        let barred = refused(&Standing {
            certified_key,
            ..standing()
        });
        assert_eq!(barred, Some(Refusal::CompromisedKey));
    }
    let asking = refused(&Standing {
        asking_key: KeyStanding::Compromised,
        ..standing()
    });
    assert_eq!(asking, Some(Refusal::CompromisedAskingKey));
}

#[test]
fn a_provisioner_that_is_disabled_or_gone_is_refused_with_that_reason() {
    let refusal = |provisioner: Value| {
        let config = fixture::config(json!([provisioner]));
        match decided(&config, &["a.lab"], &Facts::default()) {
            Admission::Refusal(refusal) => Some(refusal),
            Admission::Grant(_) | Admission::Ask(..) => None,
        }
    };
    let template = json!({"x509": {"template": "{}"}});
    let disabled = json!({"type": "ACME", "name": "acme", "options": template});
    let refused = refusal(disabled);
    assert!(matches!(refused, Some(Refusal::ProvisionerDisabled { .. })));
    let refused = refusal(json!({"type": "ACME", "name": "other"}));
    assert!(matches!(refused, Some(Refusal::UnknownProvisioner { .. })));
}

#[test]
fn a_preview_refuses_names_and_times_that_cannot_be_had() {
    let config = fixture::real_config();
    let preview_of = |profile: Option<&str>, hours: i64| {
        let policy = config.order_policy(fixture::acme(&config), profile, None);
        let asked = Asked {
            names: vec![AltName::Dns("a.lab".into())],
            not_after: Some(fixture::after(hours)),
            ..Asked::default()
        };
        preview(&asked, &policy, now())
    };
    assert!(preview_of(None, 1).is_ok());
    let long = preview_of(None, 24 * 30).unwrap_err();
    assert!(matches!(long, Refusal::Lifetime(_)));
    let unknown = preview_of(Some("gone"), 1).unwrap_err();
    assert!(matches!(unknown, Refusal::Profile(_)));
}

#[test]
fn caa_is_asked_for_until_the_records_that_count_are_there() {
    let config = config("enforce");
    let Admission::Ask(Question::Caa(question), asked) =
        decided(&config, &["a.lab", "10.0.0.1"], &Facts::default())
    else {
        panic!("it is not asked");
    };
    assert_eq!(question.names.into_iter().collect::<Vec<_>>(), ["a.lab"]);
    assert_eq!(question.outage, OnOutage::Fail);
    let policy = config.issuance_policy(&asked, None);
    let facts = found("a.lab", "ca.lab");
    let admission = admit(*asked, &policy, &standing(), &facts, now());
    assert!(matches!(admission, Admission::Grant(_)));
    let Admission::Refusal(refusal) = decided(&config, &["a.lab"], &found("a.lab", ";")) else {
        panic!("it is not refused");
    };
    assert_eq!(Problem::from(refusal).kind, Kind::Caa);
}

/// Orders two names of which dns-01 has proven one and http-01 the other, where only one method is
/// allowed for both.
fn proven_by_two_methods(allowed: &str) -> Problem {
    let config = config("enforce");
    let finalized = order_of(&["a.lab", "b.lab"]);
    let account = finalized.order().account;
    let proof = |method, name| proof_by(method, &Identifier::guess(name).unwrap(), account);
    let proofs = [
        proof(Method::Http01, "b.lab"),
        proof(Method::Dns01, "a.lab"),
    ];
    let request = request_with(finalized, &proofs);
    let policy = config.issuance_policy(&request, None);
    let value = format!("ca.lab; validationmethods={allowed}");
    let mut facts = found("a.lab", &value);
    facts.caa.records.extend(found("b.lab", &value).caa.records);
    match admit(request, &policy, &standing(), &facts, now()) {
        Admission::Refusal(refusal) => Problem::from(refusal),
        Admission::Grant(_) | Admission::Ask(..) => panic!("it is not refused"),
    }
}

#[test]
fn caa_judges_each_name_of_an_order_by_the_method_that_proved_it() {
    for (allowed, refused) in [("dns-01", "b.lab"), ("http-01", "a.lab")] {
        let problem = proven_by_two_methods(allowed);
        assert_eq!(problem.kind, Kind::Caa);
        let start = format!("CAA forbids {refused}: ");
        assert!(problem.detail.starts_with(&start), "{problem}");
    }
}

#[test]
fn an_outage_is_never_a_yes_where_caa_is_enforced() {
    let outage = || Facts {
        caa: caa::Facts {
            outage: Some(Problem::new(Kind::Dns, "no resolver answers")),
            ..caa::Facts::default()
        },
        ..Facts::default()
    };
    let enforced = decided(&config("enforce"), &["a.lab"], &outage());
    assert!(matches!(enforced, Admission::Ask(..)));
    let Admission::Grant(grant) = decided(&config("warn"), &["a.lab"], &outage()) else {
        panic!("a warning is enough");
    };
    assert_eq!(grant.objections()[0].reason, "no resolver answers");
}

#[test]
fn what_caa_forbids_is_an_objection_where_the_operator_wants_a_warning() {
    let Admission::Grant(grant) = decided(&config("warn"), &["a.lab"], &found("a.lab", ";")) else {
        panic!("a warning is enough");
    };
    let [objection] = grant.objections() else {
        panic!("one name, one objection");
    };
    assert_eq!(objection.question, "caa");
    assert!(objection.reason.starts_with("CAA forbids a.lab"));
    assert_eq!(CaaMode::default(), CaaMode::Off);
    let off = decided(&config("off"), &["a.lab"], &Facts::default());
    assert!(matches!(off, Admission::Grant(grant) if grant.objections().is_empty()));
}

#[test]
fn a_second_question_is_asked_after_the_first() {
    let config = config("enforce");
    let name = "a.weather.test";
    let first = decided(&config, &[name], &Facts::default());
    assert!(matches!(first, Admission::Ask(Question::Caa(_), _)));
    let mut facts = found(name, "ca.lab");
    let second = decided(&config, &[name], &facts);
    assert!(matches!(second, Admission::Ask(Question::Weather(_), _)));
    facts.weather.0.insert(name.to_owned(), true);
    let sunny = decided(&config, &[name], &facts);
    assert!(matches!(sunny, Admission::Grant(_)));
    facts.weather.0.insert(name.to_owned(), false);
    let rainy = decided(&config, &[name], &facts);
    assert!(matches!(rainy, Admission::Refusal(_)));
}

#[test]
fn names_are_judged_before_facts_are_fetched() {
    let mut config = config("enforce");
    let deny = json!({"deny": {"dns": ["a.lab"]}});
    config.authority.policy = serde_json::from_value(deny).unwrap();
    let refused = decided(&config, &["a.lab"], &Facts::default());
    assert!(matches!(refused, Admission::Refusal(Refusal::Names(_))));
}

#[test]
fn a_certificate_takes_so_many_look_ups_of_caa_records_and_no_more() {
    // 64 names with eight parents each, none of them shared.
    let parents = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let name = |number: usize, left: usize| {
        let own = parents[8 - left..]
            .iter()
            .map(|parent| format!("{parent}{number}"));
        own.collect::<Vec<_>>().join(".")
    };
    let names: Vec<String> = (0..65).map(|number| name(number, 8)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut facts = Facts::default();
    for number in 0..65 {
        for left in 2..=8 {
            facts.caa.records.insert(name(number, left), Vec::new());
        }
    }
    let refusal = match decided(&config("enforce"), &names, &facts) {
        Admission::Refusal(refusal) => Problem::from(refusal),
        Admission::Grant(_) | Admission::Ask(..) => panic!("it is not refused"),
    };
    assert!(
        refusal.detail.contains("more than 512 look-ups"),
        "{refusal}"
    );
    let fewer = decided(&config("enforce"), &names[..32], &Facts::default());
    assert!(matches!(fewer, Admission::Ask(..)));
    let warned = decided(&config("warn"), &names, &facts);
    assert!(matches!(warned, Admission::Grant(grant) if grant.objections().len() == 1));
}
