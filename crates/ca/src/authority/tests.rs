//! A new authority, compared with what smallstep's `step ca init` makes.

use std::path::PathBuf;

use jiff::SignedDuration;
use pki::jose::{jwe, parse_private_jwk};
use pki::{KeyUsages, extension, oid};
use serde_json::Value;
use zeroize::Zeroizing;

use super::*;
use crate::config::Config;
use crate::fixture::{self, leaf_key, now, serial, sign_with};
use crate::refusal::Refusal;

const REAL_CA_JSON: &str = include_str!("../../testdata/written-by-step/ca.json");
const REAL_DEFAULTS: &str = include_str!("../../testdata/written-by-step/defaults.json");

fn plan() -> Plan {
    Plan {
        step_path: PathBuf::from("/home/step/.step"),
        dns_names: vec!["localhost".into(), "127.0.0.1".into()],
        address: "127.0.0.1:9443".into(),
        ca_url: None,
        database: true,
    }
}

fn real_provisioners() -> Vec<Value> {
    let value: Value = serde_json::from_str(REAL_CA_JSON).unwrap();
    value["authority"]["provisioners"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn root_and_intermediate_are_to_the_octet_what_the_real_pair_makes() {
    let real = fixture::root();
    let key = real.public_key().unwrap();
    let ours = root("Test CA", key, real.serial().clone(), real.not_before()).unwrap();
    let algorithm = real.signature_algorithm().unwrap();
    assert_eq!(ours.tbs().to_der(algorithm).unwrap(), real.tbs_der());

    let parent = real;
    let real = fixture::intermediate();
    let key = real.public_key().unwrap();
    let serial = real.serial().clone();
    let ours = intermediate("Test CA", key, serial, real.not_before(), &parent).unwrap();
    assert_eq!(ours.tbs().not_after, parent.not_after());
    let mut tbs = ours.tbs().clone();
    // The real intermediate outlives its root by the second that lies between the two.
    tbs.not_after = real.not_after();
    assert_eq!(tbs.to_der(algorithm).unwrap(), real.tbs_der());
}

#[test]
fn an_intermediate_ends_with_a_root_that_was_brought_along() {
    let root = fixture::root();
    let late = root.not_after() - SignedDuration::from_hours(1);
    let unsigned = intermediate("Test CA", leaf_key().public(), serial(), late, &root).unwrap();
    assert_eq!(unsigned.tbs().not_after, root.not_after());
    let too_late = root.not_after();
    let refused = intermediate("Test CA", leaf_key().public(), serial(), too_late, &root).err();
    assert_eq!(refused, Some(Refusal::IssuerExpired { at: too_late }));
}

#[test]
fn a_root_signs_certificates_and_lists_and_nothing_else() {
    let unsigned = root("Test CA", leaf_key().public(), serial(), now()).unwrap();
    let rights = KeyUsages::KEY_CERT_SIGN | KeyUsages::CRL_SIGN;
    assert_eq!(unsigned.tbs().extensions[0], extension::key_usage(rights));
    let root = sign_with(&unsigned, &leaf_key());
    assert_eq!(root.basic_constraints(), Some((true, Some(1))));
    assert!(root.extension(&oid::EXTENDED_KEY_USAGE).is_none());
    assert!(root.is_issued_by(&root).is_ok());
}

#[test]
fn ca_json_differs_from_the_real_one_in_its_store_only() {
    let ours = ca_json(&plan(), &real_provisioners());
    let real_store = "\t\t\"type\": \"badgerv2\",\n\t\t\"dataSource\": \"/home/step/.step/db\",\n\t\t\"badgerFileLoadingMode\": \"\"\n";
    let our_store = "\t\t\"type\": \"sqlite\",\n\t\t\"dataSource\": \"/home/step/.step/db\"\n";
    assert_eq!(ours, REAL_CA_JSON.replace(real_store, our_store));
    let (config, warnings) = Config::parse(&ours, None).ok().unwrap();
    assert_eq!(warnings, []);
    assert!(!config.db.unwrap().is_mapped());
}

#[test]
fn without_a_store_ca_json_has_no_db() {
    let plan = Plan {
        database: false,
        ..plan()
    };
    let value: Value = serde_json::from_str(&ca_json(&plan, &[])).unwrap();
    assert!(value.get("db").is_none());
}

#[test]
fn defaults_json_is_to_the_octet_the_real_one() {
    let fingerprint = fixture::root().fingerprint();
    assert_eq!(defaults_json(&plan(), &fingerprint), REAL_DEFAULTS);
}

#[test]
fn the_url_has_the_first_name_and_the_port_unless_it_goes_without_saying() {
    for (name, address, url) in [
        ("localhost", "127.0.0.1:9443", "https://localhost:9443"),
        ("ca.test", ":443", "https://ca.test"),
        ("::1", "[::1]:9000", "https://[::1]:9000"),
    ] {
        let plan = Plan {
            dns_names: vec![name.into()],
            address: address.into(),
            ..plan()
        };
        let text = defaults_json(&plan, "00");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["ca-url"], url);
    }
    let plan = Plan {
        ca_url: Some("https://ca.example.com".into()),
        ..plan()
    };
    assert!(defaults_json(&plan, "00").contains("\"https://ca.example.com\""));
}

#[test]
fn every_file_has_its_mode_and_its_folder_comes_first() {
    let authority = NewAuthority {
        root: &fixture::root(),
        root_key: Some(Zeroizing::new("root key".to_owned())),
        intermediate: &fixture::intermediate(),
        intermediate_key: Zeroizing::new("intermediate key".to_owned()),
        provisioners: real_provisioners(),
    };
    let paths: Vec<String> = entries(&plan(), authority)
        .iter()
        .map(|entry| format!("{:o} {}", entry.mode, entry.path.display()))
        .collect();
    assert_eq!(
        paths,
        [
            "700 /home/step/.step",
            "700 /home/step/.step/config",
            "700 /home/step/.step/certs",
            "700 /home/step/.step/secrets",
            "700 /home/step/.step/templates",
            "700 /home/step/.step/db",
            "600 /home/step/.step/certs/root_ca.crt",
            "600 /home/step/.step/secrets/root_ca_key",
            "600 /home/step/.step/certs/intermediate_ca.crt",
            "600 /home/step/.step/secrets/intermediate_ca_key",
            "644 /home/step/.step/config/ca.json",
            "644 /home/step/.step/config/defaults.json",
        ]
    );
}

#[test]
fn the_first_provisioner_has_the_members_of_the_real_one_and_opens_with_the_password() {
    let random = jwe::Pbes2Random {
        salt: [1; 16],
        cek: [2; 32],
        iv: [3; 12],
    };
    let ours = jwk_provisioner("admin", &leaf_key(), b"password", &random, 1000).unwrap();
    let real = &real_provisioners()[0];
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(&ours), keys(real));
    assert_eq!(keys(&ours["key"]), keys(&real["key"]));
    let encrypted = ours["encryptedKey"].as_str().unwrap();
    let plain = jwe::decrypt(encrypted, b"password").unwrap();
    let key = parse_private_jwk(std::str::from_utf8(&plain).unwrap()).ok();
    assert_eq!(key.unwrap().public(), leaf_key().public());
}

#[test]
fn the_real_provisioner_opens_with_its_password() {
    let encrypted = real_provisioners()[0]["encryptedKey"].clone();
    let plain = jwe::decrypt(encrypted.as_str().unwrap(), b"password").unwrap();
    assert!(parse_private_jwk(std::str::from_utf8(&plain).unwrap()).is_ok());
}

#[test]
fn the_acme_provisioner_avoids_a_name_that_is_taken() {
    let text = |jwk| acme_provisioner(jwk).to_string();
    assert_eq!(text("admin"), r#"{"type":"ACME","name":"acme"}"#);
    assert_eq!(text("acme"), r#"{"type":"ACME","name":"acme-1"}"#);
}

#[test]
fn the_step_path_is_the_folder_above_config() {
    let socket = |file: &str| Layout::around(std::path::Path::new(file)).socket;
    assert_eq!(
        socket("/etc/ca/config/ca.json"),
        PathBuf::from("/etc/ca/run/step-ca.sock")
    );
    assert_eq!(
        socket("/etc/ca/other.json"),
        PathBuf::from("/etc/ca/run/step-ca.sock")
    );
}
