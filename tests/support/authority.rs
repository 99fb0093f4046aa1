//! A CA for a test: a directory created by `step ca init`, and the server started
//! on it. `step` and `step-ca` are ours, smallstep's, or one of each.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::https::Client;
use super::namespace::Harness;
use super::process::{self, Daemon, Outcome};
use super::{acme, paths};

/// Which `step` and which `step-ca`.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The command line.
    pub step: PathBuf,
    /// The server.
    pub step_ca: PathBuf,
    /// Whether the server picks up a changed configuration by itself; else it gets SIGHUP.
    pub live: bool,
}

impl Pair {
    /// Both ours.
    pub fn ours() -> Self {
        Self {
            step: paths::ours("step"),
            step_ca: paths::ours("step-ca"),
            live: std::env::var_os("RISER_OURS").is_none(),
        }
    }

    /// This command line on this server of another make.
    pub fn real(step: &Path, step_ca: &Path) -> Self {
        Self {
            step: step.to_owned(),
            step_ca: step_ca.to_owned(),
            live: false,
        }
    }
}

/// A folder with a certificate authority in it.
pub struct Authority {
    /// The programs that work on it.
    pub pair: Pair,
    /// The step path.
    pub path: PathBuf,
    /// Where its server listens.
    pub address: String,
    /// Arguments of the server besides the configuration and the password file.
    pub arguments: Vec<String>,
    /// Environment of the server.
    pub environment: Vec<(String, String)>,
    /// A program and its arguments that run the server, such as `strace`.
    pub wrapper: Vec<String>,
    password: PathBuf,
}

impl Authority {
    /// Runs `step ca init` without questions, in a directory `name` of the harness; port 9000.
    pub fn init(harness: &Harness, pair: Pair, name: &str) -> Self {
        Self::init_at(harness, pair, name, "127.0.0.1:9000")
    }

    /// As [`Authority::init`], on another address.
    pub fn init_at(harness: &Harness, pair: Pair, name: &str, address: &str) -> Self {
        let authority = Self {
            pair,
            path: harness.path(name),
            address: address.to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            wrapper: Vec::new(),
            password: harness.write("pw", "correct horse battery staple\n"),
        };
        std::fs::create_dir_all(&authority.path).expect("the step path can be made");
        let mut init = authority.step();
        init.args(["ca", "init", "--name", "Example", "--provisioner", "admin"])
            .args([
                "--dns",
                "localhost",
                "--dns",
                "127.0.0.1",
                "--address",
                address,
            ])
            .args(["--deployment-type", "standalone", "--password-file"])
            .arg(&authority.password);
        process::run(&mut init).success();
        authority
    }

    /// The usual case: our server with an ACME provisioner called `acme`, started.
    pub fn started(harness: &Harness) -> Server {
        let mut server = Self::init(harness, Pair::ours(), "ca").start();
        server.add_acme();
        server
    }

    /// `step` with this folder as its step path and an otherwise empty environment.
    pub fn step(&self) -> Command {
        self.step_of(&self.pair.step)
    }

    /// Another `step` on the same folder.
    pub fn step_of(&self, program: &Path) -> Command {
        let mut command = process::command(program);
        clean(&mut command);
        command.env("STEPPATH", &self.path).env("HOME", &self.path);
        command.current_dir(self.path.parent().expect("the directory is in the harness"));
        command
    }

    /// Runs `step` of the pair with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        process::run(self.step().args(arguments))
    }

    /// The server's command line, not started.
    pub fn command(&self) -> Command {
        let mut command = match self.wrapper.split_first() {
            None => Command::new(&self.pair.step_ca),
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&self.pair.step_ca);
                command
            }
        };
        clean(&mut command);
        command
            .arg(self.path.join("config/ca.json"))
            .arg("--password-file")
            .arg(&self.password)
            .args(&self.arguments)
            .env("STEPPATH", &self.path)
            .env("HOME", &self.path)
            .envs(self.environment.iter().map(|(k, v)| (k, v)));
        command
    }

    /// Starts the server and waits until it is healthy.
    #[track_caller]
    pub fn start(self) -> Server {
        let log = self.path.with_extension("log");
        let client = Client::new(&self.root());
        let mut server = Server {
            daemon: Daemon::spawn(&mut self.command(), &log),
            authority: self,
            client,
        };
        server.await_health();
        server
    }

    /// The root certificate's file.
    pub fn root(&self) -> PathBuf {
        self.path.join("certs/root_ca.crt")
    }

    /// The password file.
    pub fn password(&self) -> &Path {
        &self.password
    }

    /// `https://localhost:<port>`.
    pub fn url(&self) -> String {
        let (_, port) = self.address.rsplit_once(':').expect("host:port");
        format!("https://localhost:{port}")
    }

    /// The directory of the ACME provisioner `acme`.
    pub fn directory(&self) -> String {
        format!("{}/acme/acme/directory", self.url())
    }
}

fn clean(command: &mut Command) {
    command.env_clear();
    command.env(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
}

/// A running server; killed when dropped.
pub struct Server {
    /// Its folder.
    pub authority: Authority,
    /// Its process.
    pub daemon: Daemon,
    /// A client that trusts its root.
    pub client: Client,
}

impl Server {
    /// Waits until `/health` says ok; fails at once if the process ends.
    #[track_caller]
    pub fn await_health(&mut self) {
        let url = format!("{}/health", self.authority.url());
        process::eventually("a healthy server", || {
            assert!(
                self.daemon.is_running(),
                "step-ca ended at start:\n{}",
                self.daemon.log()
            );
            self.client.get(&url).ok().filter(|r| r.status == 200)
        });
    }

    /// Adds an ACME provisioner called `acme` while the server runs, and waits until it is served.
    #[track_caller]
    pub fn add_acme(&mut self) {
        self.authority
            .run(&["ca", "provisioner", "add", "acme", "--type", "ACME"])
            .success();
        if !self.authority.pair.live {
            self.daemon.signal("HUP");
        }
        self.await_acme();
    }

    /// Waits until the directory of the provisioner `acme` is served.
    #[track_caller]
    pub fn await_acme(&self) {
        let directory = self.authority.directory();
        process::eventually("the ACME directory", || {
            self.client.get(&directory).ok().filter(|r| r.status == 200)
        });
    }

    /// GET of a path on a fresh connection.
    #[track_caller]
    pub fn get(&self, path: &str) -> super::https::Response {
        let url = format!("{}{path}", self.authority.url());
        self.client
            .get(&url)
            .unwrap_or_else(|e| panic!("GET {url}: {e}\n{}", self.daemon.log()))
    }

    /// A fresh ACME account.
    #[track_caller]
    pub fn account(&self) -> acme::Account {
        acme::Account::register(&self.client, &self.authority.directory())
    }

    /// SIGTERM; the exit code must be 0.
    #[track_caller]
    pub fn stop(mut self) -> Authority {
        self.daemon.signal("TERM");
        let code = self.daemon.wait();
        assert_eq!(code, Some(0), "{}", self.daemon.log());
        self.authority
    }

    /// kill -9, then the same again on the same folder.
    #[track_caller]
    pub fn crash_and_restart(mut self) -> Self {
        self.daemon.kill();
        self.authority.start()
    }
}
