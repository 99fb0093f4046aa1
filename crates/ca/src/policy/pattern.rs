//! What a rule of a policy says, read from its text, and whether a name fits it.

use std::net::IpAddr;

use ipnet::IpNet;

/// A host name in its one form, or the wildcard of everything one label below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    base: String,
    wildcard: bool,
}

impl Host {
    /// Reads a name of a certificate; `None` if it is no host name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (base, wildcard) = match text.strip_prefix("*.") {
            Some(base) => (base, true),
            None => (text, false),
        };
        let base = canonical(base).ok()?;
        Some(Self { base, wildcard })
    }

    pub(super) fn is_wildcard(&self) -> bool {
        self.wildcard
    }
}

/// `example.com`: this name alone; `*.example.com`: names exactly one label below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Domain {
    base: String,
    below: bool,
}

impl Domain {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (base, below) = match text.strip_prefix("*.") {
            Some(base) => (base, true),
            None => (text, false),
        };
        if base.contains('*') {
            return Err("an asterisk may only be the whole first label: *.example.com".to_owned());
        }
        if base.starts_with('.') && !base.starts_with("..") && !below {
            return Err(format!("names below it are written *{base}"));
        }
        let base = canonical(base)?;
        Ok(Self { base, below })
    }

    /// Whether the rule is about this very name.
    pub(super) fn matches(&self, host: &Host) -> bool {
        match (self.below, host.wildcard) {
            (false, false) | (true, true) => self.base == host.base,
            (true, false) => parent(&host.base) == Some(&self.base),
            (false, true) => false,
        }
    }

    /// Whether a certificate for the name would be good for a name that the rule is about.
    pub(super) fn touches(&self, host: &Host) -> bool {
        let covered = host.wildcard && !self.below && parent(&self.base) == Some(&host.base);
        covered || self.matches(host)
    }
}

/// `me@example.com`: this mailbox; a [`Domain`], with or without `@` before it: all of its mailboxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Email {
    local: Option<String>,
    domain: Domain,
}

impl Email {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.contains('*') {
            return Err("an asterisk has no meaning in a mailbox".to_owned());
        }
        let (local, domain) = match text.rsplit_once('@') {
            Some(("", domain)) => (None, domain),
            Some((local, domain)) => (Some(local.to_owned()), domain),
            None => (None, text),
        };
        let domain = Domain::parse(domain)?;
        Ok(Self { local, domain })
    }

    pub(super) fn matches(&self, mailbox: &Mailbox) -> bool {
        let same_local = self.local.as_ref().is_none_or(|own| *own == mailbox.local);
        same_local && self.domain.matches(&mailbox.host)
    }
}

/// A mailbox, in its two parts.
pub(super) struct Mailbox {
    local: String,
    host: Host,
}

impl Mailbox {
    /// Parses `local@domain`; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        let host = Host::parse(domain).filter(|host| !host.wildcard)?;
        let local = local.to_owned();
        (!local.is_empty()).then_some(Self { local, host })
    }
}

/// The host of a URI, which has to be a name (RFC 5280 §4.2.1.10).
pub(super) fn uri_host(text: &str) -> Option<Host> {
    let (_, rest) = text.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (_, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    Host::parse(host).filter(|host| !host.wildcard && !is_address)
}

/// A network, or one address; IPv4 networks written as IPv6 count as IPv4.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let network = text
        .parse::<IpNet>()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
        .ok_or("it is neither a network (10.0.0.0/8, fd00::/8) nor an address")?
        .trunc();
    let IpNet::V6(six) = network else {
        return Ok(network);
    };
    let mapped = six
        .addr()
        .to_ipv4_mapped()
        .zip(six.prefix_len().checked_sub(96));
    let unwrapped = mapped.and_then(|(address, prefix)| IpNet::new(address.into(), prefix).ok());
    Ok(unwrapped.unwrap_or(network))
}

/// A common name, compared without regard to letter case.
pub(super) fn common_name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    Ok(text.to_lowercase())
}

fn parent(name: &str) -> Option<&str> {
    name.split_once('.').map(|(_, parent)| parent)
}

/// Lower case, A-labels (RFC 5890 §2.3.2.1), no empty label.
fn canonical(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.parse::<IpAddr>().is_ok() {
        return Err("it is an address: put it into the list for ip".to_owned());
    }
    if text.ends_with('.') {
        return Err("it ends with a dot: leave the dot out".to_owned());
    }
    let name = idna::domain_to_ascii(text)
        .map_err(|_| "it is not a name that can be written in ASCII".to_owned())?;
    if name.split('.').any(str::is_empty) {
        return Err("it has an empty label (two dots in a row, or a dot at its start)".to_owned());
    }
    match name
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'))
    {
        Some(odd) => Err(format!("the character {odd:?} has no place in a host name")),
        None => Ok(name),
    }
}
