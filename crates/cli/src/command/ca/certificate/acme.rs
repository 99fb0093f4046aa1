//! Orders one certificate over ACME and shows the progress.

use std::cell::Cell;
use std::path::Path;

use acme::eab::MacKey;
use acme::requested_time::RequestedTime;
use anyhow::{Result, anyhow, bail};
use client::Http;
use client::acme::{Authorization, CertificateRequest, Challenge, Session};
use pki::{Certificate, Foreign, KeyKind, PrivateKey};

use super::names::Names;
use super::standalone::Standalone;
use super::times::Times;
use super::webroot::Webroot;
use crate::output;

/// What is requested.
pub(crate) struct Asked<'a> {
    /// The names.
    pub(crate) names: &'a Names,
    /// The certificate's key.
    pub(crate) key: &'a PrivateKey,
    /// The requested lifetime.
    pub(crate) times: &'a Times,
    /// The profile, one that the server offers.
    pub(crate) profile: Option<&'a str>,
    /// Contact URLs of the account.
    pub(crate) contacts: Vec<String>,
    /// The external account key that the server requires.
    pub(crate) external: Option<ExternalKey>,
}

/// An external account key.
pub(crate) struct ExternalKey {
    /// Its id.
    pub(crate) kid: String,
    /// The key.
    pub(crate) mac: MacKey,
}

/// An ACME server.
pub(crate) struct AcmeServer {
    /// A connection that trusts it.
    pub(crate) http: Http,
    /// The URL of its directory.
    pub(crate) directory: String,
}

/// How challenges are answered.
pub(crate) enum Answering<'a> {
    /// By the built-in web server on this address.
    Standalone(&'a str),
    /// By the web server that serves this folder.
    Webroot(&'a Path),
}

enum Answers {
    Standalone(Standalone),
    Webroot(Webroot),
}

/// Orders the certificate, proves its names, and returns its chain, leaf first.
///
/// # Errors
/// When the challenges cannot be answered, before anything is sent; when the server refuses.
pub(crate) async fn obtain(
    server: AcmeServer,
    asked: &Asked<'_>,
    answering: &Answering<'_>,
) -> Result<Vec<Certificate>> {
    let answers = Answers::open(answering).await?;
    let account_key = keys::generate(KeyKind::EcP256)?;
    let mut session = Session::open(server.http, &server.directory, account_key).await?;
    check_profile(&session, asked.profile)?;
    match &asked.external {
        Some(ExternalKey { kid, mac }) => {
            let bound = session.create_bound_account(&asked.contacts, kid, mac);
            bound.await?;
        }
        None => session.create_account(&asked.contacts).await?,
    }
    let mut placed = session.place(&order(asked)).await?;
    for url in placed.order.authorizations.clone() {
        let authorization = session.authorization(&url).await?;
        if authorization.status == acme::authz::Status::Pending {
            prove(&mut session, &authorization, &answers).await?;
        }
    }
    let waiting = Progress::start("Waiting for Order to be 'ready' for finalization .");
    let ready = session.await_ready(&mut placed, || waiting.advance()).await;
    waiting.end(ready)?;
    let request = CertificateRequest {
        subject: &asked.names.subject()?,
        names: &asked.names.alt_names(),
        key: asked.key,
    };
    let finalizing = Progress::start("Finalizing Order ");
    let chain = session
        .finalize(&mut placed, &request, || finalizing.advance())
        .await;
    finalizing.end(chain)
}

/// A server without profiles would silently ignore one.
fn check_profile(session: &Session, profile: Option<&str>) -> Result<()> {
    let offered = &session.directory().meta.profiles;
    match profile {
        Some(profile) if !offered.contains_key(profile) => {
            let names: Vec<_> = offered.keys().map(String::as_str).collect();
            let names = match names.as_slice() {
                [] => "no profiles".to_owned(),
                names => Foreign(names.join(", ")).to_string(),
            };
            bail!("the server does not offer the profile {profile:?}; it offers {names}")
        }
        Some(_) | None => Ok(()),
    }
}

async fn prove(
    session: &mut Session,
    authorization: &Authorization,
    answers: &Answers,
) -> Result<()> {
    let name = &authorization.identifier.value;
    let challenge = http_challenge(authorization).ok_or_else(|| {
        anyhow!(
            "the server offers no http-01 challenge for {}",
            Foreign(name)
        )
    })?;
    let token = challenge.token.as_deref();
    let token = token
        .ok_or_else(|| anyhow!("the server's challenge for {} has no token", Foreign(name)))?;
    let answer = acme::challenge::key_authorization(token, &session.key().thumbprint());
    answers.put(token, &answer)?;
    let progress = Progress::start(&format!(
        "Using {} Mode HTTP challenge to validate {} ",
        answers.mode(),
        Foreign(name)
    ));
    let proven = session.prove(name, challenge, || progress.advance()).await;
    answers.take(token);
    progress.end(proven)
}

/// The http-01 challenge, if one is offered.
fn http_challenge(authorization: &Authorization) -> Option<&Challenge> {
    let mut offered = authorization.challenges.iter();
    offered.find(|challenge| challenge.kind == "http-01")
}

fn order(asked: &Asked<'_>) -> acme::message::order::NewOrder {
    acme::message::order::NewOrder {
        identifiers: asked.names.identifiers().iter().map(Into::into).collect(),
        not_before: asked.times.not_before.map(RequestedTime::from),
        not_after: asked.times.not_after.map(RequestedTime::from),
        replaces: None,
        profile: asked.profile.map(str::to_owned),
    }
}

impl Answers {
    async fn open(answering: &Answering<'_>) -> Result<Self> {
        Ok(match answering {
            Answering::Standalone(address) => Self::Standalone(Standalone::bind(address).await?),
            Answering::Webroot(folder) => Self::Webroot(Webroot::open(folder)?),
        })
    }

    const fn mode(&self) -> &'static str {
        match self {
            Self::Standalone(_) => "Standalone",
            Self::Webroot(_) => "Webroot",
        }
    }

    fn put(&self, token: &str, answer: &str) -> Result<()> {
        match self {
            Self::Standalone(server) => server.put(token, answer),
            Self::Webroot(folder) => folder.put(token, answer)?,
        }
        Ok(())
    }

    fn take(&self, token: &str) {
        match self {
            Self::Standalone(server) => server.take(token),
            Self::Webroot(folder) => folder.take(token),
        }
    }
}

/// A line with a dot for each answer of the server; it has at least one.
struct Progress {
    has_dot: Cell<bool>,
}

impl Progress {
    fn start(words: &str) -> Self {
        output::print(words);
        Self {
            has_dot: Cell::new(words.ends_with('.')),
        }
    }

    fn advance(&self) {
        output::print(".");
        self.has_dot.set(true);
    }

    fn end<T>(self, result: Result<T, client::Error>) -> Result<T> {
        if !self.has_dot.get() {
            output::print(".");
        }
        match result {
            Ok(value) => {
                output::print(" done!\n");
                Ok(value)
            }
            Err(error) => {
                output::print(" Error!\n\n");
                Err(error.into())
            }
        }
    }
}
