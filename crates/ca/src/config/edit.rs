//! Editing the text of ca.json: one provisioner changes, everything else stays, unknown keys and
//! the order of keys included. Written as the file's other writer does: tabs, no final newline.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value, json};

use crate::claims::Overrides;
use crate::go_duration;
use crate::words;

/// Why the text was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The name is taken.
    #[error("{}", words::provisioner_exists(.0))]
    Exists(String),
    /// No provisioner has the name.
    #[error("{}", words::provisioner_not_found(.0))]
    NotFound(String),
    /// The text is not the JSON of a configuration.
    #[error("the configuration cannot be edited: {0}")]
    Malformed(String),
}

/// The text with one more provisioner, at the end of the list.
///
/// # Errors
/// When the name is taken or the text cannot be read.
pub fn add_provisioner(ca_json: &str, provisioner: Value) -> Result<String, EditError> {
    let mut config = parse(ca_json)?;
    let list = provisioners(&mut config)?;
    let name = name_of(&provisioner).to_owned();
    if position(list, &name).is_some() {
        return Err(EditError::Exists(name));
    }
    list.push(provisioner);
    Ok(to_text(&config))
}

/// The text with `provisioner` in place of the one called `name`; it may bear a new name.
///
/// # Errors
/// When there is none of that name, the new name is taken, or the text cannot be read.
pub fn update_provisioner(
    ca_json: &str,
    name: &str,
    provisioner: Value,
) -> Result<String, EditError> {
    let mut config = parse(ca_json)?;
    let list = provisioners(&mut config)?;
    let at = position(list, name).ok_or_else(|| EditError::NotFound(name.to_owned()))?;
    let new_name = name_of(&provisioner).to_owned();
    if position(list, &new_name).is_some_and(|other| other != at) {
        return Err(EditError::Exists(new_name));
    }
    list[at] = provisioner;
    Ok(to_text(&config))
}

/// The text without the provisioner called `name`.
///
/// # Errors
/// When there is none of that name or the text cannot be read.
pub fn remove_provisioner(ca_json: &str, name: &str) -> Result<String, EditError> {
    let mut config = parse(ca_json)?;
    let list = provisioners(&mut config)?;
    let at = position(list, name).ok_or_else(|| EditError::NotFound(name.to_owned()))?;
    list.remove(at);
    Ok(to_text(&config))
}

/// The provisioner called `name` as the text has it, for an update.
///
/// # Errors
/// When there is none of that name or the text cannot be read.
pub fn find_provisioner(ca_json: &str, name: &str) -> Result<Value, EditError> {
    let mut config = parse(ca_json)?;
    let list = provisioners(&mut config)?;
    let at = position(list, name).ok_or_else(|| EditError::NotFound(name.to_owned()))?;
    Ok(list.swap_remove(at))
}

/// JSON as ca.json and defaults.json are written: a tab for each level, no final newline.
#[must_use]
pub fn to_text(value: &Value) -> String {
    let mut out = Vec::new();
    let formatter = PrettyFormatter::with_indent(b"\t");
    let written = value.serialize(&mut Serializer::with_formatter(&mut out, formatter));
    debug_assert!(written.is_ok(), "a JSON value always serialises");
    String::from_utf8(out).unwrap_or_default()
}

/// What the command line can say about an ACME provisioner. `None` leaves a value as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AcmeOptions {
    /// `--force-cn`
    pub force_cn: Option<bool>,
    /// `--require-eab`
    pub require_eab: Option<bool>,
    /// `--challenge`, several
    pub challenges: Option<Vec<String>>,
    /// `--attestation-format`, several
    pub attestation_formats: Option<Vec<String>>,
    /// `--attestation-roots`: certificates in PEM, in base64
    pub attestation_roots: Option<String>,
    /// `--x509-min-dur`, `--disable-renewal` and so on
    pub claims: Overrides,
}

impl AcmeOptions {
    /// A new provisioner as the command line's other implementation adds it.
    #[must_use]
    pub fn to_provisioner(&self, name: &str) -> Value {
        let mut value = json!({
            "type": "ACME",
            "name": name,
            "claims": {
                "enableSSHCA": true,
                "disableRenewal": false,
                "allowRenewalAfterExpiry": false,
                "disableSmallstepExtensions": false
            },
            "options": { "x509": {}, "ssh": {} }
        });
        self.apply(&mut value);
        value
    }

    /// Changes what is said here in an existing provisioner.
    pub fn apply(&self, provisioner: &mut Value) {
        let Value::Object(object) = provisioner else {
            return;
        };
        set_flag(object, "forceCN", self.force_cn);
        set_flag(object, "requireEAB", self.require_eab);
        let lists = [
            ("challenges", &self.challenges),
            ("attestationFormats", &self.attestation_formats),
        ];
        for (key, list) in lists {
            match list {
                None => {}
                Some(list) if list.is_empty() => {
                    object.shift_remove(key);
                }
                Some(list) => insert_before(object, "claims", key, json!(list)),
            }
        }
        if let Some(roots) = &self.attestation_roots {
            insert_before(object, "claims", "attestationRoots", json!(roots));
        }
        apply_claims(object, &self.claims);
    }
}

