//! Protected headers: the octets are signed as a header, to reach the checks after the signature. An
//! accepted header has one signer, one URL and no critical extension.

use std::sync::LazyLock;

use acme::envelope::{Parsed, Signer};
use data_encoding::BASE64URL_NOPAD;
use pki::PrivateKey;
use pki::jose::{Alg, Jwk};

/// The key of the sender.
static KEY: LazyLock<PrivateKey> = LazyLock::new(|| {
    let pem = include_bytes!("../../crates/acme/testdata/account.pem");
    PrivateKey::from_pem(pem, None).expect("a key")
});

/// Verifies the octets as a protected header, signed.
pub fn check(octets: &[u8]) -> bool {
    let protected = BASE64URL_NOPAD.encode(octets);
    let message = format!("{protected}.e30");
    let signature = KEY
        .sign_jose(Alg::Es256, message.as_bytes())
        .expect("a signature");
    let signature = BASE64URL_NOPAD.encode(&signature);
    let body =
        format!(r#"{{"protected":"{protected}","payload":"e30","signature":"{signature}"}}"#);
    let Ok(parsed) = Parsed::parse(body.as_bytes()) else {
        return false;
    };
    let header: serde_json::Value = serde_json::from_slice(octets).expect("it was parsed");
    let has = |name: &str| header.get(name).is_some();
    assert!(has("jwk") != has("kid") && !has("crit") && !has("b64"));
    assert_eq!(header["url"], parsed.url());
    if let Ok(nonce) = parsed.nonce() {
        assert_eq!(header["nonce"], nonce);
        assert!(
            nonce
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
    }
    let url = parsed.url().to_owned();
    let own = Jwk::from_public_key(KEY.public());
    let claimed = match parsed.signer() {
        Signer::Jwk(jwk) => jwk.clone(),
        Signer::Kid(_) => own.clone(),
    };
    assert!(parsed.clone().verify(&claimed, &format!("{url}x")).is_err());
    match parsed.verify(&claimed, &url) {
        Ok(verified) => {
            assert_eq!(header["alg"], "ES256");
            assert_eq!(claimed, own, "signed by another key than it names");
            verified.json::<serde_json::Value>().is_ok()
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::run;

    #[test]
    fn any_header_is_parsed_or_refused_and_an_accepted_one_is_unambiguous() {
        run::nearly_valid("header");
    }
}
