//! lego, Debian's and version 5 as a library, against our server.

use acceptance::authority::Authority;
use acceptance::namespace::own_world;
use acceptance::{process, table};

#[test]
fn debians_lego_gets_a_certificate() {
    own_world(|world| {
        let Some((program, row)) = table::peer("lego", "lego (Debian)", "http-01 dns") else {
            return;
        };
        world.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(world);
        let mut command = process::command(program);
        command
            .env("LEGO_CA_CERTIFICATES", server.authority.root())
            .args(["--accept-tos", "--email", "a@example.com", "--http"])
            .args([
                "--server",
                &server.authority.directory(),
                "--domains",
                "example.com",
                "--path",
            ])
            .arg(world.path("lego"))
            .arg("run");
        process::run(&mut command).success();
        let chain = world.path("lego/certificates/example.com.crt");
        crate::strangers::openssl_accepts(&chain, &server.authority.root());
        row.passed();
    });
}

fn lego_5_gets(task: &str, domains: &str) {
    own_world(|world| {
        let Some((program, row)) = table::peer("lego-v5", "lego 5 (library)", task) else {
            return;
        };
        world.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(world);
        let mut command = process::command(program);
        command
            .env("LEGO_CA_CERTIFICATES", server.authority.root())
            .args([
                "--server",
                &server.authority.directory(),
                "--domains",
                domains,
            ])
            .arg("--crt")
            .arg(world.path("chain.pem"))
            .arg("--key")
            .arg(world.path("key.pem"));
        process::run(&mut command).success();
        crate::strangers::openssl_accepts(&world.path("chain.pem"), &server.authority.root());
        row.passed();
    });
}

#[test]
fn lego_5_gets_a_certificate() {
    lego_5_gets("http-01 dns", "example.com");
}

#[test]
fn lego_5_gets_a_certificate_for_an_address() {
    lego_5_gets("http-01 ip", "127.0.0.1");
}
