//! The server under test: one for all tests of this folder, started on first
//! use. It ends with the test process.

use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use acceptance::acme::{Account, JOSE, Order};
use acceptance::alpn::Responder;
use acceptance::cross;
use acceptance::dns::Dns;
use acceptance::https::{Client, Response};
use acceptance::paths;
use acceptance::process::{self, Daemon};
use acceptance::web::Web;
use hyper::Method;
use serde_json::{Value, json};

/// The server, and the DNS and web servers that it queries.
pub struct Subject {
    /// A client that trusts its root.
    pub client: Client,
    /// The web server that validations reach; it listens on 127.0.0.1.
    pub web: Web,
    /// The TLS server that validations reach; it listens on 127.0.0.1.
    pub tls: Responder,
    /// The resolver that the server asks.
    pub dns: Dns,
    /// The root certificate's file.
    pub root: PathBuf,
    /// `localhost:port`.
    pub authority: String,
    /// Holds the pipe whose end ends the server: statics are not dropped.
    _guard: Child,
}

/// The one server.
pub fn subject() -> &'static Subject {
    static SUBJECT: OnceLock<Subject> = OnceLock::new();
    SUBJECT.get_or_init(Subject::start)
}

impl Subject {
    /// The directory of the provisioner `acme`.
    pub fn directory(&self) -> String {
        self.directory_of("acme")
    }

    /// The directory of an ACME provisioner.
    pub fn directory_of(&self, provisioner: &str) -> String {
        self.url(&format!("/acme/{provisioner}/directory"))
    }

    /// A URL of the server.
    pub fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.authority)
    }

    /// The folder of the server; its log is the file `log` in it.
    pub fn folder(&self) -> &Path {
        self.root.parent().and_then(Path::parent).unwrap()
    }

    /// A fresh account.
    #[track_caller]
    pub fn account(&self) -> Account {
        Account::register(&self.client, &self.directory())
    }

    /// A fresh account at the provisioner whose orders live for six seconds only.
    #[track_caller]
    pub fn brief_account(&self) -> Account {
        Account::register(&self.client, &self.directory_of("brief"))
    }

    /// A nonce.
    #[track_caller]
    pub fn nonce(&self) -> String {
        let url = self.url("/acme/acme/new-nonce");
        let answer = self.client.request(Method::HEAD, &url, None, &[]).unwrap();
        answer.header("replay-nonce").to_owned()
    }

    /// Posts these octets as a signed request.
    #[track_caller]
    pub fn send(&self, url: &str, body: &str) -> Response {
        self.client.post(url, JOSE, body.as_bytes()).unwrap()
    }

    /// Lets these names point to the web server.
    pub fn host(&self, names: &[&str]) {
        for name in names {
            self.dns.addresses(name, &["127.0.0.1"]);
        }
    }

    /// An order for these names that is ready to be finalized.
    #[track_caller]
    pub fn ready(&self, account: &Account, names: &[&str]) -> Order {
        self.host(names);
        account.ready(names, &self.web)
    }

    /// An order whose only challenge has failed: nothing answers on 127.0.0.2.
    #[track_caller]
    pub fn failed(&self, account: &Account, name: &str) -> Order {
        self.dns.addresses(name, &["127.0.0.2"]);
        let mut order = account.order(&[name]);
        account.try_prove(&mut order, &self.web).unwrap();
        order
    }

    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap().keep();
        let web = Web::start("127.0.0.1:0");
        let tls = Responder::start("127.0.0.1:0");
        let dns = Dns::start("127.0.0.1:0");
        let port = free_port();
        initialise(&dir, port);
        let mut daemon = Daemon::spawn(
            command("step-ca", &dir)
                .arg(dir.join("config/ca.json"))
                .arg("--password-file")
                .arg(dir.join("pw"))
                .arg("--insecure")
                .arg(format!("--acme-http-port={}", web.address().port()))
                .arg(format!("--acme-tls-port={}", tls.address().port()))
                .arg(format!("--resolver={}", dns.address()))
                // A proxy must never come between a validation and its target.
                .env("HTTP_PROXY", "http://127.0.0.1:9")
                .env("http_proxy", "http://127.0.0.1:9")
                .env("ALL_PROXY", "http://127.0.0.1:9"),
            &dir.join("log"),
        );
        let subject = Self {
            client: Client::new(&dir.join("certs/root_ca.crt")),
            web,
            tls,
            dns,
            root: dir.join("certs/root_ca.crt"),
            authority: format!("localhost:{port}"),
            _guard: guard(&daemon, &dir),
        };
        process::eventually("a server to judge", || {
            assert!(daemon.is_running(), "step-ca ended:\n{}", daemon.log());
            let answer = subject.client.get(&subject.url("/health")).ok();
            answer.filter(|answer| answer.status == 200)
        });
        std::mem::forget(daemon);
        subject
    }
}

