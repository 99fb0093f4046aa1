//! Name constraints (RFC 5280 §4.2.1.10): which names may stand in the certificates below a CA.

use std::fmt;
use std::net::IpAddr;

use crate::{
    AltName, Certificate, Name,
    asn1::{self, Cursor, Element, Malformed},
    error::Error,
    oid,
};

/// What a CA certificate says about the names below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameConstraints {
    permitted: Vec<Subtree>,
    excluded: Vec<Subtree>,
}

/// The names below one base.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Subtree {
    /// The host and everything below it; with a leading dot, only what is below it.
    Dns(String),
    Ip(Network),
    /// One mailbox, those of one host, or, with a leading dot, those of all hosts below it.
    Email(String),
    /// One host, or, with a leading dot, all hosts below it.
    Uri(String),
    /// The encoded RDNs that the subject begins with.
    Directory(Vec<u8>, String),
    /// A form that is not read; its GeneralName tag.
    Other(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    mask: IpAddr,
}

/// A name that a CA certificate does not let stand below it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// An excluded subtree covers it.
    #[error("{name} falls under {subtree:?}, which is excluded")]
    Excluded {
        /// The name.
        name: String,
        /// The base of the subtree.
        subtree: String,
    },
    /// No permitted subtree covers it.
    #[error("{name} is not within {permitted}, the only names of its kind that are permitted")]
    NotPermitted {
        /// The name.
        name: String,
        /// The bases of the permitted subtrees of its kind.
        permitted: String,
    },
}

impl NameConstraints {
    /// Reads the constraints of a CA certificate; `None` if it has none.
    ///
    /// # Errors
    /// [`Error::Der`] if the extension cannot be read.
    pub fn of(certificate: &Certificate) -> Result<Option<Self>, Error> {
        let extension = certificate.extension(&oid::NAME_CONSTRAINTS);
        extension.map(|it| Self::parse(&it.value)).transpose()
    }

    /// Reads the value of the extension.
    ///
    /// # Errors
    /// [`Error::Der`].
    pub fn parse(value: &[u8]) -> Result<Self, Error> {
        let read = || -> Result<Self, Malformed> {
            let mut fields = Cursor::only(value, asn1::SEQUENCE)?;
            let permitted = fields.take_if(asn1::constructed(0))?;
            let excluded = fields.take_if(asn1::constructed(1))?;
            if !fields.is_empty() {
                return Err(Malformed);
            }
            Ok(Self {
                permitted: permitted.map_or(Ok(Vec::new()), subtrees)?,
                excluded: excluded.map_or(Ok(Vec::new()), subtrees)?,
            })
        };
        read().map_err(|_| Error::Der("name constraints"))
    }

    /// Checks the names of a certificate below the CA. A common name that reads as a DNS name counts as
    /// one where the certificate has no other, because some verifiers take it.
    ///
    /// # Errors
    /// The first name that may not stand below the CA.
    pub fn check(&self, names: &[AltName], subject: &Name) -> Result<(), Violation> {
        for name in names {
            self.check_one(&Tested::Alt(name))?;
        }
        if !subject.is_empty() {
            self.check_one(&Tested::Subject(subject))?;
        }
        let has_dns = names.iter().any(|name| matches!(name, AltName::Dns(_)));
        let host = subject.cn().filter(|cn| !has_dns && looks_like_a_host(cn));
        host.map_or(Ok(()), |host| {
            self.check_one(&Tested::Alt(&AltName::Dns(host)))
        })
    }

    fn check_one(&self, name: &Tested<'_>) -> Result<(), Violation> {
        if let Some(subtree) = self.excluded.iter().find(|it| it.touches(name)) {
            return Err(Violation::Excluded {
                name: name.to_string(),
                subtree: subtree.to_string(),
            });
        }
        let mut same_kind = self.permitted.iter().filter(|it| it.is_about(name));
        if same_kind.clone().next().is_none() || same_kind.any(|it| it.covers(name)) {
            return Ok(());
        }
        let permitted = self.permitted.iter().filter(|it| it.is_about(name));
        let permitted: Vec<_> = permitted
            .map(|it| format!("{:?}", it.to_string()))
            .collect();
        Err(Violation::NotPermitted {
            name: name.to_string(),
            permitted: permitted.join(", "),
        })
    }
}

