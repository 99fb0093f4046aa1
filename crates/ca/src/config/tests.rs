//! The configuration: what opens, what is refused, in which words.

use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::fixture;
use crate::provisioner::Provisioner;

fn parse(value: &Value) -> Result<(Config, Vec<Warning>), Vec<Fault>> {
    Config::parse(&value.to_string(), None)
}

/// The least that is a configuration.
fn least() -> Value {
    json!({
        "root": "root.crt", "crt": "intermediate.crt", "key": "intermediate.key",
        "address": ":9000", "db": {"type": "sqlite", "dataSource": "db"}, "authority": {}
    })
}

fn with(key: &str, value: Value) -> Value {
    let mut config = least();
    config[key] = value;
    config
}

fn faults(value: &Value) -> Vec<String> {
    let faults = parse(value).err().unwrap_or_default();
    faults.iter().map(ToString::to_string).collect()
}

fn warnings(value: &Value) -> Vec<String> {
    let (_, warnings) = parse(value).ok().unwrap();
    warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn what_the_real_pair_wrote_opens_here() {
    for text in [
        include_str!("../../testdata/written-by-step/ca.json"),
        fixture::CA_JSON,
    ] {
        let (config, warnings) = Config::parse(text, None).ok().unwrap();
        assert_eq!(warnings, []);
        assert_eq!(config.dns_names, ["localhost", "127.0.0.1"]);
        assert_eq!((config.host(), config.port()), ("127.0.0.1", 9443));
        assert_eq!(config.common_name, "Step Online CA");
        assert_eq!(config.authority.backdate, SignedDuration::from_mins(1));
        let db = config.db.unwrap();
        assert!(db.is_mapped());
        assert_eq!(db.kind, DatabaseKind::Badger);
        let admin = config.authority.provisioner("admin").unwrap();
        let kid = admin.as_jwk().unwrap().kid().to_owned();
        assert!(config.authority.encrypted_key(&kid).is_some());
    }
}

#[test]
fn what_the_real_pair_added_is_an_acme_provisioner_that_works() {
    let config = fixture::real_config();
    let acme = config.authority.working_acme("acme").unwrap();
    assert_eq!(*acme.claims(), crate::claims::Claims::default());
    let ours = edit::AcmeOptions::default().to_provisioner("acme");
    assert_eq!(
        *config.authority.provisioner("acme").unwrap().raw(),
        ours,
        "the command line adds the same object"
    );
}

#[test]
fn a_missing_key_has_its_default() {
    let (config, _) = parse(&least()).ok().unwrap();
    assert_eq!(config.dns_names, ["localhost", "127.0.0.1", "::1"]);
    assert_eq!(config.tls, TlsOptions::default());
    assert_eq!(config.logger_format, LogFormat::Text);
    assert_eq!(config.host(), "");
    assert!(config.authority.provisioners.is_empty());
}

#[test]
fn root_is_a_path_or_several() {
    let (one, _) = parse(&least()).ok().unwrap();
    assert_eq!(one.root, [PathBuf::from("root.crt")]);
    let (two, _) = parse(&with("root", json!(["a", "b"]))).ok().unwrap();
    assert_eq!(two.root.len(), 2);
    assert_eq!(
        faults(&with("root", json!([]))),
        ["ca.json: root: is missing or empty"]
    );
}

#[test]
fn all_faults_are_reported_together_with_their_places() {
    let value = json!({
        "root": "", "crt": 5, "address": "localhost",
        "db": {"type": "postgresql", "dataSource": "x"},
        "logger": {"format": "xml"},
        "authority": {
            "claims": {"maxTLSCertDuration": "1h"},
            "provisioners": [
                {"type": "ACME", "name": "a"}, {"type": "ACME", "name": "a"}, {"type": "ACME"}, 7
            ]
        }
    });
    let found = faults(&value).join("\n");
    for line in [
        "ca.json: root: is missing or empty",
        "ca.json: crt: must be a string, not 5",
        "ca.json: key: is missing or empty",
        "ca.json: address: \"localhost\" has no port",
        "ca.json: db.type: \"postgresql\" is not supported yet",
        "ca.json: logger.format: \"xml\" is not a format",
        "ca.json: authority.claims: defaultTLSCertDuration must not be greater than maxTLSCertDuration",
        "ca.json: authority.provisioners[1].name: \"a\" is also the name of authority.provisioners[0]",
        "ca.json: authority.provisioners[2].name: is missing or empty",
        "ca.json: authority.provisioners[3]: must be an object",
    ] {
        assert!(found.contains(line), "{line:?} is not in\n{found}");
    }
    assert_eq!(found.lines().count(), 10, "{found}");
}

#[test]
fn what_the_server_cannot_do_is_refused_in_a_line_each() {
    for (key, value, place) in [
        ("ssh", json!({"hostKey": "x"}), "ssh: "),
        ("kms", json!({"type": "pkcs11"}), "kms.type: "),
        ("key", json!("pkcs11:id=1"), "key: "),
        (
            "authority",
            json!({"enableAdmin": true}),
            "authority.enableAdmin: ",
        ),
        ("authority", json!({"type": "stepcas"}), "authority.type: "),
        (
            "authority",
            json!({"deploymentType": "linked"}),
            "authority.deploymentType: ",
        ),
        (
            "authority",
            json!({"policy": {"x509": {"deny": {"srv": ["a"]}}}}),
            "authority.policy.x509.deny.srv: ",
        ),
    ] {
        let found = faults(&with(key, value));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with(&format!("ca.json: {place}")),
            "{found:?}"
        );
    }
}

