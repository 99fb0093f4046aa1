//! ACME clients ask when to renew (RFC 9773), and follow the answer.

use acceptance::authority::Authority;
use acceptance::namespace::own_harness;
use acceptance::{process, table};

use super::certbot::certbot;

#[test]
fn lego_5_reads_the_renewal_window_and_names_what_it_replaces() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("lego-v5", "lego 5 (library)", "ARI") else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let mut command = process::command(program);
        command
            .env("LEGO_CA_CERTIFICATES", server.authority.root())
            .args(["--server", &server.authority.directory(), "--renew"])
            .args(["--domains", "example.com", "--crt"])
            .arg(harness.path("chain.pem"))
            .arg("--key")
            .arg(harness.path("key.pem"));
        let output = process::run(&mut command).success();
        assert!(output.stdout.contains("renew between"), "{output:?}");
        let log = server.daemon.log();
        let mut issued = log
            .lines()
            .filter(|line| line.contains("certificate_issued"));
        let last = issued.next_back().unwrap();
        assert!(
            last.contains("renewed_from") && !last.contains("renewed_from=\"\""),
            "{last}"
        );
        row.passed();
    });
}

/// A fresh one-day certificate is not due; certbot renews it when the operator moves the window.
#[test]
fn the_newest_certbot_renews_when_the_operator_moves_the_window() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("certbot-pypi", "certbot (PyPI)", "ARI") else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        // certbot renews by itself what ends within a third of its life.
        let flags = ["--x509-max-dur", "2160h", "--x509-default-dur", "2160h"];
        let update = ["ca", "provisioner", "update", "acme"];
        server
            .authority
            .run(&[&update[..], &flags].concat())
            .success();
        let mut command = certbot(&program, harness, &server.authority);
        command.args(["--standalone", "-d", "example.com"]);
        process::run(&mut command).success();
        let set = ["ca", "acme", "renewal", "set", "--provisioner", "acme"];
        let window = ["--start=-2h", "--end=-1h"];
        server
            .authority
            .run(&[&set[..], &window].concat())
            .success();
        let mut renew = process::command(&program);
        renew.env("REQUESTS_CA_BUNDLE", server.authority.root());
        renew.args(["renew", "-n", "--no-random-sleep-on-renew"]);
        for folder in ["config", "work", "logs"] {
            renew
                .arg(format!("--{folder}-dir"))
                .arg(harness.path(folder));
        }
        process::run(&mut renew).success();
        let second = harness.path("config/archive/example.com/fullchain2.pem");
        crate::third_party::openssl_accepts(&second, &server.authority.root());
        row.passed();
    });
}
