//! certbot, Debian's and PyPI's newest, against our server.

use std::path::Path;
use std::process::Command;

use acceptance::authority::{Authority, Pair};
use acceptance::dns::Answer;
use acceptance::namespace::{Harness, own_harness};
use acceptance::{process, table};

/// certbot with its directories in the harness, trusting our root.
pub fn certbot(program: &Path, harness: &Harness, authority: &Authority) -> Command {
    let mut command = process::command(program);
    command
        .env("REQUESTS_CA_BUNDLE", authority.root())
        .args([
            "certonly",
            "-n",
            "--agree-tos",
            "--register-unsafely-without-email",
        ])
        .args(["--server", &authority.directory()]);
    for folder in ["config", "work", "logs"] {
        command
            .arg(format!("--{folder}-dir"))
            .arg(harness.path(folder));
    }
    command
}

fn gets_a_certificate(program: &str, client: &str) {
    own_harness(|harness| {
        let Some((certbot_path, row)) = table::peer(program, client, "http-01 dns") else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        harness.dns.addresses("www.example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let mut command = certbot(&certbot_path, harness, &server.authority);
        command.args(["--standalone", "-d", "example.com", "-d", "www.example.com"]);
        process::run(&mut command).success();
        let chain = harness.path("config/live/example.com/fullchain.pem");
        crate::third_party::openssl_accepts(&chain, &server.authority.root());
        row.passed();
    });
}

#[test]
fn debians_certbot_gets_a_certificate() {
    gets_a_certificate("certbot", "certbot (Debian)");
}

#[test]
fn the_newest_certbot_gets_a_certificate() {
    gets_a_certificate("certbot-pypi", "certbot (PyPI)");
}

#[test]
fn the_newest_certbot_renews_with_the_same_account() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("certbot-pypi", "certbot (PyPI)", "http-01 renewal")
        else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        for force in [false, true] {
            let mut command = certbot(&program, harness, &server.authority);
            command.args(["--standalone", "-d", "example.com"]);
            if force {
                command.arg("--force-renewal");
            }
            process::run(&mut command).success();
        }
        let second = harness.path("config/archive/example.com/fullchain2.pem");
        crate::third_party::openssl_accepts(&second, &server.authority.root());
        row.passed();
    });
}

#[test]
fn the_newest_certbot_gets_a_certificate_for_an_address() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("certbot-pypi", "certbot (PyPI)", "http-01 ip")
        else {
            return;
        };
        let server = Authority::started(harness);
        let mut command = certbot(&program, harness, &server.authority);
        command.args([
            "--standalone",
            "--cert-name",
            "address",
            "--ip-address",
            "127.0.0.1",
        ]);
        process::run(&mut command).success();
        let chain = harness.path("config/live/address/fullchain.pem");
        crate::third_party::openssl_accepts(&chain, &server.authority.root());
        row.passed();
    });
}

/// The second certificate needs no challenge: by then nothing answers at the name's address.
#[test]
fn the_newest_certbot_gets_a_second_certificate_without_a_challenge() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("certbot-pypi", "certbot (PyPI)", "http-01 reuse")
        else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let authority = Authority::init(harness, Pair::ours(), "ca");
        let mut server = authority.start();
        server.add_acme();
        let riser = server.authority.path.join("config/riser.toml");
        let reuse = "[provisioner.acme]\nauthorization_reuse = \"1h\"\n";
        std::fs::write(riser, reuse).unwrap();
        server.authority.run(&["ca", "reload"]).success();
        for address in ["127.0.0.1", "127.0.0.2"] {
            harness.dns.addresses("example.com", &[address]);
            let mut command = certbot(&program, harness, &server.authority);
            command.args(["--standalone", "-d", "example.com", "--force-renewal"]);
            process::run(&mut command).success();
        }
        let second = harness.path("config/archive/example.com/fullchain2.pem");
        crate::third_party::openssl_accepts(&second, &server.authority.root());
        row.passed();
    });
}

