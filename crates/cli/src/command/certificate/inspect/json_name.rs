//! Distinguished names in the JSON form.

use pki::Name;
use serde_json::{Map, Value, json};

/// Attributes that are members: the member, the object identifier.
const MEMBERS: [(&str, &str); 16] = [
    ("common_name", "2.5.4.3"),
    ("serial_number", "2.5.4.5"),
    ("country", "2.5.4.6"),
    ("locality", "2.5.4.7"),
    ("province", "2.5.4.8"),
    ("street_address", "2.5.4.9"),
    ("organization", "2.5.4.10"),
    ("organizational_unit", "2.5.4.11"),
    ("postal_code", "2.5.4.17"),
    ("domain_component", "0.9.2342.19200300.100.1.25"),
    ("email_address", "1.2.840.113549.1.9.1"),
    ("given_name", "2.5.4.42"),
    ("surname", "2.5.4.4"),
    ("jurisdiction_country", "1.3.6.1.4.1.311.60.2.1.3"),
    ("jurisdiction_locality", "1.3.6.1.4.1.311.60.2.1.1"),
    ("jurisdiction_province", "1.3.6.1.4.1.311.60.2.1.2"),
];

/// Attributes that have a short name on a line; others stand there by their object identifier.
const SHORT: [(&str, &str); 17] = [
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.13", "description"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.42", "GN"),
    ("2.5.4.43", "initials"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
];

/// A name's attributes by kind; kinds without a word are left out.
pub(crate) fn members(name: &Name) -> Value {
    let attributes = name.attributes();
    let mut out = Map::new();
    for (member, oid) in MEMBERS {
        let of_kind = attributes
            .iter()
            .filter(|(found, _)| found.to_string() == oid);
        let values: Vec<&str> = of_kind.map(|(_, value)| value.as_str()).collect();
        if !values.is_empty() {
            out.insert(member.to_owned(), json!(values));
        }
    }
    Value::Object(out)
}

/// A name on one line: `O=Test CA, CN=Test CA Root CA`.
pub(crate) fn line(name: &Name) -> String {
    let parts = name.attributes().into_iter().map(|(oid, value)| {
        let oid = oid.to_string();
        let short = SHORT.iter().find(|(known, _)| *known == oid);
        format!("{}={value}", short.map_or(oid.as_str(), |(_, short)| short))
    });
    parts.collect::<Vec<_>>().join(", ")
}
