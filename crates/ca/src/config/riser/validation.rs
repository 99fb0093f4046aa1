//! `[validation]` of riser.toml: how challenges are looked at.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use crate::config::section::{Section, Unknown};

/// `[validation]`: how challenges are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// `http_port`: where http-01 is asked, 80.
    pub http_port: u16,
    /// `tls_port`: where tls-alpn-01 is asked, 443.
    pub tls_port: u16,
    /// `resolver` or `resolvers`: the DNS servers to ask in place of the machine's.
    pub resolvers: Vec<SocketAddr>,
    /// `allow`: networks that may be connected to although they are refused by default.
    pub allow: Vec<IpNet>,
    /// `deny`: networks that may never be connected to; it outweighs `allow`.
    pub deny: Vec<IpNet>,
}

impl Default for Validation {
    fn default() -> Self {
        Self {
            http_port: 80,
            tls_port: 443,
            resolvers: Vec::new(),
            allow: Vec::new(),
            deny: Vec::new(),
        }
    }
}

pub(super) fn read(mut section: Section<'_>) -> Validation {
    let default = Validation::default();
    let mut servers = section.text("resolver").map_or_else(Vec::new, |one| {
        resolver(&one).map_or_else(
            || {
                section.fault("resolver", not_an_address(&one));
                Vec::new()
            },
            |address| vec![address],
        )
    });
    for (n, text) in section.strings("resolvers").iter().enumerate() {
        match resolver(text) {
            Some(address) => servers.push(address),
            None => section.fault(&format!("resolvers[{n}]"), not_an_address(text)),
        }
    }
    let validation = Validation {
        http_port: port(&mut section, "http_port").unwrap_or(default.http_port),
        tls_port: port(&mut section, "tls_port").unwrap_or(default.tls_port),
        resolvers: servers,
        allow: networks(&mut section, "allow"),
        deny: networks(&mut section, "deny"),
    };
    section.finish(Unknown::Fault);
    validation
}

/// A DNS server's address; port 53 where none is given.
#[must_use]
pub fn resolver(text: &str) -> Option<SocketAddr> {
    text.parse()
        .ok()
        .or_else(|| Some(SocketAddr::new(text.parse::<IpAddr>().ok()?, 53)))
}

fn not_an_address(text: &str) -> String {
    format!("{text:?} is not an address; write it like \"10.0.0.53\" or \"[fd00::53]:5353\"")
}

fn port(section: &mut Section<'_>, key: &str) -> Option<u16> {
    section
        .whole(key, 1..=65_535)
        .and_then(|number| u16::try_from(number).ok())
}

fn networks(section: &mut Section<'_>, key: &str) -> Vec<IpNet> {
    let mut found = Vec::new();
    for (n, text) in section.strings(key).iter().enumerate() {
        let network = text
            .parse::<IpNet>()
            .ok()
            .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        match network {
            Some(network) => found.push(network),
            None => section.fault(
                &format!("{key}[{n}]"),
                format!("{text:?} is not a network; write it like \"10.0.0.0/8\""),
            ),
        }
    }
    found
}
