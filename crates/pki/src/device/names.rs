//! Identifiers of devices as alternative names: PermanentIdentifier (RFC 4043), HardwareModuleName
//! (RFC 4108 §5), and the model of a TPM (TCG EK Credential Profile 2.5 §3.1.2).

use der::asn1::ObjectIdentifier;

use crate::{
    AltName, Name,
    asn1::{self, Cursor, Malformed},
    error::Error,
    oid,
};

/// A device's identifier that never changes (RFC 4043 §2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermanentIdentifier {
    /// The identifier, compared octet by octet.
    pub value: String,
    /// Who assigned it; the issuer of the certificate where none is named.
    pub assigner: Option<ObjectIdentifier>,
}

/// A hardware module by its type and serial number (RFC 4108 §5).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HardwareModule {
    /// The type of module.
    pub kind: ObjectIdentifier,
    /// Its serial number.
    pub serial: Vec<u8>,
}

/// Manufacturer, model and version of a TPM, as its endorsement or attestation certificate names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TpmModel {
    /// For example `id:53544D20`.
    pub manufacturer: String,
    /// The part number.
    pub model: String,
    /// The version of the firmware.
    pub version: String,
}

impl PermanentIdentifier {
    /// The name in a certificate.
    #[must_use]
    pub fn to_alt_name(&self) -> AltName {
        let value = asn1::wrap(asn1::UTF8_STRING, &[self.value.as_bytes()]);
        let assigner = self.assigner.map(asn1::oid).unwrap_or_default();
        other_name(
            oid::PERMANENT_IDENTIFIER,
            &asn1::sequence(&[&value, &assigner]),
        )
    }

    /// Reads the name; none if it is of another kind.
    ///
    /// # Errors
    /// [`Error::Der`], also when it names no value.
    pub fn from_alt_name(name: &AltName) -> Result<Option<Self>, Error> {
        read_other_name(
            name,
            oid::PERMANENT_IDENTIFIER,
            "permanent identifier",
            |mut fields| {
                let value = fields.take(asn1::UTF8_STRING)?.value;
                let value = str::from_utf8(value).map_err(|_| Malformed)?.to_owned();
                let assigner = match fields.is_empty() {
                    true => None,
                    false => Some(fields.oid()?),
                };
                fields.finish()?;
                if value.is_empty() {
                    return Err(Malformed);
                }
                Ok(Self { value, assigner })
            },
        )
    }
}

impl HardwareModule {
    /// The name in a certificate.
    #[must_use]
    pub fn to_alt_name(&self) -> AltName {
        let fields = [asn1::oid(self.kind), asn1::octet_string(&self.serial)];
        other_name(
            oid::HARDWARE_MODULE_NAME,
            &asn1::sequence(&[&fields[0], &fields[1]]),
        )
    }

    /// Reads the name; none if it is of another kind.
    ///
    /// # Errors
    /// [`Error::Der`].
    pub fn from_alt_name(name: &AltName) -> Result<Option<Self>, Error> {
        read_other_name(
            name,
            oid::HARDWARE_MODULE_NAME,
            "hardware module name",
            |mut fields| {
                let kind = fields.oid()?;
                let serial = fields.take(asn1::OCTET_STRING)?.value.to_vec();
                fields.finish()?;
                Ok(Self { kind, serial })
            },
        )
    }
}

/// Whether a name is a device's: a permanent identifier or that of a hardware module.
#[must_use]
pub fn is_device_name(name: &AltName) -> bool {
    let kinds = [oid::PERMANENT_IDENTIFIER, oid::HARDWARE_MODULE_NAME];
    match name {
        AltName::Other { oid, .. } => kinds.iter().any(|kind| *oid == kind.to_string()),
        AltName::Dns(_) | AltName::Ip(_) | AltName::Email(_) | AltName::Uri(_) => false,
    }
}

