//! The server on a full store and on an empty one: how long a start takes, and what a certificate costs. Names are
//! authorized by the operator, so that the network has no part in it.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use acme::message::identifier::Asked;
use acme::message::order::NewOrder;
use client::acme::{CertificateRequest, Session};
use client::{Http, Trust};
use pki::{AltName, KeyKind, Name};
use tempfile::TempDir;

use crate::{Failure, root, say, spread};

/// Measures both.
pub(crate) async fn measure(full: &Path) -> Result<(), Failure> {
    for (what, store) in [("empty store", None), ("full store", Some(full))] {
        let house = House::new(store).await?;
        let mut starts = Vec::new();
        for _ in 0..STARTS {
            let began = Instant::now();
            let _server = house.start().await?;
            starts.push(began.elapsed());
        }
        say(&format!("{what}: start to healthy: {}", spread(starts)))?;
        let server = house.start().await?;
        issue(what, &house, &server).await?;
    }
    Ok(())
}

async fn issue(what: &str, house: &House, server: &Server) -> Result<(), Failure> {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(house.client().await?);
    }
    let memory = server.memory()?;
    let (cpu, began) = (server.cpu()?, Instant::now());
    let tasks = clients
        .into_iter()
        .map(|session| tokio::spawn(certificates(session)));
    let tasks: Vec<_> = tasks.collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let count = u32::try_from(times.len())?;
    say(&format!(
        "{what}: {CLIENTS} clients, {:.0} certificates/s, {:.3} ms of CPU each, {}, resident {memory} KiB, then {} KiB",
        f64::from(count) / began.elapsed().as_secs_f64(),
        server.cpu()?.saturating_sub(cpu).as_secs_f64() * 1000.0 / f64::from(count),
        spread(times),
        server.memory()?,
    ))
}

async fn certificates(mut session: Session) -> Result<Vec<Duration>, Failure> {
    let mut times = Vec::new();
    for _ in 0..EACH {
        let began = Instant::now();
        let new = NewOrder {
            identifiers: vec![Asked::new("dns", NAME)],
            ..NewOrder::default()
        };
        let mut placed = session.place(&new).await?;
        let key = keys::generate(KeyKind::EcP256)?;
        let names = [AltName::Dns(NAME.to_owned())];
        let request = CertificateRequest {
            subject: &Name::empty(),
            names: &names,
            key: &key,
        };
        session.finalize(&mut placed, &request, || ()).await?;
        times.push(began.elapsed());
    }
    Ok(times)
}

/// A folder with an authority.
struct House {
    folder: TempDir,
    port: u16,
}

/// A running server; it is ended when dropped.
struct Server(Child);

impl House {
    async fn new(store: Option<&Path>) -> Result<Self, Failure> {
        let house = Self {
            folder: tempfile::tempdir_in(root().join("target"))?,
            port: TcpListener::bind("127.0.0.1:0")?.local_addr()?.port(),
        };
        drop(house.start().await?);
        if let Some(store) = store {
            let db = house.path("db");
            fs::remove_dir_all(&db)?;
            fs::create_dir(&db)?;
            fs::copy(store, db.join("riser.sqlite3"))?;
            // The first start makes the log.
            drop(house.start().await?);
        }
        Ok(house)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("ca").join(name)
    }

    async fn start(&self) -> Result<Server, Failure> {
        let mut server = Command::new(program("step-ca"));
        let server = server
            .args([
                "dev",
                "--address",
                &format!("127.0.0.1:{}", self.port),
                "--dir",
            ])
            .arg(self.folder.path().join("ca"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut server = Server(server.spawn()?);
        let url = format!("https://localhost:{}/health", self.port);
        for _ in 0..20_000 {
            if let Ok(http) = self.http()
                && http
                    .get(&url)
                    .await
                    .is_ok_and(|reply| reply.status.is_success())
            {
                return Ok(server);
            }
            if let Some(code) = server.0.try_wait()? {
                return Err(format!("step-ca ended with {code}").into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Err("step-ca does not get healthy".into())
    }

    fn http(&self) -> Result<Http, Failure> {
        let pem = fs::read(self.path("certs/root_ca.crt"))?;
        let certificate = pki::Certificate::from_pem(&pem)?;
        Ok(Http::new(
            &Trust::Roots(vec![certificate.der().to_vec()]),
            None,
        )?)
    }

    /// A client with an account for which the name is authorized.
    async fn client(&self) -> Result<Session, Failure> {
        let directory = format!("https://localhost:{}/acme/acme/directory", self.port);
        let key = keys::generate(KeyKind::EcP256)?;
        let mut session = Session::open(self.http()?, &directory, key).await?;
        session.create_account(&[]).await?;
        let authorized = Command::new(program("step"))
            .args(["ca", "acme", "authorize", "add", "acme", NAME, "--account"])
            .arg(session.account_url().ok_or("no account")?)
            .env("STEPPATH", self.folder.path().join("ca"))
            .stdin(Stdio::null())
            .output()?;
        if !authorized.status.success() {
            return Err(String::from_utf8_lossy(&authorized.stderr).into());
        }
        Ok(session)
    }
}

impl Server {
    /// User and system time that it has used so far.
    fn cpu(&self) -> Result<Duration, Failure> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        let after_name = stat.rsplit_once(") ").ok_or("no process name")?.1;
        let mut ticks = after_name.split(' ').skip(11).take(2);
        let mut next = || ticks.next().unwrap_or("0").parse::<u64>();
        // USER_HZ is 100 on every Linux architecture that we build for.
        Ok(Duration::from_millis(10 * (next()? + next()?)))
    }

    /// Resident memory in KiB.
    fn memory(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(number.ok_or("no VmRSS")?.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let term = ["-TERM", &self.0.id().to_string()];
        if Command::new("kill").args(term).status().is_err() {
            drop(self.0.kill());
        }
        drop(self.0.wait());
    }
}

/// A program of the same build.
fn program(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    let folder = own.parent().and_then(Path::parent);
    folder
        .map_or_else(|| root().join("target/release"), Path::to_owned)
        .join(name)
}

const NAME: &str = "app.example.com";
const STARTS: usize = 10;
const CLIENTS: usize = 16;
/// Certificates of each client.
const EACH: usize = 100;
