//! tls-alpn-01 (RFC 8737, for addresses RFC 8738 §6): a certificate with the identifier and the
//! digest of the key authorization, presented to clients that offer `acme-tls/1`.
//!
//! Every fault has its own description. Each may be a race with a server that is being configured,
//! so each is retried. The names of the certificate are shown to the operator only: an order must
//! not reveal which names a server has.

use std::borrow::Cow;
use std::net::IpAddr;

use pki::{AltName, Certificate, KeyKind, ObjectIdentifier, alt_name, oid};
use serde_json::{Value, json};

use super::failure::{self, Target};
use super::observation::{
    Failure, FailureKind, Host, KeyKinds, Observation, Probe, TlsObservation, TlsProbe,
};
use super::report::{self, Seen};
use super::{Context, Method, Proof, Properties, Verdict, unexpected};
use crate::identifier::Identifier;
use crate::problem::Kind;

/// TLS 1.2, the oldest permitted version (RFC 8737 §4).
const TLS_1_2: u16 = 0x0303;
/// The object identifier of the extension in drafts of RFC 8737, which proves nothing.
const DRAFT_IDENTIFIER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.1.30.1");
/// The DER header of an OCTET STRING of 32 octets.
const DIGEST_HEAD: [u8; 2] = [4, 32];
/// The most names of the certificate in the evidence.
const SHOWN_NAMES: usize = 10;

/// What is wrong with the observation, and the advice to the client.
struct Fault {
    kind: Kind,
    what: String,
    advice: Cow<'static, str>,
}

impl Fault {
    fn as_report(&self) -> report::Fault<'_> {
        report::Fault {
            kind: self.kind,
            what: &self.what,
            advice: &self.advice,
        }
    }
}

/// What the method can prove, and what its challenges have.
pub(super) const PROPERTIES: Properties = Properties {
    word: "tls-alpn-01",
    code: 3,
    names: true,
    wildcards: false,
    addresses: true,
    devices: false,
    serves_again: true,
    reaches_subdomains: false,
    has_token: true,
    judges_payload: false,
};

pub(super) fn ask(cx: &Context<'_>) -> TlsProbe {
    let host = Host::of(cx.identifier);
    let server_name = match &host {
        Host::Name(name) => name.clone(),
        Host::Ip(address) => reverse(*address),
    };
    TlsProbe {
        host,
        port: cx.ports.tls,
        server_name,
        keys: KeyKinds::Any,
    }
}

pub(super) fn judge(cx: &Context<'_>, seen: &Observation) -> Verdict {
    let observation = match seen {
        Observation::Tls(observation) => observation,
        Observation::Failed(failure) => return failed(cx, failure),
        Observation::Http(_) | Observation::Txt(_) | Observation::Payload => {
            return unexpected(Method::TlsAlpn01, cx);
        }
    };
    if let Some(keys) = other_keys(observation).filter(|_| cx.redirects.is_empty()) {
        return Verdict::Ask(Probe::Tls(TlsProbe { keys, ..ask(cx) }));
    }
    match examine(cx, observation) {
        Ok(()) => {
            let mut evidence = report::evidence(cx, Seen::trace(&observation.trace));
            evidence["answer"] = shown(observation);
            Verdict::Valid(Proof::new(Method::TlsAlpn01, cx, evidence))
        }
        Err(fault) => {
            let what = format!(
                "{} presented a certificate over {} after {} ms: {}",
                ask(cx).url(),
                version(observation.version),
                observation.trace.millis,
                fault.what
            );
            let seen = Seen::trace(&observation.trace);
            let fault = report::Fault {
                kind: fault.kind,
                what: &what,
                advice: &fault.advice,
            };
            let mut finding = report::finding(Method::TlsAlpn01, cx, seen, &fault);
            finding.evidence["answer"] = shown(observation);
            Verdict::Retry(finding)
        }
    }
}

/// The keys of the certificate that may be behind one without an acmeIdentifier: a server with
/// certificates for RSA and ECDSA keys may have the answer to a challenge for one of them only.
fn other_keys(observation: &TlsObservation) -> Option<KeyKinds> {
    session(observation).ok()?;
    let certificate = certificate(observation).ok()?;
    let of_acme = [oid::ACME_IDENTIFIER, DRAFT_IDENTIFIER];
    if of_acme
        .iter()
        .any(|oid| certificate.extension(oid).is_some())
    {
        return None;
    }
    Some(match certificate.public_key().ok()?.kind() {
        KeyKind::Rsa { .. } => KeyKinds::Elliptic,
        KeyKind::EcP256 | KeyKind::EcP384 | KeyKind::EcP521 | KeyKind::Ed25519 => KeyKinds::Rsa,
    })
}

