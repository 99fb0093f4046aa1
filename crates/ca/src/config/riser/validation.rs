//! `[validation]` of riser.toml: how challenges are looked at.

use std::net::{IpAddr, SocketAddr};

use acme::challenge::RedirectPorts;
use ipnet::IpNet;
use serde_json::Value;

use crate::config::section::{Section, Unknown};

/// `[validation]`: how challenges are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// `http_port`: where http-01 is asked, 80.
    pub http_port: u16,
    /// `tls_port`: where tls-alpn-01 is asked, 443.
    pub tls_port: u16,
    /// `redirect_ports`: further ports that redirects of http-01 may lead to; `"any"` for all.
    pub redirect_ports: RedirectPorts,
    /// `resolver` or `resolvers`: the DNS servers to ask in place of the machine's.
    pub resolvers: Vec<SocketAddr>,
    /// `zone`: zones whose names are asked for at resolvers of their own.
    pub zones: Vec<Zone>,
    /// `authoritative`: whether TXT and CAA records are asked for at the servers of their zone.
    pub authoritative: bool,
    /// `allow`: networks that may be connected to although they are refused by default.
    pub allow: Vec<IpNet>,
    /// `deny`: networks that may never be connected to; it outweighs `allow`.
    pub deny: Vec<IpNet>,
}

/// `[[validation.zone]]`: where the names of one zone are asked for, addresses too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// `name`: the zone, in lower case without its final dot.
    pub name: String,
    /// `resolvers`: its DNS servers, at least one.
    pub resolvers: Vec<SocketAddr>,
}

impl Default for Validation {
    fn default() -> Self {
        Self {
            http_port: 80,
            tls_port: 443,
            redirect_ports: RedirectPorts::NONE.clone(),
            resolvers: Vec::new(),
            zones: Vec::new(),
            authoritative: false,
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
    servers.extend(resolvers(&mut section));
    let validation = Validation {
        http_port: port(&mut section, "http_port").unwrap_or(default.http_port),
        tls_port: port(&mut section, "tls_port").unwrap_or(default.tls_port),
        redirect_ports: redirect_ports(&mut section),
        resolvers: servers,
        zones: zones(&mut section),
        authoritative: section.bool("authoritative").unwrap_or_default(),
        allow: networks(&mut section, "allow"),
        deny: networks(&mut section, "deny"),
    };
    section.finish(Unknown::Fault);
    validation
}

fn redirect_ports(section: &mut Section<'_>) -> RedirectPorts {
    let port = |value: &Value| u16::try_from(value.as_u64()?).ok().filter(|port| *port > 0);
    let ports = match section.value("redirect_ports") {
        None => return RedirectPorts::NONE.clone(),
        Some(Value::String(word)) if word == "any" => return RedirectPorts::Any,
        Some(Value::Array(listed)) => listed.iter().map(port).collect(),
        Some(_) => None,
    };
    ports.map_or_else(
        || {
            let what = "must be a list of ports such as [8443], or \"any\"";
            section.fault("redirect_ports", what);
            RedirectPorts::NONE.clone()
        },
        RedirectPorts::Listed,
    )
}

fn zones(section: &mut Section<'_>) -> Vec<Zone> {
    let log = section.log();
    let mut zones: Vec<Zone> = Vec::new();
    for (place, value) in section.list("zone") {
        let Some(map) = value.as_object() else {
            log.fault(place, "must be a table: [[validation.zone]]");
            continue;
        };
        let mut section = Section::new(map, place, log);
        let zone = zone(&mut section);
        if zones.iter().any(|other| other.name == zone.name) {
            section.fault("name", format!("{:?} is listed twice", zone.name));
        }
        section.finish(Unknown::Fault);
        zones.push(zone);
    }
    zones
}

fn zone(section: &mut Section<'_>) -> Zone {
    let written = section.required("name");
    let name = written.trim_end_matches('.').to_ascii_lowercase();
    // A zone may have labels that no host name has.
    let is_label = |label: &str| !label.is_empty() && label.len() < 64 && !label.contains('*');
    let is_zone = name.is_ascii() && name.split('.').all(is_label);
    if !written.is_empty() && !is_zone {
        let what = "is not a zone's name; write it like \"lab.internal\"";
        section.fault("name", format!("{written:?} {what}"));
    }
    let before = section.list("resolvers").len();
    let resolvers = resolvers(section);
    if before == 0 {
        section.fault("resolvers", "is missing or empty");
    }
    Zone { name, resolvers }
}

fn resolvers(section: &mut Section<'_>) -> Vec<SocketAddr> {
    let mut servers = Vec::new();
    for (n, text) in section.strings("resolvers").iter().enumerate() {
        match resolver(text) {
            Some(address) => servers.push(address),
            None => section.fault(&format!("resolvers[{n}]"), not_an_address(text)),
        }
    }
    servers
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
