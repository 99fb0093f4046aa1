//! Our certificates, read and verified by third-party software: openssl,
//! Go's crypto/x509, and webpki.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use acceptance::acme::csr_with;
use acceptance::authority::{Authority, Pair, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::web::Web;
use acceptance::{paths, process, table};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use serde_json::{Value, json};

/// openssl verifies the chain in this file up to this root, for a server.
#[track_caller]
pub fn openssl_accepts(chain: &Path, root: &Path) {
    let Some(openssl) = paths::peer("openssl") else {
        return;
    };
    let mut command = Command::new(openssl);
    command
        .args(["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile"])
        .arg(root)
        .arg("-untrusted")
        .arg(chain)
        .arg(chain);
    process::run(&mut command).success();
}

/// A chain file of ours for each key type, and what the leaf is for.
fn chains(harness: &Harness) -> (Server, Vec<(PathBuf, Vec<&'static str>)>) {
    harness.dns.addresses("example.com", &["127.0.0.1"]);
    harness.dns.addresses("www.example.com", &["127.0.0.1"]);
    let web = Web::start("127.0.0.1:80");
    let server = Authority::started(harness);
    let account = server.account();
    let mut files = Vec::new();
    for (name, algorithm, names) in [
        (
            "p256.pem",
            &PKCS_ECDSA_P256_SHA256,
            vec!["example.com", "www.example.com"],
        ),
        (
            "p384.pem",
            &PKCS_ECDSA_P384_SHA384,
            vec!["example.com", "127.0.0.1"],
        ),
        ("rsa.pem", &PKCS_RSA_SHA256, vec!["127.0.0.1"]),
    ] {
        let order = account.ready(&names, &web);
        let key = KeyPair::generate_for(algorithm).unwrap();
        let done = account
            .try_finalize(&order, &csr_with(&names, &key))
            .unwrap();
        let order = account.await_status(&order.url, "valid");
        assert_eq!(done.status, 200, "{}", done.text());
        let chain = account.post(order["certificate"].as_str().unwrap(), None);
        assert_eq!(
            chain.header("content-type"),
            "application/pem-certificate-chain"
        );
        files.push((harness.write(name, &chain.text()), names));
    }
    (server, files)
}

#[test]
fn openssl_reads_and_verifies_our_certificates() {
    own_harness(|harness| {
        let Some((openssl, row)) = table::peer("openssl", "openssl", "reads, verifies") else {
            return;
        };
        let (server, files) = chains(harness);
        for (file, names) in files {
            openssl_accepts(&file, &server.authority.root());
            let mut command = Command::new(&openssl);
            let text = process::run(command.args(["x509", "-noout", "-text", "-in"]).arg(&file));
            let text = text.success().stdout;
            for name in names {
                assert!(text.contains(name), "{text}");
            }
            for words in [
                "Version: 3",
                "TLS Web Server Authentication",
                "X509v3 Subject Key Identifier",
            ] {
                assert!(text.contains(words), "{words}: {text}");
            }
        }
        for ca in ["root_ca.crt", "intermediate_ca.crt"] {
            let file = server.authority.path.join("certs").join(ca);
            let mut command = Command::new(&openssl);
            process::run(
                command
                    .args(["verify", "-x509_strict", "-CAfile"])
                    .arg(server.authority.root())
                    .arg(file),
            )
            .success();
        }
        row.passed();
    });
}

/// A profile for each of two provisioners.
const PROFILES: &str = r#"
[profile.brief]
extended_key_usages = ["serverAuth", "codeSigning"]
no_rev_avail = true
[[profile.brief.extensions]]
oid = "1.3.6.1.4.1.99999.1"
hex = "0c026f6b"
[profile.staple]
must_staple = true
[provisioner.acme]
profiles = ["brief"]
[provisioner.staple]
profiles = ["staple"]
"#;

#[test]
fn openssl_reads_the_extensions_of_a_profile() {
    own_harness(|harness| {
        let Some((openssl, row)) = table::peer("openssl", "openssl", "profiles") else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let web = Web::start("127.0.0.1:80");
        let authority = Authority::init(harness, Pair::ours(), "ca");
        let mut server = authority.start();
        server.add_acme();
        let add = ["ca", "provisioner", "add", "staple", "--type", "ACME"];
        server.authority.run(&add).success();
        std::fs::write(server.authority.path.join("config/riser.toml"), PROFILES).unwrap();
        for (provisioner, words) in [
            (
                "acme",
                &[
                    "Code Signing",
                    "No Revocation Available",
                    "1.3.6.1.4.1.99999.1",
                ][..],
            ),
            (
                "staple",
                &[
                    "TLS Feature",
                    "status_request",
                    "TLS Web Client Authentication",
                ],
            ),
        ] {
            let directory = format!("{}/acme/{provisioner}/directory", server.authority.url());
            process::eventually("the profile to be offered", || {
                let answer = server.client.get(&directory).unwrap().json();
                answer["meta"].get("profiles").map(|_| ())
            });
            let account = acceptance::acme::Account::register(&server.client, &directory);
            let chain = harness.write("profile.pem", &account.obtain(&["example.com"], &web));
            openssl_accepts(&chain, &server.authority.root());
            let mut command = Command::new(&openssl);
            let text = process::run(command.args(["x509", "-noout", "-text", "-in"]).arg(&chain));
            let text = text.success().stdout;
            for words in words {
                assert!(text.contains(words), "{words}: {text}");
            }
        }
        row.passed();
    });
}

#[test]
fn go_reads_and_verifies_our_certificates() {
    own_harness(|harness| {
        let Some((goverify, row)) = table::peer("goverify", "Go crypto/x509", "reads, verifies")
        else {
            return;
        };
        let (server, files) = chains(harness);
        for (file, names) in files {
            let mut command = process::command(&goverify);
            command.arg("-roots").arg(server.authority.root());
            command.args(["-host", names[0]]).arg(&file);
            let seen: Value =
                serde_json::from_str(&process::run(&mut command).success().stdout).unwrap();
            let listed = |member: &str| seen[member].as_array().cloned().unwrap_or_default();
            let shown = [listed("dns_names"), listed("ip_addresses")].concat();
            assert_eq!(json!(shown), json!(names), "{seen}");
            assert_eq!(seen["unhandled_critical"], 0, "{seen}");
            assert_eq!(seen["is_ca"], false, "{seen}");
            assert_eq!(seen["chain_length"], 3, "{seen}");
            // digitalSignature is 1, keyEncipherment (RSA only) 4; serverAuth is 1, clientAuth 2.
            let usage = if seen["public_key_algorithm"] == "RSA" {
                5
            } else {
                1
            };
            assert_eq!(seen["key_usage"], usage, "{seen}");
            assert_eq!(seen["ext_key_usage"], json!([1, 2]), "{seen}");
            assert_eq!(seen["subject_key_id"].as_str().unwrap().len(), 40, "{seen}");
        }
        row.passed();
    });
}

#[test]
fn webpki_verifies_our_certificates_for_their_names_and_for_no_other() {
    own_harness(|harness| {
        let row = table::Row::open("webpki", "reads, verifies");
        let (server, files) = chains(harness);
        let root = CertificateDer::from_pem_file(server.authority.root()).unwrap();
        let anchor = webpki::anchor_from_trusted_cert(&root).unwrap().to_owned();
        for (file, names) in files {
            let chain: Vec<CertificateDer<'_>> = CertificateDer::pem_file_iter(file)
                .unwrap()
                .map(Result::unwrap)
                .collect();
            let leaf = webpki::EndEntityCert::try_from(&chain[0]).unwrap();
            let now = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap();
            leaf.verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                std::slice::from_ref(&anchor),
                &chain[1..],
                UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs())),
                webpki::KeyUsage::server_auth(),
                None,
                None,
            )
            .unwrap();
            for name in names {
                leaf.verify_is_valid_for_subject_name(&ServerName::try_from(name).unwrap())
                    .unwrap();
            }
            let other = ServerName::try_from("other.example.com").unwrap();
            leaf.verify_is_valid_for_subject_name(&other).unwrap_err();
        }
        row.passed();
    });
}
