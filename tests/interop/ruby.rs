//! Ruby's acme-client, Debian's, against our server: `peers/ruby-acme-client` uses the library.

use acceptance::authority::Authority;
use acceptance::namespace::own_harness;
use acceptance::web::{Page, Web};
use acceptance::{process, table};

use super::revocation::revocations;

#[test]
fn rubys_acme_client_gets_certificates_rolls_its_key_over_and_revokes() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer(
            "ruby-acme-client",
            "acme-client (Ruby)",
            "http-01 dns, revocation",
        ) else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let challenges = harness.path("challenges");
        std::fs::create_dir_all(&challenges).unwrap();
        Web::start("127.0.0.1:80").otherwise(Page::Folder(challenges.clone()));
        let chain = harness.path("chain.pem");
        let mut command = process::command(program);
        command
            .arg(server.authority.directory())
            .arg(server.authority.root())
            .arg(challenges)
            .arg("example.com")
            .arg(&chain);
        process::run(&mut command).success();
        crate::third_party::openssl_accepts(&chain, &server.authority.root());
        let revoked = revocations(&server);
        assert_eq!(revoked.len(), 1, "{revoked:?}");
        assert!(revoked[0].contains("superseded"), "{revoked:?}");
        row.passed();
    });
}
