//! Rights that end while certificates live: `step ca renew` is refused from then on, and says what has
//! ended and what to do.

use std::fs;

use acceptance::authority::{Authority, Server};
use acceptance::dns::{Answer, CaaRecord};
use acceptance::namespace::{Harness, own_harness};
use acceptance::process::Outcome;
use serde_json::{Value, json};

const NAME: &str = "a.internal";

/// A server that enforces CAA, and a certificate in `a.crt` and `a.key`.
fn with_certificate(body: impl FnOnce(&Harness, &Server)) {
    own_harness(|harness| {
        harness.dns.addresses(NAME, &["127.0.0.1"]);
        let server = Authority::started(harness);
        let config = server.authority.path.join("config");
        let file = config.join("ca.json");
        let mut value: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        for provisioner in value["authority"]["provisioners"].as_array_mut().unwrap() {
            if provisioner["type"] == "ACME" {
                provisioner["caaIdentities"] = json!(["ca.internal"]);
            }
        }
        fs::write(&file, value.to_string()).unwrap();
        let settings = "[provisioner.acme]\ncaa = \"enforce\"\n";
        fs::write(config.join("riser.toml"), settings).unwrap();
        server.authority.run(&["ca", "reload"]).success();
        let order = ["ca", "certificate", "--provisioner", "acme", NAME];
        let files = ["a.crt", "a.key"];
        server
            .authority
            .run(&[&order, &files[..]].concat())
            .success();
        body(harness, &server);
        server.stop();
    });
}

fn renew(server: &Server) -> Outcome {
    let renew = ["ca", "renew", "--force", "a.crt", "a.key"];
    server.authority.run(&renew)
}

fn caa(harness: &Harness, issuer: &str) {
    let answer = Answer::caa(&[CaaRecord::new("issue", issuer)]);
    harness.dns.set(NAME, answer);
}

#[test]
fn a_certificate_that_caa_forbids_since_is_not_renewed_and_the_client_is_told_why() {
    with_certificate(|harness, server| {
        caa(harness, "ca.internal; validationmethods=http-01");
        renew(server).success();
        let before = fs::read(harness.path("a.crt")).unwrap();
        for (issuer, told) in [
            ("other.example", "CAA forbids a.internal"),
            ("ca.internal; validationmethods=dns-01", "validationmethods"),
        ] {
            caa(harness, issuer);
            let refused = renew(server);
            assert_eq!(refused.code, Some(1), "{}", refused.text());
            assert!(refused.stderr.contains(told), "{}", refused.stderr);
        }
        harness.dns.set(NAME, Answer::Fails);
        let refused = renew(server);
        assert_eq!(refused.code, Some(1), "{}", refused.text());
        let way_out = "caa = \"warn\" in [provisioner.acme] of riser.toml";
        assert!(refused.stderr.contains(way_out), "{}", refused.stderr);
        assert_eq!(fs::read(harness.path("a.crt")).unwrap(), before);
    });
}
