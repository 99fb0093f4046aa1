//! The CA's own API: health, roots, provisioners, renewal.

use ca::api;
use hyper::body::Bytes;
use pki::Certificate;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::issued::Expected;
use crate::{Error, Http, Reply};

/// Provisioners per request.
const PAGE: usize = 100;

/// A client of one authority.
pub struct Client {
    http: Http,
    url: String,
}

impl Client {
    /// A client of the authority at `url` (`https://host:port`).
    #[must_use]
    pub fn new(http: Http, url: &str) -> Self {
        Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
        }
    }

    /// The connection, for other requests to the same server.
    #[must_use]
    pub fn into_http(self) -> Http {
        self.http
    }

    /// The authority's health.
    ///
    /// # Errors
    /// [`Error::Exchange`] when it cannot be reached.
    pub async fn health(&self) -> Result<api::Health, Error> {
        self.get("reading the health", "/health").await
    }

    /// The authority's version.
    ///
    /// # Errors
    /// As [`Client::health`].
    pub async fn version(&self) -> Result<String, Error> {
        let version: api::Version = self.get("reading the version", "/version").await?;
        Ok(version.version)
    }

    /// The root certificate with that SHA-256 fingerprint. The answer is checked against it, so that
    /// the server need not be trusted.
    ///
    /// # Errors
    /// [`Error::Fingerprint`] when another certificate comes.
    pub async fn root(&self, fingerprint: &str) -> Result<Certificate, Error> {
        let doing = "reading the root certificate";
        let wanted = fingerprint.trim().replace(['-', ':'], "").to_lowercase();
        let root: api::Root = self.get(doing, &format!("/root/{wanted}")).await?;
        let root = certificate(doing, &root.ca)?;
        let found = root.fingerprint();
        if found == wanted {
            Ok(root)
        } else {
            Err(Error::Fingerprint { wanted, found })
        }
    }

    /// All root certificates.
    ///
    /// # Errors
    /// As [`Client::health`].
    pub async fn roots(&self) -> Result<Vec<Certificate>, Error> {
        self.bundle("reading the roots", "/roots").await
    }

    /// The roots of the authority and of those federated with it.
    ///
    /// # Errors
    /// As [`Client::health`].
    pub async fn federation(&self) -> Result<Vec<Certificate>, Error> {
        self.bundle("reading the federation", "/federation").await
    }

    /// All provisioners as the authority lists them, page by page.
    ///
    /// # Errors
    /// As [`Client::health`].
    pub async fn provisioners(&self) -> Result<Vec<Value>, Error> {
        let doing = "reading the provisioners";
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/provisioners?cursor={cursor}&limit={PAGE}");
            let page: api::Provisioners = self.get(doing, &path).await?;
            let is_last = page.next_cursor.is_empty() || page.next_cursor == cursor;
            all.extend(page.provisioners);
            if is_last {
                return Ok(all);
            }
            cursor = page.next_cursor;
        }
    }

    /// Renews `current`, the certificate that the connection authenticates with; returns the new
    /// chain, leaf first.
    ///
    /// # Errors
    /// [`Error::Refused`] when the authority refuses; [`Error::OtherKey`] and [`Error::OtherNames`]
    /// when the new certificate has another key, or lacks a name of the current one.
    pub async fn renew(&self, current: &Certificate) -> Result<Vec<Certificate>, Error> {
        let doing = "renewing the certificate";
        let url = format!("{}/renew", self.url);
        let reply = self
            .http
            .post(&url, "application/json", Bytes::new())
            .await?;
        let signed: api::SignResponse = body(doing, &reply)?;
        let expected = Expected {
            key: current
                .public_key()
                .map_err(|e| unexpected(doing, &e.to_string()))?,
            names: current.alt_names(),
        };
        expected.check(doing, signed.to_pem().as_bytes())
    }

    /// Whether the authority keeps its provisioners behind its admin API: it answers
    /// `/admin/admins` with 404 or 501 where it does not.
    ///
    /// # Errors
    /// As [`Client::health`].
    pub async fn has_admin_api(&self) -> Result<bool, Error> {
        let url = format!("{}/admin/admins", self.url);
        let reply = self.http.get(&url).await?;
        Ok(!matches!(reply.status.as_u16(), 404 | 501))
    }

    async fn bundle(&self, doing: &'static str, path: &str) -> Result<Vec<Certificate>, Error> {
        let bundle: api::Certificates = self.get(doing, path).await?;
        let crts = bundle.crts.iter();
        crts.map(|pem| certificate(doing, pem)).collect()
    }

    async fn get<T: DeserializeOwned>(&self, doing: &'static str, path: &str) -> Result<T, Error> {
        let url = format!("{}{path}", self.url);
        body(doing, &self.http.get(&url).await?)
    }
}

fn body<T: DeserializeOwned>(doing: &'static str, reply: &Reply) -> Result<T, Error> {
    if reply.status.is_success() {
        return serde_json::from_slice(&reply.body)
            .map_err(|e| unexpected(doing, &format!("the answer is not readable: {e}")));
    }
    let message = match serde_json::from_slice::<api::Error>(&reply.body) {
        Ok(refusal) => refusal.message,
        Err(_) => format!("error {doing}: the server answered {}", reply.status),
    };
    Err(Error::Refused {
        status: reply.status.as_u16(),
        message,
        request_id: reply
            .header("x-request-id")
            .unwrap_or(&reply.request_id)
            .to_owned(),
    })
}

fn certificate(doing: &'static str, pem: &str) -> Result<Certificate, Error> {
    Certificate::from_pem(pem.as_bytes()).map_err(|e| unexpected(doing, &e.to_string()))
}

fn unexpected(doing: &'static str, what: &str) -> Error {
    Error::Unexpected {
        doing,
        what: what.to_owned(),
    }
}
