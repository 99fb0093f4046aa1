//! Apple's Managed Device Attestation: Apple's servers certify the key in the Secure Enclave, with the
//! device's serial number and UDID in extensions whose values have no DER of their own.
//!
//! The statement is made before the account is known: it answers the token alone.

use pki::{Certificate, ObjectIdentifier, oid, sha256};
use serde_json::json;

use super::{Attested, Context, DeviceName, Fault};

pub(super) fn examine(cx: &Context<'_>, chain: &[Certificate]) -> Result<Attested, Fault> {
    let leaf = &chain[0];
    let text = |oid: &ObjectIdentifier| {
        let text = leaf
            .extension_value(oid)
            .map(|octets| str::from_utf8(octets).map(str::to_owned));
        text.transpose()
            .map_err(|_| Fault::new("an extension of the certificate is not text"))
    };
    match leaf.extension_value(&oid::APPLE_FRESHNESS) {
        Some(freshness) if freshness == sha256(cx.token.as_bytes()) => {}
        Some(_) => return Err(Fault::new("challenge token does not match")),
        None if cx.attestation.stale_apple => {}
        None => {
            return Err(Fault::new(
                "the certificate has no freshness code, so that it may be an old one",
            ));
        }
    }
    let (serial, udid) = (text(&oid::APPLE_SERIAL)?, text(&oid::APPLE_UDID)?);
    let details = json!({
        "serial": serial,
        "udid": udid,
        "os": text(&oid::APPLE_OS)?,
        "secure_enclave_os": text(&oid::APPLE_SECURE_ENCLAVE_OS)?,
    });
    Ok(Attested {
        devices: [serial, udid]
            .into_iter()
            .flatten()
            .map(DeviceName::plain)
            .collect(),
        key: leaf.public_key()?.clone(),
        details,
    })
}
