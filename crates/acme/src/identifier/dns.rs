//! Host names and wildcards (RFC 8555 §7.1.3, RFC 1123 §2.1).

use std::fmt;
use std::net::IpAddr;

use crate::problem::{Problem, quote};

/// A host name in canonical form: lower case, A-labels, no final dot, labels of
/// letters, digits and hyphens, not an address (RFC 1123 §2.1, RFC 5890 §2.3.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(String);

impl DnsName {
    /// Parses a host name and converts it to lower case.
    ///
    /// # Errors
    /// `malformed` with the fault of the name.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let name = text.to_ascii_lowercase();
        check_name(&name).map_err(|fault| fault.about(text))?;
        Ok(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this domain, or a subdomain of it (RFC 9499 §7).
    pub fn is_within(&self, domain: &Self) -> bool {
        let above = self.0.strip_suffix(&domain.0);
        above.is_some_and(|labels| labels.is_empty() || labels.ends_with('.'))
    }

    /// The name and all its parents, nearest first.
    pub fn lineage(&self) -> impl Iterator<Item = Self> {
        let begins = self.0.match_indices('.').map(|(dot, _)| dot + 1);
        std::iter::once(0)
            .chain(begins)
            .map(|begin| Self(self.0.split_at(begin).1.to_owned()))
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Parses the base of a wildcard: `value` is the full wildcard, `base` the part after `*.`.
pub(super) fn wildcard(value: &str, base: &str) -> Result<DnsName, Problem> {
    if value.len() > LONGEST_NAME {
        return Err(Fault::TooLong(value.len()).about(value));
    }
    let base = base.to_ascii_lowercase();
    check_name(&base).map_err(|fault| fault.about(value))?;
    Ok(DnsName(base))
}

/// The fault of a name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("it is empty")]
    Empty,
    #[error("it is an IP address: use an identifier of type ip")]
    Address,
    #[error("its last label is a number, which a host name cannot have; an address has type ip")]
    Numeric,
    #[error("it ends with a dot: omit the dot")]
    FinalDot,
    #[error("it is {0} octets long, and 253 is the limit")]
    TooLong(usize),
    #[error("it has an empty label (two dots in a row, or a dot at its start)")]
    EmptyLabel,
    #[error("the label {} is {} octets long, and 63 is the limit", quote(.0), .0.len())]
    LongLabel(String),
    #[error("an asterisk is allowed only as the complete first label")]
    Asterisk,
    #[error("an underscore is not allowed in a host name")]
    Underscore,
    #[error("it has characters beyond ASCII: send {0} instead")]
    Unicode(String),
    #[error("it has characters beyond ASCII that are not valid in an internationalised name")]
    NotUnicodeName,
    #[error(
        "the character {0:?} is not allowed: a host name has letters, digits, hyphens and dots"
    )]
    Character(char),
    #[error("the label {} begins or ends with a hyphen", quote(.0))]
    Hyphen(String),
    #[error("the label {} has hyphens in the third and fourth position, which is reserved", quote(.0))]
    Reserved(String),
    #[error("the label {} is not a valid A-label", quote(.0))]
    ALabel(String),
}

impl Fault {
    fn about(&self, value: &str) -> Problem {
        Problem::malformed(format!("{} is not a host name: {self}.", quote(value)))
    }
}

fn check_name(name: &str) -> Result<(), Fault> {
    if name.is_empty() {
        return Err(Fault::Empty);
    }
    if name.parse::<IpAddr>().is_ok() {
        return Err(Fault::Address);
    }
    check_characters(name)?;
    if name.len() > LONGEST_NAME {
        return Err(Fault::TooLong(name.len()));
    }
    if name.ends_with('.') && name != "." {
        return Err(Fault::FinalDot);
    }
    name.split('.').try_for_each(check_label)?;
    // Resolvers interpret 127.1 and 0x7f.1 as addresses (RFC 3986 §7.4).
    let last = name.rsplit('.').next().unwrap_or(name);
    let digits = last.strip_prefix("0x").unwrap_or(last);
    let hexadecimal = digits.len() < last.len() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if hexadecimal || last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::Numeric);
    }
    Ok(())
}

fn check_characters(name: &str) -> Result<(), Fault> {
    if !name.is_ascii() {
        return Err(match idna::domain_to_ascii(name) {
            Ok(ascii) if name.len() <= 4 * LONGEST_NAME && check_name(&ascii).is_ok() => {
                Fault::Unicode(ascii)
            }
            _ => Fault::NotUnicodeName,
        });
    }
    let odd = name
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && *c != '-' && *c != '.');
    match odd {
        None => Ok(()),
        Some('*') => Err(Fault::Asterisk),
        Some('_') => Err(Fault::Underscore),
        Some(other) => Err(Fault::Character(other)),
    }
}

