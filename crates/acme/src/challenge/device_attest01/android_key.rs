//! The format `android-key` (WebAuthn §8.4): the keystore certifies the key and says where it lives, and
//! the key signs the key authorization.

use pki::Certificate;
use pki::device::{SecurityLevel, key_description};
use serde_json::json;

use super::object::Statement;
use super::{Attested, Context, DeviceName, Fault, signed_key_authorization};

pub(super) fn examine(
    cx: &Context<'_>,
    statement: &Statement<'_>,
    chain: &[Certificate],
) -> Result<Attested, Fault> {
    let signature = statement
        .signature
        .ok_or_else(|| Fault::new("sig not present"))?;
    let key = signed_key_authorization(cx, &chain[0], signature)?;
    let described = key_description(&chain[0])?
        .ok_or_else(|| Fault::new("the certificate has no description of its key"))?;
    // An attested key could certify another with a description of its own making.
    for above in &chain[1..] {
        if key_description(above)?.is_some() {
            return Err(Fault::new("a second certificate describes a key"));
        }
    }
    if described.challenge != cx.key_authorization.as_bytes() {
        return Err(Fault::new(
            "key authorization invalid: the statement was made for another challenge or account",
        ));
    }
    if !described.generated {
        return Err(Fault::new(
            "the hardware did not make the key: it was imported, and may exist elsewhere",
        ));
    }
    let lowest = described.attestation_level.min(described.key_level);
    if lowest < SecurityLevel::TrustedEnvironment {
        return Err(Fault::new("the key lives in software"));
    }
    let level = match described.key_level {
        SecurityLevel::Software => "software",
        SecurityLevel::TrustedEnvironment => "trusted environment",
        SecurityLevel::StrongBox => "StrongBox",
    };
    Ok(Attested {
        details: json!({
            "serial": described.serial,
            "key_level": level,
            "os_version": described.os_version,
            "patch_level": described.patch_level,
        }),
        devices: described
            .serial
            .into_iter()
            .map(DeviceName::plain)
            .collect(),
        key,
    })
}
