//! The servers under load: ours and, where they are built or installed, smallstep's step-ca and Pebble.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use client::{Http, Trust};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Failure;
use crate::challenges::Ports;
use crate::disk::Disk;

/// A server to compare.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Server {
    /// Ours, as `make build` builds it for release.
    Riser,
    /// Ours, as `make dist` builds it.
    RiserDist,
    /// smallstep's.
    StepCa,
    /// Pebble.
    Pebble,
}

impl Server {
    /// Those that are built or installed.
    #[must_use]
    pub fn present() -> Vec<Self> {
        let all = [Self::Riser, Self::RiserDist, Self::StepCa, Self::Pebble];
        all.into_iter()
            .filter(|one| one.program().exists())
            .collect()
    }

    /// What tables call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Riser => "Riser",
            Self::RiserDist => "Riser (dist)",
            Self::StepCa => "step-ca",
            Self::Pebble => "Pebble",
        }
    }

    /// Whether what an answer says is on disk before it is sent.
    #[must_use]
    pub fn durability(self) -> &'static str {
        match self {
            Self::Riser | Self::RiserDist => "yes",
            Self::StepCa => "yes",
            Self::Pebble => "no, in memory",
        }
    }

    /// Starts one with an empty store.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(self, network: &Network) -> Result<Peer, Failure> {
        let program = self.program();
        if self == Self::Pebble {
            return Peer::pebble(&program, network).await;
        }
        let pair = Pair {
            step: program.with_file_name("step"),
            step_ca: program,
        };
        Peer::step_ca(self, &pair, network).await
    }

    fn program(self) -> PathBuf {
        let file = match self {
            Self::Riser => "release/step-ca",
            Self::RiserDist => "dist/step-ca",
            Self::StepCa => "peers/bin/step-ca",
            Self::Pebble => "peers/bin/pebble",
        };
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../target")
            .join(file)
    }
}

/// Where a server looks for what clients have to prove.
#[derive(Clone, Copy)]
pub struct Network {
    /// The ports that it connects to.
    pub ports: Ports,
    /// Whether it asks our DNS server, instead of the machine's hosts file and resolver.
    pub names: Names,
}

/// Who tells a server the addresses of names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// The hosts file of the machine.
    Hosts,
    /// The DNS server of the benchmark.
    Dns,
}

impl Network {
    fn resolver(&self) -> Option<String> {
        (self.names == Names::Dns).then(|| format!("127.0.0.1:{}", self.ports.dns))
    }
}

/// The programs of one maker.
struct Pair {
    step: PathBuf,
    step_ca: PathBuf,
}

/// What clients know of a server.
#[derive(Clone)]
pub struct Endpoint {
    /// The ACME directory's URL.
    pub directory: String,
    /// The root of its own TLS certificate, DER.
    pub root: Vec<u8>,
}

impl Endpoint {
    /// Scheme, host and port of its URLs.
    #[must_use]
    pub fn origin(&self) -> &str {
        let host = "https://".len();
        let end = self.directory[host..]
            .find('/')
            .map_or(self.directory.len(), |at| host + at);
        &self.directory[..end]
    }
}

/// A running server; it is ended when dropped.
pub struct Peer {
    /// What clients know of it.
    pub endpoint: Endpoint,
    process: Child,
    folder: TempDir,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended by itself; that shows in the figures.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Peer {
    /// User and system time that the process has used so far.
    ///
    /// # Errors
    /// When `/proc` does not say.
    pub fn cpu(&self) -> Result<Duration, Failure> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let after_name = stat.rsplit_once(") ").ok_or("no process name")?.1;
        let mut ticks = after_name.split(' ').skip(11).take(2);
        let mut next = || ticks.next().unwrap_or("0").parse::<u64>();
        // USER_HZ is 100 on every Linux architecture that we build for.
        Ok(Duration::from_millis(10 * (next()? + next()?)))
    }

    /// Resident memory in MiB.
    ///
    /// # Errors
    /// When `/proc` does not say.
    pub fn memory(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status
            .lines()
            .find(|l| l.starts_with("VmRSS:"))
            .ok_or("no VmRSS")?;
        let kib: u64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
        Ok(kib / 1024)
    }