/// The name of an address in the reverse zone (RFC 1035 §3.5, RFC 3596 §2.5).
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let octets = v6.octets();
            let nibbles = octets.iter().rev().flat_map(|o| [o & 15, o >> 4]);
            let labels: Vec<_> = nibbles.map(|nibble| format!("{nibble:x}")).collect();
            format!("{}.ip6.arpa", labels.join("."))
        }
    }
}

/// Checks the requirements of RFC 8737 §3 and RFC 8738 §6 one after the other.
fn examine(cx: &Context<'_>, observation: &TlsObservation) -> Result<(), Fault> {
    session(observation)?;
    let certificate = certificate(observation)?;
    each_extension_once(&certificate)?;
    let identifier = certificate.extension(&oid::ACME_IDENTIFIER);
    let identifier = identifier.ok_or_else(|| without_identifier(&certificate))?;
    names(cx, &certificate)?;
    if !identifier.critical {
        return Err(unauthorized(
            "its acmeIdentifier extension is not critical",
            "The extension must be critical (RFC 8737 §3): update the ACME client.",
        ));
    }
    digest(cx, &identifier.value)?;
    self_signed(&certificate)
}

fn session(observation: &TlsObservation) -> Result<(), Fault> {
    if observation.version < TLS_1_2 {
        return Err(Fault {
            kind: Kind::Tls,
            what: "this version is older than TLS 1.2".to_owned(),
            advice: UPGRADE.into(),
        });
    }
    match observation.protocol.as_deref() {
        Some(TlsProbe::PROTOCOL) => Ok(()),
        Some(_) => Err(unauthorized(
            "the server selected another protocol than acme-tls/1",
            NO_CLIENT_THERE,
        )),
        None => Err(unauthorized(
            "the server selected no protocol, not even acme-tls/1",
            NO_CLIENT_THERE,
        )),
    }
}

fn certificate(observation: &TlsObservation) -> Result<Certificate, Fault> {
    let advice =
        "Another server may answer here: the ACME client must present its own certificate.";
    if observation.leaf.len() < observation.length {
        let what = format!(
            "it has {} octets, and {} is the limit",
            observation.length,
            observation.leaf.len()
        );
        return Err(unauthorized(what, advice));
    }
    Certificate::from_der(&observation.leaf)
        .map_err(|why| unauthorized(format!("it cannot be parsed: {why}"), advice))
}

fn each_extension_once(certificate: &Certificate) -> Result<(), Fault> {
    let mut seen = Vec::new();
    for extension in certificate.extensions() {
        if seen.contains(&extension.oid) {
            let what = format!("it has the extension {} more than once", extension.oid);
            return Err(unauthorized(
                what,
                "Each extension may occur once (RFC 5280 §4.2): fix or update the ACME client.",
            ));
        }
        seen.push(extension.oid);
    }
    Ok(())
}

/// Why there is no acmeIdentifier: an old client, or a server's usual certificate.
fn without_identifier(certificate: &Certificate) -> Fault {
    if certificate.extension(&DRAFT_IDENTIFIER).is_some() {
        return unauthorized(
            "it has the acmeIdentifier extension of a draft (1.3.6.1.5.5.7.1.30.1), which is no \
             longer accepted",
            "Update the ACME client: RFC 8737 requires 1.3.6.1.5.5.7.1.31.",
        );
    }
    unauthorized(
        "it has no acmeIdentifier extension (1.3.6.1.5.5.7.1.31): it is some other certificate of \
         that server",
        NO_ANSWER,
    )
}

