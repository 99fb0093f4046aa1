//! Structures of a TPM 2.0 (TCG, "Trusted Platform Module Library", part 2): a public area, an
//! attestation of a certified key, and a signature. Each is read whole: no octet may be left over.

use crate::{
    SignatureAlgorithm,
    digest::sha256,
    error::Error,
    key::{KeyKind, PublicKey, ec_spki, fixed_to_der, rsa_spki},
};

/// A public area (TPMT_PUBLIC) of a key that is no sealed object.
#[derive(Debug, Clone, PartialEq)]
pub struct PublicArea {
    /// The algorithm of the key's name.
    pub name_hash: Hash,
    /// TPMA_OBJECT.
    attributes: u32,
    /// The key.
    pub key: PublicKey,
    name: Vec<u8>,
}

/// What a TPM says about a key that it certifies (TPMS_ATTEST of type TPM_ST_ATTEST_CERTIFY).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// The qualifying data of the caller.
    pub extra_data: Vec<u8>,
    /// The version of the firmware, as the maker counts.
    pub firmware: u64,
    /// The name of the certified key.
    pub name: Vec<u8>,
}

/// A signature (TPMT_SIGNATURE), in the form of X.509.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Its hash.
    pub hash: Hash,
    scheme: Scheme,
    octets: Vec<u8>,
}

/// A hash algorithm (TPM_ALG_ID).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1, which no signature may have.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    RsaSsa,
    RsaPss,
    Ecdsa,
}

impl PublicArea {
    /// Neither the key nor its storage key can be duplicated, and the TPM made the key.
    const BOUND: u32 = 1 << 1 | 1 << 4 | 1 << 5;
    /// The key signs only what the TPM itself made.
    const RESTRICTED: u32 = 1 << 16;

    /// Reads a TPMT_PUBLIC.
    ///
    /// # Errors
    /// [`Error::Der`] when it is malformed, and the errors of [`PublicKey::from_spki_der`].
    pub fn parse(octets: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader(octets);
        let (name_hash, attributes, spki) =
            public(&mut reader).ok_or(Error::Der("public area of a TPM"))?;
        let key = PublicKey::from_spki_der(&spki)?;
        let mut name = name_hash.number().to_be_bytes().to_vec();
        name.extend(name_hash.digest(octets));
        Ok(Self {
            name_hash,
            attributes,
            key,
            name,
        })
    }

    /// Whether the key was made in this TPM and can never leave it.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        self.attributes & Self::BOUND == Self::BOUND
    }

    /// Whether the key signs only what the TPM itself made.
    #[must_use]
    pub const fn is_restricted(&self) -> bool {
        self.attributes & Self::RESTRICTED != 0
    }

    /// Its name: the number of the hash and the digest of the area.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }
}

/// The fields of a public area that are used, the key as a SubjectPublicKeyInfo.
fn public(reader: &mut Reader<'_>) -> Option<(Hash, u32, Vec<u8>)> {
    let kind = reader.u16()?;
    let name_hash = Hash::of_number(reader.u16()?)?;
    let attributes = reader.u32()?;
    reader.sized()?;
    // The symmetric algorithm, of storage keys only: its size and its mode.
    if reader.u16()? != NULL {
        reader.u32()?;
    }
    let spki = match kind {
        RSA => {
            // OAEP and both signature schemes have a hash, RSAES has none.
            if !matches!(reader.u16()?, NULL | RSA_ES) {
                reader.u16()?;
            }
            reader.u16()?;
            let exponent = match reader.u32()? {
                0 => 65_537,
                exponent => exponent,
            };
            rsa_spki(reader.sized()?, &exponent.to_be_bytes())
        }
        ECC => {
            match reader.u16()? {
                NULL => {}
                ECDAA => drop(reader.u32()?),
                _ => drop(reader.u16()?),
            }
            let kind = curve(reader.u16()?)?;
            if reader.u16()? != NULL {
                reader.u16()?;
            }
            let width = kind.coordinate_len()?;
            let (x, y) = (reader.sized()?, reader.sized()?);
            let point = [&[4], &*padded(x, width)?, &*padded(y, width)?].concat();
            ec_spki(kind, &point)?
        }
        _ => return None,
    };
    reader.end().map(|()| (name_hash, attributes, spki))
}

