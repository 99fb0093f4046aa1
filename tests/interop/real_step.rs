//! smallstep's `step` with our server: every endpoint that the main path uses.

use std::path::Path;
use std::process::Command;

use acceptance::authority::{Authority, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::{process, table};
use serde_json::Value;

const CLIENT: &str = "smallstep step, our server";

/// The real `step` with a step path of its own, bootstrapped with our root.
pub(super) fn bootstrapped(
    harness: &Harness,
    step: &Path,
    server: &Server,
) -> impl Fn(&[&str]) -> Command + use<> {
    let (step, home) = (step.to_owned(), harness.path("real"));
    let server_root = server.authority.root();
    let fingerprint = process::run(
        process::command(&step)
            .args(["certificate", "fingerprint"])
            .arg(&server_root),
    );
    let command = move |arguments: &[&str]| {
        let mut command = process::command(&step);
        command
            .env("STEPPATH", home.join("path"))
            .env("HOME", &home)
            .args(arguments);
        command.current_dir(&home);
        command
    };
    std::fs::create_dir_all(harness.path("real")).unwrap();
    process::run(&mut command(&[
        "ca",
        "bootstrap",
        "--ca-url",
        &server.authority.url(),
        "--fingerprint",
        fingerprint.success().stdout.trim(),
    ]))
    .success();
    command
}

#[test]
fn smallsteps_step_bootstraps_and_reads_the_public_endpoints() {
    own_harness(|harness| {
        let Some((step, row)) = table::peer("step", CLIENT, "bootstrap, health, roots, list")
        else {
            return;
        };
        let server = Authority::started(harness);
        let step = bootstrapped(harness, &step, &server);
        let health = process::run(&mut step(&["ca", "health"])).success();
        assert_eq!(health.stdout, "ok\n");
        let root = std::fs::read_to_string(server.authority.root()).unwrap();
        for verb in ["root", "roots", "federation"] {
            let shown = process::run(&mut step(&["ca", verb])).success();
            assert_eq!(shown.stdout.trim(), root.trim(), "step ca {verb}");
        }
        let list = process::run(&mut step(&["ca", "provisioner", "list"])).success();
        let list: Value = serde_json::from_str(&list.stdout).unwrap();
        let names: Vec<&str> = list
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|p| p["name"].as_str())
            .collect();
        assert_eq!(names, ["admin", "acme"]);
        row.passed();
    });
}

#[test]
fn smallsteps_step_gets_a_certificate_and_renews_it() {
    own_harness(|harness| {
        let Some((step, row)) = table::peer("step", CLIENT, "http-01 dns, renew") else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let step = bootstrapped(harness, &step, &server);
        let got = process::run(&mut step(&[
            "ca",
            "certificate",
            "--provisioner",
            "acme",
            "example.com",
            "example.crt",
            "example.key",
        ]))
        .success();
        assert!(
            got.text().contains("✔ Certificate: example.crt"),
            "{}",
            got.text()
        );
        let chain = harness.path("real/example.crt");
        crate::third_party::openssl_accepts(&chain, &server.authority.root());
        let before = std::fs::read_to_string(&chain).unwrap();
        process::run(&mut step(&[
            "ca",
            "renew",
            "--force",
            "example.crt",
            "example.key",
        ]))
        .success();
        assert_ne!(std::fs::read_to_string(&chain).unwrap(), before, "renewed");
        crate::third_party::openssl_accepts(&chain, &server.authority.root());
        let remove = ["ca", "provisioner", "remove", "acme"];
        server.authority.run(&remove).success();
        process::eventually("the removed provisioner to go", || {
            let directory = server.get("/acme/acme/directory");
            (directory.status == 404).then_some(())
        });
        for verb in ["renew", "rekey"] {
            let again = ["ca", verb, "--force", "example.crt", "example.key"];
            let refused = process::run(&mut step(&again));
            assert_eq!(refused.code, Some(1), "{verb}: {}", refused.text());
            let reason =
                "lacked necessary authorization to be completed: provisioner acme not found";
            assert!(refused.text().contains(reason), "{}", refused.text());
        }
        row.passed();
    });
}

#[test]
fn smallsteps_step_gets_a_certificate_for_an_address_and_an_rsa_key() {
    own_harness(|harness| {
        let Some((step, row)) = table::peer("step", CLIENT, "http-01 ip, RSA") else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let step = bootstrapped(harness, &step, &server);
        process::run(&mut step(&[
            "ca",
            "certificate",
            "--provisioner",
            "acme",
            "--kty",
            "RSA",
            "--size",
            "2048",
            "--san",
            "example.com",
            "--san",
            "127.0.0.1",
            "example.com",
            "both.crt",
            "both.key",
        ]))
        .success();
        crate::third_party::openssl_accepts(
            &harness.path("real/both.crt"),
            &server.authority.root(),
        );
        row.passed();
    });
}

#[test]
fn smallsteps_step_changes_the_provisioners_of_our_running_server() {
    own_harness(|harness| {
        let Some((step, row)) = table::peer("step", CLIENT, "provisioner add, update, remove")
        else {
            return;
        };
        let server = Authority::started(harness);
        let real = |arguments: &[&str]| {
            process::run(
                server
                    .authority
                    .step_of(&step)
                    .args(["ca", "provisioner"])
                    .args(arguments),
            )
            .success()
        };
        let served = |name: &str| server.get(&format!("/acme/{name}/directory")).status == 200;
        real(&["add", "second", "--type", "ACME"]);
        process::eventually("the added provisioner", || served("second").then_some(()));
        real(&["update", "second", "--x509-default-dur", "2h"]);
        process::eventually("the changed provisioner", || {
            server
                .get("/provisioners")
                .text()
                .contains("2h0m0s")
                .then_some(())
        });
        real(&["remove", "second"]);
        process::eventually("the removed provisioner to go", || {
            (!served("second")).then_some(())
        });
        assert!(served("acme"), "the others stay");
        row.passed();
    });
}
