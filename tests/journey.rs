//! The main path as a user types it, word for word: four commands from an
//! empty folder to a certificate, and what they print; then its renewal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use acceptance::namespace::{World, own_world};
use acceptance::paths;
use acceptance::process::{self, Daemon, Outcome, plain};

/// A shell that finds our programs, in a folder of the world.
fn shell(world: &World) -> Command {
    let programs = paths::ours("step");
    let programs = programs.parent().unwrap();
    let mut command = process::command("sh");
    command
        .env_clear()
        .env(
            "PATH",
            format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", programs.display()),
        )
        .env("HOME", world.dir())
        .current_dir(world.dir());
    command
}

fn typed(world: &World, line: &str) -> Outcome {
    process::run(shell(world).args(["-c", line]))
}

/// The four commands; the server runs until the daemon is dropped.
fn main_path(world: &World) -> (Daemon, Outcome) {
    world.host("127.0.0.1", "example.com");
    world.write("pw", "a password\n");
    typed(
        world,
        "step ca init --name Example --dns localhost --address 127.0.0.1:9000 --provisioner admin --password-file pw --deployment-type standalone",
    )
    .success();
    let mut server = shell(world);
    server.args([
        "-c",
        "exec step-ca $(step path)/config/ca.json --password-file pw",
    ]);
    let server = Daemon::spawn(&mut server, &world.path("server.log"));
    process::eventually("a healthy server", || {
        (typed(world, "step ca health").stdout == "ok\n").then_some(())
    });
    typed(world, "step ca provisioner add acme --type ACME").success();
    let got = typed(
        world,
        "step ca certificate --provisioner acme example.com example.crt example.key",
    );
    (server, got.success())
}

#[test]
fn four_commands_lead_from_an_empty_folder_to_a_certificate() {
    own_world(|world| {
        let (_server, got) = main_path(world);
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
            let mode = fs::metadata(world.path(file)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
        let root = world.path(".step/certs/root_ca.crt");
        crate::strangers::openssl_accepts(&world.path("example.crt"), &root);
        typed(world, "step certificate verify --roots .step/certs/root_ca.crt --host example.com example.crt").success();
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
    own_world(|world| {
        let (_server, _) = main_path(world);
        let before = fs::read(world.path("example.crt")).unwrap();
        let early = typed(
            world,
            "step ca renew --expires-in 1h example.crt example.key",
        )
        .success();
        assert!(
            early.text().contains("certificate not renewed: expires in"),
            "{early:?}"
        );
        assert_eq!(fs::read(world.path("example.crt")).unwrap(), before);
        let done = typed(
            world,
            "step ca renew --force --exec 'touch renewed' example.crt example.key",
        )
        .success();
        assert!(
            done.text()
                .contains("Your certificate has been saved in example.crt."),
            "{done:?}"
        );
        assert!(
            world.path("renewed").exists(),
            "the command after a renewal has run"
        );
        assert_ne!(fs::read(world.path("example.crt")).unwrap(), before);
        let root = world.path(".step/certs/root_ca.crt");
        crate::strangers::openssl_accepts(&world.path("example.crt"), &root);
        typed(world, "step ca renew --force example.crt example.key").success();
    });
}

#[test]
fn a_renewal_daemon_renews_again_and_again_and_ends_at_sigterm() {
    own_world(|world| {
        let (_server, _) = main_path(world);
        let mut daemon = shell(world);
        daemon.args(["-c", "exec step ca renew --daemon --renew-period 1s --exec 'echo x >> times' example.crt example.key"]);
        let mut daemon = Daemon::spawn(&mut daemon, &world.path("daemon.log"));
        process::eventually("two renewals", || {
            let times = fs::read_to_string(world.path("times")).unwrap_or_default();
            (times.lines().count() >= 2).then_some(())
        });
        daemon.signal("TERM");
        assert_eq!(daemon.wait(), Some(0), "{}", daemon.log());
        crate::strangers::openssl_accepts(
            &world.path("example.crt"),
            &world.path(".step/certs/root_ca.crt"),
        );
    });
}

#[test]
fn an_existing_file_is_not_overwritten_unasked() {
    own_world(|world| {
        let (_server, _) = main_path(world);
        let again = "step ca certificate --provisioner acme example.com example.crt example.key";
        let before = fs::read(world.path("example.crt")).unwrap();
        let refused = typed(world, again).code(1);
        assert!(refused.stderr.contains("/dev/tty"), "{refused:?}");
        assert_eq!(fs::read(world.path("example.crt")).unwrap(), before);
        typed(world, &format!("{again} --force")).success();
    });
}

#[test]
fn an_answer_that_is_missing_is_told_by_what_the_server_saw() {
    own_world(|world| {
        let (_server, _) = main_path(world);
        world.host("127.0.0.1", "elsewhere.example.com");
        fs::create_dir(world.path("www")).unwrap();
        let failed = typed(
            world,
            "step ca certificate --provisioner acme --webroot www elsewhere.example.com e.crt e.key",
        )
        .code(1);
        let text = failed.text();
        for word in ["elsewhere.example.com", "127.0.0.1:80", "refused"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(!world.path("e.crt").exists() && !world.path("e.key").exists());
    });
}
