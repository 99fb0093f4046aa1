//! riser.toml: the settings that are ours alone. They live beside ca.json because other
//! programs rewrite that file and drop keys that they do not know.

mod attestation;
mod chains;
mod profile;
mod provisioner;
mod rate_limits;
mod retention;
mod validation;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::SignedDuration;
use serde_json::Value;

use super::UnusedTable;
use super::section::{Log, Section, Unknown};
use crate::profile::Profile;

pub use attestation::AttestationSettings;
pub use chains::{Chains, fits};
pub use provisioner::{ProvisionerSettings, TermsChanged, UnknownReplaces};
pub use rate_limits::RateLimits;
pub use retention::Retention;
pub use validation::{Validation, Zone, resolver};

/// The settings of riser.toml, each with its default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Riser {
    /// `public_names`: further names by which clients reach the server, for URLs.
    pub public_names: Vec<String>,
    /// `[validation]`
    pub validation: Validation,
    /// `[server]`
    pub server: Server,
    /// `[limits]`
    pub limits: Limits,
    /// `[rate_limits]`
    pub rate_limits: RateLimits,
    /// `[retention]`
    pub retention: Retention,
    /// `[chains]`
    pub chains: Chains,
    /// `[profile.<name>]`
    pub profiles: BTreeMap<String, Profile>,
    /// `[provisioner.<name>]`
    pub provisioners: BTreeMap<String, ProvisionerSettings>,
}

/// `[server]`: the server's own certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `certificate_life`: how long it holds, 24 h; it is renewed after two thirds.
    pub certificate_life: SignedDuration,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            certificate_life: SignedDuration::from_hours(24),
        }
    }
}

/// `[limits]`: what one client may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `connections` at a time, 4,096.
    pub connections: usize,
    /// `body_bytes` of one request, 65,536.
    pub body_bytes: usize,
    /// `handshake`: time for a TLS handshake, 10 s.
    pub handshake: SignedDuration,
    /// `header`: time until a request's header is there, 15 s.
    pub header: SignedDuration,
    /// `body`: time until a request's body is there, 15 s.
    pub body: SignedDuration,
    /// `idle`: time that a connection may wait for its next request, 60 s.
    pub idle: SignedDuration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            body_bytes: 64 * 1024,
            handshake: SignedDuration::from_secs(10),
            header: SignedDuration::from_secs(15),
            body: SignedDuration::from_secs(15),
            idle: SignedDuration::from_secs(60),
        }
    }
}

impl Riser {
    /// The settings of a provisioner; the defaults when it has no table.
    #[must_use]
    pub fn provisioner(&self, name: &str) -> Cow<'_, ProvisionerSettings> {
        let own = self.provisioners.get(name);
        own.map_or_else(Cow::default, Cow::Borrowed)
    }
}

/// The provisioners that the tables of riser.toml can be for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Provisioners<'a> {
    /// The names that ca.json has.
    pub(super) names: &'a [&'a str],
    /// What a table with another name means.
    pub(super) unused: UnusedTable,
}

/// Reads the file.
pub(super) fn read(text: &str, known: Provisioners<'_>, log: &Log) -> Riser {
    let Some(Value::Object(map)) = table(text, log) else {
        return Riser::default();
    };
    let mut top = Section::new(&map, "", log);
    let riser = Riser {
        public_names: public_names(&mut top),
        validation: top
            .section("validation")
            .map(validation::read)
            .unwrap_or_default(),
        server: top.section("server").map(server).unwrap_or_default(),
        limits: top.section("limits").map(limits).unwrap_or_default(),
        rate_limits: rate_limits::read_from(&mut top),
        retention: top
            .section("retention")
            .map(retention::read)
            .unwrap_or_default(),
        chains: top.section("chains").map(chains::read).unwrap_or_default(),
        profiles: profile::read_all(&mut top),
        provisioners: provisioner::read_all(&mut top, known),
    };
    top.finish(Unknown::Fault);
    riser
}

/// Host names and addresses; not URLs, and without a port.
fn public_names(top: &mut Section<'_>) -> Vec<String> {
    let names = top.strings("public_names");
    let is_name = |name: &str| {
        let of_host = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let address = name.trim_start_matches('[').trim_end_matches(']');
        address.parse::<IpAddr>().is_ok() || (!name.is_empty() && name.chars().all(of_host))
    };
    for (n, name) in names.iter().enumerate().filter(|(_, name)| !is_name(name)) {
        let what = format!(
            "{name:?} is neither a host name nor an address; write it like \"ca.example.com\", without \
             scheme and port"
        );
        top.fault(&format!("public_names[{n}]"), what);
    }
    names
}