#[test]
fn what_has_no_effect_is_reported_and_does_not_stop_the_server() {
    let mut value = with("crl", json!({"enabled": true}));
    value["metricsAddress"] = json!(":9090");
    value["insecureAddress"] = json!(":8080");
    value["novelty"] = json!(1);
    assert_eq!(
        warnings(&value),
        [
            "ca.json: crl.enabled: certificate revocation lists are not served yet",
            "ca.json: metricsAddress: metrics are not served yet",
            "ca.json: insecureAddress: plain HTTP is not served yet; remove it or ignore this warning",
            "ca.json: novelty: is not a known key and has no effect",
        ]
    );
}

#[test]
fn acme_without_a_store_is_reported() {
    let mut value = with(
        "authority",
        json!({"provisioners": [{"type": "ACME", "name": "a"}]}),
    );
    value["db"] = Value::Null;
    assert_eq!(
        warnings(&value),
        ["ca.json: db: is missing: ACME provisioners are disabled without a store"]
    );
}

#[test]
fn a_provisioner_that_is_not_consistent_is_listed_and_disabled() {
    for (own, reason) in [
        (
            json!({"claims": {"maxTLSCertDuration": "1m"}}),
            "must not be greater",
        ),
        (
            json!({"challenges": ["dns-persist-01"]}),
            "enabled in riser.toml",
        ),
        (
            json!({"challenges": ["http-02"]}),
            "is not a challenge type",
        ),
        (
            json!({"challenges": ["wire-oidc-01"]}),
            "none of the challenge types",
        ),
        (
            json!({"attestationFormats": ["packed"]}),
            "is not one of apple, step, tpm, android-key",
        ),
        (
            json!({"attestationRoots": "not base64"}),
            "is not a list of certificates in PEM",
        ),
        (
            json!({"options": {"x509": {"template": "{}"}}}),
            "templates",
        ),
        (
            json!({"options": {"webhooks": [{"name": "x"}]}}),
            "webhooks",
        ),
    ] {
        let mut provisioner = json!({"type": "acme", "name": "a"});
        for (key, value) in own.as_object().unwrap() {
            provisioner[key] = value.clone();
        }
        let value = with("authority", json!({"provisioners": [provisioner]}));
        let (config, warnings) = parse(&value).ok().unwrap();
        assert!(!warnings.is_empty());
        let provisioner = &config.authority.provisioners[0];
        assert_eq!(provisioner.kind_name(), "ACME");
        assert!(provisioner.disabled().unwrap().contains(reason), "{reason}");
        let refused = config.authority.working_acme("a").err().unwrap();
        assert!(refused.to_string().contains("is disabled due to"));
    }
}

#[test]
fn what_an_acme_provisioner_can_do_warns_of_nothing() {
    let acme = json!({
        "type": "ACME", "name": "a", "forceCN": true, "requireEAB": true,
        "termsOfService": "https://ca.lab/terms", "website": "https://ca.lab",
        "caaIdentities": ["ca.lab"], "challenges": ["http-01", "dns-01", "tls-alpn-01"],
    });
    let value = with("authority", json!({"provisioners": [acme]}));
    assert_eq!(warnings(&value), [] as [&str; 0]);
}

#[test]
fn claims_of_a_provisioner_stand_before_those_of_the_authority() {
    let value = with(
        "authority",
        json!({
            "claims": {"maxTLSCertDuration": "48h", "disableRenewal": true},
            "provisioners": [
                {"type": "ACME", "name": "a", "claims": {"defaultTLSCertDuration": "96h"}},
                {"type": "ACME", "name": "b", "claims": null}
            ]
        }),
    );
    let (config, _) = parse(&value).ok().unwrap();
    let claims = |name| config.authority.provisioner(name).unwrap().claims();
    assert_eq!(claims("a").maximum, SignedDuration::from_hours(96));
    assert_eq!(claims("b").maximum, SignedDuration::from_hours(48));
    assert!(claims("a").disable_renewal);
}

