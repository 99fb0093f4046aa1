//! Making a request, on the client's side.

use crate::{alt_name::AltName, asn1, error::Error, extension, key::PrivateKey, name::Name, oid};

/// The DER of a request for these names, signed with the key's default algorithm.
///
/// # Errors
/// Those of [`PrivateKey::sign`].
pub fn request(subject: &Name, names: &[AltName], key: &PrivateKey) -> Result<Vec<u8>, Error> {
    let attribute = if names.is_empty() {
        Vec::new()
    } else {
        let san = extension::subject_alt_names(names, subject.is_empty());
        let values = asn1::wrap(asn1::SET, &[&asn1::sequence(&[&san.to_der()])]);
        asn1::sequence(&[&asn1::oid(oid::EXTENSION_REQUEST), &values])
    };
    let info = asn1::sequence(&[
        &asn1::unsigned(&[]),
        subject.der(),
        key.public().spki_der(),
        &asn1::wrap(asn1::constructed(0), &[&attribute]),
    ]);
    let algorithm = key.default_signature();
    let signature = key.sign(algorithm, &info)?;
    Ok(asn1::sequence(&[
        &info,
        &algorithm.identifier_der(),
        &asn1::bit_string(&signature),
    ]))
}
