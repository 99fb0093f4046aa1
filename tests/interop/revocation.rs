//! ACME clients revoke certificates from our server.

use std::path::Path;
use std::process::Command;

use acceptance::authority::{Authority, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::{process, table};

use super::certbot::certbot;

/// The events of revoked certificates in the server's log.
pub fn revocations(server: &Server) -> Vec<String> {
    let log = server.daemon.log();
    let lines = log
        .lines()
        .filter(|line| line.contains("certificate_revoked"));
    lines.map(str::to_owned).collect()
}

/// `certbot revoke` for a certificate of its own, not deleting it.
fn certbot_revoke(program: &Path, harness: &Harness, authority: &Authority, name: &str) -> Command {
    let mut command = process::command(program);
    command
        .env("REQUESTS_CA_BUNDLE", authority.root())
        .args(["revoke", "-n", "--no-delete-after-revoke"])
        .args(["--server", &authority.directory()])
        .arg("--cert-path")
        .arg(harness.path(&format!("config/live/{name}/cert.pem")));
    for folder in ["config", "work", "logs"] {
        command
            .arg(format!("--{folder}-dir"))
            .arg(harness.path(folder));
    }
    command
}

#[test]
fn the_newest_certbot_revokes_as_the_account_and_by_the_key() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("certbot-pypi", "certbot (PyPI)", "revocation")
        else {
            return;
        };
        let server = Authority::started(harness);
        for name in ["account.example.com", "key.example.com"] {
            harness.dns.addresses(name, &["127.0.0.1"]);
            let mut command = certbot(&program, harness, &server.authority);
            command.args(["--standalone", "-d", name]);
            process::run(&mut command).success();
        }
        let name = "account.example.com";
        let mut by_account = certbot_revoke(&program, harness, &server.authority, name);
        process::run(by_account.args(["--reason", "superseded"])).success();
        let again = process::run(&mut certbot_revoke(
            &program,
            harness,
            &server.authority,
            name,
        ));
        assert_ne!(again.code, Some(0), "{}", again.stdout);
        let name = "key.example.com";
        let mut by_key = certbot_revoke(&program, harness, &server.authority, name);
        by_key.arg("--key-path");
        by_key.arg(harness.path(&format!("config/live/{name}/privkey.pem")));
        by_key.args(["--reason", "keycompromise"]);
        process::run(&mut by_key).success();
        let revoked = revocations(&server);
        assert_eq!(revoked.len(), 2, "{revoked:?}");
        assert!(revoked[0].contains("superseded"), "{revoked:?}");
        assert!(revoked[1].contains("keyCompromise"), "{revoked:?}");
        row.passed();
    });
}

#[test]
fn debians_lego_revokes() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("lego", "lego (Debian)", "revocation") else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        for task in [&["--http", "run"][..], &["revoke", "--keep"]] {
            let mut command = process::command(&program);
            command
                .env("LEGO_CA_CERTIFICATES", server.authority.root())
                .args(["--accept-tos", "--email", "a@example.com"])
                .args(["--server", &server.authority.directory()])
                .args(["--domains", "example.com", "--path"])
                .arg(harness.path("lego"))
                .args(task);
            process::run(&mut command).success();
        }
        assert_eq!(revocations(&server).len(), 1);
        row.passed();
    });
}
