//! CA directories created by our programs opened by smallstep's, and the reverse.

use std::path::Path;

use acceptance::authority::{Authority, Pair};
use acceptance::namespace::{Harness, own_harness};
use acceptance::{paths, process, table};
use serde_json::Value;

/// A certificate for localhost by ACME, with the pair that the authority is run by.
fn issues(harness: &Harness, authority: Authority) -> Authority {
    let mut server = authority.start();
    server.add_acme();
    server
        .authority
        .run(&[
            "ca",
            "certificate",
            "--provisioner",
            "acme",
            "localhost",
            "l.crt",
            "l.key",
            "--force",
        ])
        .success();
    crate::third_party::openssl_accepts(&harness.path("l.crt"), &server.authority.root());
    server.stop()
}

fn smallstep_pair(task: &str) -> Option<(Pair, table::Row)> {
    let (step_ca, row) = table::peer("step-ca", "folders", task)?;
    Some((Pair::real(&paths::peer("step")?, &step_ca), row))
}

#[test]
fn a_folder_of_smallsteps_programs_opens_in_ours() {
    own_harness(|harness| {
        let Some((real, row)) = smallstep_pair("smallstep's in ours") else {
            return;
        };
        let mut authority = Authority::init(harness, real.clone(), "theirs");
        authority = issues(harness, authority);
        let foreign = listing(&authority.path.join("db"));
        authority.pair = Pair::ours();
        // Its store holds accounts and certificates that are not imported: the operator confirms once.
        authority.arguments.push("--fresh-store".to_owned());
        authority = issues_again(harness, authority);
        let left: Vec<_> = listing(&authority.path.join("db"))
            .into_iter()
            .filter(|(name, _)| !name.starts_with("riser."))
            .collect();
        assert_eq!(left, foreign, "nothing of theirs is touched");
        authority.pair = real;
        authority.arguments.clear();
        issues_again(harness, authority);
        row.passed();
    });
}

#[test]
fn a_new_folder_of_smallsteps_programs_opens_in_ours_without_a_flag() {
    own_harness(|harness| {
        let Some((real, row)) = smallstep_pair("smallstep's fresh one in ours") else {
            return;
        };
        let mut authority = Authority::init(harness, real, "theirs");
        authority.pair = Pair::ours();
        issues(harness, authority);
        row.passed();
    });
}

#[test]
fn a_folder_of_ours_opens_in_smallsteps_programs() {
    own_harness(|harness| {
        let Some((real, row)) = smallstep_pair("ours in smallstep's") else {
            return;
        };
        let mut authority = issues(harness, Authority::init(harness, Pair::ours(), "ours"));
        // The real server knows no SQLite: the one line that has to change.
        let file = authority.path.join("config/ca.json");
        let mut config: Value =
            serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        config["db"]["type"] = "badgerv2".into();
        config["db"]["dataSource"] = authority.path.join("badger").to_str().unwrap().into();
        std::fs::write(&file, config.to_string()).unwrap();
        authority.pair = real;
        issues_again(harness, authority);
        row.passed();
    });
}

#[test]
fn an_intermediate_in_der_and_a_key_of_an_old_openssl_open_in_ours() {
    own_harness(|harness| {
        let authority = Authority::init(harness, Pair::ours(), "old");
        let file = |name: &str| authority.path.join(name);
        let password = std::fs::read_to_string(authority.password()).unwrap();
        let password = format!("pass:{}", password.trim());
        let mut der = process::command("openssl");
        der.args(["x509", "-outform", "DER", "-in"]);
        der.arg(file("certs/intermediate_ca.crt"));
        der.arg("-out").arg(file("certs/intermediate_ca.der"));
        process::run(&mut der).success();
        let mut key = process::command("openssl");
        key.args(["pkcs8", "-topk8", "-v2", "des3", "-in"]);
        key.arg(file("secrets/intermediate_ca_key"));
        key.args(["-passin", &password, "-passout", &password, "-out"]);
        key.arg(file("secrets/old key"));
        process::run(&mut key).success();
        let config = file("config/ca.json");
        let text = std::fs::read_to_string(&config).unwrap();
        let mut value: Value = serde_json::from_str(&text).unwrap();
        value["crt"] = file("certs/intermediate_ca.der").to_str().unwrap().into();
        let secrets = file("secrets").display().to_string();
        value["key"] = format!("softkms:path={secrets}/old%20key").into();
        std::fs::write(&config, value.to_string()).unwrap();
        issues(harness, authority);
    });
}

#[test]
fn our_keys_open_with_their_password_in_smallsteps_step() {
    own_harness(|harness| {
        let Some((step, row)) = table::peer("step", "folders", "our keys in smallstep step") else {
            return;
        };
        let authority = Authority::init(harness, Pair::ours(), "ours");
        for key in ["root_ca_key", "intermediate_ca_key"] {
            let file = authority.path.join("secrets").join(key);
            let mut command = authority.step_of(&step);
            command.args([
                "crypto",
                "key",
                "format",
                "--pkcs8",
                "--pem",
                "--no-password",
                "--insecure",
            ]);
            command
                .arg("--password-file")
                .arg(authority.password())
                .arg(&file);
            let shown = process::run(&mut command).success();
            assert!(shown.stdout.contains("PRIVATE KEY"), "{}", shown.stdout);
        }
        row.passed();
    });
}

/// As [`issues`], with the provisioner already there.
fn issues_again(harness: &Harness, authority: Authority) -> Authority {
    let server = authority.start();
    server.await_acme();
    server
        .authority
        .run(&[
            "ca",
            "certificate",
            "--provisioner",
            "acme",
            "localhost",
            "l.crt",
            "l.key",
            "--force",
        ])
        .success();
    crate::third_party::openssl_accepts(&harness.path("l.crt"), &server.authority.root());
    server.stop()
}

fn listing(dir: &Path) -> Vec<(String, u64)> {
    let mut found: Vec<(String, u64)> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (
                entry.file_name().to_string_lossy().into_owned(),
                entry.metadata().unwrap().len(),
            )
        })
        .collect();
    found.sort();
    found
}
