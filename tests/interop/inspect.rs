//! `step certificate inspect`, ours and smallstep's, on six certificates:
//! the same fields with the same values, in text, short and JSON.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use acceptance::authority::Authority;
use acceptance::namespace::{Harness, own_harness};
use acceptance::process::Outcome;
use acceptance::web::Web;
use acceptance::{paths, process, table};
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256};
use serde_json::Value;

fn inspect(program: &Path, harness: &Harness, file: &Path, arguments: &[&str]) -> Outcome {
    let mut command = process::command(program);
    command
        .env("STEPPATH", harness.path("empty"))
        .env("HOME", harness.dir())
        .args(["certificate", "inspect"])
        .args(arguments)
        .arg(file);
    process::run(&mut command).success()
}

/// RSA, P-256, Ed25519 (self-signed), a CA, one for an address, one with the provisioner's extension.
fn six(harness: &Harness) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for (name, algorithm) in [
        ("rsa", &PKCS_RSA_SHA256),
        ("p256", &PKCS_ECDSA_P256_SHA256),
        ("ed25519", &PKCS_ED25519),
    ] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let names = vec![
            "example.com".to_owned(),
            "www.example.com".to_owned(),
            "10.1.2.3".to_owned(),
        ];
        let mut params = CertificateParams::new(names).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2036, 1, 1);
        params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            rcgen::ExtendedKeyUsagePurpose::ServerAuth,
            rcgen::ExtendedKeyUsagePurpose::ClientAuth,
        ];
        params
            .distinguished_name
            .push(rcgen::DnType::OrganizationName, "An Organisation, Ltd.");
        params
            .distinguished_name
            .push(rcgen::DnType::CountryName, "CH");
        files.push(harness.write(name, &params.self_signed(&key).unwrap().pem()));
    }
    harness.dns.addresses("example.com", &["127.0.0.1"]);
    let server = Authority::started(harness);
    let web = Web::start("127.0.0.1:80");
    let account = server.account();
    for name in ["127.0.0.1", "example.com"] {
        files.push(harness.write(name, &account.obtain(&[name], &web)));
    }
    files.push(server.authority.root());
    files
}

fn compare(task: &str, arguments: &[&str]) {
    own_harness(|harness| {
        let Some((real, row)) = table::peer("step", "inspect, compared with smallstep", task)
        else {
            return;
        };
        let ours = paths::ours("step");
        for file in six(harness) {
            let theirs = inspect(&real, harness, &file, arguments);
            let mine = inspect(&ours, harness, &file, arguments);
            let shown = file.file_name().unwrap().to_string_lossy().into_owned();
            assert_eq!(mine.stdout, theirs.stdout, "{shown}: {arguments:?}");
        }
        row.passed();
    });
}

#[test]
fn the_text_of_six_certificates_is_that_of_smallsteps_step() {
    compare("text", &[]);
}

#[test]
fn the_short_form_of_six_certificates_is_that_of_smallsteps_step() {
    compare("short", &["--short"]);
}

#[test]
fn the_json_of_six_certificates_has_the_fields_and_values_of_smallsteps_step() {
    own_harness(|harness| {
        let Some((real, row)) = table::peer("step", "inspect, compared with smallstep", "json")
        else {
            return;
        };
        let ours = paths::ours("step");
        let json = |outcome: Outcome| -> Value { serde_json::from_str(&outcome.stdout).unwrap() };
        for file in six(harness) {
            let mut theirs = json(inspect(&real, harness, &file, &["--format", "json"]));
            let mut mine = json(inspect(&ours, harness, &file, &["--format", "json"]));
            // smallstep's lists `names` in another order at each run.
            for shown in [&mut theirs, &mut mine] {
                if let Some(names) = shown["names"].as_array_mut() {
                    names.sort_by_key(Value::to_string);
                }
            }
            let mut differences = Vec::new();
            differ("", &mine, &theirs, &mut differences);
            assert_eq!(differences, Vec::<String>::new(), "{}", file.display());
        }
        row.passed();
    });
}

/// Where two JSON values differ, with both values.
fn differ(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let null = Value::Null;
                let (a, b) = (a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null));
                differ(&format!("{path}/{key}"), a, b, found);
            }
        }
        _ if ours != theirs => found.push(format!("{path}: {ours} / {theirs}")),
        _ => (),
    }
}

#[test]
fn the_fingerprint_is_that_of_smallsteps_step() {
    own_harness(|harness| {
        let Some((real, row)) =
            table::peer("step", "inspect, compared with smallstep", "fingerprint")
        else {
            return;
        };
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let file = harness.write("one.pem", &certificate.pem());
        let of = |program: &Path| {
            let mut command = process::command(program);
            process::run(command.args(["certificate", "fingerprint"]).arg(&file))
                .success()
                .stdout
        };
        assert_eq!(of(&paths::ours("step")), of(&real));
        row.passed();
    });
}