#[test]
fn a_type_that_cannot_issue_is_listed_without_its_secrets() {
    let value = with(
        "authority",
        json!({"provisioners": [
            {"type": "SCEP", "name": "s", "challenge": "secret"},
            {"type": "OIDC", "name": "o", "clientSecret": "public", "listenAddress": "x"}
        ]}),
    );
    let (config, _) = parse(&value).ok().unwrap();
    let provisioners = &config.authority.provisioners;
    assert!(matches!(provisioners[0], Provisioner::Other(_)));
    assert_eq!(provisioners[0].raw()["challenge"], "*** REDACTED ***");
    assert_eq!(provisioners[1].raw()["clientSecret"], "public");
    assert_eq!(provisioners[1].kind_name(), "OIDC");
    assert_eq!(provisioners[1].id(), "oidc/o");
}

#[test]
fn text_that_is_no_configuration_is_reported_with_its_line() {
    let found = Config::parse("{\n\t\"root\": \n}", None).err().unwrap();
    assert_eq!(
        found[0].to_string(),
        "ca.json: line 3 column 1: is not JSON: expected value"
    );
    let found = Config::parse("[]", None).err().unwrap();
    assert_eq!(
        found[0].to_string(),
        "ca.json: must be an object, not a list"
    );
}

#[test]
fn faults_of_both_files_are_reported_together() {
    let mut value = least();
    value["key"] = json!("");
    let found = Config::parse(&value.to_string(), Some("[provisioner.x]\n")).err();
    let lines: Vec<String> = found.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].starts_with("riser.toml: provisioner.x: names no provisioner"));
}

#[test]
fn a_change_is_reported_with_what_a_running_server_can_take_over() {
    let (old, _) = parse(&least()).ok().unwrap();
    let mut value = with("address", json!(":9001"));
    value["authority"] = json!({"provisioners": [{"type": "ACME", "name": "acme"}]});
    let (new, _) = parse(&value).ok().unwrap();
    let change = |what: &str, live| Change {
        what: what.to_owned(),
        live,
    };
    assert_eq!(
        old.changes(&new),
        [
            change("provisioner acme (ACME) added", true),
            change("address changed", false)
        ]
    );
    assert_eq!(new.changes(&old)[0].what, "provisioner acme (ACME) removed");
    assert_eq!(old.changes(&old), []);
}

#[test]
fn an_address_needs_a_port() {
    for (address, split) in [
        ("127.0.0.1:9000", Some(("127.0.0.1", 9000))),
        ("[::1]:9000", Some(("::1", 9000))),
        (":443", Some(("", 443))),
        ("::1:9000", None),
        ("localhost", None),
        ("localhost:https", None),
    ] {
        assert_eq!(split_address(address), split, "{address}");
    }
}

#[test]
fn a_value_that_is_used_later_is_checked_when_it_is_read() {
    for name in ["", "https://ca.lab", "ca.lab:443", "ca lab"] {
        let found = faults(&with("dnsNames", json!(["ca.lab", name])));
        let place = format!("ca.json: dnsNames[1]: {name:?} is not a name of a server");
        assert!(
            found.len() == 1 && found[0].starts_with(&place),
            "{found:?}"
        );
    }
    for name in ["ca.lab", "10.0.0.1", "::1", "[::1]", "step_ca", "*.lab"] {
        assert_eq!(faults(&with("dnsNames", json!([name]))), [] as [String; 0]);
    }
    let short = Config::parse(
        &least().to_string(),
        Some("[server]\ncertificate_life = \"1ns\""),
    );
    let short = short.err().unwrap();
    assert_eq!(short[0].place, "server.certificate_life");
    let help = "[rate_limits]\nhelp = \"https://ca.lab/a b\"";
    let help = Config::parse(&least().to_string(), Some(help))
        .err()
        .unwrap();
    assert_eq!(help[0].place, "rate_limits.help");
}

#[test]
fn a_value_without_effect_is_a_warning_with_its_place() {
    let mut value = with("logger", json!({"traceHeader": "x request"}));
    value["authority"] = json!({"provisioners": [{
        "type": "ACME", "name": "acme", "termsOfService": "ask us", "website": "https://ca.lab/a",
        "caaIdentities": ["ca.lab", "https://ca.lab"],
    }]});
    let found = warnings(&value);
    let places: Vec<_> = found
        .iter()
        .filter_map(|line| line.split(": ").nth(1))
        .collect();
    let provisioner = "authority.provisioners[0]";
    assert_eq!(
        places,
        [
            "logger.traceHeader",
            &format!("{provisioner}.termsOfService"),
            &format!("{provisioner}.caaIdentities[1]"),
        ]
    );
}
