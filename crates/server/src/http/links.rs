//! URLs of ACME resources, written and read back. Their paths are [`UrlLayout`]'s.

use acme::message::order::Urls;
use uuid::Uuid;

use super::url_layout::{UrlLayout, fill};

/// The URLs of one provisioner's resources, with the host that the client asked for.
#[derive(Clone, Debug)]
pub(super) struct Links {
    layout: &'static UrlLayout,
    provisioner: String,
    /// `https://host[:port]`, and the path to the provisioner where there is one.
    prefix: String,
}

impl Links {
    /// URLs at `base` (`https://host[:port]`) for `provisioner`.
    pub(super) fn new(layout: &'static UrlLayout, base: &str, provisioner: &str) -> Self {
        Self {
            layout,
            provisioner: provisioner.to_owned(),
            prefix: format!("{base}{}", layout.prefix(provisioner)),
        }
    }

    /// The paths that these URLs have.
    pub(super) const fn layout(&self) -> &'static UrlLayout {
        self.layout
    }

    /// A resource that there is once, by its path in the layout: `new_nonce`, `new_account`, …
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// An account.
    pub(super) fn account(&self, id: Uuid) -> String {
        self.resource(self.layout.account, id)
    }

    /// The orders of an account (RFC 8555 §7.1.2.1).
    pub(super) fn orders(&self, account: Uuid) -> String {
        self.resource(self.layout.orders, account)
    }

    /// An order.
    pub(super) fn order(&self, id: Uuid) -> String {
        self.resource(self.layout.order, id)
    }

    /// A challenge of an authorization.
    pub(super) fn challenge(&self, authorization: Uuid, challenge: Uuid) -> String {
        self.at(&fill(self.layout.challenge, |name| match name {
            "authz" => authorization.simple().to_string(),
            _ => challenge.simple().to_string(),
        }))
    }

    /// A certificate with one of its chains; 0 is the chain of the certificate's own URL.
    pub(super) fn chain(&self, certificate: Uuid, chain: usize) -> String {
        if chain == 0 {
            return self.certificate(certificate);
        }
        self.at(&fill(self.layout.alternate, |name| match name {
            "chain" => chain.to_string(),
            _ => certificate.simple().to_string(),
        }))
    }

    /// A certificate of a chain; the leaf's issuer is number 1.
    pub(super) fn issuer(&self, certificate: Uuid, chain: usize, above: usize) -> String {
        self.at(&fill(self.layout.issuer, |name| match name {
            "chain" => chain.to_string(),
            "above" => above.to_string(),
            _ => certificate.simple().to_string(),
        }))
    }

    /// The account that a URL's path names; whether its host is ours is not asked.
    pub(super) fn account_of(&self, kid: &str) -> Option<Uuid> {
        id_of(self.layout.account_in(path_of(kid)?, &self.provisioner)?)
    }

    fn resource(&self, template: &str, id: Uuid) -> String {
        self.at(&fill(template, |_| id.simple().to_string()))
    }
}

impl Urls for Links {
    fn authorization(&self, id: Uuid) -> String {
        self.resource(self.layout.authorization, id)
    }

    fn finalize(&self, order: Uuid) -> String {
        self.resource(self.layout.finalize, order)
    }

    fn certificate(&self, id: Uuid) -> String {
        self.resource(self.layout.certificate, id)
    }
}

/// The id in a URL; `None` for anything that this server never wrote.
pub(super) fn id_of(text: &str) -> Option<Uuid> {
    let plain = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    plain.then(|| Uuid::try_parse(text).ok()).flatten()
}

/// The path of an `https` URL.
fn path_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://")?;
    rest.find('/').map(|slash| &rest[slash..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::url_layout::STEP_CA;

    #[test]
    fn an_account_is_found_by_path_under_any_host() {
        let links = Links::new(&STEP_CA, "https://ca:9000", "my acme");
        let id = Uuid::from_u128(0x1234);
        assert_eq!(
            links.at(STEP_CA.directory),
            "https://ca:9000/acme/my%20acme/directory"
        );
        let kid = links.account(id).replace("ca:9000", "127.0.0.1");
        assert_eq!(links.account_of(&kid), Some(id));
    }

    #[test]
    fn a_kid_of_another_provisioner_or_scheme_names_no_account() {
        let links = Links::new(&STEP_CA, "https://ca", "acme");
        let id = Uuid::from_u128(1);
        let other = Links::new(&STEP_CA, "https://ca", "acme2").account(id);
        assert_eq!(links.account_of(&other), None);
        let plain = links.account(id).replace("https", "http");
        assert_eq!(links.account_of(&plain), None);
        assert_eq!(links.account_of(""), None);
    }
}
