//! Signed requests: directory, nonces, account, and one POST that all others are made of.

use acme::eab::{self, MacKey};
use acme::key_change;
use acme::message::account::NewAccount;
use acme::message::directory::Directory;
use acme::message::revocation::Revocation;
use acme::problem::{Kind, Problem};
use acme::revocation::Reason;
use hyper::body::Bytes;
use pki::PrivateKey;
use pki::jose::Jwk;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::deadline::Deadline;
use crate::{Error, Http, Reply};

/// How many refused nonces are replaced in one request.
const NONCE_TRIES: usize = 10;
/// What an error names while an account is created.
const CREATING: &str = "creating the ACME account";
/// How long requests are repeated while the server is unavailable, in seconds.
const OUTAGE: u64 = 20;

/// A conversation with an ACME server under one account key.
pub struct Session {
    http: Http,
    directory: Directory,
    key: PrivateKey,
    jwk: Jwk,
    account: Option<String>,
    nonce: Option<String>,
}

/// What a POST carries (RFC 8555 §6.2, §6.3).
#[derive(Clone, Copy)]
pub(super) enum Payload<'a> {
    /// POST-as-GET.
    Nothing,
    /// JSON.
    Json(&'a [u8]),
}

impl Session {
    /// Reads the directory at `url`; `key` will be the account's.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub async fn open(http: Http, url: &str, key: PrivateKey) -> Result<Self, Error> {
        let doing = "reading the ACME directory";
        let reply = http.get(url).await?;
        if !reply.status.is_success() {
            return Err(refusal(doing, &reply));
        }
        let directory = json(doing, &reply)?;
        let jwk = Jwk::from_public_key(key.public());
        Ok(Self {
            http,
            directory,
            key,
            jwk,
            account: None,
            nonce: None,
        })
    }

    /// What the server offers.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// The account's URL, once it is created.
    #[must_use]
    pub fn account_url(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The account key's public half: challenges are answered with its thumbprint.
    #[must_use]
    pub fn key(&self) -> &Jwk {
        &self.jwk
    }

    /// Creates the account, agreeing to the server's terms (RFC 8555 §7.3).
    ///
    /// # Errors
    /// The server's problem.
    pub async fn create_account(&mut self, contact: &[String]) -> Result<(), Error> {
        self.register(contact, None).await
    }

    /// Creates the account and binds it to the key with the id `kid` from the
    /// server's operator (RFC 8555 §7.3.4).
    ///
    /// # Errors
    /// The server's problem.
    pub async fn create_bound_account(
        &mut self,
        contact: &[String],
        kid: &str,
        mac: &MacKey,
    ) -> Result<(), Error> {
        let binding = eab::bind(kid, mac, &self.directory.new_account, &self.jwk)
            .map_err(|e| unexpected(CREATING, e.to_string()))?;
        self.register(contact, Some(binding)).await
    }

    async fn register(&mut self, contact: &[String], binding: Option<Value>) -> Result<(), Error> {
        let new = NewAccount {
            contact: contact.to_vec(),
            terms_of_service_agreed: true,
            external_account_binding: binding,
            ..NewAccount::default()
        };
        let url = self.directory.new_account.clone();
        let reply = self.post_json(CREATING, &url, &new).await?;
        self.account = Some(location(CREATING, &reply)?);
        Ok(())
    }

    /// Revokes a certificate (RFC 8555 §7.6): as the account, or, in a session that has none, by the session's key, which
    /// then has to be the certificate's own.
    ///
    /// # Errors
    /// The server's problem.
    pub async fn revoke(&mut self, der: &[u8], reason: Option<Reason>) -> Result<(), Error> {
        let doing = "revoking the certificate";
        let Some(url) = self.directory.revoke_cert.clone() else {
            let what = "the server's directory has no revokeCert".to_owned();
            return Err(unexpected(doing, what));
        };
        let asked = Revocation::new(der, reason);
        self.post_json(doing, &url, &asked).await?;
        Ok(())
    }

    /// Gives the account another key; from then on the session signs with it (RFC 8555 §7.3.5).
    ///
    /// # Errors
    /// The server's problem; then the account keeps its key.
    pub async fn change_key(&mut self, new: PrivateKey) -> Result<(), Error> {
        let doing = "changing the account's key";
        let failed = |what: &str| unexpected(doing, what.to_owned());
        let url = self.directory.key_change.clone();
        let url = url.ok_or_else(|| failed("the server's directory has no keyChange"))?;
        let account = self.account.clone();
        let account = account.ok_or_else(|| failed("there is no account yet"))?;
        let inner = key_change::agree(&new, &self.jwk, &account, &url)
            .map_err(|e| failed(&e.to_string()))?;
        self.post(doing, &url, Payload::Json(inner.as_bytes()))
            .await?;
        self.jwk = Jwk::from_public_key(new.public());
        self.key = new;
        Ok(())
    }

    /// POSTs `body` as JSON.
    pub(super) async fn post_json(
        &mut self,
        doing: &'static str,
        url: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<Reply, Error> {
        let body = serde_json::to_vec(body).map_err(|e| unexpected(doing, e.to_string()))?;
        self.post(doing, url, Payload::Json(&body)).await
    }

    /// Reads a resource (POST-as-GET, RFC 8555 §6.3).
    pub(super) async fn read(&mut self, doing: &'static str, url: &str) -> Result<Reply, Error> {
        self.post(doing, url, Payload::Nothing).await
    }

    /// POSTs with the nonce at hand; repeats with a fresh one when that is refused, and later when the
    /// server is unavailable for a short time.
    pub(super) async fn post(
        &mut self,
        doing: &'static str,
        url: &str,
        payload: Payload<'_>,
    ) -> Result<Reply, Error> {
        let mut refused = 0;
        let mut deadline = Deadline::new(std::time::Duration::from_secs(OUTAGE));
        loop {
            let nonce = match self.nonce.take() {
                Some(nonce) => nonce,
                None => self.fresh_nonce().await?,
            };
            let body = self.sign(url, nonce, payload)?;
            let reply = self
                .http
                .post(url, "application/jose+json", Bytes::from(body))
                .await?;
            self.nonce = reply.header("replay-nonce").map(str::to_owned);
            if reply.status.is_success() {
                return Ok(reply);
            }
            let error = refusal(doing, &reply);
            let is_nonce = matches!(&error, Error::Problem { problem, .. }
                if problem.kind == Kind::BadNonce);
            if is_nonce && refused < NONCE_TRIES {
                refused += 1;
                continue;
            }
            let is_outage = reply.status == 503 && reply.retry_after().is_some();
            if is_outage && deadline.wait(reply.retry_after()).await {
                continue;
            }
            return Err(error);
        }
    }

    async fn fresh_nonce(&self) -> Result<String, Error> {
        let doing = "asking for a nonce";
        let reply = self.http.head(&self.directory.new_nonce).await?;
        match reply.header("replay-nonce") {
            Some(nonce) => Ok(nonce.to_owned()),
            None if reply.status.is_success() => Err(unexpected(
                doing,
                "the server's answer has no Replay-Nonce header".to_owned(),
            )),
            None => Err(refusal(doing, &reply)),
        }
    }

    fn sign(&self, url: &str, nonce: String, payload: Payload<'_>) -> Result<String, Error> {
        let mut header = Map::new();
        match &self.account {
            Some(kid) => header.insert("kid".to_owned(), Value::String(kid.clone())),
            None => header.insert("jwk".to_owned(), self.jwk.to_json()),
        };
        header.insert("nonce".to_owned(), Value::String(nonce));
        header.insert("url".to_owned(), Value::String(url.to_owned()));
        let payload = match payload {
            Payload::Nothing => &[],
            Payload::Json(bytes) => bytes,
        };
        pki::jose::jws::sign(&self.key, &header, payload)
            .map_err(|e| unexpected("signing the request", e.to_string()))
    }
}

/// The body as JSON.
pub(super) fn json<T: DeserializeOwned>(doing: &'static str, reply: &Reply) -> Result<T, Error> {
    serde_json::from_slice(&reply.body)
        .map_err(|e| unexpected(doing, format!("the server's answer is not valid ACME: {e}")))
}

/// The `Location` of a new resource.
pub(super) fn location(doing: &'static str, reply: &Reply) -> Result<String, Error> {
    reply.header("location").map(str::to_owned).ok_or_else(|| {
        unexpected(
            doing,
            "the server's answer has no Location header".to_owned(),
        )
    })
}

pub(super) fn unexpected(doing: &'static str, what: String) -> Error {
    Error::Unexpected { doing, what }
}

/// The error in the server's answer.
fn refusal(doing: &'static str, reply: &Reply) -> Error {
    let status = reply.status.as_u16();
    match serde_json::from_slice::<Problem>(&reply.body) {
        Ok(mut problem) => {
            if problem.detail.is_empty() {
                problem.detail = format!("the server answered {status} ({})", problem.kind);
            }
            Error::Problem {
                doing,
                problem: Box::new(problem),
                request_id: reply
                    .header("x-request-id")
                    .unwrap_or(&reply.request_id)
                    .to_owned(),
            }
        }
        Err(_) => unexpected(doing, format!("the server answered {}", reply.status)),
    }
}
