//! RFC 9773: ACME Renewal Information.

use data_encoding::BASE64URL_NOPAD;

use super::der;
use super::leaf::Leaf;

mod s4_renewal_info;
mod s4_windows;
mod s5_rate_limits;
mod s5_replaces;

/// The two parts of a certificate's name (§4.1): authority key identifier, and serial number as DER.
fn parts(certificate: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let fields = der::certificate(certificate);
    let extensions = fields.iter().find(|(tag, _)| *tag == 0xa3).unwrap().1;
    let wanted = der::elements(&der::oid("2.5.29.35"))[0].1.to_vec();
    let authority = der::elements(der::elements(extensions)[0].1)
        .into_iter()
        .map(|(_, extension)| der::elements(extension))
        .find(|extension| extension[0].1 == wanted)
        .unwrap();
    let value = authority.last().unwrap().1;
    let key_id = der::elements(der::elements(value)[0].1)[0].1;
    (key_id.to_vec(), fields[0].1.to_vec())
}

/// The name of a certificate.
fn name(leaf: &Leaf) -> String {
    let (authority, serial) = parts(&leaf.der);
    joined(&authority, &serial)
}

fn joined(authority: &[u8], serial: &[u8]) -> String {
    let (authority, serial) = (
        BASE64URL_NOPAD.encode(authority),
        BASE64URL_NOPAD.encode(serial),
    );
    format!("{authority}.{serial}")
}
