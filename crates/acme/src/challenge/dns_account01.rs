//! dns-account-01 (draft-ietf-acme-dns-account-label): the record of dns-01 under a label of the
//! account, so that several accounts can prove one name.

use data_encoding::BASE32_NOPAD;

use super::observation::{Observation, TxtProbe};
use super::txt::TxtLookup;
use super::{Context, Method, Properties, Verdict, dns01};

/// The number of octets of the digest in the label.
const LABEL_OCTETS: usize = 10;

/// What the method can prove, and what its challenges have.
pub(super) const PROPERTIES: Properties = Properties {
    word: "dns-account-01",
    code: 4,
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

fn lookup<'a>(cx: &'a Context<'a>) -> TxtLookup<'a> {
    let (label, base) = (label(&cx.caa_identity.account_url), cx.identifier.base());
    TxtLookup {
        method: Method::DnsAccount01,
        cx,
        name: format!("_{label}._acme-challenge.{base}"),
        wanted: dns01::value(cx),
    }
}

/// The account's label without its underscore: the first octets of its URL's digest in base 32.
fn label(account_url: &str) -> String {
    let digest = pki::sha256(account_url.as_bytes());
    BASE32_NOPAD
        .encode(&digest[..LABEL_OCTETS])
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::super::txt::tests::{context, seen};
    use super::super::{CaaIdentity, judge};
    use super::*;
    use crate::identifier::Identifier;

    #[test]
    fn the_label_matches_the_example_of_the_draft() {
        let url = "https://example.com/acme/acct/ExampleAccount";
        assert_eq!(label(url), "ujmmovf2vn55tgye");
    }

    #[test]
    fn the_value_of_dns_01_is_expected_under_the_accounts_label() {
        let identifier = Identifier::parse("dns", "*.foo.lab").unwrap();
        let caa_identity = CaaIdentity {
            account_url: "https://example.com/acme/acct/ExampleAccount".into(),
            ..CaaIdentity::default()
        };
        let cx = context(&identifier, &caa_identity);
        let name = "_ujmmovf2vn55tgye._acme-challenge.foo.lab";
        assert_eq!(ask(&cx).name, name);
        let value = dns01::value(&cx);
        let verdict = judge(Method::DnsAccount01, &cx, &seen(&[&value]));
        assert!(matches!(verdict, Verdict::Valid(_)), "{verdict:?}");
    }
}