/// The model of a TPM in a directoryName: none if the name is of another kind or says nothing of it.
///
/// # Errors
/// [`Error::Der`] when the directoryName cannot be read.
pub fn tpm_model(name: &AltName) -> Result<Option<TpmModel>, Error> {
    let AltName::Other { oid: kind, der } = name else {
        return Ok(None);
    };
    if kind != "directoryName" {
        return Ok(None);
    }
    let inside = Cursor::only(der, asn1::constructed(4)).and_then(|mut explicit| {
        let name = explicit.next()?.raw;
        explicit.finish().map(|()| name)
    });
    let inside = inside.map_err(|_| Error::Der("directory name"))?;
    let attributes = Name::from_der(inside)?.attributes();
    let find = |wanted: ObjectIdentifier| {
        let found = attributes.iter().find(|(oid, _)| *oid == wanted);
        found
            .map(|(_, text)| text.clone())
            .filter(|text| !text.is_empty())
    };
    Ok((|| {
        Some(TpmModel {
            manufacturer: find(oid::TPM_MANUFACTURER)?,
            model: find(oid::TPM_MODEL)?,
            version: find(oid::TPM_VERSION)?,
        })
    })())
}

fn other_name(kind: ObjectIdentifier, value: &[u8]) -> AltName {
    let explicit = asn1::wrap(asn1::constructed(0), &[value]);
    AltName::Other {
        oid: kind.to_string(),
        der: asn1::wrap(asn1::constructed(0), &[&asn1::oid(kind), &explicit]),
    }
}

fn read_other_name<T>(
    name: &AltName,
    wanted: ObjectIdentifier,
    what: &'static str,
    read: impl FnOnce(Cursor<'_>) -> Result<T, Malformed>,
) -> Result<Option<T>, Error> {
    let AltName::Other { oid: kind, der } = name else {
        return Ok(None);
    };
    if *kind != wanted.to_string() {
        return Ok(None);
    }
    let inside = || {
        let mut fields = Cursor::only(der, asn1::constructed(0))?;
        fields.oid()?;
        let value = fields.take(asn1::constructed(0))?.value;
        fields.finish()?;
        read(Cursor::only(value, asn1::SEQUENCE)?)
    };
    inside().map(Some).map_err(|_| Error::Der(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permanent_identifier_is_written_as_its_rfc_says_and_read_back() {
        let mut id = PermanentIdentifier {
            value: "12345678".into(),
            assigner: None,
        };
        let AltName::Other { der, .. } = id.to_alt_name() else {
            panic!("another kind of name")
        };
        let hex = data_encoding::HEXLOWER.encode(&der);
        assert_eq!(hex, "a01806082b06010505070803a00c300a0c083132333435363738");
        for assigner in [None, Some("1.2.3.4".parse().unwrap())] {
            id.assigner = assigner;
            let read = PermanentIdentifier::from_alt_name(&id.to_alt_name());
            assert_eq!(read, Ok(Some(id.clone())));
        }
    }

    #[test]
    fn a_permanent_identifier_without_a_value_is_refused() {
        let nothing = other_name(oid::PERMANENT_IDENTIFIER, &asn1::sequence(&[]));
        assert!(PermanentIdentifier::from_alt_name(&nothing).is_err());
        let empty = PermanentIdentifier {
            value: String::new(),
            assigner: None,
        };
        assert!(PermanentIdentifier::from_alt_name(&empty.to_alt_name()).is_err());
    }

    #[test]
    fn a_hardware_module_is_read_back_and_is_no_permanent_identifier() {
        let module = HardwareModule {
            kind: "1.3.6.1.4.1.41482".parse().unwrap(),
            serial: b"S1".to_vec(),
        };
        let name = module.to_alt_name();
        assert_eq!(HardwareModule::from_alt_name(&name), Ok(Some(module)));
        assert_eq!(PermanentIdentifier::from_alt_name(&name), Ok(None));
        let tagged = other_name(
            oid::HARDWARE_MODULE_NAME,
            &asn1::sequence(&[&asn1::oid(oid::RSA), &asn1::wrap(0x84, &[b"S1"])]),
        );
        assert!(HardwareModule::from_alt_name(&tagged).is_err());
    }
}
