//! device-attest-01 (draft-ietf-acme-device-attest §5): the client answers with a statement in which
//! the maker of its hardware vouches for the device and for the key of the certificate.
//!
//! Each format of statements is one file here, and one line of [`Format`]. The statement is the
//! payload: nothing is probed.

mod android_key;
mod apple;
mod object;
mod rules;
mod step;
#[cfg(test)]
mod tests;
mod tpm;

use data_encoding::BASE64URL_NOPAD;
use pki::device::PermanentIdentifier;
use pki::{Certificate, ObjectIdentifier, PublicKey, SignatureAlgorithm, chain};
use serde::Deserialize;
use serde_json::{Value, json};

use self::object::{Object, Statement};
use super::observation::Observation;
use super::{Context, Finding, Method, Probe, Proof, Properties, Verdict, report, unexpected};
use crate::identifier::{Device, Identifier};
use crate::problem::{Kind, Problem, Subproblem, quote};
use crate::unchecked::Unchecked;

pub use rules::{AttestationRules, Format, FormatRoots};

/// What the method can prove, and what its challenges have.
pub(super) const PROPERTIES: Properties = Properties {
    word: "device-attest-01",
    code: 6,
    names: false,
    wildcards: false,
    addresses: false,
    devices: true,
    // The statement is about one key, which the next certificate does not have.
    serves_again: false,
    reaches_subdomains: false,
    has_token: true,
    judges_payload: true,
};

/// The client's answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    att_obj: Option<String>,
    error: Option<String>,
}

/// What a statement proves.
struct Attested {
    /// What the statement names the device by.
    devices: Vec<DeviceName>,
    /// The key that lives in the device.
    key: PublicKey,
    /// What else the statement says, for the operator.
    details: Value,
}

/// A name that a statement gives the device.
struct DeviceName {
    name: String,
    /// Who assigned it, or the type of the module.
    oid: Option<ObjectIdentifier>,
    kind: NameKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum NameKind {
    Permanent,
    Module,
}

/// Why a statement is not believed.
enum Fault {
    /// Something is wrong with it.
    Statement(String),
    /// It is about another device.
    OtherDevice(Vec<String>),
    /// The device says that it cannot make one.
    Device(String),
}

impl Fault {
    fn new(what: impl Into<String>) -> Self {
        Self::Statement(what.into())
    }
}

impl From<pki::Error> for Fault {
    fn from(error: pki::Error) -> Self {
        Self::Statement(error.to_string())
    }
}

impl DeviceName {
    /// A name that no third party assigned.
    fn plain(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            oid: None,
            kind: NameKind::Permanent,
        }
    }

    fn is(&self, device: &Device) -> bool {
        let (name, oid, kind) = match device {
            Device::Permanent(PermanentIdentifier { value, assigner }) => {
                (value, *assigner, NameKind::Permanent)
            }
            Device::Module { serial, kind } => (serial, Some(*kind), NameKind::Module),
        };
        self.name == *name && self.oid == oid && self.kind == kind
    }
}

pub(super) fn ask(_: &Context<'_>) -> Probe {
    Probe::Payload
}

pub(super) fn judge(cx: &Context<'_>, seen: &Observation) -> Verdict {
    let (Observation::Payload, Identifier::Device(device)) = (seen, cx.identifier) else {
        return unexpected(Method::DeviceAttest01, cx);
    };
    let object = match object(cx.payload) {
        Ok(octets) => octets,
        Err(fault) => return Verdict::Invalid(finding(cx, device, None, fault)),
    };
    let read = match Object::parse(&object) {
        Ok(read) => read,
        Err(why) => {
            let fault = Fault::new(format!("attObj is not an attestation object: {why}"));
            return Verdict::Invalid(finding(cx, device, None, fault));
        }
    };
    match examine(cx, device, &read) {
        Ok((key, evidence)) => Verdict::Valid(Proof::attested(cx, evidence, key)),
        Err(fault) => Verdict::Invalid(finding(cx, device, Some(read.format), fault)),
    }
}

/// The octets of the attestation object.
fn object(payload: &[u8]) -> Result<Vec<u8>, Fault> {
    let answer: Answer = serde_json::from_slice(payload)
        .map_err(|error| Fault::new(format!("the answer cannot be read: {error}")))?;
    if let Some(error) = answer.error {
        return Err(Fault::Device(error));
    }
    let text = answer.att_obj.unwrap_or_default();
    let octets = BASE64URL_NOPAD.decode(text.as_bytes());
    let octets = octets.map_err(|error| Fault::new(format!("attObj is not base64url: {error}")))?;
    // Devices that cannot attest send an empty JSON object in its place.
    if octets.is_empty() || octets == b"{}" {
        return Err(Fault::new("attObj must not be empty"));
    }
    Ok(octets)
}

