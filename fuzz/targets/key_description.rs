//! Android's KeyDescription, the extension of an attestation certificate.

use pki::device::KeyDescription;

/// Reads the octets; none may be left over.
pub fn check(octets: &[u8]) -> bool {
    let Ok(described) = KeyDescription::parse(octets) else {
        return false;
    };
    assert!(KeyDescription::parse(&[octets, &[0]].concat()).is_err());
    assert!(described.challenge.len() < octets.len());
    true
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn a_description_is_read_whole_or_not_at_all() {
        run::nearly_valid("key_description");
    }
}