fn table(text: &str, log: &Log) -> Option<Value> {
    match text.parse::<toml::Table>() {
        Ok(table) => serde_json::to_value(table).ok(),
        Err(error) => {
            let place = error.span().map_or_else(String::new, |span| {
                let before = text.get(..span.start).unwrap_or(text);
                format!("line {}", before.matches('\n').count() + 1)
            });
            log.fault(place, error.message().trim().replace('\n', ", "));
            None
        }
    }
}

fn server(mut section: Section<'_>) -> Server {
    let default = Server::default();
    let life = section.positive("certificate_life");
    if life.is_some_and(|life| life < SHORTEST_LIFE) {
        section.fault(
            "certificate_life",
            "must be at least 5s: the server renews it after two thirds",
        );
    }
    let server = Server {
        certificate_life: life.unwrap_or(default.certificate_life),
    };
    section.finish(Unknown::Fault);
    server
}

/// The shortest life of the server's own certificate.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_secs(5);

fn limits(mut section: Section<'_>) -> Limits {
    let default = Limits::default();
    let mut number = |key, smallest, otherwise| {
        section
            .whole(key, smallest..=1 << 30)
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(otherwise)
    };
    let connections = number("connections", 1, default.connections);
    let body_bytes = number("body_bytes", 4096, default.body_bytes);
    let mut time = |key, otherwise| section.positive(key).unwrap_or(otherwise);
    let limits = Limits {
        connections,
        body_bytes,
        handshake: time("handshake", default.handshake),
        header: time("header", default.header),
        body: time("body", default.body),
        idle: time("idle", default.idle),
    };
    section.finish(Unknown::Fault);
    limits
}

#[cfg(test)]
mod tests {
    use acme::challenge::{Method, RedirectPorts};

    use super::*;
    use crate::admission::caa::CaaMode;

