//! Identifiers of devices (draft-ietf-acme-device-attest §3, §4): a permanent identifier (RFC 4043),
//! or the serial number of a hardware module (RFC 4108).

use std::fmt;
use std::net::IpAddr;

use pki::device::{HardwareModule, PermanentIdentifier};
use pki::{AltName, ObjectIdentifier};

use crate::problem::{Problem, quote};

/// The `type` of a permanent identifier.
pub const PERMANENT_IDENTIFIER: &str = "permanent-identifier";
/// The `type` of a hardware module.
pub const HARDWARE_MODULE: &str = "hardware-module";
/// The longest value, in octets.
const LONGEST: usize = 255;

/// A device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Device {
    /// By an identifier that never changes; compared octet by octet.
    Permanent(PermanentIdentifier),
    /// By type and serial number.
    Module {
        /// The serial number.
        serial: String,
        /// The type of module.
        kind: ObjectIdentifier,
    },
}

impl Device {
    /// Parses `value`, or `value/assigner`.
    pub(super) fn permanent(text: &str) -> Result<Self, Problem> {
        let (value, assigner) = match text.split_once('/') {
            Some((value, assigner)) => (value, Some(oid(text, assigner)?)),
            None => (text, None),
        };
        let value = part(text, value)?;
        Ok(Self::Permanent(PermanentIdentifier { value, assigner }))
    }

    /// Parses `serial/type`.
    pub(super) fn module(text: &str) -> Result<Self, Problem> {
        let (serial, kind) = text.split_once('/').ok_or_else(|| {
            let wanted = "it has no slash: send the serial number, a slash and the object identifier \
                          of the module's type";
            malformed(text, wanted)
        })?;
        Ok(Self::Module {
            serial: part(text, serial)?,
            kind: oid(text, kind)?,
        })
    }

    /// The `type` on the wire.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Permanent(_) => PERMANENT_IDENTIFIER,
            Self::Module { .. } => HARDWARE_MODULE,
        }
    }

    /// The part that names the device, without assigner or type of module.
    pub fn name(&self) -> &str {
        match self {
            Self::Permanent(id) => &id.value,
            Self::Module { serial, .. } => serial,
        }
    }

    /// The name as a common name; none if it reads as a host's, which some verifiers would take it for.
    pub fn common_name(&self) -> Option<&str> {
        (!self.resembles_host()).then(|| self.name())
    }

    fn resembles_host(&self) -> bool {
        self.name().contains('.') || self.name().parse::<IpAddr>().is_ok()
    }

    /// Its subject alternative name in a certificate.
    pub fn to_alt_name(&self) -> AltName {
        match self {
            Self::Permanent(id) => id.to_alt_name(),
            Self::Module { serial, kind } => HardwareModule {
                kind: *kind,
                serial: serial.clone().into_bytes(),
            }
            .to_alt_name(),
        }
    }

    /// Reads a subject alternative name; none if it is of another kind.
    ///
    /// # Errors
    /// `malformed` for a name that cannot be an identifier.
    pub fn from_alt_name(name: &AltName) -> Result<Option<Self>, Problem> {
        let unreadable = |error: pki::Error| Problem::malformed(format!("{error}."));
        if let Some(id) = PermanentIdentifier::from_alt_name(name).map_err(unreadable)? {
            part(&id.value, &id.value)?;
            return Ok(Some(Self::Permanent(id)));
        }
        let Some(module) = HardwareModule::from_alt_name(name).map_err(unreadable)? else {
            return Ok(None);
        };
        let serial = String::from_utf8_lossy(&module.serial);
        let serial = part(&serial, &serial)?;
        Ok(Some(Self::Module {
            serial,
            kind: module.kind,
        }))
    }
}

/// A name of a certificate as people read it: a device by its identifier, others as they are written.
pub fn shown(name: &AltName) -> String {
    match Device::from_alt_name(name) {
        Ok(Some(device)) => device.to_string(),
        Ok(None) | Err(_) => name.to_string(),
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Permanent(PermanentIdentifier {
                assigner: Some(oid),
                ..
            })
            | Self::Module { kind: oid, .. } => write!(f, "/{oid}"),
            Self::Permanent(_) => Ok(()),
        }
    }
}

/// The part of an identifier that names the device.
fn part(text: &str, part: &str) -> Result<String, Problem> {
    let fault = if part.is_empty() {
        "it is empty"
    } else if part.len() > LONGEST {
        "it is longer than 255 octets"
    } else if part.contains('/') {
        "the device's part has a slash"
    } else if part.chars().any(|c| c.is_control() || c == '\u{fffd}') {
        "it has a character that cannot be shown"
    } else {
        return Ok(part.to_owned());
    };
    Err(malformed(text, fault))
}

fn oid(text: &str, part: &str) -> Result<ObjectIdentifier, Problem> {
    ObjectIdentifier::new(part).map_err(|_| {
        malformed(
            text,
            "what follows the slash is not an object identifier in dotted decimal form",
        )
    })
}

fn malformed(text: &str, fault: &str) -> Problem {
    Problem::malformed(format!(
        "{} is not a device's identifier: {fault}.",
        quote(text)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permanent_identifier_may_have_an_assigner_and_nothing_else_after_a_slash() {
        for good in ["C02PROBE0001", "SER/1.2.3.4", "ä b", " x "] {
            let device = Device::permanent(good).unwrap();
            assert_eq!(device.to_string(), good);
            let read = Device::from_alt_name(&device.to_alt_name());
            assert_eq!(read, Ok(Some(device)));
        }
        for bad in [
            "",
            "/1.2.3",
            "SER/",
            "SER/not-an-oid",
            "SER/1.2/3",
            "a\nb",
            &"x".repeat(256),
        ] {
            assert!(Device::permanent(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_hardware_module_has_a_serial_number_and_a_type() {
        let device = Device::module("S1/1.3.6.1.4.1.41482").unwrap();
        assert_eq!(device.to_string(), "S1/1.3.6.1.4.1.41482");
        assert_eq!(
            Device::from_alt_name(&device.to_alt_name()),
            Ok(Some(device))
        );
        for bad in ["S1", "/1.2.3", "S1/", "S1/x"] {
            assert!(Device::module(bad).is_err(), "{bad}");
        }
    }
}
