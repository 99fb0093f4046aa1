//! Backup under load, and the way back: what was issued before the backup is there after a restore.

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use acceptance::acme::{Account, csr};
use acceptance::authority::{Authority, Server};
use acceptance::namespace::own_harness;
use acceptance::process;
use acceptance::web::Web;
use serde_json::Value;

/// A certificate that a client has.
struct Issued {
    account: Account,
    url: String,
    pem: String,
}

/// Requests certificates until told to stop.
fn load(server: &Server, web: &Web, issued: &Mutex<Vec<Issued>>, stop: &AtomicBool) {
    let account = server.account();
    while !stop.load(Ordering::Relaxed) {
        let mut order = account.order(&["example.com"]);
        account.try_prove(&mut order, web).unwrap();
        let answer = account.try_finalize(&order, &csr(&["example.com"]));
        let answer = answer.unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let url = body["certificate"].as_str().unwrap().to_owned();
        let pem = account.post(&url, None).text();
        let account = account.clone();
        issued.lock().unwrap().push(Issued { account, url, pem });
    }
}

#[test]
fn a_backup_under_load_brings_back_everything_that_was_issued_before_it() {
    own_harness(|harness| {
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let web = Web::start("127.0.0.1:80");
        let server = Authority::started(harness);
        let issued = Mutex::new(Vec::new());
        let stop = AtomicBool::new(false);
        let backup = harness.path("backup.sqlite3");
        let file = backup.to_str().unwrap();
        let before = std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| load(&server, &web, &issued, &stop));
            }
            let at_least = |count: usize| {
                process::eventually("certificates", || {
                    (issued.lock().unwrap().len() >= count).then_some(())
                });
            };
            at_least(5);
            let before = issued.lock().unwrap().len();
            let backed_up = server.authority.run(&["ca", "store", "backup", file]);
            at_least(before + 3);
            stop.store(true, Ordering::Relaxed);
            assert!(backed_up.success().stderr.contains("has all records"));
            before
        });
        beside_the_server(&server, file, before);
        let authority = server.stop();
        fs::rename(authority.path.join("db"), authority.path.join("db.old")).unwrap();
        authority.run(&["ca", "store", "restore", file]).success();
        let again = authority.run(&["ca", "store", "restore", file]).code(1);
        assert!(again.stderr.contains("exists already"), "{again:?}");
        let server = authority.start();
        for it in &issued.into_inner().unwrap()[..before] {
            assert_eq!(it.account.post(&it.url, None).text(), it.pem);
        }
        let more = Mutex::new(Vec::new());
        stop.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| load(&server, &web, &more, &stop));
            process::eventually("a certificate", || {
                (!more.lock().unwrap().is_empty()).then_some(())
            });
            stop.store(true, Ordering::Relaxed);
        });
        server.stop();
    });
}

/// What the commands say while the server runs.
fn beside_the_server(server: &Server, backup: &str, before: usize) {
    let run = |words: &[&str]| server.authority.run(&[&["ca", "store"], words].concat());
    run(&["check"]).success();
    run(&["check", backup]).success();
    let refused = run(&["backup", backup]).code(1);
    assert!(refused.stderr.contains("exists already"), "{refused:?}");
    let refused = run(&["restore", backup]).code(1);
    assert!(
        refused.stderr.contains("in use by another process"),
        "{refused:?}"
    );
    let stats: Value =
        serde_json::from_str(&run(&["stats", "--json", backup]).success().stdout).unwrap();
    assert!(stats["certificates"]["unexpired"].as_u64() > Some(before as u64));
    let exported = run(&["export", backup]).success().stdout;
    let mut certificates = 0;
    for line in exported.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        certificates += usize::from(line["type"] == "certificate");
    }
    assert!(
        certificates > before,
        "{certificates}, with the server's own"
    );
}

#[test]
fn a_damaged_backup_is_reported_and_not_restored() {
    own_harness(|harness| {
        let server = Authority::started(harness);
        let backup = harness.path("backup.sqlite3");
        let file = backup.to_str().unwrap();
        let run = |authority: &Authority, words: &[&str]| {
            authority.run(&[&["ca", "store"], words, &[file]].concat())
        };
        run(&server.authority, &["backup"]).success();
        damage(&backup);
        let found = run(&server.authority, &["check"]).code(1);
        assert!(found.stderr.contains("damaged"), "{found:?}");
        let authority = server.stop();
        fs::rename(authority.path.join("db"), authority.path.join("db.old")).unwrap();
        let refused = run(&authority, &["restore"]).code(1);
        assert!(refused.stderr.contains("damaged"), "{refused:?}");
        assert!(!authority.path.join("db/riser.sqlite3").exists());
    });
}

/// Overwrites every second page but the first with what it does not hold.
fn damage(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    for page in bytes.chunks_mut(4096).skip(1).step_by(2) {
        page.fill(0x55);
    }
    fs::write(file, bytes).unwrap();
}