    /// What its store takes on disk; nothing where it is in memory.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn disk(&self) -> Result<Option<Disk>, Failure> {
        let store = self.folder.path().join("db");
        Ok(store.is_dir().then(|| Disk::of(&store)).transpose()?)
    }

    /// smallstep's `step-ca` or ours on its default store.
    async fn step_ca(server: Server, pair: &Pair, network: &Network) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let path = folder.path();
        fs::write(path.join("pw"), "a password of twenty\n")?;
        let port = free_port()?;
        let init = Command::new(&pair.step)
            .args(["ca", "init", "--name", "Bench", "--dns", "localhost"])
            .args(["--provisioner", "admin", "--deployment-type", "standalone"])
            .args(["--address", &format!("127.0.0.1:{port}"), "--password-file"])
            .arg(path.join("pw"))
            .env("STEPPATH", path)
            .stdin(Stdio::null())
            .output()?;
        if !init.status.success() {
            return Err(String::from_utf8_lossy(&init.stderr).into());
        }
        let config = path.join("config/ca.json");
        let mut json: Value = serde_json::from_str(&fs::read_to_string(&config)?)?;
        if let Some(list) = json["authority"]["provisioners"].as_array_mut() {
            list.push(json!({"type": "ACME", "name": "acme"}));
        }
        fs::write(&config, json.to_string())?;
        fs::write(path.join("config/riser.toml"), "rate_limits = \"off\"\n")?;
        let mut command = Command::new(&pair.step_ca);
        command
            .arg(&config)
            .arg("--password-file")
            .arg(path.join("pw"));
        command.args([
            "--insecure",
            "--acme-http-port",
            &network.ports.http.to_string(),
        ]);
        command.args(["--acme-tls-port", &network.ports.tls.to_string()]);
        if let Some(resolver) = network.resolver() {
            command.args(["--resolver", &resolver]);
        }
        command.env("STEPPATH", path);
        let root = pki::Certificate::from_pem(&fs::read(path.join("certs/root_ca.crt"))?)?;
        let endpoint = Endpoint {
            directory: format!("https://localhost:{port}/acme/acme/directory"),
            root: root.der().to_vec(),
        };
        Self::start(server, command, endpoint, folder).await
    }

    /// Pebble without its sleeps and its refused nonces, with ECDSA keys.
    async fn pebble(program: &Path, network: &Network) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let path = folder.path();
        let tls = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
        fs::write(path.join("tls.crt"), tls.cert.pem())?;
        fs::write(path.join("tls.key"), tls.signing_key.serialize_pem())?;
        let port = free_port()?;
        let config = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{port}"), "managementListenAddress": "",
            "certificate": path.join("tls.crt"), "privateKey": path.join("tls.key"),
            "httpPort": network.ports.http, "tlsPort": network.ports.tls, "keyAlgorithm": "ecdsa",
        }});
        fs::write(path.join("pebble.json"), config.to_string())?;
        let mut command = Command::new(program);
        command.arg("-config").arg(path.join("pebble.json")).envs([
            ("PEBBLE_VA_NOSLEEP", "1"),
            ("PEBBLE_WFE_NONCEREJECT", "0"),
            ("PEBBLE_AUTHZREUSE", "0"),
        ]);
        if let Some(resolver) = network.resolver() {
            command.args(["-dnsserver", &resolver]);
        }
        let endpoint = Endpoint {
            directory: format!("https://localhost:{port}/dir"),
            root: tls.cert.der().to_vec(),
        };
        Self::start(Server::Pebble, command, endpoint, folder).await
    }

    async fn start(
        server: Server,
        mut command: Command,
        endpoint: Endpoint,
        folder: TempDir,
    ) -> Result<Self, Failure> {
        let process = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let peer = Self {
            endpoint,
            process,
            folder,
        };
        let http = Http::new(&Trust::Roots(vec![peer.endpoint.root.clone()]), None)?;
        for _ in 0..200 {
            if http
                .get(&peer.endpoint.directory)
                .await
                .is_ok_and(|r| r.status.is_success())
            {
                return Ok(peer);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!(
            "{} did not serve {} within 10 s",
            server.name(),
            peer.endpoint.directory
        )
        .into())
    }
}

fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