/// The refusal that an answer has to be: status, type, and both in the document (RFC 8555 §6.7).
/// Returns the detail.
#[track_caller]
pub fn refused(answer: &Response, status: u16, kind: &str) -> String {
    let body = answer.json();
    let urn = format!("urn:ietf:params:acme:error:{kind}");
    assert_eq!(
        (answer.status, body["type"].as_str()),
        (status, Some(urn.as_str())),
        "{body}"
    );
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(body["status"], status, "{body}");
    let detail = body["detail"].as_str().unwrap_or_default();
    assert_ne!(detail, "", "{body}");
    detail.to_owned()
}

/// Makes the authority and gives it the provisioners that the tests need.
fn initialise(dir: &Path, port: u16) {
    std::fs::write(dir.join("pw"), "correct horse battery staple\n").unwrap();
    let mut init = command("step", dir);
    init.args(["ca", "init", "--name", "Example", "--provisioner", "admin"])
        .args(["--dns", "localhost", "--dns", "127.0.0.1"])
        .args(["--deployment-type", "standalone"])
        .arg(format!("--address=127.0.0.1:{port}"))
        .arg("--password-file")
        .arg(dir.join("pw"));
    process::run(&mut init).success();
    let path = dir.join("config/ca.json");
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let provisioners = file["authority"]["provisioners"].as_array_mut().unwrap();
    provisioners.extend([
        json!({"type": "ACME", "name": "acme"}),
        json!({"type": "ACME", "name": "other"}),
        json!({"type": "ACME", "name": "my acme"}),
        json!({"type": "ACME", "name": "brief"}),
        json!({"type": "ACME", "name": "short", "claims": {"minTLSCertDuration": "1s"}}),
        json!({"type": "ACME", "name": "reuse"}),
        json!({"type": "ACME", "name": "ahead"}),
        json!({"type": "ACME", "name": "strict"}),
        json!({"type": "ACME", "name": "subdomains", "caaIdentities": ["ca.example"]}),
        json!({"type": "ACME", "name": "profiled"}),
        json!({
            "type": "ACME", "name": "terms", "termsOfService": "https://ca.example/terms",
            "website": "https://ca.example", "caaIdentities": ["ca.example"],
        }),
        json!({"type": "ACME", "name": "bound", "requireEAB": true}),
        json!({"type": "ACME", "name": "caa", "caaIdentities": ["ca.example"]}),
        json!({"type": "ACME", "name": "caawarn", "caaIdentities": ["ca.example"]}),
        json!({"type": "ACME", "name": "webonly", "challenges": ["http-01"]}),
        json!({
            "type": "ACME", "name": "drafts", "caaIdentities": ["ca.example", "CA2.example"],
        }),
    ]);
    std::fs::write(path, file.to_string()).unwrap();
    cross::sign(dir);
    std::fs::write(dir.join("config/riser.toml"), RISER_TOML).unwrap();
}

/// The options that the provisioners of these names are there for.
const RISER_TOML: &str = r#"
[chains]
alternates = ["certs/cross.pem"]

[provisioner.caa]
caa = "enforce"

[provisioner.caawarn]
caa = "warn"

[provisioner.brief]
order_life = "6s"

[provisioner.reuse]
authorization_reuse = "1h"

[provisioner.ahead]
preauthorization = true

[provisioner.subdomains]
subdomains = true
preauthorization = true
challenges = ["dns-01", "dns-account-01", "dns-persist-01", "http-01"]
caa = "enforce"

[provisioner.strict.policy]
allow_dns = ["*.strict.example"]
deny_dns = ["db.strict.example"]
deny_ip = ["127.0.0.0/8"]

[provisioner.drafts]
challenges = ["dns-persist-01", "dns-account-01", "http-01"]

[provisioner.profiled]
profiles = ["server", "short"]

[profile.server]
description = "TLS servers"
extended_key_usages = ["serverAuth"]

[profile.short]
description = "An hour, without revocation"
life = "1h"
longest_life = "2h"
identifiers = ["dns"]
most_names = 2
keys = ["P-256"]
common_name = false
no_rev_avail = true

[[profile.short.extensions]]
oid = "1.3.6.1.4.1.99999.1"
hex = "0c026f6b"
"#;

fn command(program: &str, dir: &Path) -> Command {
    let mut command = Command::new(paths::ours(program));
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("STEPPATH", dir)
        .env("HOME", dir)
        .stdin(Stdio::null());
    command
}

/// A shell that waits for this process to end, then ends the server and removes its folder.
fn guard(daemon: &Daemon, dir: &Path) -> Child {
    // The server may write for a moment yet, so the folder is removed again.
    const END: &str = r#"cat >/dev/null; kill -9 "$1"; rm -rf "$2" || { sleep 1; rm -rf "$2"; }"#;
    Command::new("sh")
        .args(["-c", END, "sh"])
        .arg(daemon.pid().to_string())
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

/// What a plain TCP connection to the server gets for these octets.
pub fn over_tcp(authority: &str, octets: &[u8]) -> Vec<u8> {
    let mut stream = std::net::TcpStream::connect(authority).unwrap();
    std::io::Write::write_all(&mut stream, octets).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}