/// Changes the claims that are said, in the `claims` of any provisioner.
pub fn apply_claims(provisioner: &mut Map<String, Value>, said: &Overrides) {
    if *said == Overrides::default() {
        return;
    }
    let claims = provisioner
        .entry("claims")
        .or_insert_with(|| Value::Object(Map::new()));
    if claims.is_null() {
        *claims = Value::Object(Map::new());
    }
    let Value::Object(claims) = claims else {
        return;
    };
    for (key, duration) in [
        ("minTLSCertDuration", said.minimum),
        ("maxTLSCertDuration", said.maximum),
        ("defaultTLSCertDuration", said.default),
    ] {
        if let Some(duration) = duration {
            claims.insert(key.to_owned(), go_duration::format(duration).into());
        }
    }
    for (key, flag) in [
        ("disableRenewal", said.disable_renewal),
        ("allowRenewalAfterExpiry", said.allow_renewal_after_expiry),
        ("disableSmallstepExtensions", said.disable_extension),
    ] {
        if let Some(flag) = flag {
            claims.insert(key.to_owned(), flag.into());
        }
    }
}

/// A flag that is written only when it is set.
fn set_flag(object: &mut Map<String, Value>, key: &str, flag: Option<bool>) {
    match flag {
        None => {}
        Some(false) => {
            object.shift_remove(key);
        }
        Some(true) => insert_before(object, "claims", key, Value::Bool(true)),
    }
}

/// Puts a key where the file's other writer has it: before `next` if that is there.
fn insert_before(object: &mut Map<String, Value>, next: &str, key: &str, value: Value) {
    if let Some(place) = object.get_mut(key) {
        *place = value;
        return;
    }
    let at = object
        .keys()
        .position(|name| name == next)
        .unwrap_or(object.len());
    object.shift_insert(at, key.to_owned(), value);
}

fn parse(ca_json: &str) -> Result<Value, EditError> {
    serde_json::from_str(ca_json.trim_start_matches('\u{feff}'))
        .map_err(|error| EditError::Malformed(error.to_string()))
}

/// The list of provisioners, made where it is missing or null.
fn provisioners(config: &mut Value) -> Result<&mut Vec<Value>, EditError> {
    let malformed = |what: &str| EditError::Malformed(what.to_owned());
    let top = config
        .as_object_mut()
        .ok_or_else(|| malformed("it is not an object"))?;
    let authority = top.entry("authority").or_insert(Value::Null);
    if authority.is_null() {
        *authority = json!({});
    }
    let list = authority
        .as_object_mut()
        .ok_or_else(|| malformed("authority is not an object"))?
        .entry("provisioners")
        .or_insert(Value::Null);
    if list.is_null() {
        *list = json!([]);
    }
    list.as_array_mut()
        .ok_or_else(|| malformed("authority.provisioners is not a list"))
}

fn position(list: &[Value], name: &str) -> Option<usize> {
    list.iter().position(|value| name_of(value) == name)
}

fn name_of(provisioner: &Value) -> &str {
    provisioner
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\n\t\"ours\": 1.2,\n\t\"authority\": {\n\t\t\"provisioners\": [\n\t\t\t{\n\t\t\t\t\"type\": \"JWK\",\n\t\t\t\t\"name\": \"admin\"\n\t\t\t}\n\t\t],\n\t\t\"template\": {}\n\t},\n\t\"zebra\": null\n}";

    #[test]
    fn an_added_provisioner_comes_last_and_the_rest_stays() {
        let added = add_provisioner(TEXT, AcmeOptions::default().to_provisioner("acme")).unwrap();
        let value: Value = serde_json::from_str(&added).unwrap();
        assert_eq!(
            value["authority"]["provisioners"][1].to_string(),
            r#"{"type":"ACME","name":"acme","claims":{"enableSSHCA":true,"disableRenewal":false,"allowRenewalAfterExpiry":false,"disableSmallstepExtensions":false},"options":{"x509":{},"ssh":{}}}"#
        );
        assert_eq!(remove_provisioner(&added, "acme").unwrap(), TEXT);
    }

    #[test]
    fn a_name_that_is_taken_or_unknown_is_refused_in_smallsteps_words() {
        let again = add_provisioner(TEXT, json!({"type": "ACME", "name": "admin"}));
        assert_eq!(
            again.unwrap_err().to_string(),
            "provisioner with name admin already exists"
        );
        let unknown = remove_provisioner(TEXT, "nonexist");
        assert_eq!(
            unknown.unwrap_err().to_string(),
            "provisioner nonexist not found"
        );
    }

    #[test]
    fn a_file_without_provisioners_gets_a_list() {
        for text in [
            "{}",
            r#"{"authority":null}"#,
            r#"{"authority":{"provisioners":null}}"#,
        ] {
            let added = add_provisioner(text, json!({"name": "acme"})).unwrap();
            assert!(find_provisioner(&added, "acme").is_ok(), "{text}");
        }
    }

    #[test]
    fn an_update_changes_only_what_is_said() {
        let mut acme = AcmeOptions::default().to_provisioner("acme");
        let options = AcmeOptions {
            force_cn: Some(true),
            challenges: Some(vec!["http-01".into()]),
            claims: Overrides {
                maximum: Some(jiff::SignedDuration::from_hours(48)),
                ..Overrides::default()
            },
            ..AcmeOptions::default()
        };
        options.apply(&mut acme);
        let keys: Vec<_> = acme.as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            ["type", "name", "forceCN", "challenges", "claims", "options"]
        );
        assert_eq!(acme["claims"]["maxTLSCertDuration"], "48h0m0s");
        assert_eq!(acme["claims"]["enableSSHCA"], true);
        let renamed = update_provisioner(TEXT, "admin", json!({"name": "boss"})).unwrap();
        assert!(find_provisioner(&renamed, "boss").is_ok());
        let both = add_provisioner(TEXT, acme).unwrap();
        assert_eq!(
            update_provisioner(&both, "acme", json!({"name": "admin"})),
            Err(EditError::Exists("admin".into()))
        );
    }
}