/// A name that is compared with a subtree.
enum Tested<'a> {
    Alt(&'a AltName),
    Subject(&'a Name),
}

impl fmt::Display for Tested<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alt(name) => name.fmt(f),
            Self::Subject(name) => write!(f, "the subject {name}"),
        }
    }
}

impl Subtree {
    /// Whether the subtree is about names of this form.
    fn is_about(&self, name: &Tested<'_>) -> bool {
        match (self, name) {
            (Self::Dns(_), Tested::Alt(AltName::Dns(_)))
            | (Self::Ip(_), Tested::Alt(AltName::Ip(_)))
            | (Self::Email(_), Tested::Alt(AltName::Email(_)))
            | (Self::Uri(_), Tested::Alt(AltName::Uri(_)))
            | (Self::Directory(..), Tested::Subject(_)) => true,
            (Self::Other(tag), Tested::Alt(AltName::Other { der, .. })) => der.first() == Some(tag),
            (Self::Directory(..), Tested::Alt(AltName::Other { der, .. })) => {
                der.first() == Some(&DIRECTORY_NAME)
            }
            _ => false,
        }
    }

    /// Whether everything that the name stands for lies within the subtree.
    fn covers(&self, name: &Tested<'_>) -> bool {
        match (self, name) {
            (Self::Dns(base), Tested::Alt(AltName::Dns(name))) => host_within(name, base),
            (Self::Ip(network), Tested::Alt(AltName::Ip(address))) => network.contains(*address),
            (Self::Email(base), Tested::Alt(AltName::Email(mailbox))) => {
                mailbox_within(mailbox, base)
            }
            (Self::Uri(base), Tested::Alt(AltName::Uri(uri))) => {
                host_of(uri).is_some_and(|host| is_host_of(&host, base))
            }
            (Self::Directory(base, _), Tested::Subject(subject)) => {
                rdns(subject.der()).is_ok_and(|rdns| rdns.starts_with(base))
            }
            // What is not compared is never permitted.
            _ => false,
        }
    }

    /// Whether something that the name stands for lies within the subtree.
    fn touches(&self, name: &Tested<'_>) -> bool {
        match (self, name) {
            (Self::Dns(base), Tested::Alt(AltName::Dns(name))) => {
                let wildcard = name.strip_prefix("*.");
                let parent = base.split_once('.').map(|(_, parent)| parent);
                let expands = wildcard.is_some_and(|below| {
                    !base.starts_with('.')
                        && parent.is_some_and(|parent| parent.eq_ignore_ascii_case(trim(below)))
                });
                expands || host_within(name, base)
            }
            // A URI without a host, and forms that are not compared, may be anything.
            (Self::Uri(base), Tested::Alt(AltName::Uri(uri))) => {
                host_of(uri).is_none_or(|host| is_host_of(&host, base))
            }
            (Self::Other(_), _) | (Self::Directory(..), Tested::Alt(_)) => self.is_about(name),
            _ => self.covers(name),
        }
    }
}

impl fmt::Display for Subtree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(base) | Self::Email(base) | Self::Uri(base) => f.write_str(base),
            Self::Ip(Network { address, mask }) => match mask {
                IpAddr::V4(mask) => write!(f, "{address}/{}", mask.to_bits().leading_ones()),
                IpAddr::V6(mask) => write!(f, "{address}/{}", mask.to_bits().leading_ones()),
            },
            Self::Directory(_, text) => f.write_str(text),
            Self::Other(tag) => write!(f, "names of form [{}]", tag & 0x1f),
        }
    }
}

impl Network {
    fn contains(self, other: IpAddr) -> bool {
        match (self.address, self.mask, other) {
            (IpAddr::V4(own), IpAddr::V4(mask), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()) & mask.to_bits() == 0
            }
            (IpAddr::V6(own), IpAddr::V6(mask), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()) & mask.to_bits() == 0
            }
            _ => false,
        }
    }
}

