//! Where the ACME API has its resources: the paths that the router serves and that [`Links`](super::links::Links)
//! writes come from the same [`UrlLayout`]. What a resource does is not here.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

/// The paths of the ACME API. Those of resources are templates: `{id}`, `{authz}`, `{chain}`, `{above}` and
/// `{name}` stand for one segment each, as in the router.
#[derive(Debug)]
pub(crate) struct UrlLayout {
    pub(super) mount: Mount,
    pub(super) directory: &'static str,
    pub(super) new_nonce: &'static str,
    pub(super) new_account: &'static str,
    pub(super) new_order: &'static str,
    pub(super) new_authz: &'static str,
    pub(super) revoke_cert: &'static str,
    pub(super) key_change: &'static str,
    /// Without the certificate's name, which clients append (RFC 9773 §4.1).
    pub(super) renewal_info: &'static str,
    /// `{id}`
    pub(super) account: &'static str,
    /// `{id}` of the account
    pub(super) orders: &'static str,
    /// `{id}`
    pub(super) order: &'static str,
    /// `{id}` of the order
    pub(super) finalize: &'static str,
    /// `{id}`
    pub(super) authorization: &'static str,
    /// `{authz}` and `{id}`
    pub(super) challenge: &'static str,
    /// `{id}`
    pub(super) certificate: &'static str,
    /// `{id}` of the certificate and `{chain}`
    pub(super) alternate: &'static str,
    /// `{id}` of the certificate, `{chain}` and `{above}`
    pub(super) issuer: &'static str,
}

/// How a path names the provisioner.
#[derive(Debug)]
pub(super) enum Mount {
    /// Every provisioner has its own API below these prefixes, in which `{provisioner}` stands for its name. URLs
    /// are written with the first, requests are served at all of them.
    PerProvisioner(&'static [&'static str]),
    /// One provisioner has the API, and no path names it.
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "step-ca names provisioners; other programs do not"
        )
    )]
    Root {
        /// The provisioner's name.
        provisioner: &'static str,
    },
}

/// The paths that smallstep's step-ca has, as clients know them.
pub(crate) static STEP_CA: UrlLayout = UrlLayout {
    mount: Mount::PerProvisioner(&["/acme/{provisioner}", "/2.0/acme/{provisioner}"]),
    directory: "/directory",
    new_nonce: "/new-nonce",
    new_account: "/new-account",
    new_order: "/new-order",
    new_authz: "/new-authz",
    revoke_cert: "/revoke-cert",
    key_change: "/key-change",
    renewal_info: "/renewal-info",
    account: "/account/{id}",
    orders: "/account/{id}/orders",
    order: "/order/{id}",
    finalize: "/order/{id}/finalize",
    authorization: "/authz/{id}",
    challenge: "/challenge/{authz}/{id}",
    certificate: "/certificate/{id}",
    alternate: "/certificate/{id}/{chain}",
    issuer: "/certificate/{id}/{chain}/issuer/{above}",
};

impl UrlLayout {
    /// The directory's URL at `base` (`https://host[:port]`).
    pub(crate) fn directory_url(&self, base: &str, provisioner: &str) -> String {
        format!("{base}{}{}", self.prefix(provisioner), self.directory)
    }

    /// What precedes the paths of a provisioner's resources in URLs.
    pub(super) fn prefix(&self, provisioner: &str) -> String {
        self.prefix_with(&escape(provisioner))
    }

    /// Whether a path is the API's: that of one of its resources, or any below a provisioner's prefix.
    pub(super) fn serves(&self, path: &str) -> bool {
        match self.mount {
            Mount::Root { .. } => {
                let name = path.strip_prefix(self.renewal_info);
                let name = name.and_then(|rest| rest.strip_prefix('/'));
                let named = |name: &str| !name.is_empty() && !name.contains('/');
                name.is_some_and(named) || self.templates().iter().any(|it| fits(it, path))
            }
            Mount::PerProvisioner(prefixes) => prefixes.iter().any(|prefix| {
                let before = prefix.split_once(PROVISIONER).map(|(before, _)| before);
                let rest = before.and_then(|before| path.strip_prefix(before));
                rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
            }),
        }
    }

    /// The paths of all resources but renewal information.
    const fn templates(&self) -> [&'static str; 16] {
        [
            self.directory,
            self.new_nonce,
            self.new_account,
            self.new_order,
            self.new_authz,
            self.revoke_cert,
            self.key_change,
            self.account,
            self.orders,
            self.order,
            self.finalize,
            self.authorization,
            self.challenge,
            self.certificate,
            self.alternate,
            self.issuer,
        ]
    }

    /// The directory's URL for a request to `path`; `None` where the path names no provisioner.
    pub(super) fn directory_above(&self, base: &str, path: &str) -> Option<String> {
        let escaped = match self.mount {
            Mount::Root { .. } => "",
            Mount::PerProvisioner(prefixes) => prefixes.iter().find_map(|prefix| {
                let (before, _) = prefix.split_once(PROVISIONER)?;
                path.strip_prefix(before)?.split('/').next()
            })?,
        };
        Some(format!(
            "{base}{}{}",
            self.prefix_with(escaped),
            self.directory
        ))
    }

    /// The id in the path of an account of `provisioner`.
    pub(super) fn account_in<'a>(&self, path: &'a str, provisioner: &str) -> Option<&'a str> {
        let (before, after) = self.account.split_once("{id}")?;
        path.strip_prefix(self.prefix(provisioner).as_str())?
            .strip_prefix(before)?
            .strip_suffix(after)
    }

    fn prefix_with(&self, escaped: &str) -> String {
        match self.mount {
            Mount::Root { .. } => String::new(),
            Mount::PerProvisioner(prefixes) => prefixes
                .first()
                .map_or_else(String::new, |prefix| prefix.replace(PROVISIONER, escaped)),
        }
    }
}

/// Whether a path is that of a template, with any text for each parameter.
fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut found) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted.starts_with('{') => {
                if found.is_empty() {
                    return false;
                }
            }
            (Some(wanted), Some(found)) if wanted == found => {}
            (Some(_) | None, Some(_) | None) => return false,
        }
    }
}

/// A template with its parameters replaced by what `value` has for each name.
pub(super) fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut path = String::with_capacity(template.len() + 32);
    for segment in template.split('/').skip(1) {
        path.push('/');
        let name = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name) => path.push_str(&value(name)),
            None => path.push_str(segment),
        }
    }
    path
}

/// The parameter in the path of an account, order, authorization or certificate.
#[derive(Deserialize)]
pub(super) struct ResourcePath {
    pub(super) id: String,
}

/// The parameters in the path of a challenge.
#[derive(Deserialize)]
pub(super) struct ChallengePath {
    pub(super) authz: String,
    pub(super) id: String,
}

/// The parameters in the path of a certificate with another chain.
#[derive(Deserialize)]
pub(super) struct AlternatePath {
    pub(super) id: String,
    pub(super) chain: String,
}

/// The parameters in the path of a certificate in a chain.
#[derive(Deserialize)]
pub(super) struct IssuerPath {
    pub(super) id: String,
    pub(super) chain: String,
    pub(super) above: String,
}

/// The parameter in the path of renewal information.
#[derive(Deserialize)]
pub(super) struct RenewalPath {
    pub(super) name: String,
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn escape(segment: &str) -> String {
    const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    utf8_percent_encode(segment, ENCODED).to_string()
}

/// The parameter's name in paths that name a provisioner.
pub(super) const PROVISIONER_PARAMETER: &str = "provisioner";
const PROVISIONER: &str = "{provisioner}";
