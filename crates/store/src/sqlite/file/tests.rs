//! The file of a store, from backup to restore, on stores that are in use.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use acme::revocation::Reason;
use pki::Certificate;
use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;

use super::{Progress, StoreFile, restore};
use crate::error::{FileError, OpenError};
use crate::port::{Certificates as _, Revocations as _};
use crate::sqlite::{Options, Store};
use crate::suite::harness;
use crate::{CertificateRecord, Revocation, Revoked, Revoker};

fn unwatched(_: Progress) {}

fn open(path: &Path) -> Store {
    Store::open(path, Options::default()).unwrap()
}

/// A record with the certificate that it describes.
fn certificate(name: &str) -> CertificateRecord {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let parsed = Certificate::from_der(certificate.der()).unwrap();
    CertificateRecord {
        serial: parsed.serial().clone(),
        not_after: parsed.not_after(),
        der: parsed.der().to_vec(),
        ..harness::certificate(&[name])
    }
}

/// Records a certificate of the server's, and an account with an order.
async fn filled(store: &Store) -> CertificateRecord {
    let certificate = certificate("a.example.com");
    harness::recorded(store, certificate.clone()).await.unwrap();
    let account = harness::account(store).await;
    harness::ready_order(store, &account, &["b.example.com"]).await;
    certificate
}

fn checked(path: &Path) -> Vec<String> {
    StoreFile::open(path)
        .unwrap()
        .check(&mut unwatched)
        .unwrap()
}

#[tokio::test]
async fn a_backup_of_a_store_in_use_is_one_private_file_from_which_it_is_restored() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("s"));
    let certificate = filled(&store).await;
    let backup = dir.path().join("backups/b");
    fs::create_dir(dir.path().join("backups")).unwrap();
    let file = StoreFile::open(&dir.path().join("s")).unwrap();
    harness::recorded(&store, self::certificate("later.example.com"))
        .await
        .unwrap();
    let copied = file.back_up(&backup, &mut unwatched).unwrap();
    assert_eq!(copied.certificates, 1, "of one moment");
    assert_eq!(
        fs::metadata(&backup).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(checked(&backup), Vec::<String>::new());
    let beside = fs::read_dir(dir.path().join("backups")).unwrap();
    assert_eq!(
        beside.count(),
        1,
        "nothing beside it, also after reading it"
    );
    let new = dir.path().join("new/s");
    restore(&backup, &new, &mut unwatched).unwrap();
    let restored = open(&new);
    let found = restored.certificate_by_serial(&certificate.serial).await;
    assert_eq!(found.unwrap().unwrap().id, certificate.id);
    harness::recorded(&restored, self::certificate("c.example.com"))
        .await
        .unwrap();
}

#[tokio::test]
async fn no_file_is_overwritten_and_no_log_is_adopted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let store = open(&path);
    filled(&store).await;
    let taken = dir.path().join("taken");
    fs::write(&taken, "precious").unwrap();
    let file = StoreFile::open(&path).unwrap();
    let refused = file.back_up(&taken, &mut unwatched);
    assert!(matches!(refused, Err(FileError::Exists { .. })));
    let backup = dir.path().join("b");
    file.back_up(&backup, &mut unwatched).unwrap();
    let refused = restore(&backup, &taken, &mut unwatched);
    assert!(matches!(refused, Err(FileError::Exists { .. })));
    assert_eq!(fs::read(&taken).unwrap(), b"precious");
    let refused = restore(&backup, &path, &mut unwatched);
    assert!(matches!(
        refused,
        Err(FileError::Open(OpenError::Locked { .. }))
    ));
    let bare = dir.path().join("bare");
    fs::write(dir.path().join("bare-wal"), "").unwrap();
    let refused = restore(&backup, &bare, &mut unwatched).unwrap_err();
    assert!(
        refused.to_string().contains("bare-wal exists already"),
        "{refused}"
    );
    assert!(!bare.exists());
}

#[tokio::test]
async fn a_backup_that_is_damaged_or_newer_is_not_restored() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("s"));
    for n in 0..50 {
        harness::recorded(&store, certificate(&format!("{n}.example.com")))
            .await
            .unwrap();
    }
    let backup = dir.path().join("b");
    let file = StoreFile::open(&dir.path().join("s")).unwrap();
    file.back_up(&backup, &mut unwatched).unwrap();
    let to = dir.path().join("new/s");
    let whole = fs::read(&backup).unwrap();
    let mut bytes = whole.clone();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8192].fill(0x55);
    fs::write(&backup, bytes).unwrap();
    let refused = restore(&backup, &to, &mut unwatched);
    assert!(matches!(
        refused,
        Err(FileError::Damaged { .. } | FileError::Read(_) | FileError::Open(_))
    ));
    fs::write(&backup, whole).unwrap();
    let newer = rusqlite::Connection::open(&backup).unwrap();
    newer
        .execute("INSERT INTO schema_version VALUES (9999, 'later', 0)", [])
        .unwrap();
    drop(newer);
    let refused = restore(&backup, &to, &mut unwatched);
    assert!(matches!(
        refused,
        Err(FileError::Open(OpenError::Newer { found: 9999, .. }))
    ));
    assert!(!to.exists());
}

