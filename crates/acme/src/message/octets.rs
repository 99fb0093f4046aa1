//! DER in JSON: base64url without padding (RFC 8555 §6.1).

use crate::problem::Problem;

/// Writes octets.
pub(super) fn write(der: &[u8]) -> String {
    data_encoding::BASE64URL_NOPAD.encode(der)
}

/// Decodes the member `member`, which contains a `what`; the error mentions PEM, plain base64 and padding.
pub(super) fn read(text: &str, member: &str, what: &str) -> Result<Vec<u8>, Problem> {
    let decoded = data_encoding::BASE64URL_NOPAD.decode(text.as_bytes());
    decoded.map_err(|fault| {
        let hint = if text.contains("-----BEGIN") {
            "it is PEM".to_owned()
        } else if text.contains(['+', '/']) {
            "it has + or /, as plain base64 does".to_owned()
        } else if text.ends_with('=') {
            "it has padding (=) at its end".to_owned()
        } else {
            fault.to_string()
        };
        Problem::malformed(format!(
            "The {member} is not base64url: {hint}. Send the {what}'s DER in base64url without \
             padding."
        ))
    })
}
