//! The format `step`: a YubiKey's PIV applet certifies the key, and the key signs the key authorization.

use pki::Certificate;
use pki::device::YubiKey;
use serde_json::json;

use super::object::{Statement, byte_string};
use super::{Attested, Context, DeviceName, Fault, signed_key_authorization};

pub(super) fn examine(
    cx: &Context<'_>,
    statement: &Statement<'_>,
    chain: &[Certificate],
) -> Result<Attested, Fault> {
    let signature = statement
        .signature
        .ok_or_else(|| Fault::new("sig not present"))?;
    // The signature is a byte string of CBOR within the byte string.
    let signature = byte_string(signature).ok_or_else(|| Fault::new("sig is malformed"))?;
    let key = signed_key_authorization(cx, &chain[0], signature)?;
    let device = YubiKey::of(&chain[0])?;
    let details = json!({
        "serial": device.serial,
        "firmware": device.firmware,
        "pin_policy": device.pin_policy,
        "touch_policy": device.touch_policy,
        "form_factor": device.form_factor,
    });
    let names = [device.serial, device.managed_device];
    Ok(Attested {
        devices: names.into_iter().flatten().map(DeviceName::plain).collect(),
        key,
        details,
    })
}
