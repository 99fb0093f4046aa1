//! Prints names: in the order of the encoding as `step` prints them, and as Go's `pkix.Name` does.

use std::fmt::Write;

use der::asn1::ObjectIdentifier;

use super::{Attribute, text};
use crate::oid;

/// The attributes Go's `pkix.Name` knows, in the order in which it writes them back.
const KNOWN: [(&str, &str); 9] = [
    ("2.5.4.6", "C"),
    ("2.5.4.8", "ST"),
    ("2.5.4.7", "L"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.17", "POSTALCODE"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "SERIALNUMBER"),
];

/// `O=Test CA,CN=Test CA Root CA`, unescaped; attributes of 2.5.4 without a short name show only their type.
pub(super) fn in_order(rdns: &[Vec<Attribute>]) -> String {
    let parts: Vec<String> = rdns.iter().flatten().map(one).collect();
    parts.join(",")
}

/// `CN=Test CA Root CA,O=Test CA`: from last to first, values escaped, values of one type together.
pub(super) fn like_go(rdns: &[Vec<Attribute>]) -> String {
    let all = || rdns.iter().flatten();
    let mut groups: Vec<Vec<&Attribute>> = all()
        .filter(|attribute| short(attribute.oid).is_none())
        .map(|attribute| vec![attribute])
        .collect();
    for (dotted, _) in KNOWN {
        let same: Vec<&Attribute> = all()
            .filter(|attribute| attribute.oid.to_string() == dotted)
            .collect();
        match dotted {
            // Go keeps one value of these two: the last.
            "2.5.4.3" | "2.5.4.5" => {
                groups.extend(same.last().filter(|a| !a.text.is_empty()).map(|a| vec![*a]))
            }
            _ if same.is_empty() => {}
            _ => groups.push(same),
        }
    }
    let parts: Vec<String> = groups
        .iter()
        .rev()
        .map(|group| {
            group
                .iter()
                .map(|attribute| escaped(attribute))
                .collect::<Vec<_>>()
                .join("+")
        })
        .collect();
    parts.join(",")
}

fn one(attribute: &Attribute) -> String {
    let dotted = attribute.oid.to_string();
    let text = &attribute.text;
    match (short(attribute.oid), dotted.as_str()) {
        (Some(name), _) => format!("{name}={text}"),
        (None, other) if other.starts_with("2.5.4.") && other.matches('.').count() == 3 => {
            format!("UnknownOID={other}")
        }
        (None, "0.9.2342.19200300.100.1.25") => format!("DC={text}"),
        (None, "0.9.2342.19200300.100.1.1") => format!("UID={text}"),
        (None, _) if attribute.oid == oid::EMAIL_ADDRESS => format!("emailAddress={text}"),
        (None, other) if attribute.clean => format!("{other}={text}"),
        (None, other) => format!("UnknownOID={other}"),
    }
}

fn short(oid: ObjectIdentifier) -> Option<&'static str> {
    let dotted = oid.to_string();
    KNOWN
        .iter()
        .find(|(known, _)| *known == dotted)
        .map(|(_, name)| *name)
}

fn escaped(attribute: &Attribute) -> String {
    let Some(name) = short(attribute.oid) else {
        // Go writes the value anew, whatever string type it had.
        let value = if attribute.clean {
            text::write(&attribute.text)
        } else {
            attribute.value.clone()
        };
        return format!(
            "{}=#{}",
            attribute.oid,
            data_encoding::HEXLOWER.encode(&value)
        );
    };
    let mut out = format!("{name}=");
    let last = attribute.text.chars().count().saturating_sub(1);
    for (place, letter) in attribute.text.chars().enumerate() {
        let must = match letter {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => true,
            ' ' => place == 0 || place == last,
            '#' => place == 0,
            _ => false,
        };
        if must {
            out.push('\\');
        }
        let _ = out.write_char(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::{Name, asn1, oid};

    fn name(pairs: &[(&str, &str)]) -> Name {
        let rdns: Vec<Vec<u8>> = pairs
            .iter()
            .map(|(dotted, text)| {
                let value = asn1::wrap(asn1::UTF8_STRING, &[text.as_bytes()]);
                let pair = asn1::sequence(&[&asn1::oid(dotted.parse().unwrap()), &value]);
                asn1::wrap(asn1::SET, &[&pair])
            })
            .collect();
        Name::from_der(&asn1::sequence(
            &rdns.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        ))
        .unwrap()
    }

    #[test]
    fn several_values_of_a_type_stand_together() {
        let name = name(&[
            ("2.5.4.3", "cn"),
            ("2.5.4.11", "one"),
            ("2.5.4.6", "CH"),
            ("2.5.4.11", "two"),
        ]);
        assert_eq!(name.to_string(), "CN=cn,OU=one+OU=two,C=CH");
        assert_eq!(name.in_order(), "CN=cn,OU=one,C=CH,OU=two");
    }

    #[test]
    fn special_letters_are_escaped_only_in_the_form_of_go() {
        let name = name(&[("2.5.4.10", " a,b+c\"# "), ("2.5.4.3", "#x")]);
        assert_eq!(name.to_string(), r##"CN=\#x,O=\ a\,b\+c\"#\ "##);
        assert_eq!(name.in_order(), r##"O= a,b+c"# ,CN=#x"##);
    }

    #[test]
    fn unknown_attributes_show_their_type_and_bytes() {
        let name = name(&[("2.5.4.3", "cn"), ("1.2.3.4", "x"), ("2.5.4.42", "given")]);
        assert_eq!(
            name.to_string(),
            "CN=cn,2.5.4.42=#1305676976656e,1.2.3.4=#130178"
        );
        assert_eq!(name.in_order(), "CN=cn,1.2.3.4=x,UnknownOID=2.5.4.42");
    }

    #[test]
    fn the_mail_address_has_a_name_in_order_only() {
        let name = name(&[(oid::EMAIL_ADDRESS.to_string().as_str(), "a@b")]);
        assert_eq!(name.in_order(), "emailAddress=a@b");
        assert_eq!(name.to_string(), "1.2.840.113549.1.9.1=#0c03614062");
    }

    #[test]
    fn a_name_of_everything_is_printed_as_go_and_step_print_it() {
        let name = include_bytes!("../../testdata/openssl/names.crt");
        let name = crate::Certificate::from_pem(name)
            .unwrap()
            .subject()
            .clone();
        let go = r"SERIALNUMBER=77,CN=\#x\<y\>\;\\\\z,OU=two,O=\ a\,b,POSTALCODE=8000,STREET=Way 1,L=Zürich,ST=ZH,C=CH,0.9.2342.19200300.100.1.1=#13027531,1.2.840.113549.1.9.1=#0c03614062,2.5.4.42=#1305676976656e,0.9.2342.19200300.100.1.25=#13026578,0.9.2342.19200300.100.1.25=#13036f7267";
        assert_eq!(name.to_string(), go);
        let step = r"DC=org,DC=ex,C=CH,ST=ZH,L=Zürich,STREET=Way 1,POSTALCODE=8000,O= a,b,OU=two,UnknownOID=2.5.4.42,emailAddress=a@b,UID=u1,SERIALNUMBER=77,CN=#x<y>;\\z";
        assert_eq!(name.in_order(), step);
    }
}