/// certbot with hooks that publish and withdraw records of example.com.
fn certbot_with_hooks(program: &Path, harness: &Harness, authority: &Authority) -> Command {
    let mut command = certbot(program, harness, authority);
    command
        .args(["--manual", "--preferred-challenges", "dns"])
        .arg("--manual-auth-hook")
        .arg(format!(
            "echo $CERTBOT_VALIDATION >> {}",
            harness.path("records").display()
        ))
        .arg("--manual-cleanup-hook")
        .arg(format!("rm -f {}", harness.path("records").display()));
    command
}

fn gets_a_wildcard(program: &str, client: &str) {
    own_harness(|harness| {
        let Some((program, row)) = table::peer(program, client, "dns-01 wildcard") else {
            return;
        };
        let records = Answer::Lines(harness.path("records"));
        harness.dns.set("_acme-challenge.example.com", records);
        let server = Authority::started(harness);
        let mut command = certbot_with_hooks(&program, harness, &server.authority);
        command.args(["-d", "*.example.com", "-d", "example.com"]);
        process::run(&mut command).success();
        let chain = harness.path("config/live/example.com/fullchain.pem");
        crate::third_party::openssl_accepts(&chain, &server.authority.root());
        row.passed();
    });
}

#[test]
fn debians_certbot_gets_a_wildcard() {
    gets_a_wildcard("certbot", "certbot (Debian)");
}

#[test]
fn the_newest_certbot_gets_a_wildcard() {
    gets_a_wildcard("certbot-pypi", "certbot (PyPI)");
}

#[test]
fn a_wrong_record_is_shown_to_certbot() {
    own_harness(|harness| {
        let Some((program, row)) =
            table::peer("certbot-pypi", "certbot (PyPI)", "fails: wrong TXT")
        else {
            return;
        };
        let old = Answer::Text(vec!["left over".to_owned()]);
        harness.dns.set("_acme-challenge.example.com", old);
        let server = Authority::started(harness);
        let mut command = certbot_with_hooks(&program, harness, &server.authority);
        command.args(["-d", "*.example.com"]);
        let text = process::run(&mut command).code(1).text();
        let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for words in [
            "resolver 127.0.0.1:53 answered a TXT record",
            "found the value \"left over\", which is not the expected value",
            "`dig +short TXT _acme-challenge.example.com @127.0.0.1`",
        ] {
            assert!(
                flat.contains(words),
                "certbot does not say {words:?}:\n{text}"
            );
        }
        row.passed();
    });
}

#[test]
fn the_newest_certbot_chooses_a_profile() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer("certbot-pypi", "certbot (PyPI)", "profiles") else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let toml = r#"
            [profile.usual]
            [profile.brief]
            life = "1h"
            no_rev_avail = true
            [provisioner.acme]
            profiles = ["usual", "brief"]
        "#;
        std::fs::write(server.authority.path.join("config/riser.toml"), toml).unwrap();
        server.authority.run(&["ca", "reload"]).success();
        let asks = |flag: &str, profile: &str| {
            let mut command = certbot(&program, harness, &server.authority);
            command.args([
                "--standalone",
                "-d",
                "example.com",
                "--force-renewal",
                flag,
                profile,
            ]);
            process::run(&mut command)
        };
        for (number, flag) in [(1, "--required-profile"), (2, "--preferred-profile")] {
            asks(flag, "brief").success();
            let file = harness.path(&format!("config/archive/example.com/fullchain{number}.pem"));
            let mut ours = process::command(acceptance::paths::ours("step"));
            let shown = process::run(ours.args(["certificate", "inspect"]).arg(&file)).success();
            assert!(shown.stdout.contains("2.5.29.56"), "{}", shown.stdout);
        }
        asks("--preferred-profile", "gone").success();
        let refused = asks("--required-profile", "gone");
        assert_ne!(refused.code, Some(0), "{}", refused.text());
        row.passed();
    });
}
