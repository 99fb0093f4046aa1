//! Answers to the servers' challenges: a web server, a DNS server and a TLS server on loopback.

pub mod dns;
pub mod http;
pub mod tls;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use acme::challenge::Method;
use data_encoding::BASE64URL_NOPAD;

use crate::Failure;

/// The servers that answer challenges, shared with the clients that say what they answer.
#[derive(Clone)]
pub struct Challenges {
    /// Where they listen.
    pub ports: Ports,
    pages: Pages,
    certificates: tls::Certificates,
}

/// Ports on 127.0.0.1.
#[derive(Clone, Copy)]
pub struct Ports {
    /// For http-01.
    pub http: u16,
    /// DNS over UDP and TCP; every name is at 127.0.0.1.
    pub dns: u16,
    /// For tls-alpn-01.
    pub tls: u16,
}

/// What a server may ask for.
#[derive(Clone, Copy)]
pub struct Proof<'a> {
    /// The kind of the challenge.
    pub method: Method,
    /// The name to be proven.
    pub name: &'a str,
    /// The challenge's token.
    pub token: &'a str,
    /// What proves the name.
    pub key_authorization: &'a str,
}

impl Challenges {
    /// Starts the servers.
    ///
    /// # Errors
    /// When a port cannot be bound, or no key be made.
    pub async fn start() -> Result<Self, Failure> {
        let pages = Pages::default();
        let certificates = tls::Certificates::new()?;
        let ports = Ports {
            http: http::serve(pages.clone()).await?,
            dns: dns::serve(pages.clone()).await?,
            tls: tls::serve(&certificates).await?,
        };
        Ok(Self {
            ports,
            pages,
            certificates,
        })
    }

    /// Answers this challenge from now on.
    ///
    /// # Errors
    /// For tls-alpn-01, when no certificate can be made; for methods that nothing here answers.
    pub fn answer(&self, proof: &Proof<'_>) -> Result<(), Failure> {
        let digest = pki::sha256(proof.key_authorization.as_bytes());
        match proof.method {
            Method::Http01 => self
                .pages
                .put(proof.token, proof.key_authorization.to_owned()),
            Method::Dns01 => self
                .pages
                .put(&record(proof.name), BASE64URL_NOPAD.encode(&digest)),
            Method::TlsAlpn01 => self.certificates.put(proof.name, &digest)?,
            Method::DnsAccount01 | Method::DnsPersist01 | Method::DeviceAttest01 => {
                return Err("not served here".into());
            }
        }
        Ok(())
    }

    /// Answers it no longer.
    pub fn forget(&self, proof: &Proof<'_>) {
        self.pages.remove(proof.token);
        self.pages.remove(&record(proof.name));
    }
}

fn record(name: &str) -> String {
    format!("_acme-challenge.{name}")
}

/// Texts by token or by owner name.
#[derive(Clone, Default)]
pub(crate) struct Pages(Arc<Mutex<HashMap<String, String>>>);

impl Pages {
    fn put(&self, name: &str, text: String) {
        self.lock().insert(name.to_owned(), text);
    }

    fn remove(&self, name: &str) {
        self.lock().remove(name);
    }

    /// The text of that name.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.lock().get(name).cloned()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
