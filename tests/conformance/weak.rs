//! Public keys whose private half can be computed; `crates/pki/testdata/README.md` describes their origin.

use super::der;

/// Moduli of 2048 bits in hexadecimal, and what is said of each.
pub const MODULI: [(&str, &str); 5] = [
    (
        include_str!("../../crates/pki/testdata/weak/roca.hex"),
        "ROCA",
    ),
    (
        include_str!("../../crates/pki/testdata/weak/close-0.hex"),
        "Fermat",
    ),
    (
        include_str!("../../crates/pki/testdata/weak/close-8.hex"),
        "Fermat",
    ),
    (
        include_str!("../../crates/pki/testdata/weak/square.hex"),
        "Fermat",
    ),
    (
        include_str!("../../crates/pki/testdata/weak/factor-751.hex"),
        "divisible by 751",
    ),
];

/// A modulus without a weakness.
pub const SOUND: &str = include_str!("../../crates/pki/testdata/weak/sound.hex");

/// Points of Ed25519 of order 1, 2, 4, 8 and 8, and the first with its sign turned.
pub const SMALL_ORDER: [&str; 6] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "0100000000000000000000000000000000000000000000000000000000000080",
];

/// The octets of such a modulus.
pub fn octets(hexadecimal: &str) -> Vec<u8> {
    let digits: String = hexadecimal.split_whitespace().collect();
    data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap()
}

/// SubjectPublicKeyInfo of an RSA key with this modulus and the usual exponent.
pub fn rsa(modulus: &[u8]) -> Vec<u8> {
    let numbers = der::sequence(&[&der::integer(modulus), &der::integer(&[1, 0, 1])]);
    let kind = der::sequence(&[&der::oid("1.2.840.113549.1.1.1"), &[5, 0]]);
    der::sequence(&[&kind, &der::bits(&numbers)])
}

/// SubjectPublicKeyInfo of an Ed25519 key.
pub fn ed25519(point: &str) -> Vec<u8> {
    let octets = data_encoding::HEXLOWER.decode(point.as_bytes()).unwrap();
    let kind = der::sequence(&[&der::oid("1.3.101.112")]);
    der::sequence(&[&kind, &der::bits(&octets)])
}