/// The attested key, and what was seen.
fn examine(
    cx: &Context<'_>,
    device: &Device,
    object: &Object<'_>,
) -> Result<(PublicKey, Value), Fault> {
    let format = Format::parse(object.format).ok_or_else(|| {
        Fault::new(format!(
            "unsupported attestation object format {}",
            quote(object.format)
        ))
    })?;
    let Some(roots) = cx.attestation.roots(format) else {
        return Err(Fault::new(format!(
            "the format {format} is not enabled at this provisioner"
        )));
    };
    let chain = certificates(&object.statement)?;
    trusted(cx, format, &chain, roots)?;
    let attested = match format {
        Format::Apple => apple::examine(cx, &chain)?,
        Format::Step => step::examine(cx, &object.statement, &chain)?,
        Format::Tpm => tpm::examine(cx, &object.statement, &chain)?,
        Format::AndroidKey => android_key::examine(cx, &object.statement, &chain)?,
    };
    let names = &attested.devices;
    let unnamed = names.is_empty() && format.may_name_no_device(cx.attestation);
    if !unnamed && !names.iter().any(|name| name.is(device)) {
        let seen = attested.devices.into_iter().map(|device| device.name);
        return Err(Fault::OtherDevice(seen.collect()));
    }
    let evidence = report::without_nothing(json!({
        "format": format.as_str(),
        "certificate": data_encoding::BASE64.encode(chain[0].der()),
        "details": attested.details,
    }));
    Ok((attested.key, evidence))
}

/// The certificates of a statement, the device's first.
fn certificates(statement: &Statement<'_>) -> Result<Vec<Certificate>, Fault> {
    let ders = statement
        .x5c
        .as_ref()
        .ok_or_else(|| Fault::new("x5c not present"))?;
    if ders.is_empty() {
        return Err(Fault::new("x5c is empty"));
    }
    let read: Result<Vec<_>, _> = ders.iter().map(|der| Certificate::from_der(der)).collect();
    read.map_err(|error| Fault::new(format!("x5c is malformed: {error}")))
}

fn trusted(
    cx: &Context<'_>,
    format: Format,
    chain: &[Certificate],
    roots: &[Certificate],
) -> Result<(), Fault> {
    if roots.is_empty() {
        return Err(Fault::new(format!(
            "this provisioner trusts no root for the format {format}"
        )));
    }
    chain::verify_attestation(chain, roots, cx.now)
        .map_err(|error| Fault::new(format!("x5c is not valid: {error}")))
}

/// The most names of a device that are shown.
const SHOWN_NAMES: usize = 5;

/// What the client and the operator are told.
fn finding(cx: &Context<'_>, device: &Device, format: Option<&str>, fault: Fault) -> Finding {
    let head = format!("device-attest-01 for {} failed", cx.identifier);
    let wanted = device.name();
    let (problem, what) = match fault {
        Fault::Statement(what) => {
            let detail = format!("{head}: {what}. {}", advice(format));
            (Problem::new(Kind::BadAttestationStatement, detail), what)
        }
        Fault::Device(error) => {
            let what = format!("the device reports {}", quote(&error));
            let detail = format!("{head}: {what}. The device has to make the statement.");
            (Problem::rejected_identifier(detail), what)
        }
        Fault::OtherDevice(seen) => {
            let what = "permanent identifier does not match".to_owned();
            let seen = seen.iter().take(SHOWN_NAMES);
            let names: Vec<_> = seen.map(|name| quote(name)).collect();
            let among = match &*names {
                [] => "any of the attested hardware identifiers []".to_owned(),
                [one] => format!("the attested hardware identifier {one}"),
                all => format!(
                    "any of the attested hardware identifiers [{}]",
                    all.join(" ")
                ),
            };
            let detail = format!("challenge identifier {wanted:?} doesn't match {among}");
            let subproblem = Subproblem {
                kind: Kind::RejectedIdentifier,
                detail,
                identifier: Some(Unchecked::from(cx.identifier)),
            };
            let detail = format!(
                "{head}: {what}: the statement is about {}. Order the identifier of this device.",
                if names.is_empty() {
                    "no named device".to_owned()
                } else {
                    names.join(", ")
                }
            );
            let problem = Problem::new(Kind::BadAttestationStatement, detail);
            (problem.with_subproblem(subproblem), what)
        }
    };
    Finding {
        problem,
        evidence: report::without_nothing(json!({
            "format": format.and_then(Format::parse).map(Format::as_str),
            "finding": what,
        })),
    }
}

fn advice(format: Option<&str>) -> &'static str {
    match format.and_then(Format::parse) {
        Some(_) => {
            "Make a new statement for this challenge, by a device whose maker's root this \
             provisioner trusts."
        }
        None => {
            "Send {\"attObj\": …} with an attestation object (WebAuthn §6.5.4) of the format apple, \
             step, tpm or android-key, in base64url without padding."
        }
    }
}

/// The key of `certificate`, if it signed the key authorization, in the form of X.509 and with the
/// usual hash of its kind.
fn signed_key_authorization(
    cx: &Context<'_>,
    certificate: &Certificate,
    signature: &[u8],
) -> Result<PublicKey, Fault> {
    let key = certificate.public_key()?.clone();
    let algorithm = SignatureAlgorithm::default_for(key.kind());
    let message = cx.key_authorization.as_bytes();
    if key.verify(algorithm, message, signature).is_ok() {
        Ok(key)
    } else {
        Err(Fault::new(
            "failed to validate signature: the attested key did not sign this challenge's key \
             authorization",
        ))
    }
}
