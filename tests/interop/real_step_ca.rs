//! Our `step` with smallstep's `step-ca`: the main path in the other direction.

use acceptance::authority::{Authority, Pair, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::table::Row;
use acceptance::{paths, process, table};
use serde_json::Value;

const CLIENT: &str = "our step, smallstep step-ca";

/// A CA created and served by smallstep's programs, with an ACME provisioner.
fn real(harness: &Harness, task: &str) -> Option<(Server, Row)> {
    let (step_ca, row) = table::peer("step-ca", CLIENT, task)?;
    let (step, _) = table::peer("step", "smallstep step", "beside smallstep step-ca")
        .map(|(step, row)| (step, row.passed()))?;
    harness.dns.addresses("example.com", &["127.0.0.1"]);
    let mut server = Authority::init(harness, Pair::real(&step, &step_ca), "real").start();
    server.add_acme();
    Some((server, row))
}

#[test]
fn our_step_bootstraps_and_reads_the_public_endpoints() {
    own_harness(|harness| {
        let Some((server, row)) = real(harness, "bootstrap, health, roots, list") else {
            return;
        };
        let home = harness.path("fresh");
        std::fs::create_dir_all(&home).unwrap();
        let ours = |arguments: &[&str]| {
            let mut command = process::command(paths::ours("step"));
            command
                .env("STEPPATH", &home)
                .env("HOME", &home)
                .args(arguments);
            process::run(&mut command)
        };
        let root = server.authority.root();
        let fingerprint = ours(&["certificate", "fingerprint", root.to_str().unwrap()]).success();
        let url = server.authority.url();
        ours(&[
            "ca",
            "bootstrap",
            "--ca-url",
            &url,
            "--fingerprint",
            fingerprint.stdout.trim(),
        ])
        .success();
        assert_eq!(ours(&["ca", "health"]).success().stdout, "ok\n");
        let pem = std::fs::read_to_string(&root).unwrap();
        for verb in ["root", "roots"] {
            assert_eq!(
                ours(&["ca", verb]).success().stdout.trim(),
                pem.trim(),
                "{verb}"
            );
        }
        let list: Value =
            serde_json::from_str(&ours(&["ca", "provisioner", "list"]).success().stdout).unwrap();
        assert_eq!(list[1]["name"], "acme", "{list}");
        row.passed();
    });
}

#[test]
fn our_step_gets_a_certificate_and_renews_it() {
    own_harness(|harness| {
        let Some((server, row)) = real(harness, "http-01 dns, renew") else {
            return;
        };
        let ours = |arguments: &[&str]| {
            let mut command = server.authority.step_of(&paths::ours("step"));
            process::run(command.args(arguments)).success()
        };
        let got = ours(&[
            "ca",
            "certificate",
            "--provisioner",
            "acme",
            "example.com",
            "example.crt",
            "example.key",
        ]);
        assert!(
            got.text().contains("✔ Certificate: example.crt"),
            "{}",
            got.text()
        );
        let chain = harness.path("example.crt");
        crate::third_party::openssl_accepts(&chain, &server.authority.root());
        let before = std::fs::read_to_string(&chain).unwrap();
        ours(&["ca", "renew", "--force", "example.crt", "example.key"]);
        assert_ne!(std::fs::read_to_string(&chain).unwrap(), before, "renewed");
        row.passed();
    });
}

#[test]
fn our_step_gets_a_certificate_for_an_address_and_an_rsa_key() {
    own_harness(|harness| {
        let Some((server, row)) = real(harness, "http-01 ip, RSA") else {
            return;
        };
        let mut command = server.authority.step_of(&paths::ours("step"));
        command.args(["ca", "certificate", "--provisioner", "acme", "--kty", "RSA"]);
        command.args([
            "--san",
            "example.com",
            "--san",
            "127.0.0.1",
            "example.com",
            "both.crt",
            "both.key",
        ]);
        process::run(&mut command).success();
        crate::third_party::openssl_accepts(&harness.path("both.crt"), &server.authority.root());
        row.passed();
    });
}
