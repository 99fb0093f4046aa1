//! The checks that every signer has to pass, wherever its key is kept.

use pki::SignatureAlgorithm;

use crate::Signer;

/// Runs all checks on a signer.
pub(crate) fn check(signer: &dyn Signer) {
    signs_what_its_public_key_verifies(signer);
    a_signature_is_that_of_one_message(signer);
    the_algorithm_fits_the_key(signer);
    the_key_can_be_used_from_several_threads(signer);
}

fn signs_what_its_public_key_verifies(signer: &dyn Signer) {
    for message in [&b""[..], b"a certificate", &[0xa5; 70_000]] {
        let signature = signer.sign(message).unwrap();
        signer
            .public_key()
            .verify(signer.algorithm(), message, &signature)
            .unwrap();
    }
}

fn a_signature_is_that_of_one_message(signer: &dyn Signer) {
    let signature = signer.sign(b"one").unwrap();
    let other = signer
        .public_key()
        .verify(signer.algorithm(), b"another", &signature);
    assert!(other.is_err());
}

fn the_algorithm_fits_the_key(signer: &dyn Signer) {
    let algorithm = signer.algorithm();
    assert_eq!(
        algorithm,
        SignatureAlgorithm::default_for(signer.public_key().kind())
    );
}

fn the_key_can_be_used_from_several_threads(signer: &dyn Signer) {
    std::thread::scope(|scope| {
        for n in 0..4_u8 {
            scope.spawn(move || {
                let signature = signer.sign(&[n]).unwrap();
                signer
                    .public_key()
                    .verify(signer.algorithm(), &[n], &signature)
                    .unwrap();
            });
        }
    });
}