impl Certified {
    /// Reads a TPMS_ATTEST.
    ///
    /// # Errors
    /// [`Error::Der`] when it is malformed, was not made by a TPM, or attests something other than a key.
    pub fn parse(octets: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader(octets);
        let mut read = || {
            if reader.u32()? != GENERATED || reader.u16()? != CERTIFY {
                return None;
            }
            reader.sized()?;
            let extra_data = reader.sized()?.to_vec();
            // The clock, the counts of resets and restarts, and whether the clock is safe.
            reader.take(17)?;
            let firmware = reader.u64()?;
            let name = reader.sized()?.to_vec();
            reader.sized()?;
            reader.end()?;
            Some(Self {
                extra_data,
                firmware,
                name,
            })
        };
        read().ok_or(Error::Der("certification of a key by a TPM"))
    }
}

impl Signature {
    /// Reads a TPMT_SIGNATURE.
    ///
    /// # Errors
    /// [`Error::Der`] when it is malformed or of another scheme than RSASSA, RSAPSS and ECDSA.
    pub fn parse(octets: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader(octets);
        let mut read = || {
            let scheme = match reader.u16()? {
                RSA_SSA => Scheme::RsaSsa,
                RSA_PSS => Scheme::RsaPss,
                ECDSA => Scheme::Ecdsa,
                _ => return None,
            };
            let hash = Hash::of_number(reader.u16()?)?;
            let octets = match scheme {
                Scheme::RsaSsa | Scheme::RsaPss => reader.sized()?.to_vec(),
                Scheme::Ecdsa => {
                    let (r, s) = (reader.sized()?, reader.sized()?);
                    fixed_to_der(r, s)
                }
            };
            reader.end()?;
            Some(Self {
                hash,
                scheme,
                octets,
            })
        };
        read().ok_or(Error::Der("signature of a TPM"))
    }

    /// Checks that `key` signed `message`.
    ///
    /// # Errors
    /// [`Error::UnsupportedSignature`] for SHA-1, and the errors of [`PublicKey::verify`].
    pub fn verify(&self, key: &PublicKey, message: &[u8]) -> Result<(), Error> {
        use SignatureAlgorithm as A;
        let algorithm = match (self.scheme, self.hash) {
            (_, Hash::Sha1) => return Err(Error::UnsupportedSignature("SHA-1".to_owned())),
            (Scheme::RsaSsa, Hash::Sha256) => A::RsaSha256,
            (Scheme::RsaSsa, Hash::Sha384) => A::RsaSha384,
            (Scheme::RsaSsa, Hash::Sha512) => A::RsaSha512,
            (Scheme::RsaPss, Hash::Sha256) => A::RsaPssSha256,
            (Scheme::RsaPss, Hash::Sha384) => A::RsaPssSha384,
            (Scheme::RsaPss, Hash::Sha512) => A::RsaPssSha512,
            (Scheme::Ecdsa, Hash::Sha256) => A::EcdsaSha256,
            (Scheme::Ecdsa, Hash::Sha384) => A::EcdsaSha384,
            (Scheme::Ecdsa, Hash::Sha512) => A::EcdsaSha512,
        };
        key.verify(algorithm, message, &self.octets)
    }
}

impl Hash {
    const fn number(self) -> u16 {
        match self {
            Self::Sha1 => 0x0004,
            Self::Sha256 => 0x000b,
            Self::Sha384 => 0x000c,
            Self::Sha512 => 0x000d,
        }
    }

    fn of_number(number: u16) -> Option<Self> {
        let all = [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];
        all.into_iter().find(|hash| hash.number() == number)
    }

    /// The digest of these octets.
    #[must_use]
    pub fn digest(self, octets: &[u8]) -> Vec<u8> {
        use aws_lc_rs::digest::{self, SHA384, SHA512};
        match self {
            Self::Sha1 => digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, octets)
                .as_ref()
                .to_vec(),
            Self::Sha256 => sha256(octets).to_vec(),
            Self::Sha384 => digest::digest(&SHA384, octets).as_ref().to_vec(),
            Self::Sha512 => digest::digest(&SHA512, octets).as_ref().to_vec(),
        }
    }
}

/// TPM_GENERATED_VALUE.
const GENERATED: u32 = 0xff54_4347;
/// TPM_ST_ATTEST_CERTIFY.
const CERTIFY: u16 = 0x8017;
const RSA: u16 = 0x0001;
const ECC: u16 = 0x0023;
const NULL: u16 = 0x0010;
const RSA_SSA: u16 = 0x0014;
const RSA_ES: u16 = 0x0015;
const RSA_PSS: u16 = 0x0016;
const ECDSA: u16 = 0x0018;
const ECDAA: u16 = 0x001a;

