//! Certificates that clients present: what they are for does not matter to a renewal, and who is refused is logged.

use std::fs;

use acceptance::authority::Authority;
use acceptance::namespace::own_harness;
use acceptance::{paths, process};

const NAME: &str = "a.internal";

#[test]
fn a_certificate_that_is_for_servers_alone_is_renewed_and_a_refused_handshake_is_logged() {
    own_harness(|harness| {
        harness.dns.addresses(NAME, &["127.0.0.1"]);
        let server = Authority::started(harness);
        let settings = "[profile.server]\ndescription = \"servers\"\nextended_key_usages = [\"serverAuth\"]\n\
                        [provisioner.acme]\nprofiles = [\"server\"]\n";
        let riser = server.authority.path.join("config/riser.toml");
        fs::write(riser, settings).unwrap();
        server.authority.run(&["ca", "reload"]).success();
        let order = ["ca", "certificate", "--provisioner", "acme", NAME];
        let files = ["a.crt", "a.key"];
        server
            .authority
            .run(&[&order, &files[..]].concat())
            .success();
        let before = fs::read(harness.path("a.crt")).unwrap();
        let shown = server.authority.run(&["certificate", "inspect", "a.crt"]);
        let shown = shown.success().stdout;
        assert!(!shown.contains("Client Authentication"), "{shown}");
        let renew = ["ca", "renew", "--force"];
        server
            .authority
            .run(&[&renew, &files[..]].concat())
            .success();
        assert_ne!(fs::read(harness.path("a.crt")).unwrap(), before);

        let openssl = paths::peer("openssl").expect("openssl is a peer that is always installed");
        let mut untrusting = process::command(openssl);
        untrusting.args(["s_client", "-connect", &server.authority.address]);
        untrusting.args(["-verify_return_error", "-no-CAfile", "-no-CApath"]);
        assert_ne!(process::run(&mut untrusting).code, Some(0));
        let log = server.daemon.log();
        let line = log.lines().find(|line| line.contains("handshake_refused"));
        let line = line.unwrap_or_else(|| panic!("no line in {log}"));
        assert!(
            line.contains("127.0.0.1") && line.contains("UnknownC"),
            "{line}"
        );
        server.stop();
    });
}
