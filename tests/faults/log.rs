//! The log contains no secret, even at trace level.

use std::fs;
use std::path::Path;
use std::process::Command;

use acceptance::authority::{Authority, Pair};
use acceptance::namespace::own_harness;
use acceptance::process;
use acceptance::web::Web;
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};

#[test]
fn the_main_path_at_trace_level_logs_no_password_and_no_private_key() {
    own_harness(|harness| {
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let mut authority = Authority::init(harness, Pair::ours(), "ca");
        authority
            .environment
            .push(("RISER_LOG".to_owned(), "trace".to_owned()));
        let mut server = authority.start();
        server.add_acme();
        let crt = "ca certificate --provisioner acme localhost l.crt l.key";
        let crt: Vec<_> = crt.split(' ').collect();
        server.authority.run(&crt).success();
        let web = Web::start("127.0.0.1:80");
        server.account().obtain(&["example.com"], &web);
        let log = server.daemon.log();
        assert!(log.contains("TRACE"), "the log is at trace level:\n{log}");
        assert_eq!(
            log.lines()
                .filter(|line| super::race::is_issuance(line))
                .count(),
            2
        );

        let mut secrets = vec!["correct horse battery staple".to_owned()];
        let folder = server.authority.path.join("secrets");
        for key in ["root_ca_key", "intermediate_ca_key"].map(|name| folder.join(name)) {
            secrets.extend(long(lines(&fs::read_to_string(&key).unwrap())));
            secrets.extend(forms(&decrypted(&key, server.authority.password())));
        }
        secrets.extend(forms(&fs::read_to_string(harness.path("l.key")).unwrap()));
        for secret in secrets {
            assert!(!log.contains(&secret), "the log holds {secret:?}");
        }
        server.stop();
    });
}

/// The key in the clear, as PEM, by openssl.
fn decrypted(key: &Path, password: &Path) -> String {
    let mut openssl = Command::new("openssl");
    openssl.args(["pkcs8", "-in"]).arg(key).arg("-passin");
    openssl.arg(format!("file:{}", password.display()));
    process::run(&mut openssl).success().stdout
}

/// The lines of base64 in a PEM file.
fn lines(pem: &str) -> Vec<String> {
    let inner = pem.lines().filter(|line| !line.starts_with('-'));
    inner.map(str::to_owned).collect()
}

/// Those that are too long to appear by chance.
fn long(mut lines: Vec<String>) -> Vec<String> {
    lines.retain(|line| line.len() >= 40);
    lines
}

/// An EC key in the forms in which a log could contain it: its file's long lines, and its secret number written in several ways.
fn forms(pem: &str) -> Vec<String> {
    let lines = lines(pem);
    let der = BASE64.decode(lines.concat().as_bytes()).unwrap();
    // RFC 5915 §3: version 1, then the number as an octet string.
    let start = [2, 1, 1, 4, 32];
    let at = der.windows(5).position(|five| five == start).unwrap() + 5;
    let number = &der[at..at + 32];
    let mut forms = long(lines);
    forms.extend([HEXLOWER, HEXUPPER, BASE64, BASE64URL_NOPAD].map(|way| way.encode(number)));
    forms.push(format!("{number:?}"));
    forms
}

#[test]
fn an_issued_certificate_is_one_event_with_account_and_names() {
    own_harness(|harness| {
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let web = Web::start("127.0.0.1:80");
        let server = Authority::started(harness);
        let account = server.account();
        account.obtain(&["example.com"], &web);
        let log = server.daemon.log();
        let events: Vec<_> = log
            .lines()
            .filter(|line| super::race::is_issuance(line))
            .collect();
        assert_eq!(events.len(), 1, "{log}");
        let account = account.kid.rsplit('/').next().unwrap();
        for word in ["serial", "example.com", "acme", account] {
            assert!(events[0].contains(word), "{word}: {}", events[0]);
        }
    });
}

#[test]
fn the_request_id_is_echoed_and_logged() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        let answer = server.get("/health");
        let id = answer.header("x-request-id").to_owned();
        assert!(id.len() >= 16, "{id:?}");
        process::eventually("the request's line", || {
            server.daemon.log().contains(&id).then_some(())
        });
    });
}
