//! `authority.provisioners` of ca.json. One file a type, as in [`crate::provisioner`], and one line
//! in [`READERS`].

mod acme;
mod attestation;
mod jwk;
mod other;

use serde_json::Value;

use super::section::{Section, Unknown, is_blank};
use crate::claims::Claims;
use crate::provisioner::{self, Common, Provisioner};

/// How the objects of a type are read.
struct Reader {
    /// The type's name in ca.json, in capital letters.
    name: &'static str,
    read: fn(Common, &mut Section<'_>) -> Provisioner,
}

const READERS: &[Reader] = &[
    Reader {
        name: provisioner::acme::TYPE,
        read: acme::read,
    },
    Reader {
        name: provisioner::jwk::TYPE,
        read: jwk::read,
    },
];

/// Reads one object of `authority.provisioners`; `value` is the same object.
pub(super) fn read(mut section: Section<'_>, value: &Value, claims: &Claims) -> Provisioner {
    let kind = section.required("type");
    let name = section.required("name");
    let mut common = Common {
        name,
        claims: claims.clone(),
        disabled: None,
        listing: without_secrets(value),
    };
    if let Some(own) = section.section("claims") {
        match claims.merge(&super::authority::read_claims(own)) {
            Ok(merged) => common.claims = merged,
            Err(error) => disable(&mut common, &section, "claims", error.to_string()),
        }
    }
    let mut all = READERS.iter();
    let Some(reader) = all.find(|reader| reader.name.eq_ignore_ascii_case(&kind)) else {
        return other::read(common, &kind, &section);
    };
    let provisioner = (reader.read)(common, &mut section);
    section.finish(Unknown::Warn);
    provisioner
}

/// Notes why a provisioner cannot work; the first reason stays.
fn disable(common: &mut Common, section: &Section<'_>, key: &str, reason: String) {
    section.warn(key, format!("{reason}; the provisioner is disabled"));
    common.disabled.get_or_insert(reason);
}

/// Reads `options`: what would change or forbid a certificate and is not supported disables the
/// provisioner, so that no certificate is issued without it.
fn read_options(common: &mut Common, section: &mut Section<'_>) {
    let Some(mut options) = section.section("options") else {
        return;
    };
    if let Some(mut x509) = options.section("x509") {
        for key in ["template", "templateFile"] {
            if x509.value(key).is_some_and(|value| !is_blank(value)) {
                let what = "templates are not supported yet".to_owned();
                disable(common, &x509, key, what);
            }
        }
        x509.skip(&["templateData"]);
        x509.finish(Unknown::Warn);
    }
    for (key, reason) in [
        ("webhooks", "webhooks are not supported yet"),
        ("wire", "Wire challenges are not supported"),
    ] {
        if options.value(key).is_some_and(|value| !is_blank(value)) {
            disable(common, &options, key, reason.to_owned());
        }
    }
    options.skip(&["ssh"]);
    options.finish(Unknown::Warn);
}

/// The object with its secrets redacted.
fn without_secrets(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(map) = &mut value {
        for (key, member) in map.iter_mut() {
            if SECRETS.iter().any(|name| name.eq_ignore_ascii_case(key)) {
                *member = REDACTED.into();
            }
        }
    }
    value
}

/// Members that `GET /provisioners` does not show, because it is public.
const SECRETS: [&str; 3] = ["challenge", "decrypterKeyPEM", "decrypterKeyPassword"];
const REDACTED: &str = "*** REDACTED ***";
