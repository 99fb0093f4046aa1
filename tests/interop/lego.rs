//! lego, Debian's and version 5 as a library, against our server.

use acceptance::authority::Authority;
use acceptance::dns::Answer;
use acceptance::namespace::own_harness;
use acceptance::{process, table};

/// lego with this flag for its challenge.
fn debians_lego_gets(task: &str, challenge: &str) {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("lego", "lego (Debian)", task) else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let mut command = process::command(program);
        command
            .env("LEGO_CA_CERTIFICATES", server.authority.root())
            .args(["--accept-tos", "--email", "a@example.com", challenge])
            .args([
                "--server",
                &server.authority.directory(),
                "--domains",
                "example.com",
                "--path",
            ])
            .arg(harness.path("lego"))
            .arg("run");
        process::run(&mut command).success();
        let chain = harness.path("lego/certificates/example.com.crt");
        crate::third_party::openssl_accepts(&chain, &server.authority.root());
        row.passed();
    });
}

#[test]
fn debians_lego_gets_a_certificate() {
    debians_lego_gets("http-01 dns", "--http");
}

#[test]
fn debians_lego_gets_a_certificate_over_tls() {
    debians_lego_gets("tls-alpn-01 dns", "--tls");
}

fn lego_5_gets(task: &str, domains: &str, challenge: &[&str]) {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("lego-v5", "lego 5 (library)", task) else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let mut command = process::command(program);
        command
            .env("LEGO_CA_CERTIFICATES", server.authority.root())
            .args([
                "--server",
                &server.authority.directory(),
                "--domains",
                domains,
            ])
            .args(challenge)
            .arg("--crt")
            .arg(harness.path("chain.pem"))
            .arg("--key")
            .arg(harness.path("key.pem"));
        process::run(&mut command).success();
        crate::third_party::openssl_accepts(&harness.path("chain.pem"), &server.authority.root());
        row.passed();
    });
}

#[test]
fn lego_5_gets_a_certificate() {
    lego_5_gets("http-01 dns", "example.com", &[]);
}

#[test]
fn lego_5_gets_a_certificate_for_an_address() {
    lego_5_gets("http-01 ip", "127.0.0.1", &[]);
}

#[test]
fn lego_5_gets_a_certificate_over_tls() {
    lego_5_gets(
        "tls-alpn-01 dns",
        "example.com",
        &["--challenge", "tls-alpn-01"],
    );
}

#[test]
fn lego_5_gets_a_certificate_for_an_address_over_tls() {
    lego_5_gets(
        "tls-alpn-01 ip",
        "127.0.0.1",
        &["--challenge", "tls-alpn-01"],
    );
}

#[test]
fn debians_lego_gets_a_wildcard() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("lego", "lego (Debian)", "dns-01 wildcard") else {
            return;
        };
        let records = harness.path("records");
        harness.dns.set(
            "_acme-challenge.example.com",
            Answer::Lines(records.clone()),
        );
        let hook = harness.script(
            "hook",
            &format!(
                "case $1 in present) echo \"$3\" >>{0} ;; *) rm -f {0} ;; esac\n",
                records.display()
            ),
        );
        let server = Authority::started(harness);
        let mut command = process::command(program);
        command
            .env("LEGO_CA_CERTIFICATES", server.authority.root())
            .env("EXEC_PATH", &hook)
            .env("EXEC_SEQUENCE_INTERVAL", "1")
            .args(["--accept-tos", "--email", "a@example.com", "--dns", "exec"])
            .args(["--dns.disable-cp", "--dns.resolvers", "127.0.0.1:53"])
            .args(["--server", &server.authority.directory()])
            .args(["--domains", "*.example.com", "--domains", "example.com"])
            .arg("--path")
            .arg(harness.path("lego"))
            .arg("run");
        process::run(&mut command).success();
        let chain = harness.path("lego/certificates/_.example.com.crt");
        crate::third_party::openssl_accepts(&chain, &server.authority.root());
        row.passed();
    });
}