/// Checks that the only name in the certificate is the identifier (RFC 8737 §3, RFC 8738 §6).
fn names(cx: &Context<'_>, certificate: &Certificate) -> Result<(), Fault> {
    let Some(san) = certificate.extension(&oid::SUBJECT_ALT_NAME) else {
        return Err(unauthorized("it has no subjectAltName", ONE_NAME));
    };
    let names = alt_name::parse(&san.value).map_err(|why| {
        unauthorized(
            format!("its subjectAltName cannot be parsed: {why}"),
            ONE_NAME,
        )
    })?;
    let [name] = names.as_slice() else {
        let what = format!(
            "its subjectAltName has {} names instead of one",
            names.len()
        );
        return Err(unauthorized(what, ONE_NAME));
    };
    let fits = match (cx.identifier, name) {
        (Identifier::Dns(wanted), AltName::Dns(name)) => name.eq_ignore_ascii_case(wanted.as_str()),
        (Identifier::Ip(wanted), AltName::Ip(address)) => address == wanted,
        (
            Identifier::Dns(_)
            | Identifier::Ip(_)
            | Identifier::Wildcard(_)
            | Identifier::Device(_),
            _,
        ) => {
            let what = format!("the name in it is a {}, not a {}", form(name), wanted(cx));
            return Err(unauthorized(what, ONE_NAME));
        }
    };
    if fits {
        return Ok(());
    }
    Err(unauthorized(
        format!("the {} in it is not {}", form(name), cx.identifier),
        "The server answers with the certificate of another validation: it must select the \
         certificate by the server name in the handshake (SNI; for an address its name in the \
         reverse zone).",
    ))
}

/// Checks that the value of the extension is the digest alone (RFC 8737 §3).
fn digest(cx: &Context<'_>, value: &[u8]) -> Result<(), Fault> {
    let expected = pki::sha256(cx.key_authorization.as_bytes());
    let rest = match value.strip_prefix(&DIGEST_HEAD) {
        Some(rest) if rest == expected => return Ok(()),
        Some(rest) => rest,
        None => {
            return Err(unauthorized(
                "its acmeIdentifier extension is not an OCTET STRING of 32 octets in DER",
                CLIENT_FAULT,
            ));
        }
    };
    if rest.len() != expected.len() {
        let what = format!(
            "the digest in its acmeIdentifier extension has {} octets instead of 32",
            rest.len()
        );
        return Err(unauthorized(what, CLIENT_FAULT));
    }
    Err(unauthorized(
        "its acmeIdentifier extension has the digest of another key authorization",
        "Another client, an older account or an older order may answer here: present the \
         certificate for the account and the token of this order.",
    ))
}

fn self_signed(certificate: &Certificate) -> Result<(), Fault> {
    let why = match certificate.is_issued_by(certificate) {
        Ok(()) => return Ok(()),
        Err(pki::Error::Name(_)) => "its issuer has another name".to_owned(),
        Err(pki::Error::BadSignature) => "it was not signed by its own key".to_owned(),
        Err(why) => format!("its signature cannot be verified ({why})"),
    };
    Err(unauthorized(
        format!("it is not self-signed: {why}"),
        "The certificate must be signed by its own key (RFC 8737 §3): fix or update the ACME \
         client.",
    ))
}

/// Judges a handshake that failed.
fn failed(cx: &Context<'_>, failure: &Failure) -> Verdict {
    let probe = ask(cx);
    let attempt = format!(
        "try `openssl s_client -connect {}:{} -servername {} -alpn {}` from the CA's host.",
        probe.host,
        probe.port,
        probe.server_name,
        TlsProbe::PROTOCOL
    );
    let fault = match cx.redirects {
        [] => own_fault(failure.kind, &probe.server_name, &attempt),
        [..] => no_other_certificate(failure.kind),
    };
    let Some(fault) = fault else {
        let target = Target {
            host: &probe.host,
            command: &attempt,
        };
        return failure::judge(Method::TlsAlpn01, cx, failure, &target);
    };
    let fault = fault.as_report();
    Verdict::Retry(failure::finding(Method::TlsAlpn01, cx, failure, &fault))
}

/// The fault of a server whose certificate has no acmeIdentifier, and that has none with another kind
/// of key.
fn no_other_certificate(failure: FailureKind) -> Option<Fault> {
    let refuses = matches!(
        failure,
        FailureKind::Alert(_) | FailureKind::Tls | FailureKind::Protocol | FailureKind::Reset
    );
    refuses.then(|| {
        unauthorized(
            "its certificate has no acmeIdentifier extension (1.3.6.1.5.5.7.1.31): it is some other \
             certificate of that server, which presents none with another kind of key",
            NO_ANSWER,
        )
    })
}

