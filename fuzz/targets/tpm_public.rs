//! Public areas of a TPM (TPMT_PUBLIC).

use pki::device::tpm::PublicArea;

/// Reads the octets; none may be left over.
pub fn check(octets: &[u8]) -> bool {
    let Ok(area) = PublicArea::parse(octets) else {
        return false;
    };
    assert!(PublicArea::parse(&[octets, &[0]].concat()).is_err());
    assert!(area.name().ends_with(&area.name_hash.digest(octets)));
    true
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn a_public_area_is_read_whole_and_named_by_all_its_octets() {
        run::nearly_valid("tpm_public");
    }
}
