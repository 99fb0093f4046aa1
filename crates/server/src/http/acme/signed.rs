//! Verifies a signed request (RFC 8555 §6.2–6.5): media type, size, signature, URL, nonce,
//! account, in this order. A handler that takes [`Signed`] gets a request that passed all of them.

use std::net::IpAddr;
use std::sync::Arc;

use acme::Problem;
use acme::account::Account;
use acme::challenge::CaaIdentity;
use acme::envelope::{Parsed, Signer, Verified};
use acme::problem::Kind;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use ca::config::Config;
use ca::provisioner::Acme;
use pki::jose::Jwk;
use uuid::Uuid;

use super::unknown_account;
use crate::http::base::{is_at_ours, local};
use crate::http::links::{Links, id_of};
use crate::http::problem::{AcmeFailure, busy, unreadable};
use crate::http::request::Received;
use crate::http::url_layout::{Mount, PROVISIONER_PARAMETER, UrlLayout};
use crate::listen::{Peer, TooManyBodies};
use crate::service::{Caller, Error, Services, acme_provisioner, caa_identity};

/// What a request was sent to: the provisioner and its URLs.
pub(super) struct Endpoint {
    /// The configuration that the request took.
    pub(super) config: Arc<Config>,
    provisioner: String,
    pub(super) links: Links,
    pub(super) request_id: String,
    /// The address that the request came from.
    pub(super) remote: Option<IpAddr>,
    /// The address that it came to.
    local: Option<IpAddr>,
    /// The URL that the JWS must name.
    pub(super) url: String,
    /// The JWS's `kid`, where it names an account.
    kid: Option<String>,
    agent: Option<HeaderValue>,
}

impl Endpoint {
    /// The provisioner of the path.
    pub(super) fn provisioner(&self) -> Result<&Acme, Error> {
        acme_provisioner(&self.config, &self.provisioner)
    }

    /// The account that a URL of this server names, whichever of the server's names it has.
    pub(super) fn account_of(&self, url: &str) -> Option<Uuid> {
        let ours = is_at_ours(url, self.local, &self.config);
        ours.then(|| self.links.account_of(url)).flatten()
    }

    /// The URL of the account that signs, as its client knows it.
    pub(super) fn account_url(&self, account: &Account) -> String {
        let known = self.kid.clone();
        known.unwrap_or_else(|| self.links.account(account.id))
    }

    /// The error, with the client's own way to register again where its account does not exist.
    pub(super) fn advise(&self, error: Error) -> Error {
        let directory = self.links.at(self.links.layout().directory);
        unknown_account::with_advice(error, self.agent.as_ref(), &directory)
    }
}

impl FromRequestParts<Services> for Endpoint {
    type Rejection = AcmeFailure;

    async fn from_request_parts(
        parts: &mut Parts,
        services: &Services,
    ) -> Result<Self, Self::Rejection> {
        let received = Received::from_request_parts(parts, services).await;
        let received =
            received.map_err(|_| Error::Internal("the request was not received".to_owned()))?;
        let layout = received.layout();
        let name = provisioner(parts, layout).await;
        let config = Arc::clone(received.configuration());
        acme_provisioner(&config, &name)?;
        let path = parts.uri.path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        Ok(Self {
            config,
            links: Links::new(layout, received.base(), &name),
            url: format!("{}{path}", received.base()),
            remote: parts.extensions.get::<Peer>().map(|peer| peer.address.ip()),
            local: local(parts),
            request_id: received.id().to_owned(),
            kid: None,
            agent: parts.headers.get(header::USER_AGENT).cloned(),
            provisioner: name,
        })
    }
}

/// The provisioner that the request is for, by its path or by the layout.
async fn provisioner(parts: &mut Parts, layout: &UrlLayout) -> String {
    if let Mount::Root { provisioner } = layout.mount {
        return provisioner.to_owned();
    }
    let segments = Path::<Vec<(String, String)>>::from_request_parts(parts, &()).await;
    let mut segments = segments
        .map_or_else(|_| Vec::new(), |Path(all)| all)
        .into_iter();
    let found = segments.find(|(name, _)| name == PROVISIONER_PARAMETER);
    found.map(|(_, value)| value).unwrap_or_default()
}

/// A request signed by an active account.
pub(super) struct Signed {
    pub(super) at: Endpoint,
    pub(super) account: Account,
    pub(super) verified: Verified,
}

impl Signed {
    /// The account at its provisioner, under the request's configuration.
    pub(super) fn caller(&self) -> Result<Caller<'_>, Error> {
        Ok(Caller {
            config: &self.at.config,
            provisioner: self.at.provisioner()?,
            account: &self.account,
        })
    }

    /// The names by which records in the DNS refer to this authority and the account.
    pub(super) fn caa_identity(&self) -> CaaIdentity {
        let account_url = self.at.account_url(&self.account);
        caa_identity(&self.at.config, &self.at.provisioner, account_url)
    }
}

impl FromRequest<Services> for Signed {
    type Rejection = AcmeFailure;

    async fn from_request(request: Request, services: &Services) -> Result<Self, Self::Rejection> {
        let (at, parsed) = open(request, services).await?;
        match parsed.signer() {
            Signer::Kid(kid) => {
                let kid = kid.clone();
                by_account(at, parsed, &kid, services).await
            }
            Signer::Jwk(_) => Err(Problem::malformed(
                "This request has to be signed by an account: put its URL into kid, not a jwk.",
            )
            .into()),
        }
    }
}

