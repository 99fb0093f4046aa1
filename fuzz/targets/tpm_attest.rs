//! What a TPM attests about a key (TPMS_ATTEST), and its signatures (TPMT_SIGNATURE).

use pki::device::tpm::{Certified, Signature};

/// Reads the octets; none may be left over.
pub fn check(octets: &[u8]) -> bool {
    let longer = [octets, &[0]].concat();
    assert!(Signature::parse(octets).is_err() || Signature::parse(&longer).is_err());
    let Ok(certified) = Certified::parse(octets) else {
        return false;
    };
    assert!(Certified::parse(&longer).is_err());
    assert!(certified.extra_data.len() + certified.name.len() < octets.len());
    true
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn an_attestation_is_read_whole_or_not_at_all() {
        run::nearly_valid("tpm_attest");
    }
}
