//! Files of certificates that cannot simply be replaced: mounted one by one, linked, in a folder that is
//! read-only. Nothing is issued that cannot be saved.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;

use acceptance::authority::{Authority, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::process::{self, Outcome};

use super::race::is_issuance;

fn mount(arguments: &[&str], at: &Path) {
    process::run(Command::new("mount").args(arguments).arg(at)).success();
}

/// A server, and a certificate `live/a.crt` for localhost.
fn with_certificate(harness: &Harness) -> Server {
    let server = Authority::started(harness);
    fs::create_dir(harness.path("live")).unwrap();
    let request = ["ca", "certificate", "--provisioner", "acme", "localhost"];
    let files = ["live/a.crt", "live/a.key"];
    let asked = server.authority.run(&[&request[..], &files].concat());
    asked.success();
    server
}

fn renew(server: &Server, file: &str) -> Outcome {
    let renew = ["ca", "renew", "--force", file, "live/a.key"];
    server.authority.run(&renew)
}

fn issued(server: &Server) -> usize {
    let log = server.daemon.log();
    log.lines().filter(|line| is_issuance(line)).count()
}

#[test]
fn a_renewed_file_keeps_its_mode_owner_and_links() {
    own_harness(|harness| {
        let server = with_certificate(harness);
        let path = harness.path("live/a.crt");
        // In a user namespace there is one owner alone.
        let owner = match chown(&path, Some(65_534), Some(65_534)) {
            Ok(()) => 65_534,
            Err(_) => 0,
        };
        symlink(&path, harness.path("soft.crt")).unwrap();
        for mode in [0o644, 0o640] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let before = fs::read(&path).unwrap();
            renew(&server, "soft.crt").success();
            let found = fs::metadata(&path).unwrap();
            assert_eq!((found.mode() & 0o7777, found.uid()), (mode, owner));
            assert_ne!(fs::read(&path).unwrap(), before);
            assert!(harness.path("soft.crt").is_symlink());
            // The second renewal is of a file with two names.
            let _ = fs::hard_link(&path, harness.path("hard.crt"));
        }
        let hard = fs::read(harness.path("hard.crt")).unwrap();
        assert_eq!(hard, fs::read(&path).unwrap());
    });
}

#[test]
fn a_file_that_is_a_mount_is_renewed_in_place() {
    own_harness(|harness| {
        let server = with_certificate(harness);
        let path = harness.path("live/a.crt");
        let mounted = harness.write("mounted.crt", "");
        let source = path.to_str().unwrap();
        mount(&["--bind", source], &mounted);
        let before = fs::read(&path).unwrap();
        renew(&server, "mounted.crt").success();
        let after = fs::read(&path).unwrap();
        assert_ne!(after, before);
        assert_eq!(after, fs::read(&mounted).unwrap());
    });
}

#[test]
fn nothing_is_issued_that_cannot_be_saved() {
    own_harness(|harness| {
        let server = with_certificate(harness);
        let live = harness.path("live");
        mount(&["--bind", live.to_str().unwrap()], &live);
        mount(&["-o", "remount,bind,ro"], &live);
        let before = issued(&server);
        let cannot = "live/a.crt cannot be written: read-only file system";
        let refused = renew(&server, "live/a.crt").code(1);
        assert!(refused.stderr.contains(cannot), "{}", refused.stderr);
        let request = ["ca", "certificate", "--force", "localhost"];
        let files = ["live/a.crt", "b.key"];
        let refused = server.authority.run(&[&request[..], &files].concat());
        let refused = refused.code(1);
        assert!(refused.stderr.contains(cannot), "{}", refused.stderr);
        assert_eq!(issued(&server), before, "{}", server.daemon.log());
        assert!(!harness.path("b.key").exists());
    });
}
