//! Distinguished names (X.501, RFC 5280 §4.1.2.4): kept as DER, read as attributes, printed for users.

mod print;
pub(crate) mod text;

use der::asn1::ObjectIdentifier;

use crate::{
    asn1::{self, Cursor, Element, Malformed},
    error::Error,
    oid,
};

/// A distinguished name; two are equal when their DER is.
#[derive(Debug, Clone)]
pub struct Name {
    der: Vec<u8>,
    rdns: Vec<Vec<Attribute>>,
}

/// One attribute of a relative distinguished name.
#[derive(Debug, Clone)]
struct Attribute {
    oid: ObjectIdentifier,
    text: String,
    /// The value's own DER, for attributes that have no short name.
    value: Vec<u8>,
    /// Whether the value is a character string that decodes without loss and without NUL.
    clean: bool,
}

impl Name {
    /// Reads the DER of an RDNSequence; attributes that are no text read as their bytes, lossily.
    ///
    /// # Errors
    /// [`Error::Der`] and [`Error::TrailingBytes`].
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        if asn1::has_trailing_bytes(der) {
            return Err(Error::TrailingBytes("name"));
        }
        let rdns = rdns(der).map_err(|_| Error::Der("name"))?;
        Ok(Self {
            der: der.to_vec(),
            rdns,
        })
    }

    /// The name without any attribute.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            der: asn1::sequence(&[]),
            rdns: Vec::new(),
        }
    }

    /// `CN=<cn>`.
    ///
    /// # Errors
    /// [`Error::Name`] when it is empty or holds a NUL.
    pub fn common_name(cn: &str) -> Result<Self, Error> {
        Self::from_der(&asn1::sequence(&[&attribute(oid::COMMON_NAME, cn)?]))
    }

    /// `O=<o>, CN=<cn>` in this order, as `step ca init` writes it.
    ///
    /// # Errors
    /// [`Error::Name`] when one is empty or holds a NUL.
    pub fn organization_and_common_name(o: &str, cn: &str) -> Result<Self, Error> {
        let rdns = [
            attribute(oid::ORGANIZATION, o)?,
            attribute(oid::COMMON_NAME, cn)?,
        ];
        Self::from_der(&asn1::sequence(&[&rdns[0], &rdns[1]]))
    }

    /// The RDNSequence's DER, as it was read.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether there is no attribute.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rdns.is_empty()
    }

    /// The last common name, as Go reads it; an empty one counts as none.
    #[must_use]
    pub fn cn(&self) -> Option<String> {
        self.common_names()
            .last()
            .filter(|cn| !cn.is_empty())
            .map(ToString::to_string)
    }

    /// All attributes in the order of the encoding, with their values as text.
    #[must_use]
    pub fn attributes(&self) -> Vec<(ObjectIdentifier, String)> {
        self.rdns
            .iter()
            .flatten()
            .map(|attribute| (attribute.oid, attribute.text.clone()))
            .collect()
    }

    /// The attributes in the order of the encoding, as `step certificate inspect` prints them:
    /// `O=Test CA,CN=Test CA Root CA`.
    #[must_use]
    pub fn in_order(&self) -> String {
        print::in_order(&self.rdns)
    }

    pub(crate) fn common_names(&self) -> impl Iterator<Item = &str> {
        self.rdns
            .iter()
            .flatten()
            .filter(|a| a.oid == oid::COMMON_NAME)
            .map(|a| a.text.as_str())
    }

    /// Whether every value is text that was read without loss and holds no NUL.
    pub(crate) fn is_clean(&self) -> bool {
        self.rdns.iter().flatten().all(|attribute| attribute.clean)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Name {}

/// As Go's `pkix.Name.String` writes the name of a parsed certificate: `CN=Test CA Root CA,O=Test CA`.
impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&print::like_go(&self.rdns))
    }
}