const fn curve(number: u16) -> Option<KeyKind> {
    match number {
        0x0003 => Some(KeyKind::EcP256),
        0x0004 => Some(KeyKind::EcP384),
        0x0005 => Some(KeyKind::EcP521),
        _ => None,
    }
}

/// A number in `width` octets.
fn padded(octets: &[u8], width: usize) -> Option<Vec<u8>> {
    let missing = width.checked_sub(octets.len())?;
    Some([&*vec![0; missing], octets].concat())
}

/// What is left to read; numbers are big-endian.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Octets after their number (TPM2B).
    fn sized(&mut self) -> Option<&'a [u8]> {
        let count = self.u16()?;
        self.take(usize::from(count))
    }

    const fn end(&self) -> Option<()> {
        if self.0.is_empty() { Some(()) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;
    use crate::PrivateKey;

    fn key() -> PrivateKey {
        PrivateKey::from_pem(include_bytes!("../../testdata/openssl/p256.key"), None).unwrap()
    }

    fn hex(text: &str) -> Vec<u8> {
        HEXLOWER.decode(text.replace(' ', "").as_bytes()).unwrap()
    }

    /// The public area of the P-256 key of these tests, as a TPM writes it.
    fn area() -> Vec<u8> {
        let key = key();
        let (x, y) = key.public().ec_coordinates().unwrap();
        let head = hex("0023 000b 00040072 0000 0010 0018 000b 0003 0010");
        [&head[..], &[0, 32], x, &[0, 32], y].concat()
    }

    #[test]
    fn a_key_that_never_leaves_its_tpm_is_read() {
        let area = PublicArea::parse(&area()).unwrap();
        assert_eq!(&area.key, key().public());
        assert!(area.is_bound() && !area.is_restricted());
        assert_eq!(
            (area.name()[..2].to_vec(), area.name().len()),
            (vec![0, 11], 34)
        );
    }

    #[test]
    fn nothing_may_be_missing_or_left_over() {
        let whole = area();
        for end in 0..whole.len() {
            assert!(PublicArea::parse(&whole[..end]).is_err(), "{end}");
        }
        assert!(PublicArea::parse(&[&whole[..], &[0]].concat()).is_err());
    }

    #[test]
    fn a_certification_is_read_whole_and_only_as_such() {
        let whole = hex(
            "ff544347 8017 0002 0102 0003 616263 0000000000000001 00000002 00000003 01 \
             0000000000000007 0002 000b 0001 09",
        );
        let read = Certified::parse(&whole).unwrap();
        assert_eq!(
            (read.extra_data, read.firmware, read.name),
            (b"abc".to_vec(), 7, vec![0, 11])
        );
        for end in 0..whole.len() {
            assert!(Certified::parse(&whole[..end]).is_err(), "{end}");
        }
        let mut quote = whole.clone();
        quote[5] = 0x18;
        assert!(Certified::parse(&quote).is_err());
        assert!(Certified::parse(&[&whole[..], &[0]].concat()).is_err());
    }

    #[test]
    fn signatures_are_checked_with_their_scheme_and_never_with_sha1() {
        let der = key()
            .sign(SignatureAlgorithm::EcdsaSha256, b"message")
            .unwrap();
        let fixed = crate::key::der_to_fixed(&der, 32).unwrap();
        let (r, s) = fixed.split_at(32);
        let written = |scheme: &str| [&hex(scheme)[..], &[0, 32], r, &[0, 32], s].concat();
        let signature = Signature::parse(&written("0018 000b")).unwrap();
        assert_eq!(signature.verify(key().public(), b"message"), Ok(()));
        assert!(signature.verify(key().public(), b"other").is_err());
        let old = Signature::parse(&written("0018 0004")).unwrap();
        assert!(matches!(
            old.verify(key().public(), b"message"),
            Err(Error::UnsupportedSignature(_))
        ));
        assert!(Signature::parse(&written("001a 000b")).is_err());
        let rsa = [&hex("0014 000b 0002")[..], &[1, 2]].concat();
        let rsa = Signature::parse(&rsa).unwrap();
        assert!(matches!(
            rsa.verify(key().public(), b""),
            Err(Error::KeyMismatch { .. })
        ));
    }
}
