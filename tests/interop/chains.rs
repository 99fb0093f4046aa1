//! ACME clients select the chain to the preferred root.

use std::path::PathBuf;

use acceptance::authority::{Authority, Pair, Server};
use acceptance::cross;
use acceptance::namespace::{Harness, own_harness};
use acceptance::{process, table};

use super::certbot::certbot;

/// A server that offers a chain to a second root, configured while it runs.
fn crossed(harness: &Harness) -> (Server, PathBuf) {
    harness.dns.addresses("example.com", &["127.0.0.1"]);
    let mut server = Authority::init(harness, Pair::ours(), "ca").start();
    server.add_acme();
    let root = cross::sign(&server.authority.path);
    let riser = server.authority.path.join("config/riser.toml");
    std::fs::write(riser, "[chains]\nalternates = [\"certs/cross.pem\"]\n").unwrap();
    server.authority.run(&["ca", "reload"]).success();
    (server, root)
}

#[test]
fn the_newest_certbot_takes_the_preferred_chain() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("certbot-pypi", "certbot (PyPI)", "preferred chain")
        else {
            return;
        };
        let (server, other_root) = crossed(harness);
        for (flags, root) in [
            (&[][..], server.authority.root()),
            (
                &["--force-renewal", "--preferred-chain", cross::ROOT_NAME],
                other_root,
            ),
        ] {
            let mut command = certbot(&program, harness, &server.authority);
            command
                .args(["--standalone", "-d", "example.com"])
                .args(flags);
            process::run(&mut command).success();
            let chain = harness.path("config/live/example.com/fullchain.pem");
            crate::third_party::openssl_accepts(&chain, &root);
        }
        row.passed();
    });
}

#[test]
fn lego_5_takes_the_preferred_chain() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("lego-v5", "lego 5 (library)", "preferred chain")
        else {
            return;
        };
        let (server, other_root) = crossed(harness);
        let mut command = process::command(program);
        command
            .env("LEGO_CA_CERTIFICATES", server.authority.root())
            .args(["--server", &server.authority.directory()])
            .args([
                "--preferred-chain",
                cross::ROOT_NAME,
                "--domains",
                "example.com",
                "--crt",
            ])
            .arg(harness.path("chain.pem"))
            .arg("--key")
            .arg(harness.path("key.pem"));
        process::run(&mut command).success();
        crate::third_party::openssl_accepts(&harness.path("chain.pem"), &other_root);
        row.passed();
    });
}
