//! Our `step` with Pebble, given only the URL of its directory.

use std::path::PathBuf;
use std::process::Command;

use acceptance::https::Client;
use acceptance::namespace::{Harness, own_harness};
use acceptance::process::{self, Daemon};
use acceptance::{paths, table};
use serde_json::json;

/// Pebble's TLS certificate and its root, and its configuration.
fn configuration(harness: &Harness) -> PathBuf {
    let root_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = params.self_signed(&root_key).unwrap();
    let issuer = rcgen::Issuer::new(params, root_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let leaf = rcgen::CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    harness.write("pebble-root.pem", &root.pem());
    let certificate = harness.write("pebble.pem", &leaf.pem());
    let private = harness.write("pebble.key", &key.serialize_pem());
    let text = json!({"pebble": {
        "listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
        "certificate": certificate, "privateKey": private, "httpPort": 80, "tlsPort": 443,
    }});
    harness.write("pebble.json", &text.to_string())
}

#[test]
fn our_step_gets_a_certificate_from_pebble() {
    own_harness(|harness| {
        let Some((pebble, row)) = table::peer("pebble", "our step, Pebble", "http-01 dns, ip")
        else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let mut command = Command::new(pebble);
        command
            .args(["-dnsserver", "127.0.0.1:53", "-config"])
            .arg(configuration(harness))
            .envs([("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", "20")]);
        let _pebble = Daemon::spawn(&mut command, &harness.path("pebble.log"));
        let client = Client::new(&harness.path("pebble-root.pem"));
        process::eventually("Pebble's directory", || {
            client.get("https://localhost:14000/dir").ok()
        });
        for (name, file) in [("example.com", "name.crt"), ("127.0.0.1", "address.crt")] {
            let mut step = process::command(paths::ours("step"));
            step.env("STEPPATH", harness.path("empty"))
                .env("HOME", harness.dir())
                .current_dir(harness.dir())
                .args([
                    "ca",
                    "certificate",
                    "--acme",
                    "https://localhost:14000/dir",
                    "--root",
                ])
                .arg(harness.path("pebble-root.pem"))
                .args([name, file, "pebble-got.key", "--force"]);
            process::run(&mut step).success();
        }
        let roots = client.get("https://localhost:15000/roots/0").unwrap();
        let root = harness.write("issuing-root.pem", &roots.text());
        for file in ["name.crt", "address.crt"] {
            crate::third_party::openssl_accepts(&harness.path(file), &root);
        }
        row.passed();
    });
}