#[tokio::test]
async fn a_contradiction_between_records_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let store = open(&path);
    let certificate = filled(&store).await;
    let revoked = Revoked {
        at: harness::now(),
        reason: Reason::KeyCompromise,
        by: Revoker::Key,
    };
    let parsed = Certificate::from_der(&certificate.der).unwrap();
    let key = parsed.public_key().unwrap().digest();
    let revocation = Revocation::new(&certificate, revoked, key);
    assert_eq!(store.revoke(revocation).await, Ok(true));
    assert_eq!(checked(&path), Vec::<String>::new());
    for (damage, said) in [
        (
            "DELETE FROM certificate_names",
            "1 names of certificates cannot be searched for",
        ),
        ("DELETE FROM chains", "1 certificates have lost the chain"),
        ("DELETE FROM compromised_keys", "its key is not barred"),
        (
            "UPDATE certificates SET not_after = not_after + 1000",
            "is not the one that its record describes",
        ),
        (
            "DROP TRIGGER audit_is_not_shortened; DELETE FROM audit WHERE id = 2",
            "1 lines are missing in the audit log",
        ),
    ] {
        store
            .write(move |connection| Ok(connection.execute_batch(damage)?))
            .await
            .unwrap();
        let found = checked(&path);
        assert!(found.iter().any(|what| what.contains(said)), "{found:?}");
    }
}

#[tokio::test]
async fn an_export_has_a_line_for_each_record_and_the_figures_count_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let store = open(&path);
    let certificate = filled(&store).await;
    let file = StoreFile::open(&path).unwrap();
    let mut out = Vec::new();
    let count = file.export(&mut out, &mut unwatched).unwrap();
    let lines: Vec<Value> = String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), usize::try_from(count).unwrap());
    let kinds: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["type"].as_str())
        .collect();
    for kind in [
        "account",
        "order",
        "authorization",
        "chain_certificate",
        "audit",
    ] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
    let exported = lines.iter().find(|line| line["type"] == "certificate");
    let exported = exported.unwrap();
    assert_eq!(exported["serial"], certificate.serial.to_string());
    let pem = exported["pem"].as_str().unwrap();
    let parsed = Certificate::from_pem(pem.as_bytes()).unwrap();
    assert_eq!(parsed.der(), certificate.der);
    let stats = file.stats(harness::now(), &mut unwatched).unwrap();
    assert_eq!(stats.certificates.unexpired, 1);
    let table = |name| {
        stats
            .tables
            .iter()
            .find(|table| table.name == name)
            .unwrap()
    };
    let audit = table("audit");
    assert_eq!(
        audit.rows,
        kinds.iter().filter(|kind| **kind == "audit").count() as u64
    );
    assert!(audit.bytes > 0 && table("certificates").index_bytes > 0);
    assert_eq!(table("certificates").newest, Some(certificate.issued_at));
}

#[tokio::test]
async fn an_older_schema_is_backed_up_but_not_exported() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old");
    let old = rusqlite::Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../fixtures/schema_9.sql"))
        .unwrap();
    drop(old);
    let file = StoreFile::open(&path).unwrap();
    let export = file.export(Vec::new(), &mut unwatched);
    assert!(matches!(export, Err(FileError::Earlier { found: 9, .. })));
    file.back_up(&dir.path().join("b"), &mut unwatched).unwrap();
    let file = StoreFile::open(&dir.path().join("b")).unwrap();
    assert_eq!(file.schema(), 9);
}

#[tokio::test]
async fn root_writes_nothing_where_another_user_could_lead_it_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("s"));
    filled(&store).await;
    let backup = dir.path().join("b");
    let file = StoreFile::open(&dir.path().join("s")).unwrap();
    file.back_up(&backup, &mut unwatched).unwrap();

    let planted = dir.path().join("planted");
    let victim = dir.path().join("victim");
    fs::create_dir(&planted).unwrap();
    fs::write(&victim, "kept").unwrap();
    std::os::unix::fs::symlink(&victim, planted.join("s-lock")).unwrap();
    let refused = restore(&backup, &planted.join("s"), &mut unwatched);
    assert!(refused.is_err(), "a link in the place of the lock");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");

    if rustix::process::geteuid().is_root() {
        let foreign = dir.path().join("foreign");
        fs::create_dir(&foreign).unwrap();
        std::os::unix::fs::chown(&foreign, Some(65_534), None).unwrap();
        for refused in [
            restore(&backup, &foreign.join("s"), &mut unwatched),
            restore(&backup, &foreign.join("db/s"), &mut unwatched),
            file.back_up(&foreign.join("b"), &mut unwatched),
        ] {
            assert!(
                matches!(refused, Err(FileError::ForeignFolder { owner: 65_534, .. })),
                "{refused:?}"
            );
        }
        assert_eq!(fs::read_dir(&foreign).unwrap().count(), 0);
    }
}
