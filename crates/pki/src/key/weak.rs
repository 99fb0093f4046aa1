//! Keys whose private half can be computed from the public one: moduli with a small factor, of a
//! generator that is known to be broken, or of primes too close together; points of small order.
//!
//! Not here: lists of compromised keys, which are far larger.

use super::natural::Natural;

/// What is wrong with a key of the right size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// A factor of the modulus is found at once.
    #[error("its modulus is divisible by {0}")]
    SmallFactor(u32),
    /// The primes have the form that Infineon's library RSALib gave them (CVE-2017-15361, "ROCA").
    #[error("it was made by a generator whose keys can be factored (ROCA, CVE-2017-15361)")]
    Roca,
    /// Fermat's method factors the modulus within a hundred rounds (CVE-2022-26320).
    #[error("its two primes are so close together that it can be factored (Fermat's method)")]
    ClosePrimes,
    /// The point generates a group of at most eight elements: signatures for it can be forged.
    #[error("its point has a small order, so that signatures for it can be forged")]
    SmallOrder,
}

/// How many rounds of Fermat's method are tried.
pub(super) const ROUNDS: usize = 100;
/// Moduli have no prime factor below this.
const SMALL: u32 = 752;
/// The primes up to this identify a modulus of RSALib.
const ROCA_PRIMES: u32 = 167;

/// Looks for a weakness of a modulus, big-endian.
pub(super) fn modulus(n: &[u8]) -> Result<(), Weakness> {
    let n = Natural::from_be_bytes(n);
    let residues = residues(&n);
    if let Some((prime, _)) = residues.iter().find(|(_, residue)| *residue == 0) {
        return Err(Weakness::SmallFactor(*prime));
    }
    let mut identifying = residues
        .iter()
        .filter(|(prime, _)| (3..=ROCA_PRIMES).contains(prime));
    if identifying.all(|(prime, residue)| is_power_of_65537(*residue, *prime)) {
        return Err(Weakness::Roca);
    }
    if has_close_primes(&n) {
        return Err(Weakness::ClosePrimes);
    }
    Ok(())
}

/// Looks for a weakness of an Ed25519 key (RFC 8032 §5.1.2): the order of its point divides eight.
pub(super) fn ed25519(key: &[u8]) -> Result<(), Weakness> {
    let Some((last, rest)) = key.split_last() else {
        return Ok(());
    };
    let small = |known: &[u8; 32]| known[..31] == *rest && known[31] == last & 0x7f;
    if SMALL_ORDER.iter().any(small) {
        return Err(Weakness::SmallOrder);
    }
    Ok(())
}

/// The remainders of the divisions by all small primes. The long divisions are by products of primes,
/// as many as fit into 32 bits.
fn residues(n: &Natural) -> Vec<(u32, u32)> {
    let mut residues = Vec::new();
    let mut primes: Vec<u32> = Vec::new();
    let mut product = 1_u32;
    for prime in (2..SMALL).filter(|number| is_prime(*number)) {
        match product.checked_mul(prime) {
            Some(larger) => product = larger,
            None => {
                let remainder = n.modulo(product);
                residues.extend(primes.drain(..).map(|prime| (prime, remainder % prime)));
                product = prime;
            }
        }
        primes.push(prime);
    }
    let remainder = n.modulo(product);
    residues.extend(primes.into_iter().map(|prime| (prime, remainder % prime)));
    residues
}

fn is_prime(number: u32) -> bool {
    (2..)
        .take_while(|divisor| divisor * divisor <= number)
        .all(|divisor| !number.is_multiple_of(divisor))
}

/// RSALib's primes are powers of 65537 modulo every small prime, and so are their products (Nemec et
/// al., "The Return of Coppersmith's Attack", CCS 2017, §2).
fn is_power_of_65537(residue: u32, prime: u32) -> bool {
    let mut power = 1;
    for _ in 1..prime {
        if power == residue {
            return true;
        }
        power = power * (65537 % prime) % prime;
    }
    false
}

/// Fermat's method: the modulus is a² − b² for the mean a of its primes, and b is small when they are
/// close, so that a is among the first numbers above the modulus' root.
fn has_close_primes(n: &Natural) -> bool {
    let (mut a, rest) = n.root();
    if rest == Natural::from_be_bytes(&[]) {
        return true;
    }
    // (root + 1)² − n, with n = root² + rest; rest is at most twice the root.
    let mut b_squared = a.clone();
    b_squared.double_and_add(1);
    b_squared.subtract(&rest);
    let one = Natural::from_be_bytes(&[1]);
    a.add(&one);
    for _ in 0..ROUNDS {
        if b_squared.is_square() {
            return true;
        }
        let mut step = a.clone();
        step.double_and_add(1);
        b_squared.add(&step);
        a.add(&one);
    }
    false
}

/// The points of order 1, 2, 4 and 8, without their sign; the last two in a second, longer form.
const SMALL_ORDER: [[u8; 32]; 7] = [
    padded(0, 0, 0),
    padded(1, 0, 0),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    padded(0xec, 0xff, 0x7f),
    padded(0xed, 0xff, 0x7f),
    padded(0xee, 0xff, 0x7f),
];

const fn padded(first: u8, between: u8, last: u8) -> [u8; 32] {
    let mut octets = [between; 32];
    octets[0] = first;
    octets[31] = last;
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! vector {
        ($name:literal) => {{
            let text = include_str!(concat!("../../testdata/weak/", $name, ".hex"));
            let digits: String = text.split_whitespace().collect();
            data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap()
        }};
    }

    #[test]
    fn moduli_that_can_be_factored_are_recognised() {
        assert_eq!(modulus(&vector!("roca")), Err(Weakness::Roca));
        for close in [vector!("close-0"), vector!("close-8"), vector!("square")] {
            assert_eq!(modulus(&close), Err(Weakness::ClosePrimes));
        }
        assert_eq!(
            modulus(&vector!("factor-751")),
            Err(Weakness::SmallFactor(751))
        );
        assert_eq!(modulus(&vector!("sound")), Ok(()));
        let mut even = vector!("sound");
        even[255] &= 0xfe;
        assert_eq!(modulus(&even), Err(Weakness::SmallFactor(2)));
    }

    #[test]
    fn there_are_133_small_primes_and_38_that_identify_roca() {
        let found = residues(&Natural::from_be_bytes(&[1]));
        assert!(found.iter().all(|(_, residue)| *residue == 1));
        assert_eq!((found.len(), found.last().unwrap().0), (133, 751));
        let identifying = found
            .iter()
            .filter(|(prime, _)| (3..=ROCA_PRIMES).contains(prime));
        assert_eq!(identifying.count(), 38);
    }

    #[test]
    fn ed25519_points_of_small_order_are_refused_with_either_sign() {
        for mut point in SMALL_ORDER {
            assert_eq!(ed25519(&point), Err(Weakness::SmallOrder));
            point[31] |= 0x80;
            assert_eq!(ed25519(&point), Err(Weakness::SmallOrder));
            point[0] ^= 0x10;
            assert_eq!(ed25519(&point), Ok(()));
        }
    }
}
