//! JWK provisioners as ca.json writes them.

use super::{disable, read_options};
use crate::config::section::Section;
use crate::provisioner::{Common, Jwk, Provisioner};

pub(super) fn read(mut common: Common, section: &mut Section<'_>) -> Provisioner {
    read_options(&mut common, section);
    let kid = match section.section("key") {
        Some(mut key) => key.text("kid").unwrap_or_default(),
        None => String::new(),
    };
    if kid.is_empty() {
        let what = "the public key or its kid is missing".to_owned();
        disable(&mut common, section, "key", what);
    }
    let encrypted_key = section.text("encryptedKey");
    Jwk {
        common,
        kid,
        encrypted_key,
    }
    .into()
}