    const ACME: Provisioners<'_> = Provisioners {
        names: &["acme"],
        unused: UnusedTable::Fault,
    };

    fn faults(text: &str) -> Vec<String> {
        let log = Log::new("riser.toml");
        read(text, ACME, &log);
        let (faults, _) = log.into_parts();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_empty_file_means_the_defaults() {
        let log = Log::new("riser.toml");
        assert_eq!(read("", ACME, &log), Riser::default());
        assert_eq!(log.into_parts(), (Vec::new(), Vec::new()));
    }

    #[test]
    fn redirects_lead_to_listed_ports_or_to_any() {
        let read = |value: &str| {
            let log = Log::new("riser.toml");
            let text = format!("[validation]\nredirect_ports = {value}\n");
            let ports = read(&text, ACME, &log).validation.redirect_ports;
            (ports, log.into_parts().0.len())
        };
        assert_eq!(read("\"any\""), (RedirectPorts::Any, 0));
        assert_eq!(read("[]"), (RedirectPorts::NONE.clone(), 0));
        for wrong in ["\"all\"", "8443", "[0]", "[70000]", "[\"8443\"]", "true"] {
            assert_eq!(read(wrong), (RedirectPorts::NONE.clone(), 1), "{wrong}");
        }
    }

    #[test]
    fn every_setting_is_read() {
        let text = r#"
            public_names = ["ca.example.com", "[fd00::1]", "10.0.0.1", "step_ca"]
            [validation]
            http_port = 5002
            tls_port = 5001
            redirect_ports = [8443, 9000]
            resolver = "127.0.0.1:8053"
            resolvers = ["10.0.0.53", "[fd00::53]:5353"]
            authoritative = true
            allow = ["169.254.1.0/24"]
            deny = ["10.0.0.0/8", "192.168.1.1"]
            [[validation.zone]]
            name = "Lab.internal."
            resolvers = ["10.0.0.53"]
            [server]
            certificate_life = "10s"
            [limits]
            connections = 10
            idle = "5s"
            [retention]
            orders = "36h"
            certificates = "90d"
            [provisioner.acme]
            order_life = "1h"
            challenges = ["http-01", "dns-persist-01", "http-01"]
            caa = "enforce"
            [provisioner.acme.policy]
            allow_dns = ["*.lab"]
        "#;
        let log = Log::new("riser.toml");
        let riser = read(text, ACME, &log);
        assert_eq!(log.into_parts(), (Vec::new(), Vec::new()));
        assert_eq!(riser.public_names[0], "ca.example.com");
        assert_eq!(riser.validation.http_port, 5002);
        let redirect_ports = RedirectPorts::Listed(vec![8443, 9000]);
        assert_eq!(riser.validation.redirect_ports, redirect_ports);
        assert_eq!(riser.validation.resolvers.len(), 3);
        assert!(riser.validation.authoritative);
        assert_eq!(riser.validation.zones[0].name, "lab.internal");
        assert_eq!(riser.validation.zones[0].resolvers[0].port(), 53);
        assert_eq!(riser.validation.deny[1].to_string(), "192.168.1.1/32");
        assert_eq!(riser.server.certificate_life, SignedDuration::from_secs(10));
        assert_eq!(riser.limits.connections, 10);
        let retention = Retention {
            orders: SignedDuration::from_hours(36),
            certificates: Some(SignedDuration::from_hours(90 * 24)),
        };
        assert_eq!(riser.retention, retention);
        let acme = riser.provisioner("acme");
        assert_eq!(acme.order_life, SignedDuration::from_hours(1));
        let methods = [Method::Http01, Method::DnsPersist01];
        assert_eq!(acme.challenges.as_deref(), Some(&methods[..]));
        assert_eq!(acme.caa, CaaMode::Enforce);
        assert!(!riser.provisioner("acme").policy.is_empty());
    }

    #[test]
    fn all_faults_are_reported_together() {
        let text = r#"
            publicnames = ["x"]
            public_names = ["ca", "https://ca.lab", "ca.lab:443"]
            [validation]
            http_port = 0
            denny = ["10.0.0.0/8"]
            deny = ["10.0.0.0/40"]
            [[validation.zone]]
            name = "a..b"
            [[validation.zone]]
            name = "lab"
            resolvers = ["ns.lab"]
            [[validation.zone]]
            name = "LAB"
            resolvers = ["10.0.0.53"]
            resolver = "10.0.0.53"
            [retention]
            orders = "0d"
            certificates = "90 days"
            [provisioner.acme]
            challenges = ["dns-02"]
            caa = "on"
            [provisioner.acmee]
            order_life = "1h"
        "#;
        let found = faults(text).join("\n");
        for place in [
            "validation.http_port: must be a whole number from 1 to 65535",
            "validation.denny: is not a known key; known keys: resolver, resolvers, http_port",
            "validation.deny[0]: \"10.0.0.0/40\" is not a network",
            "retention.orders: \"0d\" is not an age",
            "retention.certificates: \"90 days\" is not an age; write it like \"90d\"",
            "provisioner.acme.challenges[0]: \"dns-02\" is not one of dns-01, http-01",
            "provisioner.acme.caa: \"on\" is not one of off, warn, enforce",
            "validation.zone[0].name: \"a..b\" is not a zone's name",
            "validation.zone[0].resolvers: is missing or empty",
            "validation.zone[1].resolvers[0]: \"ns.lab\" is not an address",
            "validation.zone[2].name: \"lab\" is listed twice",
            "validation.zone[2].resolver: is not a known key",
            "provisioner.acmee: names no provisioner",
            "publicnames: is not a known key; known keys: public_names, validation, server",
            "public_names[1]: \"https://ca.lab\" is neither a host name nor an address",
            "public_names[2]: \"ca.lab:443\" is neither",
        ] {
            assert!(found.contains(place), "{place} is not in\n{found}");
        }
    }

    #[test]
    fn what_should_be_a_table_and_is_not_is_reported() {
        for (text, place) in [
            ("provisioner = 5", "riser.toml: provisioner: must be"),
            (
                "[provisioner]\nacme = 5",
                "riser.toml: provisioner.acme: must be",
            ),
            ("validation = 5", "riser.toml: validation: must be"),
        ] {
            let found = faults(text);
            assert!(found[0].starts_with(place), "{found:?}");
        }
    }

    #[test]
    fn a_broken_file_is_reported_with_its_line() {
        let found = faults("[validation]\nhttp_port = \n");
        assert!(found[0].starts_with("riser.toml: line 2: "), "{}", found[0]);
    }
}
