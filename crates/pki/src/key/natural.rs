//! Natural numbers of any size, with the little arithmetic that checks of moduli need. Not for secrets:
//! the time depends on the number.

use std::cmp::Ordering;

/// A natural number: limbs of 64 bits, the lowest first, none above the highest that is not zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Natural(Vec<u64>);

impl Natural {
    pub(super) fn from_be_bytes(bytes: &[u8]) -> Self {
        let limb = |chunk: &[u8]| {
            chunk
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        };
        Self(bytes.rchunks(8).map(limb).collect()).trimmed()
    }

    /// The remainder of a division by a number below 2^32, which must not be zero.
    pub(super) fn modulo(&self, divisor: u32) -> u32 {
        let divisor = u64::from(divisor);
        let remainder = self.0.iter().rev().fold(0_u64, |above, limb| {
            let high = (above << 32 | limb >> 32) % divisor;
            (high << 32 | limb & LOW) % divisor
        });
        u32::try_from(remainder).unwrap_or_default()
    }

    /// The greatest number whose square is not greater, and what is missing to this number.
    pub(super) fn root(&self) -> (Self, Self) {
        let (mut root, mut rest) = (Self(Vec::new()), Self(Vec::new()));
        let pairs = self.0.iter().rev().flat_map(|limb| {
            let pair = move |place: u32| limb >> (62 - 2 * place) & 3;
            (0..32).map(pair)
        });
        for pair in pairs {
            rest.shift_in(2, pair);
            let mut trial = root.clone();
            trial.shift_in(2, 1);
            let fits = rest >= trial;
            if fits {
                rest.subtract(&trial);
            }
            root.shift_in(1, u64::from(fits));
        }
        (root, rest)
    }

    /// Whether it is the square of a number.
    pub(super) fn is_square(&self) -> bool {
        let low = self.0.first().copied().unwrap_or_default();
        if !matches!(
            low & 63,
            0 | 1 | 4 | 9 | 16 | 17 | 25 | 33 | 36 | 41 | 49 | 57
        ) {
            return false;
        }
        let remainder = self.modulo(SIEVE.iter().product());
        let possible = |prime: &u32| {
            let wanted = remainder % prime;
            (0..*prime).any(|root| root * root % prime == wanted)
        };
        SIEVE.iter().all(possible) && self.root().1.0.is_empty()
    }

    /// This number becomes twice itself and `more`, which is below 2^63.
    pub(super) fn double_and_add(&mut self, more: u64) {
        self.shift_in(1, 0);
        self.add(&Self(vec![more]).trimmed());
    }

    pub(super) fn add(&mut self, other: &Self) {
        let length = self.0.len().max(other.0.len()) + 1;
        self.0.resize(length, 0);
        let mut carry = false;
        for (place, limb) in self.0.iter_mut().enumerate() {
            let (sum, first) = limb.overflowing_add(other.limb(place));
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            (*limb, carry) = (sum, first || second);
        }
        self.trim();
    }

    /// Takes a number away that is not greater.
    pub(super) fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (place, limb) in self.0.iter_mut().enumerate() {
            let (rest, first) = limb.overflowing_sub(other.limb(place));
            let (rest, second) = rest.overflowing_sub(u64::from(borrow));
            (*limb, borrow) = (rest, first || second);
        }
        self.trim();
    }

    /// Multiplies by 2^`bits`, which are fewer than 64, and puts these in.
    fn shift_in(&mut self, bits: u32, low: u64) {
        let mut carry = low;
        for limb in &mut self.0 {
            let out = *limb >> (64 - bits);
            *limb = *limb << bits | carry;
            carry = out;
        }
        if carry != 0 {
            self.0.push(carry);
        }
    }

    fn limb(&self, place: usize) -> u64 {
        self.0.get(place).copied().unwrap_or_default()
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn trimmed(mut self) -> Self {
        self.trim();
        self
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Self) -> Ordering {
        let longer = self.0.len().cmp(&other.0.len());
        longer.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

const LOW: u64 = 0xffff_ffff;
/// Few squares are squares modulo all of these; their product is below 2^32.
const SIEVE: [u32; 8] = [9, 5, 7, 11, 13, 17, 19, 23];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(value: u128) -> Natural {
        Natural::from_be_bytes(&value.to_be_bytes())
    }

    #[test]
    fn numbers_without_digits_are_zero() {
        assert_eq!(Natural::from_be_bytes(&[0; 20]), number(0));
        assert_eq!(number(0).root(), (number(0), number(0)));
        assert!(number(0).is_square() && number(1).is_square() && !number(2).is_square());
        assert_eq!(number(0).modulo(7), 0);
    }

    proptest! {
        #[test]
        fn arithmetic_is_that_of_the_processor(a: u128, b: u128, divisor in 1..=u32::MAX) {
            let (a, b) = (a >> 1, b >> 1);
            prop_assert_eq!(u128::from(number(a).modulo(divisor)), a % u128::from(divisor));
            let mut sum = number(a);
            sum.add(&number(b));
            prop_assert_eq!(&sum, &number(a + b));
            sum.subtract(&number(a));
            prop_assert_eq!(&sum, &number(b));
            sum.double_and_add(1);
            prop_assert_eq!(sum, number(2 * b + 1));
            prop_assert_eq!(number(a).cmp(&number(b)), a.cmp(&b));
        }

        #[test]
        fn a_root_is_the_greatest_that_fits(value: u128, small: u64) {
            let (root, rest) = number(value).root();
            let found = value.isqrt();
            prop_assert_eq!((root, rest), (number(found), number(value - found * found)));
            let square = u128::from(small) * u128::from(small);
            prop_assert!(number(square).is_square());
            prop_assert_eq!(number(value).is_square(), found * found == value);
        }
    }
}
