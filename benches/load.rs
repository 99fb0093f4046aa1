//! Clients that get one certificate after the other, and what that cost.

use std::time::{Duration, Instant};

use acme::authz::Status;
use acme::challenge::{Method, key_authorization};
use acme::message::identifier::Asked;
use acme::message::order::NewOrder;
use client::acme::{CertificateRequest, Session};
use client::{Http, Trust};
use pki::{AltName, KeyKind, Name};

use crate::peer::Peer;
use crate::responder::Responder;

/// What goes wrong in a benchmark ends it.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What one run measured.
pub struct Figures {
    /// Certificates got.
    pub certificates: usize,
    /// From the first order to the last certificate.
    pub wall: Duration,
    /// User and system time of the server's process.
    pub cpu: Duration,
    /// The time from order to certificate, sorted.
    pub latencies: Vec<Duration>,
}

impl Figures {
    /// The latency that `per_mille` of the certificates stayed within.
    #[must_use]
    pub fn percentile(&self, per_mille: usize) -> Duration {
        let index = (self.latencies.len() * per_mille / 1000).min(self.latencies.len() - 1);
        self.latencies[index]
    }

    /// Server CPU for one certificate.
    #[must_use]
    pub fn cpu_each(&self) -> Duration {
        self.cpu / u32::try_from(self.certificates.max(1)).unwrap_or(u32::MAX)
    }
}

/// Lets `clients` get certificates until `most` are there or `limit` is over.
///
/// # Errors
/// The first failure of any client.
pub async fn run(
    peer: &Peer,
    responder: &Responder,
    clients: usize,
    most: usize,
    limit: Duration,
) -> Result<Figures, Failure> {
    let mut ready = Vec::new();
    for _ in 0..clients {
        let mut one = Client::open(peer, responder).await?;
        one.certificate().await?;
        ready.push(one);
    }
    let (began, cpu) = (Instant::now(), peer.cpu()?);
    let tasks: Vec<_> = ready
        .into_iter()
        .map(|client| tokio::spawn(client.repeat(most.div_ceil(clients), began + limit)))
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await??);
    }
    latencies.sort_unstable();
    Ok(Figures {
        certificates: latencies.len(),
        wall: began.elapsed(),
        cpu: peer.cpu()?.saturating_sub(cpu),
        latencies,
    })
}

struct Client {
    session: Session,
    responder: Responder,
}

impl Client {
    async fn open(peer: &Peer, responder: &Responder) -> Result<Self, Failure> {
        let http = Http::new(&Trust::Roots(vec![peer.root.clone()]), None)?;
        let key = keys::generate(KeyKind::EcP256)?;
        let mut session = Session::open(http, &peer.directory, key).await?;
        session.create_account(&[]).await?;
        Ok(Self {
            session,
            responder: responder.clone(),
        })
    }

    async fn repeat(mut self, most: usize, until: Instant) -> Result<Vec<Duration>, Failure> {
        let mut latencies = Vec::new();
        while latencies.len() < most && Instant::now() < until {
            let began = Instant::now();
            self.certificate().await?;
            latencies.push(began.elapsed());
        }
        Ok(latencies)
    }

    async fn certificate(&mut self) -> Result<(), Failure> {
        let new = NewOrder {
            identifiers: vec![Asked::new("dns", "localhost")],
            ..NewOrder::default()
        };
        let mut placed = self.session.place(&new).await?;
        for url in placed.order.authorizations.clone() {
            let authorization = self.session.authorization(&url).await?;
            // Pebble uses the valid ones of earlier orders again.
            if authorization.status != Status::Pending {
                continue;
            }
            let mut challenges = authorization.challenges.iter();
            let http01 = Method::Http01.as_str();
            let offered = challenges.find(|c| c.kind == http01).ok_or("no http-01")?;
            let token = offered.token.clone().ok_or("no token")?;
            let answer = key_authorization(&token, &self.session.key().thumbprint());
            self.responder.put(&token, answer);
            self.session.prove("localhost", offered, || ()).await?;
            self.responder.remove(&token);
        }
        self.session.await_ready(&mut placed, || ()).await?;
        let key = keys::generate(KeyKind::EcP256)?;
        let names = [AltName::Dns("localhost".to_owned())];
        let request = CertificateRequest {
            subject: &Name::empty(),
            names: &names,
            key: &key,
        };
        self.session.finalize(&mut placed, &request, || ()).await?;
        Ok(())
    }
}
