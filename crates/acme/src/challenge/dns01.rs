//! dns-01 (RFC 8555 §8.4): a TXT record with a digest of the key authorization,
//! for names and wildcards.

use data_encoding::BASE64URL_NOPAD;

use super::observation::{Observation, TxtProbe};
use super::txt::TxtLookup;
use super::{Context, Method, Properties, Verdict};

/// What the method can prove, and what its challenges have.
pub(super) const PROPERTIES: Properties = Properties {
    word: "dns-01",
    code: 1,
    names: true,
    wildcards: true,
    addresses: false,
    devices: false,
    serves_again: true,
    reaches_subdomains: true,
    has_token: true,
    judges_payload: false,
};

pub(super) fn ask(cx: &Context<'_>) -> TxtProbe {
    lookup(cx).probe()
}

pub(super) fn judge(cx: &Context<'_>, seen: &Observation) -> Verdict {
    lookup(cx).exact(seen)
}

/// The value of the TXT record.
pub(super) fn value(cx: &Context<'_>) -> String {
    BASE64URL_NOPAD.encode(&pki::sha256(cx.key_authorization.as_bytes()))
}

fn lookup<'a>(cx: &'a Context<'a>) -> TxtLookup<'a> {
    TxtLookup {
        method: Method::Dns01,
        cx,
        name: format!("_acme-challenge.{}", cx.identifier.base()),
        wanted: value(cx),
    }
}

#[cfg(test)]
mod tests {
    use super::super::txt::tests::{context, retry, seen};
    use super::super::{CaaIdentity, judge};
    use super::*;
    use crate::identifier::Identifier;

    /// `printf %s tok.thumb | openssl sha256 -binary | basenc --base64url`
    const VALUE: &str = "sYAwVrqDtVOuJZvAHurSAYPoEt5fFV_C4bdSOOW-o5Y";

    #[test]
    fn the_record_of_a_wildcard_is_at_its_base() {
        let caa_identity = CaaIdentity::default();
        for name in ["foo.lab", "*.foo.lab"] {
            let identifier = Identifier::parse("dns", name).unwrap();
            let probe = ask(&context(&identifier, &caa_identity));
            assert_eq!(probe.name, "_acme-challenge.foo.lab");
        }
    }

    #[test]
    fn only_the_digest_of_the_key_authorization_proves_the_name() {
        let identifier = Identifier::parse("dns", "*.foo.lab").unwrap();
        let caa_identity = CaaIdentity::default();
        let cx = context(&identifier, &caa_identity);
        let Verdict::Valid(proof) = judge(Method::Dns01, &cx, &seen(&[VALUE])) else {
            panic!();
        };
        assert_eq!(proof.identifier(), &identifier);
        for wrong in ["tok.thumb", "tok", &VALUE.to_lowercase()] {
            retry(judge(Method::Dns01, &cx, &seen(&[wrong])));
        }
    }
}