fn subtrees(list: Element<'_>) -> Result<Vec<Subtree>, Malformed> {
    let mut list = Cursor::new(list.value)?;
    let mut out = Vec::new();
    while !list.is_empty() {
        let mut fields = Cursor::only(list.next()?.raw, asn1::SEQUENCE)?;
        let base = fields.next()?;
        // RFC 5280 allows neither a minimum above 0 nor a maximum.
        if !fields.is_empty() {
            return Err(Malformed);
        }
        out.push(subtree(base)?);
    }
    if out.is_empty() {
        Err(Malformed)
    } else {
        Ok(out)
    }
}

fn subtree(base: Element<'_>) -> Result<Subtree, Malformed> {
    let text = || {
        let text = std::str::from_utf8(base.value).map_err(|_| Malformed)?;
        let printable = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if printable {
            Ok(text.to_owned())
        } else {
            Err(Malformed)
        }
    };
    Ok(match base.tag {
        0x81 => Subtree::Email(text()?),
        0x82 => Subtree::Dns(trim(&text()?).to_ascii_lowercase()),
        0x86 => Subtree::Uri(trim(&text()?).to_ascii_lowercase()),
        0x87 => Subtree::Ip(network(base.value)?),
        DIRECTORY_NAME => {
            let name = Name::from_der(base.value).map_err(|_| Malformed)?;
            Subtree::Directory(rdns(name.der())?, name.to_string())
        }
        tag => Subtree::Other(tag),
    })
}

fn network(bytes: &[u8]) -> Result<Network, Malformed> {
    if let Ok([a, b, c, d, e, f, g, h]) = <[u8; 8]>::try_from(bytes) {
        return Ok(Network {
            address: [a, b, c, d].into(),
            mask: [e, f, g, h].into(),
        });
    }
    let octets = <[u8; 32]>::try_from(bytes).map_err(|_| Malformed)?;
    let half = |from: usize| {
        let mut half = [0; 16];
        half.copy_from_slice(&octets[from..from + 16]);
        IpAddr::from(half)
    };
    Ok(Network {
        address: half(0),
        mask: half(16),
    })
}

/// The encoded RDNs of a name, without the sequence around them.
fn rdns(name: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut outer = Cursor::new(name)?;
    Ok(outer.take(asn1::SEQUENCE)?.value.to_vec())
}

fn trim(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// Whether a host is the base or lies below it; with a leading dot in the base, only below it.
fn host_within(host: &str, base: &str) -> bool {
    let host = trim(host).to_ascii_lowercase();
    if base.is_empty() || base.starts_with('.') {
        return host.ends_with(base) && host.len() > base.len();
    }
    let above = host.strip_suffix(base);
    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// Whether a host is the base, or lies below one with a leading dot: URIs and mailboxes are compared so.
fn is_host_of(host: &str, base: &str) -> bool {
    let host = trim(host).to_ascii_lowercase();
    let base = base.to_ascii_lowercase();
    match base.starts_with('.') {
        true => host.ends_with(&base) && host.len() > base.len(),
        false => base.is_empty() || host == base,
    }
}

fn mailbox_within(mailbox: &str, base: &str) -> bool {
    let Some((local, host)) = mailbox.rsplit_once('@') else {
        return false;
    };
    match base.rsplit_once('@') {
        Some((own, base)) => local == own && host.eq_ignore_ascii_case(base),
        None => is_host_of(host, base),
    }
}

/// The host name of a URI; none if it has no authority, or an address for a host.
fn host_of(uri: &str) -> Option<String> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let host = host.split(':').next()?;
    let is_name = !host.is_empty() && !host.starts_with('[') && host.parse::<IpAddr>().is_err();
    is_name.then(|| host.to_owned())
}

fn looks_like_a_host(text: &str) -> bool {
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'*');
    text.contains('.') && text.bytes().all(letters) && text.parse::<IpAddr>().is_err()
}

const DIRECTORY_NAME: u8 = 0xa4;

#[cfg(test)]
mod tests;
