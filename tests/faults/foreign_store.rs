//! A store of another program where ours is to be: the server starts, says what it does not import, and
//! renews what its own store does not know only after the operator has answered once.

use std::fs;

use acceptance::authority::{Authority, Pair};
use acceptance::namespace::own_harness;
use serde_json::{Value, json};

/// `step ca renew` of the certificate that [`issue`] made.
fn renew(authority: &Authority) -> Option<i32> {
    let renewed = authority.run(&["ca", "renew", "--force", "l.crt", "l.key"]);
    renewed.code
}

/// A certificate for localhost by ACME.
fn issue(authority: Authority) -> Authority {
    let mut server = authority.start();
    server.add_acme();
    let order = ["ca", "certificate", "--provisioner", "acme", "localhost"];
    let files = ["l.crt", "l.key"];
    server
        .authority
        .run(&[&order[..], &files[..]].concat())
        .success();
    assert_eq!(renew(&server.authority), Some(0), "its store knows it");
    server.stop()
}

/// Names a folder as the store in which another program has left records.
fn move_to_a_foreign_store(authority: &Authority) {
    let folder = authority.path.join("theirs");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("000001.vlog"), "records").unwrap();
    let file = authority.path.join("config/ca.json");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    config["db"] = json!({"type": "badgerv2", "dataSource": folder});
    fs::write(file, config.to_string()).unwrap();
}

#[test]
fn beside_a_foreign_store_the_server_starts_and_renews_unknown_certificates_after_one_confirmation()
{
    own_harness(|harness| {
        let authority = issue(Authority::init(harness, Pair::ours(), "ca"));
        move_to_a_foreign_store(&authority);

        let server = authority.start();
        let log = server.daemon.log();
        for words in [
            "records of another program",
            "ACME accounts and orders",
            "revocations",
            "used tokens",
            "--fresh-store",
        ] {
            assert!(log.contains(words), "{words}: {log}");
        }
        assert_ne!(renew(&server.authority), Some(0));
        let log = server.daemon.log();
        assert!(log.contains("is not in this store"), "{log}");

        let mut authority = server.stop();
        authority.arguments.push("--fresh-store".to_owned());
        let server = authority.start();
        assert_eq!(renew(&server.authority), Some(0));
        let mut authority = server.stop();
        authority.arguments.clear();
        let server = authority.start();
        assert_eq!(
            renew(&server.authority),
            Some(0),
            "the answer is remembered"
        );
        let log = server.daemon.log();
        let warnings = log.matches("records of another program").count();
        assert_eq!(warnings, 1, "only the first start warns: {log}");
    });
}