/// A request signed by a key that comes with it.
pub(super) struct SelfSigned {
    pub(super) at: Endpoint,
    pub(super) key: Jwk,
    pub(super) verified: Verified,
}

impl FromRequest<Services> for SelfSigned {
    type Rejection = AcmeFailure;

    async fn from_request(request: Request, services: &Services) -> Result<Self, Self::Rejection> {
        let (at, parsed) = open(request, services).await?;
        match parsed.signer() {
            Signer::Jwk(key) => {
                let key = key.clone();
                by_key(at, parsed, key, services).await
            }
            Signer::Kid(_) => Err(Problem::malformed(
                "This request has to carry its key: put it into jwk, not a kid.",
            )
            .into()),
        }
    }
}

/// A request signed in either way, as revocations are (RFC 8555 §7.6).
pub(super) enum SignedByAnyone {
    Account(Signed),
    Key(SelfSigned),
}

impl FromRequest<Services> for SignedByAnyone {
    type Rejection = AcmeFailure;

    async fn from_request(request: Request, services: &Services) -> Result<Self, Self::Rejection> {
        let (at, parsed) = open(request, services).await?;
        match parsed.signer().clone() {
            Signer::Kid(kid) => {
                let signed = by_account(at, parsed, &kid, services).await?;
                Ok(Self::Account(signed))
            }
            Signer::Jwk(key) => by_key(at, parsed, key, services).await.map(Self::Key),
        }
    }
}

async fn by_account(
    mut at: Endpoint,
    parsed: Parsed,
    kid: &str,
    services: &Services,
) -> Result<Signed, AcmeFailure> {
    let account = match at.account_of(kid) {
        Some(id) => services.accounts.account(id, &at.provisioner).await,
        None => Err(no_account(kid).into()),
    };
    let account = account.map_err(|error| at.advise(error))?;
    at.kid = Some(kid.to_owned());
    let nonce = parsed.nonce()?.to_owned();
    let verified = parsed.verify(&account.key, &at.url)?;
    services.nonces.take(&nonce).await?;
    account.active()?;
    Ok(Signed {
        at,
        account,
        verified,
    })
}

async fn by_key(
    at: Endpoint,
    parsed: Parsed,
    key: Jwk,
    services: &Services,
) -> Result<SelfSigned, AcmeFailure> {
    let nonce = parsed.nonce()?.to_owned();
    let verified = parsed.verify(&key, &at.url)?;
    services.nonces.take(&nonce).await?;
    Ok(SelfSigned { at, key, verified })
}

/// The id in the path, or 404 for what cannot be one.
pub(super) fn id(text: &str, what: &str) -> Result<Uuid, Error> {
    id_of(text).ok_or_else(|| Error::unknown(what))
}

/// Performs the checks that come before the signature.
async fn open(request: Request, services: &Services) -> Result<(Endpoint, Parsed), AcmeFailure> {
    let (mut parts, body) = request.into_parts();
    let at = Endpoint::from_request_parts(&mut parts, services).await?;
    check_media_type(&parts)?;
    if parts.headers.contains_key(REPLAY_NONCE) {
        return Err(Problem::malformed(
            "Replay-Nonce is a header of answers: put the nonce into the JWS (RFC 8555 §6.5.1).",
        )
        .into());
    }
    let most = at.config.riser.limits.body_bytes;
    let body = axum::body::to_bytes(body, most).await;
    let body = body.map_err(|error| no_body(error, most))?;
    Ok((at, Parsed::parse(&body)?))
}

/// Why there is no body of at most `most` bytes.
fn no_body(error: axum::Error, most: usize) -> AcmeFailure {
    let error = error.into_inner();
    if let Some(too_many) = error.downcast_ref::<TooManyBodies>() {
        return busy(&too_many.to_string());
    }
    let detail = format!("The body is longer than {most} bytes, or broke off.");
    unreadable(StatusCode::PAYLOAD_TOO_LARGE, &detail)
}

/// Exactly `application/jose+json`, without parameters (RFC 8555 §6.2).
fn check_media_type(parts: &Parts) -> Result<(), AcmeFailure> {
    let sent = parts.headers.get(header::CONTENT_TYPE);
    if sent.is_some_and(|value| value.as_bytes() == b"application/jose+json") {
        return Ok(());
    }
    let sent = sent.and_then(|value| value.to_str().ok());
    let shown = sent.map_or_else(|| "none".to_owned(), |value| format!("{value:?}"));
    Err(unreadable(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        &format!("The Content-Type has to be exactly application/jose+json, and is {shown}."),
    ))
}

fn no_account(kid: &str) -> Problem {
    let is_url = kid.contains("://");
    let kid: String = kid.chars().take(200).collect();
    if !is_url {
        return Problem::malformed(format!(
            "The kid {kid:?} is not a URL: it has to be the account's (RFC 8555 §6.2)."
        ));
    }
    Problem::new(
        Kind::AccountDoesNotExist,
        format!(
            "{kid:?} is not the URL of an account of this provisioner: its host has to be a name of this \
             server (dnsNames of ca.json, public_names of riser.toml), and its path that of an account."
        ),
    )
}

const REPLAY_NONCE: HeaderName = HeaderName::from_static("replay-nonce");