/// The fault of a failure that has another meaning here than for other methods.
fn own_fault(failure: FailureKind, server_name: &str, attempt: &str) -> Option<Fault> {
    let tls = |what: &str, advice: String| Fault {
        kind: Kind::Tls,
        what: what.to_owned(),
        advice: advice.into(),
    };
    Some(match failure {
        FailureKind::Alert(120) => tls(
            "the server does not support acme-tls/1 (alert 120, no_application_protocol)",
            NO_CLIENT_THERE.to_owned(),
        ),
        FailureKind::Alert(70) | FailureKind::OldTls => tls(
            "the server supports no version of TLS from 1.2 on",
            UPGRADE.to_owned(),
        ),
        FailureKind::Alert(112) => tls(
            &format!("the server does not know the name {server_name} (alert 112)"),
            format!("Check that the ACME client behind it has this challenge: {attempt}"),
        ),
        FailureKind::Alert(number) => tls(
            &format!("the server ended the TLS handshake with alert {number}"),
            format!("Check that server's log: {attempt}"),
        ),
        FailureKind::Tls => tls(
            "the TLS handshake failed",
            format!("Check the server on this port: {attempt}"),
        ),
        FailureKind::Protocol => tls(
            "the answer is not TLS",
            format!("Another service uses this port, or it expects plain HTTP: {attempt}"),
        ),
        FailureKind::Reset => Fault {
            kind: Kind::Connection,
            ..tls(
                "the connection was closed before the TLS handshake was complete",
                format!("A proxy or a server without acme-tls/1 can cause this: {attempt}"),
            )
        },
        FailureKind::NoSuchName
        | FailureKind::NoAddress
        | FailureKind::Dns
        | FailureKind::LongHeader
        | FailureKind::AddressNotAllowed
        | FailureKind::Refused
        | FailureKind::Unreachable
        | FailureKind::Timeout => return None,
    })
}

/// The observation, for the operator.
fn shown(observation: &TlsObservation) -> Value {
    let certificate = Certificate::from_der(&observation.leaf).ok();
    let names = certificate.as_ref().map(Certificate::alt_names);
    let names = names.unwrap_or_default().iter().take(SHOWN_NAMES);
    json!({
        "protocol": observation.protocol,
        "version": version(observation.version),
        "length": observation.length,
        "names": names.map(ToString::to_string).collect::<Vec<_>>(),
        "fingerprint": certificate.as_ref().map(Certificate::fingerprint),
    })
}

fn version(number: u16) -> String {
    match number {
        0x0301..=0x0304 => format!("TLS 1.{}", number - 0x0301),
        _ => format!("version 0x{number:04x} of TLS"),
    }
}

fn form(name: &AltName) -> &str {
    match name {
        AltName::Dns(_) => "dNSName",
        AltName::Ip(_) => "iPAddress",
        AltName::Email(_) => "rfc822Name",
        AltName::Uri(_) => "uniformResourceIdentifier",
        AltName::Other { .. } => "name of another form",
    }
}

fn wanted(cx: &Context<'_>) -> &'static str {
    match cx.identifier {
        Identifier::Dns(_) | Identifier::Wildcard(_) => "dNSName",
        Identifier::Ip(_) => "iPAddress",
        Identifier::Device(_) => "otherName",
    }
}

fn unauthorized(what: impl Into<String>, advice: &'static str) -> Fault {
    Fault {
        kind: Kind::Unauthorized,
        what: what.into(),
        advice: advice.into(),
    }
}

const NO_CLIENT_THERE: &str = "A web server without tls-alpn-01 answers on this port: stop it during \
the validation, forward connections that offer acme-tls/1 to the ACME client, or use http-01.";
const NO_ANSWER: &str = "The server supports acme-tls/1 but has no answer for this name: check that the \
ACME client is running, and that this host and port reach it.";
const UPGRADE: &str = "Enable TLS 1.2 or 1.3 on the server (RFC 8737 §4).";
const ONE_NAME: &str = "The certificate must have exactly one name, the identifier: a dNSName for a \
host, an iPAddress for an address (RFC 8737 §3, RFC 8738 §6).";
const CLIENT_FAULT: &str = "The extension must be the SHA-256 of the key authorization as an OCTET \
STRING (RFC 8737 §3): fix or update the ACME client.";

#[cfg(test)]
mod tests;
