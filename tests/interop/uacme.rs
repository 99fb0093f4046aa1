//! uacme, Debian's, against our server. It trusts only the roots of the system.

use acceptance::authority::Authority;
use acceptance::namespace::own_harness;
use acceptance::web::{Page, Web};
use acceptance::{process, table};

use super::revocation::revocations;

const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";
const HOOK: &str = "/usr/share/uacme/uacme.sh";

#[test]
fn debians_uacme_gets_a_certificate_rolls_its_key_over_and_revokes() {
    own_harness(|harness| {
        let Some((program, row)) =
            table::peer("uacme", "uacme (Debian)", "http-01 dns, revocation")
        else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let mut mount = process::command("mount");
        mount.arg("--bind").arg(server.authority.root());
        process::run(mount.arg(SYSTEM_ROOTS)).success();
        let challenges = harness.path("challenges");
        std::fs::create_dir_all(&challenges).unwrap();
        Web::start("127.0.0.1:80").otherwise(Page::Folder(challenges.clone()));
        let certificate = harness.path("uacme/example.com/cert.pem");
        let run = |arguments: &[&str]| {
            let mut command = process::command(&program);
            command
                .env("UACME_CHALLENGE_PATH", &challenges)
                .args(["--acme-url", &server.authority.directory()])
                .arg("--confdir")
                .arg(harness.path("uacme"))
                .args(["--type", "EC", "--hook", HOOK])
                .args(arguments);
            process::run(&mut command).success();
        };
        run(&["--yes", "new", "a@example.com"]);
        run(&["issue", "example.com"]);
        crate::third_party::openssl_accepts(&certificate, &server.authority.root());
        run(&["newkey"]);
        run(&["revoke", certificate.to_str().unwrap()]);
        assert_eq!(revocations(&server).len(), 1);
        row.passed();
    });
}
