//! What a YubiKey says about itself and a key in its PIV applet, in extensions of the attestation
//! certificate (Yubico, "PIV attestation").

use crate::{
    Certificate,
    asn1::{self, Cursor, Malformed},
    error::Error,
    oid,
};

/// The device of an attestation certificate. What it does not say is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct YubiKey {
    /// The serial number, in decimal digits.
    pub serial: Option<String>,
    /// The version of the firmware, such as `5.7.4`.
    pub firmware: Option<String>,
    /// When the PIN is asked for: 1 never, 2 once, 3 always, 4 and 5 with a fingerprint instead.
    pub pin_policy: Option<u8>,
    /// When a touch is asked for: 1 never, 2 always, 3 cached for 15 seconds.
    pub touch_policy: Option<u8>,
    /// The form factor and, in its high bits, whether it is a FIPS or CSPN device.
    pub form_factor: Option<u8>,
    /// The device identifier that smallstep's agent writes instead of a serial number.
    pub managed_device: Option<String>,
}

impl YubiKey {
    /// Reads the extensions.
    ///
    /// # Errors
    /// [`Error::Der`] when one of them is malformed.
    pub fn of(certificate: &Certificate) -> Result<Self, Error> {
        let value = |oid| certificate.extension_value(oid);
        let read = || {
            let policies = value(&oid::YUBICO_POLICIES).map(array::<2>).transpose()?;
            let firmware = value(&oid::YUBICO_FIRMWARE).map(array::<3>).transpose()?;
            let form_factor = value(&oid::YUBICO_FORM_FACTOR);
            let form_factor = form_factor.map(array::<1>).transpose()?;
            Ok(Self {
                serial: value(&oid::YUBICO_SERIAL).map(serial).transpose()?,
                firmware: firmware.map(|[a, b, c]| format!("{a}.{b}.{c}")),
                pin_policy: policies.map(|[pin, _]| pin),
                touch_policy: policies.map(|[_, touch]| touch),
                form_factor: form_factor.map(|[factor]| factor),
                managed_device: value(&oid::STEP_MANAGED_DEVICE).map(device).transpose()?,
            })
        };
        read().map_err(|_: Malformed| Error::Der("YubiKey attestation"))
    }
}

fn array<const N: usize>(value: &[u8]) -> Result<[u8; N], Malformed> {
    value.try_into().map_err(|_| Malformed)
}

/// A number of up to eight octets.
fn serial(value: &[u8]) -> Result<String, Malformed> {
    let mut all = Cursor::new(value)?;
    let octets = all.unsigned()?;
    all.finish()?;
    if octets.len() > 8 {
        return Err(Malformed);
    }
    let number = octets
        .iter()
        .fold(0, |sum, octet| sum << 8 | u64::from(*octet));
    Ok(number.to_string())
}

fn device(value: &[u8]) -> Result<String, Malformed> {
    let mut fields = Cursor::only(value, asn1::SEQUENCE)?;
    let text = fields.take(asn1::UTF8_STRING)?.value;
    fields.finish()?;
    String::from_utf8(text.to_vec()).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_read_as_a_decimal_number() {
        assert_eq!(serial(&[2, 4, 0, 0xd4, 0x31, 0x0a]).unwrap(), "13906186");
        assert_eq!(serial(&[2, 1, 0]).unwrap(), "0");
        for bad in [&[2, 1, 0x80][..], &[2, 2, 0, 1], &[4, 1, 1], &[2, 1, 1, 0]] {
            assert!(serial(bad).is_err(), "{bad:?}");
        }
        assert!(serial(&[2, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
