//! The servers under load: ours and, where they are installed, smallstep's step-ca and Pebble.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use client::{Http, Trust};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::load::Failure;

/// A running server; it is ended when dropped.
pub struct Peer {
    /// What the table calls it.
    pub name: &'static str,
    /// The ACME directory's URL.
    pub directory: String,
    /// The root of its own TLS certificate, DER.
    pub root: Vec<u8>,
    process: Child,
    _folder: TempDir,
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

    /// Our server on SQLite, every commit durable.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn ours(http_port: u16) -> Result<Self, Failure> {
        let release = root().join("target/release");
        Self::step_ca(
            "Riser",
            &release.join("step"),
            &release.join("step-ca"),
            http_port,
        )
        .await
    }

    /// smallstep's step-ca on its default store; nothing where it is not installed.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn real(http_port: u16) -> Result<Option<Self>, Failure> {
        let (step, step_ca) = (installed("step"), installed("step-ca"));
        let (Some(step), Some(step_ca)) = (step, step_ca) else {
            return Ok(None);
        };
        Self::step_ca("step-ca", &step, &step_ca, http_port)
            .await
            .map(Some)
    }

    async fn step_ca(
        name: &'static str,
        step: &Path,
        step_ca: &Path,
        http_port: u16,
    ) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let path = folder.path();
        fs::write(path.join("pw"), "a password of twenty\n")?;
        let port = free_port()?;
        let init = Command::new(step)
            .args([
                "ca",
                "init",
                "--name",
                "Bench",
                "--dns",
                "localhost",
                "--provisioner",
                "admin",
            ])
            .args(["--deployment-type", "standalone", "--address"])
            .arg(format!("127.0.0.1:{port}"))
            .arg("--password-file")
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
        let settings = format!("rate_limits = \"off\"\n[validation]\nhttp_port = {http_port}\n");
        fs::write(path.join("config/riser.toml"), settings)?;
        let mut command = Command::new(step_ca);
        command
            .arg(&config)
            .arg("--password-file")
            .arg(path.join("pw"));
        if name == "step-ca" {
            command.args(["--insecure", "--acme-http-port", &http_port.to_string()]);
        }
        command.env("STEPPATH", path);
        let root = pki::Certificate::from_pem(&fs::read(path.join("certs/root_ca.crt"))?)?;
        let directory = format!("https://localhost:{port}/acme/acme/directory");
        Self::start(name, command, directory, root.der().to_vec(), folder).await
    }

    /// Pebble without its sleeps and its refused nonces; nothing where it is not installed.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn pebble(http_port: u16) -> Result<Option<Self>, Failure> {
        let Some(program) = installed("pebble") else {
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        let path = folder.path();
        let tls = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
        fs::write(path.join("tls.crt"), tls.cert.pem())?;
        fs::write(path.join("tls.key"), tls.signing_key.serialize_pem())?;
        let port = free_port()?;
        let config = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{port}"), "managementListenAddress": "",
            "certificate": path.join("tls.crt"), "privateKey": path.join("tls.key"),
            "httpPort": http_port, "tlsPort": 5001,
        }});
        fs::write(path.join("pebble.json"), config.to_string())?;
        let mut command = Command::new(program);
        command.arg("-config").arg(path.join("pebble.json")).envs([
            ("PEBBLE_VA_NOSLEEP", "1"),
            ("PEBBLE_WFE_NONCEREJECT", "0"),
            ("PEBBLE_AUTHZREUSE", "0"),
        ]);
        let directory = format!("https://localhost:{port}/dir");
        let root = tls.cert.der().to_vec();
        Self::start("Pebble", command, directory, root, folder)
            .await
            .map(Some)
    }

    async fn start(
        name: &'static str,
        mut command: Command,
        directory: String,
        root: Vec<u8>,
        folder: TempDir,
    ) -> Result<Self, Failure> {
        let process = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let peer = Self {
            name,
            directory,
            root,
            process,
            _folder: folder,
        };
        let http = Http::new(&Trust::Roots(vec![peer.root.clone()]), None)?;
        for _ in 0..200 {
            if http
                .get(&peer.directory)
                .await
                .is_ok_and(|r| r.status.is_success())
            {
                return Ok(peer);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(format!("{name} did not serve {} within 10 s", peer.directory).into())
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn installed(name: &str) -> Option<PathBuf> {
    Some(root().join("target/peers/bin").join(name)).filter(|path| path.exists())
}

fn free_port() -> Result<u16, Failure> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
