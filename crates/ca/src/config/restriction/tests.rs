//! Which edits remove a restriction, and which do not.

use serde_json::{Value, json};

use super::*;
use crate::config::{CA_JSON, RISER_TOML};

fn config(ca_json: &Value, riser: &str) -> Config {
    match Config::parse(&ca_json.to_string(), Some(riser)) {
        Ok((config, _)) => config,
        Err(faults) => panic!("{faults:?}"),
    }
}

fn ca_json(provisioners: &[(&str, bool)]) -> Value {
    let provisioners: Vec<_> = provisioners
        .iter()
        .map(|(name, eab)| json!({"type": "ACME", "name": name, "requireEAB": eab, "caaIdentities": ["ca.lab"]}))
        .collect();
    json!({
        "root": "r", "crt": "c", "key": "k", "address": ":9000", "dnsNames": ["ca.lab"],
        "db": {"type": "sqlite", "dataSource": "db"},
        "authority": {"provisioners": provisioners, "policy": {"x509": {"deny": {"dns": ["x.lab"]}}}},
    })
}

/// What becomes of restrictions when one pair of files follows another.
fn lost(old: &Config, new: &Config) -> Vec<String> {
    let removed = removed(&old.restrictions(), &new.restrictions());
    removed.iter().map(ToString::to_string).collect()
}

const FULL: &str = r#"
[validation]
resolver = "10.0.0.53"
authoritative = true
deny = ["10.0.0.0/8"]
[[validation.zone]]
name = "lab"
resolvers = ["10.0.0.53"]
[limits]
connections = 100
[rate_limits]
orders_per_account = { count = 3, per = "1h" }
validations_per_account = 4
[profile.short]
life = "1h"
longest_life = "2h"
[provisioner.acme]
challenges = ["dns-01"]
caa = "enforce"
profiles = ["short"]
[provisioner.acme.policy]
allow_dns = ["*.lab"]
deny_dns = ["y.lab"]
"#;

#[test]
fn every_restriction_that_a_file_loses_is_named() {
    let with = ca_json(&[("acme", true)]);
    let full = config(&with, FULL);
    assert_eq!(lost(&full, &full), [] as [String; 0]);
    let lost_all = lost(&full, &config(&with, ""));
    for place in [
        "validation.deny \"10.0.0.0/8\"",
        "validation.resolvers",
        "validation.authoritative",
        "validation.zone \"lab\"",
        "limits.connections",
        "rate_limits.orders_per_account",
        "rate_limits.validations_per_account",
        "profile.short.life",
        "provisioner.acme.challenges without http-01",
        "provisioner.acme.caa",
        "provisioner.acme.profiles",
        "provisioner.acme.policy.deny_dns \"y.lab\"",
        "provisioner.acme.policy.allow_dns",
        "provisioner.acme.policy.allow_dns without wildcards",
    ] {
        let line = format!("{RISER_TOML}: {place}");
        assert!(lost_all.contains(&line), "{line} is not in {lost_all:?}");
    }
    let mut without = ca_json(&[("acme", false)]);
    without["authority"]["policy"] = json!({});
    let lost = lost(&full, &config(&without, FULL));
    assert_eq!(
        lost,
        [
            format!("{CA_JSON}: authority.policy.x509.deny.dns \"x.lab\""),
            format!("{CA_JSON}: provisioner.acme.requireEAB"),
        ]
    );
}

/// Each line that a file may lose by itself: a half-written file lacks some of them.
#[test]
fn a_file_that_lacks_any_of_its_last_lines_either_is_invalid_or_loses_a_restriction() {
    let with = ca_json(&[("acme", true)]);
    let full = config(&with, FULL);
    let lines: Vec<_> = FULL.lines().collect();
    for kept in 0..lines.len() {
        let half = lines[..kept].join("\n");
        if let Ok((half, _)) = Config::parse(&with.to_string(), Some(&half)) {
            assert_ne!(lost(&full, &half), [] as [String; 0], "{kept} lines");
        }
    }
}

#[test]
fn what_is_added_or_narrowed_removes_nothing() {
    let before = config(
        &ca_json(&[("acme", false)]),
        "[provisioner.acme]\ncaa = \"warn\"",
    );
    let more = "[rate_limits]\norders_per_name = { count = 1, per = \"1h\" }\n\
                [provisioner.acme]\ncaa = \"enforce\"\n[provisioner.acme.policy]\ndeny_ip = [\"::/0\"]";
    let after = config(&ca_json(&[("acme", true), ("other", false)]), more);
    assert_eq!(lost(&before, &after), [] as [String; 0]);
    let back = lost(&after, &before);
    assert!(
        back.contains(&"riser.toml: provisioner.acme.caa".to_owned()),
        "{back:?}"
    );
}

#[test]
fn a_provisioner_that_is_gone_needs_no_restrictions_but_one_that_is_renamed_keeps_them() {
    let riser = "[provisioner.acme.policy]\ndeny_dns = [\"y.lab\"]";
    let before = config(&ca_json(&[("acme", true), ("other", false)]), riser);
    let gone = config(&ca_json(&[("other", false)]), "");
    assert_eq!(lost(&before, &gone), [] as [String; 0]);
    let renamed = config(&ca_json(&[("new", true), ("other", false)]), "");
    assert_eq!(
        lost(&before, &renamed),
        ["riser.toml: provisioner.acme.policy.deny_dns \"y.lab\""]
    );
}
