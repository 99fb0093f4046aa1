//! The value of a CAA `issue` record or a dns-persist-01 TXT record: an issuer's domain name and
//! parameters (RFC 8659 §4.2).

/// A parsed value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueValue {
    /// The issuer's domain name in lower case; none if the record allows no issuer.
    pub issuer: Option<String>,
    /// Tags in lower case with their values, in the order of the record.
    pub parameters: Vec<(String, String)>,
}

/// Why a value is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The part before the first semicolon is not a domain name.
    #[error("{0:?} is not a domain name")]
    Issuer(String),
    /// There is no parameter between two semicolons, or after the last one.
    #[error("it has a semicolon without a parameter after it")]
    Empty,
    /// It has more than 64 parameters.
    #[error("it has more than {MOST} parameters")]
    TooMany,
    /// There is no equals sign.
    #[error("the parameter {0:?} has no value: write tag=value")]
    NoValue(String),
    /// A tag has letters, digits and inner hyphens only.
    #[error("{0:?} is not a tag: letters, digits and hyphens between them are allowed")]
    Tag(String),
    /// A value has printable ASCII only, and neither white space nor a semicolon.
    #[error("the value of {0} has a character that is not allowed: printable ASCII without spaces")]
    Value(String),
}

impl IssueValue {
    /// Parses a value.
    ///
    /// # Errors
    /// [`Malformed`] if it does not follow the grammar of RFC 8659 §4.2.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let (issuer, rest) = match text.split_once(';') {
            Some((issuer, rest)) => (bare(issuer), Some(bare(rest))),
            None => (bare(text), None),
        };
        if !issuer.is_empty() && !issuer.split('.').all(is_word) {
            return Err(Malformed::Issuer(issuer.to_owned()));
        }
        let parameters = match rest {
            None | Some("") => Vec::new(),
            Some(rest) if rest.split(';').nth(MOST).is_some() => return Err(Malformed::TooMany),
            Some(rest) => rest.split(';').map(parameter).collect::<Result<_, _>>()?,
        };
        Ok(Self {
            issuer: (!issuer.is_empty()).then(|| issuer.to_ascii_lowercase()),
            parameters,
        })
    }

    /// The value of the first parameter with this tag, given in lower case.
    pub fn parameter(&self, tag: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(name, _)| name == tag);
        found.map(|(_, value)| value.as_str())
    }

    /// A repeated tag, if there is one.
    pub fn repeated(&self) -> Option<&str> {
        let mut all = self.parameters.iter().enumerate();
        all.find(|(n, (tag, _))| {
            self.parameters[..*n]
                .iter()
                .any(|(before, _)| before == tag)
        })
        .map(|(_, (tag, _))| tag.as_str())
    }
}

/// The issuer of a value, even if the rest of it is invalid.
pub fn issuer_of(text: &str) -> &str {
    bare(text.split(';').next().unwrap_or_default())
}

fn parameter(text: &str) -> Result<(String, String), Malformed> {
    let text = bare(text);
    if text.is_empty() {
        return Err(Malformed::Empty);
    }
    let (tag, value) = text
        .split_once('=')
        .ok_or_else(|| Malformed::NoValue(text.to_owned()))?;
    let (tag, value) = (bare(tag), bare(value));
    if !is_word(tag) {
        return Err(Malformed::Tag(tag.to_owned()));
    }
    if !value.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Malformed::Value(tag.to_owned()));
    }
    Ok((tag.to_ascii_lowercase(), value.to_owned()))
}

/// Letters and digits, with hyphens between them: a label, or a tag.
fn is_word(text: &str) -> bool {
    let edge = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

fn bare(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// The most parameters of a value: each is compared with all others.
const MOST: usize = 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value(issuer: Option<&str>, parameters: &[(&str, &str)]) -> IssueValue {
        let owned = |(tag, value): &(&str, &str)| ((*tag).to_owned(), (*value).to_owned());
        IssueValue {
            issuer: issuer.map(str::to_owned),
            parameters: parameters.iter().map(owned).collect(),
        }
    }

    #[test]
    fn too_many_parameters_are_refused_before_they_are_parsed() {
        let many = |count: usize| {
            let all: Vec<_> = (0..count).map(|n| format!("t{n}=")).collect();
            IssueValue::parse(&format!("ca.lab;{}", all.join(";")))
        };
        assert_eq!(many(MOST).unwrap().parameters.len(), MOST);
        assert_eq!(many(MOST + 1), Err(Malformed::TooMany));
        assert_eq!(many(20_000), Err(Malformed::TooMany));
    }

    #[test]
    fn the_forms_of_the_standard_are_parsed() {
        for (text, expected) in [
            ("ca1.example.net", value(Some("ca1.example.net"), &[])),
            (" CA.lab\t", value(Some("ca.lab"), &[])),
            (";", value(None, &[])),
            ("", value(None, &[])),
            ("ca.lab;", value(Some("ca.lab"), &[])),
            (
                "ca.lab; account=230123",
                value(Some("ca.lab"), &[("account", "230123")]),
            ),
            (
                "ca.lab;Policy = wildcard ;a=;u=https://x/?b=c",
                value(
                    Some("ca.lab"),
                    &[("policy", "wildcard"), ("a", ""), ("u", "https://x/?b=c")],
                ),
            ),
        ] {
            assert_eq!(IssueValue::parse(text), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn each_violation_of_the_grammar_has_its_own_error() {
        for (text, expected) in [
            ("%%%%%", Malformed::Issuer("%%%%%".into())),
            ("a..b", Malformed::Issuer("a..b".into())),
            ("ca.lab.", Malformed::Issuer("ca.lab.".into())),
            ("a b", Malformed::Issuer("a b".into())),
            ("ca.lab; a=b;", Malformed::Empty),
            ("ca.lab;; a=b", Malformed::Empty),
            ("ca.lab; policy", Malformed::NoValue("policy".into())),
            ("ca.lab; =x", Malformed::Tag(String::new())),
            ("ca.lab; -a=x", Malformed::Tag("-a".into())),
            ("ca.lab; a=b c", Malformed::Value("a".into())),
            ("ca.lab; a=\u{fffd}", Malformed::Value("a".into())),
        ] {
            assert_eq!(IssueValue::parse(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn a_repeated_tag_is_found_in_any_letter_case() {
        let twice = IssueValue::parse("ca.lab; a=1; b=2; A=3").unwrap();
        assert_eq!(twice.repeated(), Some("a"));
        assert_eq!(twice.parameter("a"), Some("1"));
        let once = IssueValue::parse("ca.lab; a=1; b=1").unwrap();
        assert_eq!(once.repeated(), None);
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(text in any::<String>()) {
            let _ = IssueValue::parse(&text);
            prop_assert!(text.contains(issuer_of(&text)));
        }

        #[test]
        fn what_is_written_is_parsed_back(
            issuer in "[a-z0-9]{1,9}(\\.[a-z0-9-]{0,5}[a-z0-9])?",
            parameters in prop::collection::vec(
                ("[a-z0-9](-?[a-z0-9]){0,5}", "[!-:<-~]{0,12}"), 0..5),
            space in "[ \t]{0,2}",
        ) {
            let issuer = issuer.replace(".-", ".a");
            let mut text = format!("{space}{issuer}{space}");
            for (tag, value) in &parameters {
                text += &format!(";{space}{tag}{space}={space}{value}{space}");
            }
            prop_assert_eq!(IssueValue::parse(&text), Ok(IssueValue { issuer: Some(issuer), parameters }));
        }
    }
}