fn attribute(oid: ObjectIdentifier, value: &str) -> Result<Vec<u8>, Error> {
    if value.is_empty() {
        return Err(Error::Name("an attribute is empty"));
    }
    if value.contains('\0') {
        return Err(Error::Name("an attribute holds a NUL"));
    }
    let pair = asn1::sequence(&[&asn1::oid(oid), &text::write(value)]);
    Ok(asn1::wrap(asn1::SET, &[&pair]))
}

fn rdns(der: &[u8]) -> Result<Vec<Vec<Attribute>>, Malformed> {
    let mut sequence = Cursor::only(der, asn1::SEQUENCE)?;
    let mut rdns = Vec::new();
    while !sequence.is_empty() {
        let mut set = sequence.enter(asn1::SET)?;
        let mut attributes = Vec::new();
        while !set.is_empty() {
            let mut pair = set.enter(asn1::SEQUENCE)?;
            let oid = pair.oid()?;
            let value = pair.next()?;
            pair.finish()?;
            attributes.push(read_attribute(oid, value));
        }
        if attributes.is_empty() {
            return Err(Malformed);
        }
        rdns.push(attributes);
    }
    Ok(rdns)
}

fn read_attribute(oid: ObjectIdentifier, value: Element<'_>) -> Attribute {
    let (text, clean) = match text::read(value) {
        Some(text) => {
            let clean = !text.contains('\0');
            (text, clean)
        }
        None => (String::from_utf8_lossy(value.value).into_owned(), false),
    };
    Attribute {
        oid,
        text,
        value: value.raw.to_vec(),
        clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organization_comes_first_and_is_printable() {
        let name = Name::organization_and_common_name("Test CA", "Test CA Root CA").unwrap();
        assert_eq!(name.in_order(), "O=Test CA,CN=Test CA Root CA");
        assert_eq!(name.to_string(), "CN=Test CA Root CA,O=Test CA");
        assert_eq!(name.cn().as_deref(), Some("Test CA Root CA"));
        assert_eq!(
            name.der()[..13],
            [
                0x30, 0x2c, 0x31, 0x10, 0x30, 0x0e, 0x06, 0x03, 0x55, 0x04, 0x0a, 0x13, 0x07
            ]
        );
    }

    #[test]
    fn what_is_not_printable_becomes_utf8() {
        let name = Name::common_name("a@b.example").unwrap();
        assert!(name.der().contains(&asn1::UTF8_STRING));
        assert_eq!(
            Name::common_name("Zürich").unwrap().cn().as_deref(),
            Some("Zürich")
        );
        assert!(
            Name::common_name("*.example.com")
                .unwrap()
                .der()
                .contains(&asn1::UTF8_STRING)
        );
    }

    #[test]
    fn empty_and_nul_are_refused() {
        assert!(matches!(Name::common_name(""), Err(Error::Name(_))));
        assert!(matches!(Name::common_name("a\0b"), Err(Error::Name(_))));
        assert!(Name::empty().is_empty());
        assert_eq!(Name::empty().to_string(), "");
    }

    #[test]
    fn values_that_are_no_text_are_kept_but_not_clean() {
        let pair = asn1::sequence(&[
            &asn1::oid(oid::COMMON_NAME),
            &asn1::wrap(asn1::UTF8_STRING, &[&[0xff, 0x61]]),
        ]);
        let name = Name::from_der(&asn1::sequence(&[&asn1::wrap(asn1::SET, &[&pair])])).unwrap();
        assert!(!name.is_clean());
        assert_eq!(name.cn().as_deref(), Some("\u{fffd}a"));
    }

    #[test]
    fn what_is_not_a_name_is_refused() {
        assert_eq!(Name::from_der(&[]), Err(Error::Der("name")));
        assert_eq!(Name::from_der(&[0x30, 2, 0x31, 0]), Err(Error::Der("name")));
        assert_eq!(
            Name::from_der(&[0x30, 0, 0]),
            Err(Error::TrailingBytes("name"))
        );
    }
}
