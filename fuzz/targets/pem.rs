//! PEM and what is read through it: blocks are written back to the same, keys and certificates are
//! taken or refused.

use pki::{Certificate, PrivateKey, pem};

/// The octets as a text with PEM blocks.
pub fn check(octets: &[u8]) -> bool {
    drop(PrivateKey::from_pem(octets, None).map(drop));
    if let Ok(certificates) = Certificate::all_from_pem(octets) {
        let text: String = certificates.iter().map(Certificate::to_pem).collect();
        let again = Certificate::all_from_pem(text.as_bytes()).expect("what was written is read");
        assert_eq!(again.len(), certificates.len());
        assert!(
            again
                .iter()
                .zip(&certificates)
                .all(|(a, b)| a.der() == b.der())
        );
    }
    let Ok(blocks) = pem::parse(octets) else {
        return false;
    };
    for block in &blocks {
        let text = pem::encode(&block.label, &block.der);
        let again = pem::parse(text.as_bytes()).expect("what was written is read");
        assert_eq!(again.len(), 1);
        assert_eq!((&again[0].label, &again[0].der), (&block.label, &block.der));
    }
    !blocks.is_empty()
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn no_text_breaks_the_reader_and_what_is_read_is_written_back() {
        run::nearly_right("pem");
    }
}
