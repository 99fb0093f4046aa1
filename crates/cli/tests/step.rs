//! The program as scripts see it: exit codes, streams, files, the sources of flags.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends")]

mod dishonest;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Outcome {
    code: i32,
    stdout: String,
    stderr: String,
}

/// A folder of its own for one test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("step-it-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// `step` with these arguments, in this folder, without a terminal.
    fn step(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("setsid");
        command
            .arg("--wait")
            .arg(env!("CARGO_BIN_EXE_step"))
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("STEPPATH", self.path("step"))
            .current_dir(&self.0)
            .stdin(std::process::Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        outcome(&mut self.step(arguments))
    }

    fn init(&self) -> Outcome {
        fs::write(self.path("pw"), "secret\n").unwrap();
        self.run(&[
            "ca",
            "init",
            "--name=Test CA",
            "--dns=localhost,127.0.0.1",
            "--address=127.0.0.1:9443",
            "--provisioner=admin",
            "--password-file=pw",
        ])
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn outcome(command: &mut Command) -> Outcome {
    let output = command.output().unwrap();
    Outcome {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn usage_errors_have_the_messages_and_codes_that_scripts_know() {
    let folder = Folder::new("usage");
    let cases: [(&[&str], i32, &str); 8] = [
        (&["nope"], 3, "No help topic for 'nope'\n"),
        (&["ca", "nope"], 3, "No help topic for 'nope'\n"),
        (
            &["ca", "certificate", "a", "b"],
            1,
            "not enough positional arguments were provided in 'step ca certificate <subject> <crt-file> <key-file>'\n",
        ),
        (
            &["ca", "certificate", "a", "b", "c", "d"],
            1,
            "too many positional arguments were provided in 'step ca certificate <subject> <crt-file> <key-file>'\n",
        ),
        (
            &["ca", "health", "--nope"],
            1,
            "flag provided but not defined: -nope\n",
        ),
        (
            &["ca", "health"],
            1,
            "'step ca health' requires the '--ca-url' flag\n",
        ),
        (
            &["ca", "init", "--acme", "--no-db"],
            1,
            "flag '--acme' is incompatible with '--no-db'\n",
        ),
        (
            &["ca", "sign", "x"],
            1,
            "'step ca sign' does not exist yet in this version of step\n",
        ),
    ];
    for (arguments, code, stderr) in cases {
        let got = folder.run(arguments);
        assert_eq!(
            (got.code, got.stderr.as_str()),
            (code, stderr),
            "{arguments:?}"
        );
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    let folder = Folder::new("help");
    for command in [
        "ca init",
        "ca bootstrap",
        "ca health",
        "ca root",
        "ca roots",
        "ca federation",
        "ca certificate",
        "ca renew",
        "ca provisioner list",
        "ca provisioner add",
        "ca provisioner update",
        "ca provisioner remove",
        "certificate inspect",
        "certificate fingerprint",
        "certificate verify",
        "certificate needs-renewal",
        "path",
        "completion",
    ] {
        let mut words: Vec<&str> = command.split(' ').collect();
        words.push("--help");
        let got = folder.run(&words);
        assert_eq!(got.code, 0, "{command}");
        assert!(got.stdout.contains("\nExamples:\n"), "{command}");
        assert_eq!(got.stderr, "", "{command}");
    }
}

#[test]
fn data_goes_to_stdout_and_no_escape_codes_without_a_terminal() {
    let folder = Folder::new("streams");
    let path = folder.run(&["path"]);
    let expected = format!("{}\n", folder.path("step").display());
    assert_eq!((path.stdout, path.stderr), (expected, String::new()));
    let made = folder.init();
    assert_eq!((made.code, made.stdout.as_str()), (0, ""));
    assert!(!made.stderr.contains('\x1b'), "{}", made.stderr);
    assert!(made.stderr.contains("✔ Root fingerprint: "));
    let version = folder.run(&["version"]);
    assert!(version.stdout.contains("\nRelease Date: "));
}

#[test]
fn a_new_authority_has_the_files_and_modes_that_the_server_expects() {
    let folder = Folder::new("init");
    assert_eq!(folder.init().code, 0);
    let base = folder.path("step");
    for (name, expected) in [
        ("", 0o700),
        ("certs", 0o700),
        ("certs/root_ca.crt", 0o600),
        ("certs/intermediate_ca.crt", 0o600),
        ("secrets/root_ca_key", 0o600),
        ("secrets/intermediate_ca_key", 0o600),
        ("config/ca.json", 0o644),
        ("config/defaults.json", 0o644),
        ("db", 0o700),
        ("templates", 0o700),
    ] {
        assert_eq!(mode(&base.join(name)), expected, "{name}");
    }
    let key = fs::read_to_string(base.join("secrets/root_ca_key")).unwrap();
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    let roots = base.join("certs/root_ca.crt");
    let intermediate = base.join("certs/intermediate_ca.crt");
    let verified = folder.run(&[
        "certificate",
        "verify",
        intermediate.to_str().unwrap(),
        "--roots",
        roots.to_str().unwrap(),
    ]);
    assert_eq!((verified.code, verified.stdout.as_str()), (0, ""));
}

#[test]
fn nothing_is_overwritten_without_a_terminal_to_ask_on() {
    let folder = Folder::new("overwrite");
    assert_eq!(folder.init().code, 0);
    let before = fs::read(folder.path("step/secrets/root_ca_key")).unwrap();
    let again = folder.init();
    assert_eq!(again.code, 1);
    assert!(
        again
            .stderr
            .starts_with("error allocating terminal: open /dev/tty: no such device or address\n"),
        "{}",
        again.stderr
    );
    let after = fs::read(folder.path("step/secrets/root_ca_key")).unwrap();
    assert_eq!(before, after);
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_defaults() {
    let folder = Folder::new("sources");
    assert_eq!(folder.init().code, 0);
    let tried = |arguments: &[&str], variable: Option<&str>| {
        let mut words = vec!["ca", "health"];
        words.extend(arguments);
        let mut command = folder.step(&words);
        if let Some(url) = variable {
            command.env("STEP_CA_URL", url);
        }
        outcome(&mut command).stderr
    };
    // Port 1 refuses; the message names the address that was tried.
    let defaults = fs::read_to_string(folder.path("step/config/defaults.json")).unwrap();
    let moved = defaults.replace("localhost:9443", "127.0.0.1:1");
    fs::write(folder.path("step/config/defaults.json"), moved).unwrap();
    let file = tried(&[], None);
    assert_eq!(
        file,
        "client GET https://127.0.0.1:1/health failed: dial tcp 127.0.0.1:1: connect: connection refused\n\
         Check that the server runs there: the address comes from '--ca-url', STEP_CA_URL or \
         $(step path)/config/defaults.json.\n"
    );
    let environment = tried(&[], Some("127.0.0.2:1"));
    assert!(environment.contains("https://127.0.0.2:1/health"));
    let flag = tried(&["--ca-url", "127.0.0.3:1"], Some("127.0.0.2:1"));
    assert!(flag.contains("https://127.0.0.3:1/health"));
}

#[test]
fn a_challenge_of_a_draft_is_refused_with_the_file_that_can_name_it() {
    let folder = Folder::new("drafts");
    assert_eq!(folder.init().code, 0);
    let add = [
        "ca",
        "provisioner",
        "add",
        "a",
        "--type",
        "ACME",
        "--challenge",
    ];
    let refused = folder.run(&[&add[..], &["dns-persist-01"]].concat());
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("name it in riser.toml"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_flag_that_switches_a_setting_of_a_provisioner_on_switches_it_off_again() {
    let folder = Folder::new("flags");
    assert_eq!(folder.init().code, 0);
    let config = || fs::read_to_string(folder.path("step/config/ca.json")).unwrap();
    let add = ["ca", "provisioner", "add", "acme", "--type", "ACME"];
    assert_eq!(folder.run(&add).code, 0);
    for (flag, on) in [
        ("--require-eab", "\"requireEAB\": true"),
        ("-force-cn", "\"forceCN\": true"),
        ("--disable-renewal", "\"disableRenewal\": true"),
    ] {
        for (value, expected) in [
            ("", true),
            ("=false", false),
            ("=true", true),
            ("=false", false),
        ] {
            let flag = format!("{flag}{value}");
            let update = folder.run(&["ca", "provisioner", "update", &flag, "acme"]);
            assert_eq!(update.code, 0, "{}", update.stderr);
            assert_eq!(config().contains(on), expected, "{flag}");
        }
        let other = [
            "ca",
            "provisioner",
            "update",
            "acme",
            "--x509-max-dur",
            "48h",
        ];
        let before = config().contains(on);
        assert_eq!(folder.run(&other).code, 0);
        assert_eq!(config().contains(on), before, "{flag} was not given");
    }
}

#[test]
fn a_provisioner_is_added_changed_and_removed_in_the_file() {
    let folder = Folder::new("provisioner");
    assert_eq!(folder.init().code, 0);
    let path = folder.path("step/config/ca.json");
    let original = fs::read_to_string(&path).unwrap();
    let added = folder.run(&["ca", "provisioner", "add", "acme", "--type", "acme"]);
    assert_eq!(added.code, 0, "{}", added.stderr);
    assert_eq!(added.stdout, "");
    assert_eq!(
        added.stderr,
        format!(
            "✔ CA Configuration: {}\n\nSuccess! Your `step-ca` config has been updated. To pick up the new configuration SIGHUP (kill -1 <pid>) or restart the step-ca process.\n",
            path.display()
        )
    );
    let again = folder.run(&["ca", "provisioner", "add", "acme", "--type", "ACME"]);
    assert_eq!(again.code, 1);
    assert!(
        again
            .stderr
            .ends_with("error storing provisioner: provisioner with name acme already exists\n")
    );
    let changed = folder.run(&[
        "ca",
        "provisioner",
        "update",
        "acme",
        "--x509-max-dur",
        "48h",
    ]);
    assert_eq!(changed.code, 0, "{}", changed.stderr);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"maxTLSCertDuration\": \"48h0m0s\""));
    let removed = folder.run(&["ca", "provisioner", "remove", "acme"]);
    assert_eq!(removed.code, 0);
    assert_eq!(fs::read_to_string(&path).unwrap(), original);
    let unknown = folder.run(&["ca", "provisioner", "remove", "acme"]);
    assert!(
        unknown
            .stderr
            .ends_with("error loading provisioner: provisioner acme not found\n")
    );
    assert_eq!(mode(&path), 0o644);
}

#[test]
fn needs_renewal_answers_with_its_exit_code() {
    let folder = Folder::new("renewal");
    assert_eq!(folder.init().code, 0);
    let code = |arguments: &[&str]| {
        let mut words = vec!["certificate", "needs-renewal"];
        words.extend(arguments);
        folder.run(&words).code
    };
    let root = "step/certs/root_ca.crt";
    assert_eq!(code(&[root, "--expires-in", "99999h"]), 0);
    assert_eq!(code(&[root]), 1);
    assert_eq!(code(&["nope.crt"]), 2);
    assert_eq!(code(&["pw"]), 255);
    assert_eq!(code(&[]), 255);
    assert_eq!(code(&[root, root]), 255);
    assert_eq!(code(&[root, "--nope"]), 1);
    assert_eq!(code(&[root, "--expires-in", "200%"]), 255);
}

#[test]
fn completions_are_printed_for_three_shells() {
    let folder = Folder::new("completion");
    for shell in ["bash", "zsh", "fish"] {
        let got = folder.run(&["completion", shell]);
        assert_eq!(got.code, 0, "{shell}");
        assert!(got.stdout.contains("needs-renewal"), "{shell}");
    }
    assert_eq!(folder.run(&["completion", "tcsh"]).code, 1);
}
