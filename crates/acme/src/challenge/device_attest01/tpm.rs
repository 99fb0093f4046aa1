//! The format `tpm` (WebAuthn §8.3): an attestation key, which a CA of attestation keys has certified,
//! certifies that the key was made in the same TPM and cannot leave it.

use pki::device::tpm::{Certified, Hash, PublicArea, Signature};
use pki::device::{HardwareModule, PermanentIdentifier, TpmModel, tpm_model};
use pki::{Certificate, ExtendedKeyUsage, extension, oid, sha256};
use serde_json::json;

use super::object::Statement;
use super::{Attested, Context, DeviceName, Fault, NameKind};

pub(super) fn examine(
    cx: &Context<'_>,
    statement: &Statement<'_>,
    chain: &[Certificate],
) -> Result<Attested, Fault> {
    if statement.version != Some("2.0") {
        return Err(Fault::new("version is not \"2.0\""));
    }
    let attestation_key = &chain[0];
    let model = check_certificate(attestation_key)?;
    let missing = |name: &str| Fault::new(format!("{name} not present"));
    let area = statement.public_area.ok_or_else(|| missing("pubArea"))?;
    let signature = statement.signature.ok_or_else(|| missing("sig"))?;
    let certified = statement.certified.ok_or_else(|| missing("certInfo"))?;
    let algorithm = statement.algorithm.ok_or_else(|| missing("alg"))?;

    let signature = Signature::parse(signature)?;
    if hash(algorithm) != Some(signature.hash) {
        return Err(Fault::new(format!(
            "alg {algorithm} is not the algorithm of the signature, or not supported"
        )));
    }
    signature.verify(attestation_key.public_key()?, certified)?;
    let certified = Certified::parse(certified)?;
    let area = PublicArea::parse(area)?;
    if area.name_hash == Hash::Sha1 {
        return Err(Fault::new("the key's name is by SHA-1"));
    }
    if certified.name != area.name() {
        return Err(Fault::new("certInfo is about another key than pubArea"));
    }
    if !area.is_bound() || area.is_restricted() {
        return Err(Fault::new(
            "the key is not one that this TPM made, that cannot leave it and that signs freely",
        ));
    }
    if certified.extra_data != sha256(cx.key_authorization.as_bytes()) {
        return Err(Fault::new(
            "key authorization invalid: certInfo is not about this challenge and this account",
        ));
    }
    Ok(Attested {
        devices: devices(attestation_key)?,
        key: area.key,
        details: json!({
            "manufacturer": model.manufacturer,
            "model": model.model,
            "version": model.version,
            "firmware": format!("{:#018x}", certified.firmware),
        }),
    })
}

/// The hash of a COSE algorithm. Clients take it from the type of the attested key, whatever signs.
const fn hash(algorithm: i64) -> Option<Hash> {
    match algorithm {
        -7 | -37 | -257 => Some(Hash::Sha256),
        -35 | -38 | -258 => Some(Hash::Sha384),
        -36 | -39 | -259 => Some(Hash::Sha512),
        _ => None,
    }
}

/// What the certificate of an attestation key must have (WebAuthn §8.3.1).
fn check_certificate(certificate: &Certificate) -> Result<TpmModel, Fault> {
    let wrong = |what: &str| Fault::new(format!("the attestation key's certificate {what}"));
    if certificate.version() != 3 {
        return Err(wrong("is not of version 3"));
    }
    if !certificate.subject().is_empty() {
        return Err(wrong("has a subject"));
    }
    if certificate.is_ca() {
        return Err(wrong("is that of a CA"));
    }
    let purposes = certificate.extension(&oid::EXTENDED_KEY_USAGE);
    let purposes = purposes.ok_or_else(|| wrong("has no extended key usage"))?;
    let purposes = extension::parse_extended_key_usage(&purposes.value)?;
    if !purposes.contains(&ExtendedKeyUsage::Other(oid::TCG_ATTESTATION_KEY)) {
        return Err(wrong("is not for an attestation key (2.23.133.8.3)"));
    }
    for name in certificate.alt_names() {
        if let Some(model) = tpm_model(name)? {
            return Ok(model);
        }
    }
    Err(wrong(
        "does not name manufacturer, model and version of the TPM",
    ))
}

/// The devices that the certificate names.
fn devices(certificate: &Certificate) -> Result<Vec<DeviceName>, Fault> {
    let mut out = Vec::new();
    for name in certificate.alt_names() {
        if let Some(PermanentIdentifier { value, assigner }) =
            PermanentIdentifier::from_alt_name(name)?
        {
            out.push(DeviceName {
                name: value,
                oid: assigner,
                kind: NameKind::Permanent,
            });
        }
        if let Some(module) = HardwareModule::from_alt_name(name)? {
            let serial = String::from_utf8(module.serial);
            out.push(DeviceName {
                name: serial.map_err(|_| Fault::new("a serial number is not text"))?,
                oid: Some(module.kind),
                kind: NameKind::Module,
            });
        }
    }
    Ok(out)
}
