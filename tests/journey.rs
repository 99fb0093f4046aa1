//! The main path word for word: four commands from an empty directory to a
//! certificate, with their output; then its renewal.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use acceptance::namespace::{Harness, own_harness};
use acceptance::process::{self, Daemon, Outcome, plain};

fn typed(harness: &Harness, line: &str) -> Outcome {
    process::run(harness.shell().args(["-c", line]))
}

/// The four commands; the server runs until the daemon is dropped.
fn main_path(harness: &Harness) -> (Daemon, Outcome) {
    harness.host("127.0.0.1", "example.com");
    harness.write("pw", "a password\n");
    typed(
        harness,
        "step ca init --name Example --dns localhost --address 127.0.0.1:9000 --provisioner admin --password-file pw --deployment-type standalone",
    )
    .success();
    let mut server = harness.shell();
    server.args([
        "-c",
        "exec step-ca $(step path)/config/ca.json --password-file pw",
    ]);
    let server = Daemon::spawn(&mut server, &harness.path("server.log"));
    process::eventually("a healthy server", || {
        (typed(harness, "step ca health").stdout == "ok\n").then_some(())
    });
    typed(harness, "step ca provisioner add acme --type ACME").success();
    let got = typed(
        harness,
        "step ca certificate --provisioner acme example.com example.crt example.key",
    );
    (server, got.success())
}

#[test]
fn four_commands_lead_from_an_empty_folder_to_a_certificate() {
    own_harness(|harness| {
        let (_server, got) = main_path(harness);
        assert_eq!(got.stdout, "");
        let lines: Vec<String> = plain(&got.stderr).lines().map(one_dot).collect();
        assert_eq!(
            lines,
            [
                "✔ Provisioner: acme (ACME)",
                "Using Standalone Mode HTTP challenge to validate example.com . done!",
                "Waiting for Order to be 'ready' for finalization . done!",
                "Finalizing Order . done!",
                "✔ Certificate: example.crt",
                "✔ Private Key: example.key",
            ],
            "{}",
            got.stderr
        );
        assert_eq!(
            got.stderr,
            plain(&got.stderr),
            "no escape codes where there is no terminal"
        );
        for file in ["example.crt", "example.key"] {
            let mode = fs::metadata(harness.path(file))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        let root = harness.path(".step/certs/root_ca.crt");
        crate::third_party::openssl_accepts(&harness.path("example.crt"), &root);
        typed(harness, "step certificate verify --roots .step/certs/root_ca.crt --host example.com example.crt").success();
    });
}

/// A line with its dots of waiting, one or more, as one.
fn one_dot(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let dots = !word.is_empty() && word.chars().all(|c| c == '.');
        if dots { "." } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_certificate_got_by_acme_is_renewed_by_mutual_tls() {
    own_harness(|harness| {
        let (_server, _) = main_path(harness);
        let before = fs::read(harness.path("example.crt")).unwrap();
        let early = typed(
            harness,
            "step ca renew --expires-in 1h example.crt example.key",
        )
        .success();
        assert!(
            early.text().contains("certificate not renewed: expires in"),
            "{early:?}"
        );
        assert_eq!(fs::read(harness.path("example.crt")).unwrap(), before);
        let done = typed(
            harness,
            "step ca renew --force --exec 'touch renewed' example.crt example.key",
        )
        .success();
        assert!(
            done.text()
                .contains("Your certificate has been saved in example.crt."),
            "{done:?}"
        );
        assert!(
            harness.path("renewed").exists(),
            "the command after a renewal has run"
        );
        assert_ne!(fs::read(harness.path("example.crt")).unwrap(), before);
        let root = harness.path(".step/certs/root_ca.crt");
        crate::third_party::openssl_accepts(&harness.path("example.crt"), &root);
        typed(harness, "step ca renew --force example.crt example.key").success();
    });
}

#[test]
fn a_renewal_daemon_renews_again_and_again_and_ends_at_sigterm() {
    own_harness(|harness| {
        let (_server, _) = main_path(harness);
        let mut daemon = harness.shell();
        daemon.args(["-c", "exec step ca renew --daemon --renew-period 1s --exec 'echo x >> times' example.crt example.key"]);
        let mut daemon = Daemon::spawn(&mut daemon, &harness.path("daemon.log"));
        process::eventually("two renewals", || {
            let times = fs::read_to_string(harness.path("times")).unwrap_or_default();
            (times.lines().count() >= 2).then_some(())
        });
        daemon.signal("TERM");
        assert_eq!(daemon.wait(), Some(0), "{}", daemon.log());
        crate::third_party::openssl_accepts(
            &harness.path("example.crt"),
            &harness.path(".step/certs/root_ca.crt"),
        );
    });
}

/// Certificates have a lifetime of 24 hours and begin a minute earlier, so that each is due as soon as it is issued.
#[test]
fn a_renewal_daemon_pauses_where_a_new_certificate_is_due_at_once() {
    own_harness(|harness| {
        let (_server, _) = main_path(harness);
        let mut daemon = harness.shell();
        let line = "exec step ca renew --daemon --expires-in 24h0m30s example.crt example.key";
        daemon.args(["-c", line]);
        let daemon = Daemon::spawn(&mut daemon, &harness.path("daemon.log"));
        process::eventually("a renewal and a warning", || {
            daemon
                .log()
                .contains("due for renewal already")
                .then_some(())
        });
        assert!(
            daemon.log().contains("renewed, next in 1m"),
            "{}",
            daemon.log()
        );
        let too_long = "step ca renew --daemon --expires-in 25h example.crt example.key";
        let refused = typed(harness, too_long).code(1);
        for duration in ["25h0m0s", "24h1m0s"] {
            assert!(refused.stderr.contains(duration), "{}", refused.stderr);
        }
    });
}

#[test]
fn an_existing_file_is_not_overwritten_without_confirmation() {
    own_harness(|harness| {
        let (_server, _) = main_path(harness);
        let again = "step ca certificate --provisioner acme example.com example.crt example.key";
        let before = fs::read(harness.path("example.crt")).unwrap();
        let refused = typed(harness, again).code(1);
        assert!(refused.stderr.contains("/dev/tty"), "{refused:?}");
        assert_eq!(fs::read(harness.path("example.crt")).unwrap(), before);
        typed(harness, &format!("{again} --force")).success();
    });
}

#[test]
fn a_missing_answer_is_reported_by_what_the_server_observed() {
    own_harness(|harness| {
        let (_server, _) = main_path(harness);
        harness.host("127.0.0.1", "elsewhere.example.com");
        fs::create_dir(harness.path("www")).unwrap();
        let failed = typed(
            harness,
            "step ca certificate --provisioner acme --webroot www elsewhere.example.com e.crt e.key",
        )
        .code(1);
        let text = failed.text();
        for word in ["elsewhere.example.com", "127.0.0.1:80", "refused"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(!harness.path("e.crt").exists() && !harness.path("e.key").exists());
    });
}
