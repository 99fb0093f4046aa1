//! A small harness for the tests: an authority in memory, and a web server whose pages and delays
//! the test sets.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use acme::challenge::Ports;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use ca::IssuingChain;
use ca::config::Config;
use jiff::Timestamp;
use keys::authority::{self, NewAuthority};
use keys::{CertificateSigner, FileSigner, Signer};
use pki::{PublicKey, SignatureAlgorithm};
use store::Store;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{AuthorityCertificates, Parts, Services};
use crate::live::Live;
use crate::probe::{Options, Prober};

/// The authority, the store behind it, and the web that it looks at.
pub(crate) struct Harness {
    pub(crate) services: Services,
    pub(crate) store: Store,
    pub(crate) web: Web,
    pub(crate) authority: NewAuthority,
    /// How many signatures the authority has made.
    pub(crate) signatures: Arc<AtomicUsize>,
}

/// A signer that counts; with a gate it is slow.
struct Counting {
    signer: FileSigner,
    count: Arc<AtomicUsize>,
    gate: Option<Gate>,
}

/// The signer's side of [`SlowSigner`].
struct Gate {
    begun: UnboundedSender<()>,
    release: Mutex<Receiver<()>>,
}

/// Shows when a slow signer begins, and lets it finish.
pub(crate) struct SlowSigner {
    /// Gets a message for each signature that begins.
    pub(crate) begun: UnboundedReceiver<()>,
    /// Each message lets one signature finish.
    pub(crate) release: Sender<()>,
}

impl Signer for Counting {
    fn public_key(&self) -> &PublicKey {
        self.signer.public_key()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.signer.algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, keys::Error> {
        self.count.fetch_add(1, Ordering::SeqCst);
        if let Some(gate) = &self.gate {
            gate.begun.send(()).unwrap();
            let release = gate.release.lock().unwrap();
            // Fails, rather than hangs, when the test cannot go on meanwhile.
            let released = release.recv_timeout(Duration::from_secs(10));
            released.map_err(|_| keys::Error::BadSignature)?;
        }
        Signer::sign(&self.signer, message)
    }

    fn is_slow(&self) -> bool {
        self.gate.is_some()
    }
}

/// The web server on loopback.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) port: u16,
    pages: Arc<Mutex<HashMap<String, Page>>>,
    hits: Arc<AtomicUsize>,
}

/// What the web server answers at a path.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) location: Option<String>,
    pub(crate) delay: Duration,
}

impl Page {
    pub(crate) fn of(body: impl Into<String>) -> Self {
        Self {
            status: 200,
            body: body.into(),
            location: None,
            delay: Duration::ZERO,
        }
    }
}

impl Harness {
    /// An authority with the provisioners `acme` and `other` (ACME) and `admin` (JWK).
    pub(crate) async fn new() -> Self {
        let web = Web::start().await;
        let http = web.port;
        Self::build(web, Ports { http, tls: 443 }, None)
    }

    /// The same with a slow signer.
    pub(crate) async fn with_slow_signer() -> (Self, SlowSigner) {
        let web = Web::start().await;
        let (begin, begun) = unbounded_channel();
        let (release, released) = channel();
        let gate = Gate {
            begun: begin,
            release: Mutex::new(released),
        };
        let http = web.port;
        let harness = Self::build(web, Ports { http, tls: 443 }, Some(gate));
        (harness, SlowSigner { begun, release })
    }

    /// The same, looking at another port than the web server's.
    pub(crate) async fn with_ports(ports: Ports) -> Self {
        Self::build(Web::start().await, ports, None)
    }

    /// The components of the same authority, with the same records, after a restart with these
    /// provisioners and this riser.toml.
    pub(crate) fn restarted(&self, provisioners: &str, riser: &str) -> Services {
        let (mut config, _) = Config::parse(&ca_json(provisioners), Some(riser)).unwrap();
        config.riser.validation.http_port = self.web.port;
        let signer = Counting {
            signer: FileSigner::copy_of(&self.authority.intermediate_key).unwrap(),
            count: self.signatures.clone(),
            gate: None,
        };
        services(self.store.clone(), &self.authority, signer, config)
    }

    fn build(web: Web, ports: Ports, gate: Option<Gate>) -> Self {
        let store = Store::ephemeral().unwrap();
        let authority = authority::create("Test", Timestamp::now()).unwrap();
        let signatures = Arc::<AtomicUsize>::default();
        let signer = Counting {
            signer: FileSigner::copy_of(&authority.intermediate_key).unwrap(),
            count: signatures.clone(),
            gate,
        };
        let (mut config, _) = Config::parse(&ca_json(PROVISIONERS), None).unwrap();
        config.riser.validation.http_port = ports.http;
        config.riser.validation.tls_port = ports.tls;
        Self {
            services: services(store.clone(), &authority, signer, config),
            store,
            web,
            authority,
            signatures,
        }
    }
}

impl Web {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let web = Self {
            port: listener.local_addr().unwrap().port(),
            pages: Arc::default(),
            hits: Arc::default(),
        };
        let router = Router::new().fallback(serve).with_state(web.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        web
    }

    /// Sets what a token's path answers.
    pub(crate) fn set(&self, token: &str, page: Page) {
        let path = format!("/.well-known/acme-challenge/{token}");
        self.pages.lock().unwrap().insert(path, page);
    }

    /// How many requests have come.
    pub(crate) fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

async fn serve(State(web): State<Web>, request: Request) -> Response {
    web.hits.fetch_add(1, Ordering::SeqCst);
    let page = web.pages.lock().unwrap().get(request.uri().path()).cloned();
    let Some(page) = page else {
        return StatusCode::NOT_FOUND.into_response();
    };
    tokio::time::sleep(page.delay).await;
    let mut response = (StatusCode::from_u16(page.status).unwrap(), page.body).into_response();
    if let Some(location) = page.location {
        response
            .headers_mut()
            .insert("location", location.parse().unwrap());
    }
    response
}

fn services(store: Store, authority: &NewAuthority, signer: Counting, config: Config) -> Services {
    let prober = Prober::new(&Options {
        loopback_names: vec!["*.test".to_owned()],
        // Nothing listens there.
        resolvers: vec!["127.0.0.1:9".parse().unwrap()],
        ..Options::default()
    });
    let issuer = authority.intermediate.clone();
    Services::new(Parts {
        store,
        certificate_signer: CertificateSigner::new(Box::new(signer), issuer).unwrap(),
        live: Arc::new(Live::fixed(Arc::new(config))),
        prober,
        certificates: AuthorityCertificates {
            roots: vec![authority.root.clone()],
            federated: Vec::new(),
            intermediates: vec![authority.intermediate.clone()],
            chain: IssuingChain::new(
                authority.intermediate.clone(),
                [&authority.root].into_iter(),
            )
            .unwrap(),
        },
        renews_unknown: false,
    })
}

const PROVISIONERS: &str = r#"[{"type":"ACME","name":"acme"},{"type":"ACME","name":"other"},
    {"type":"ACME","name":"terms","termsOfService":"https://ca.test/terms"},
    {"type":"ACME","name":"bound","requireEAB":true}]"#;

fn ca_json(provisioners: &str) -> String {
    format!(
        r#"{{"root":"r.crt","crt":"i.crt","key":"i.key","address":":9000",
            "dnsNames":["ca.test","127.0.0.1"],"db":{{"type":"sqlite","dataSource":"db"}},
            "authority":{{"provisioners":{provisioners}}}}}"#
    )
}
