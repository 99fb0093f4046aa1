//! One client and what it does again and again.

use acme::authz::Status;
use acme::challenge::{Method, key_authorization};
use acme::message::identifier::Asked;
use acme::message::order::NewOrder;
use client::acme::{CertificateRequest, Session};
use client::{Http, Identity, Trust, step};
use pki::{AltName, Certificate, KeyKind, Name, PrivateKey};

use crate::Failure;
use crate::challenges::{Challenges, Proof};
use crate::peer::Endpoint;

/// What the clients of a measurement do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Get a certificate for one name, with a new order and a new key, by a challenge.
    Certificate(Method),
    /// Renew a certificate over mutual TLS, on a new connection.
    Renewal,
    /// Read the directory.
    Directory,
    /// Get a nonce.
    Nonce,
}

impl Task {
    /// What tables call it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Certificate(method) => method.as_str(),
            Self::Renewal => "renewal",
            Self::Directory => "directory",
            Self::Nonce => "nonce",
        }
    }
}

/// A client that is ready.
pub enum Worker {
    /// Gets certificates.
    Ordering(Box<Ordering>),
    /// Renews its certificate.
    Renewing(Box<Renewing>),
    /// Reads something.
    Reading(Reading),
}

impl Worker {
    /// A client with all that it needs, which has done its task once.
    ///
    /// # Errors
    /// When the server refuses something.
    pub async fn open(
        peer: Endpoint,
        challenges: Challenges,
        task: Task,
        number: usize,
    ) -> Result<Self, Failure> {
        let mut worker = match task {
            Task::Certificate(method) => {
                let ordering = Ordering::open(&peer, &challenges, method, number).await?;
                Self::Ordering(Box::new(ordering))
            }
            Task::Renewal => {
                let mut ordering =
                    Ordering::open(&peer, &challenges, Method::Http01, number).await?;
                let (key, chain) = ordering.certificate().await?;
                Self::Renewing(Box::new(Renewing {
                    url: peer.origin().to_owned(),
                    root: peer.root.clone(),
                    key,
                    chain,
                }))
            }
            Task::Directory | Task::Nonce => Self::Reading(Reading::open(&peer, task).await?),
        };
        worker.once().await?;
        Ok(worker)
    }

    /// Does its task once.
    ///
    /// # Errors
    /// When the server refuses something.
    pub async fn once(&mut self) -> Result<(), Failure> {
        match self {
            Self::Ordering(ordering) => ordering.certificate().await.map(drop),
            Self::Renewing(renewing) => renewing.renew().await,
            Self::Reading(reading) => reading.read().await,
        }
    }
}

/// A client with an account.
pub struct Ordering {
    session: Session,
    challenges: Challenges,
    method: Method,
    name: String,
}

impl Ordering {
    async fn open(
        peer: &Endpoint,
        challenges: &Challenges,
        method: Method,
        number: usize,
    ) -> Result<Self, Failure> {
        let http = Http::new(&Trust::Roots(vec![peer.root.clone()]), None)?;
        let key = keys::generate(KeyKind::EcP256)?;
        let mut session = Session::open(http, &peer.directory, key).await?;
        session.create_account(&[]).await?;
        let name = if method == Method::Http01 {
            "localhost".to_owned()
        } else {
            format!("c{number}.bench.test")
        };
        Ok(Self {
            session,
            challenges: challenges.clone(),
            method,
            name,
        })
    }

    async fn certificate(&mut self) -> Result<(PrivateKey, Vec<Certificate>), Failure> {
        let new = NewOrder {
            identifiers: vec![Asked::new("dns", &self.name)],
            ..NewOrder::default()
        };
        let mut placed = self.session.place(&new).await?;
        for url in placed.order.authorizations.clone() {
            self.authorize(&url).await?;
        }
        self.session.await_ready(&mut placed, || ()).await?;
        let key = keys::generate(KeyKind::EcP256)?;
        let names = [AltName::Dns(self.name.clone())];
        let request = CertificateRequest {
            subject: &Name::empty(),
            names: &names,
            key: &key,
        };
        let chain = self.session.finalize(&mut placed, &request, || ()).await?;
        Ok((key, chain))
    }

    async fn authorize(&mut self, url: &str) -> Result<(), Failure> {
        let authorization = self.session.authorization(url).await?;
        // Pebble uses the valid ones of earlier orders again.
        if authorization.status != Status::Pending {
            return Ok(());
        }
        let kind = self.method.as_str();
        let mut offers = authorization.challenges.iter();
        let offered = offers.find(|offer| offer.kind == kind);
        let offered = offered.ok_or_else(|| format!("no {kind} is offered"))?;
        let token = offered.token.clone().ok_or("no token")?;
        let proof = Proof {
            method: self.method,
            name: &self.name,
            token: &token,
            key_authorization: &key_authorization(&token, &self.session.key().thumbprint()),
        };
        self.challenges.answer(&proof)?;
        self.session.prove(&self.name, offered, || ()).await?;
        self.challenges.forget(&proof);
        Ok(())
    }
}

/// A client with a certificate.
pub struct Renewing {
    url: String,
    root: Vec<u8>,
    key: PrivateKey,
    chain: Vec<Certificate>,
}

impl Renewing {
    async fn renew(&mut self) -> Result<(), Failure> {
        let identity = Identity {
            chain: self.chain.iter().map(|one| one.der().to_vec()).collect(),
            key: self.key.to_pkcs8_der(),
        };
        let http = Http::new(&Trust::Roots(vec![self.root.clone()]), Some(identity))?;
        let client = step::Client::new(http, &self.url);
        self.chain = client.renew(&self.chain[0]).await?;
        Ok(())
    }
}

/// A client that has neither.
pub struct Reading {
    http: Http,
    task: Task,
    url: String,
}

impl Reading {
    async fn open(peer: &Endpoint, task: Task) -> Result<Self, Failure> {
        let trust = Trust::Roots(vec![peer.root.clone()]);
        let mut url = peer.directory.clone();
        if task == Task::Nonce {
            let key = keys::generate(KeyKind::EcP256)?;
            let session = Session::open(Http::new(&trust, None)?, &url, key).await?;
            url.clone_from(&session.directory().new_nonce);
        }
        let http = Http::new(&trust, None)?;
        Ok(Self { http, task, url })
    }

    async fn read(&self) -> Result<(), Failure> {
        let reply = match self.task {
            Task::Nonce => self.http.head(&self.url).await?,
            Task::Certificate(_) | Task::Renewal | Task::Directory => {
                self.http.get(&self.url).await?
            }
        };
        if reply.status.is_success() {
            return Ok(());
        }
        Err(format!("{}: status {}", self.url, reply.status).into())
    }
}