fn check_label(label: &str) -> Result<(), Fault> {
    if label.is_empty() {
        return Err(Fault::EmptyLabel);
    }
    if label.len() > 63 {
        return Err(Fault::LongLabel(label.to_owned()));
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err(Fault::Hyphen(label.to_owned()));
    }
    if label.get(2..4) != Some("--") {
        return Ok(());
    }
    if !label.starts_with("xn--") {
        return Err(Fault::Reserved(label.to_owned()));
    }
    // An A-label that does not round-trip, or decodes to plain ASCII, is refused.
    let (unicode, outcome) = idna::domain_to_unicode(label);
    let back = idna::domain_to_ascii(&unicode);
    if outcome.is_err() || unicode.is_ascii() || !back.is_ok_and(|back| back == label) {
        return Err(Fault::ALabel(label.to_owned()));
    }
    Ok(())
}

/// The longest name as text, in octets (RFC 1035 §2.3.4: 255 octets on the wire).
const LONGEST_NAME: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identifier::Identifier;

    fn dns(value: &str) -> Result<String, String> {
        let parsed = Identifier::parse("dns", value);
        parsed.map(|id| id.to_string()).map_err(|p| p.detail)
    }

    #[test]
    fn names_are_converted_to_lower_case() {
        for (sent, kept) in [
            ("EXAMPLE.com", "example.com"),
            ("localhost", "localhost"),
            ("*.Foo.Lab", "*.foo.lab"),
            ("xn--mller-kva.example", "xn--mller-kva.example"),
            ("XN--Mller-KVA.example", "xn--mller-kva.example"),
            ("1.2.3.example", "1.2.3.example"),
            ("a--b.example", "a--b.example"),
            ("3com.0x7g", "3com.0x7g"),
        ] {
            assert_eq!(dns(sent).as_deref(), Ok(kept));
        }
        assert_eq!(
            dns(&["a".repeat(63), "b".into()].join(".")).unwrap().len(),
            65
        );
        let longest = ["abcd"; 50].join(".") + ".efg";
        assert_eq!(longest.len(), 253);
        assert!(dns(&longest).is_ok());
    }

    #[test]
    fn every_fault_of_a_name_has_its_own_detail() {
        let long_label = format!("{}.example", "a".repeat(64));
        let long_name = ["abcd"; 50].join(".") + ".efgh";
        for (name, word) in [
            ("", "empty"),
            (".", "empty label"),
            ("a..b", "empty label"),
            (".a", "empty label"),
            ("example.com.", "ends with a dot"),
            (long_label.as_str(), "64 octets long, and 63"),
            (long_name.as_str(), "254 octets long, and 253"),
            ("*", "asterisk"),
            ("*.*.a", "asterisk"),
            ("a.*.b", "asterisk"),
            ("f*o.b", "asterisk"),
            ("*.", "empty"),
            ("a_b.example", "underscore"),
            ("a.com\0.b", "character"),
            ("a%2eb", "character"),
            ("a b", "character"),
            ("müller.example", "send xn--mller-kva.example"),
            ("a。b", "send a.b"),
            ("\u{ff0e}", "beyond ASCII"),
            ("-a.b", "hyphen"),
            ("a-.b", "hyphen"),
            ("ab--c.d", "reserved"),
            ("xn--zzzzzz999.d", "A-label"),
            ("xn--abc-.d", "hyphen"),
            ("192.0.2.1", "type ip"),
            ("::1", "type ip"),
            ("*.192.0.2.1", "type ip"),
            ("127.1", "number"),
            ("0x7f.1", "number"),
            ("a.0x7f", "number"),
            ("2130706433", "number"),
        ] {
            let detail = dns(name).unwrap_err();
            assert!(detail.contains(word), "{name}: {detail}");
            assert!(detail.len() < 400, "{detail}");
        }
    }

    #[test]
    fn a_name_is_within_itself_and_all_its_parents() {
        let name = |text| DnsName::parse(text).unwrap();
        let lineage: Vec<_> = name("a.b.lab").lineage().collect();
        assert_eq!(lineage, [name("a.b.lab"), name("b.lab"), name("lab")]);
        for domain in &lineage {
            assert!(name("a.b.lab").is_within(domain));
        }
        assert!(!name("b.lab").is_within(&name("a.b.lab")));
        assert!(!name("ab.lab").is_within(&name("b.lab")));
    }
}
