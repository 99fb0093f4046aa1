//! PEM: blocks round-trip, and keys and certificates are parsed or refused.

use pki::{Certificate, PrivateKey, pem};

/// Parses the octets as a text with PEM blocks.
pub fn check(octets: &[u8]) -> bool {
    drop(PrivateKey::from_pem(octets, None).map(drop));
    if let Ok(certificates) = Certificate::all_from_pem(octets) {
        let text: String = certificates.iter().map(Certificate::to_pem).collect();
        let again = Certificate::all_from_pem(text.as_bytes()).expect("a written block is parsed");
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
        let again = pem::parse(text.as_bytes()).expect("a written block is parsed");
        assert_eq!(again.len(), 1);
        assert_eq!((&again[0].label, &again[0].der), (&block.label, &block.der));
    }
    !blocks.is_empty()
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn any_text_is_refused_or_round_trips() {
        run::nearly_valid("pem");
    }
}
