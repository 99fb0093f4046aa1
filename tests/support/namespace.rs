//! The harness of one test: network, mounts and processes in namespaces of its
//! own, loopback up, its own hosts file and resolv.conf, a DNS server on port 53.
//! The test binary runs itself again inside it, for that one test.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::dns::Dns;
use super::{paths, process};

const MARK: &str = "RISER_HARNESS";

/// What a test finds inside its own harness.
pub struct Harness {
    /// The resolver that `/etc/resolv.conf` names.
    pub dns: Dns,
    dir: PathBuf,
}

impl Harness {
    /// A shell with our programs in its path, in the directory of the harness.
    pub fn shell(&self) -> Command {
        let programs = paths::ours("step");
        let programs = programs.parent().expect("a program in a directory");
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", programs.display());
        let mut command = process::command("sh");
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.dir())
            .current_dir(self.dir());
        command
    }

    /// A temporary directory, removed after the test.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A path in that folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Writes a file in that folder.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("the harness's directory is writable");
        path
    }

    /// Writes a shell script in that folder, without its first line, and makes it executable.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.write(name, &format!("#!/bin/sh\n{text}"));
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&path, executable).expect("our own file");
        path
    }

    /// Adds a line to the hosts file.
    pub fn host(&self, address: &str, name: &str) {
        let mut file = File::options()
            .append(true)
            .open(self.dir.join("hosts"))
            .expect("the hosts file is there");
        writeln!(file, "{address} {name}").expect("and writable");
    }
}

/// Runs a test's body in its own harness. Fails, with all output, if the body fails there.
#[track_caller]
pub fn own_harness<F: FnOnce(&Harness)>(body: F) {
    if let Some(dir) = std::env::var_os(MARK) {
        body(&Harness {
            dns: Dns::start("127.0.0.1:53"),
            dir: PathBuf::from(dir),
        });
        return;
    }
    let test = test_name::<F>();
    let dir = tempfile::tempdir().expect("a temporary folder");
    fs::write(
        dir.path().join("hosts"),
        "127.0.0.1 localhost\n::1 localhost\n",
    )
    .expect("writable");
    fs::write(
        dir.path().join("resolv.conf"),
        "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n",
    )
    .expect("writable");
    let outcome = process::run(&mut inside(&test, dir.path()));
    assert!(
        outcome.code == Some(0) && outcome.stdout.contains("1 passed"),
        "{test} failed in its own harness ({:?})\n{}\n{}",
        outcome.code,
        outcome.stdout,
        outcome.stderr
    );
    eprint!("{}", outcome.stderr);
}

fn inside(test: &str, dir: &Path) -> Command {
    const SETUP: &str = r#"
        set -e
        ip link set lo up
        mount --bind "$RISER_HARNESS/hosts" /etc/hosts
        mount --bind "$RISER_HARNESS/resolv.conf" /etc/resolv.conf
        exec "$@"
    "#;
    let mut command = process::command("unshare");
    if !fs::metadata("/proc/self").is_ok_and(|m| std::os::unix::fs::MetadataExt::uid(&m) == 0) {
        command.args(["--user", "--map-root-user"]);
    }
    command
        .args([
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ])
        .args(["sh", "-c", SETUP, "sh"])
        .arg(std::env::current_exe().expect("a test knows its own file"))
        .args([
            "--exact",
            test,
            "--nocapture",
            "--test-threads=1",
            "--include-ignored",
        ])
        .env(MARK, dir)
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        );
    command
}

/// The path of the running test: its thread's name, or, where it runs on the main thread,
/// the name of its closure.
fn test_name<F>() -> String {
    let thread = std::thread::current();
    if let Some(name) = thread.name().filter(|name| *name != "main") {
        return name.to_owned();
    }
    let name = std::any::type_name::<F>();
    let name = name.split("::{{closure}}").next().unwrap_or(name);
    name.split_once("::")
        .map_or(name, |(_, path)| path)
        .to_owned()
}
