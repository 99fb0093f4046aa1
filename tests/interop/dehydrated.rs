//! dehydrated, Debian's, against our server.

use std::process::Command;

use acceptance::authority::{Authority, Server};
use acceptance::dns::Answer;
use acceptance::namespace::{Harness, own_harness};
use acceptance::web::{Page, Web};
use acceptance::{process, table};

use super::revocation::revocations;

/// dehydrated with a configuration and a directory of its own, trusting our root.
fn dehydrated(program: &std::path::Path, harness: &Harness, server: &Server) -> Command {
    let base = harness.path("dehydrated");
    std::fs::create_dir_all(base.join("challenges")).unwrap();
    let config = format!(
        "CA={}\nBASEDIR={base}\nWELLKNOWN={base}/challenges\nCONTACT_EMAIL=a@example.com\n",
        server.authority.directory(),
        base = base.display(),
    );
    let mut command = process::command(program);
    command
        .env("CURL_CA_BUNDLE", server.authority.root())
        .arg("--config")
        .arg(harness.write("dehydrated.conf", &config));
    command
}

#[test]
fn debians_dehydrated_gets_a_certificate_and_revokes_it() {
    own_harness(|harness| {
        let Some((program, row)) = table::peer(
            "dehydrated",
            "dehydrated (Debian)",
            "http-01 dns, revocation",
        ) else {
            return;
        };
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let server = Authority::started(harness);
        let web = Web::start("127.0.0.1:80");
        web.otherwise(Page::Folder(harness.path("dehydrated/challenges")));
        let run = |arguments: &[&str]| {
            process::run(dehydrated(&program, harness, &server).args(arguments)).success();
        };
        run(&["--register", "--accept-terms"]);
        run(&["--cron", "--domain", "example.com"]);
        let folder = harness.path("dehydrated/certs/example.com");
        let chain = folder.join("fullchain.pem");
        crate::third_party::openssl_accepts(&chain, &server.authority.root());
        let certificate = folder.join("cert.pem");
        run(&["--revoke", certificate.to_str().unwrap()]);
        assert_eq!(revocations(&server).len(), 1);
        row.passed();
    });
}

#[test]
fn debians_dehydrated_gets_a_wildcard() {
    own_harness(|harness| {
        let Some((program, row)) =
            table::peer("dehydrated", "dehydrated (Debian)", "dns-01 wildcard")
        else {
            return;
        };
        let records = harness.path("records");
        let answer = Answer::Lines(records.clone());
        harness.dns.set("_acme-challenge.example.com", answer);
        let server = Authority::started(harness);
        let hook = harness.script(
            "hook",
            &format!(
                "case $1 in deploy_challenge) echo \"$4\" >>{0} ;; clean_challenge) rm -f {0} ;; esac\n",
                records.display()
            ),
        );
        let mut command = dehydrated(&program, harness, &server);
        command
            .args(["--cron", "--accept-terms", "--challenge", "dns-01"])
            .args(["--domain", "*.example.com", "--alias", "wildcard"])
            .arg("--hook")
            .arg(hook);
        process::run(&mut command).success();
        let chain = harness.path("dehydrated/certs/wildcard/fullchain.pem");
        crate::third_party::openssl_accepts(&chain, &server.authority.root());
        row.passed();
    });
}
