//! Addresses of ACME resources, built and read back.

use uuid::Uuid;

/// The addresses under one provisioner's directory, as seen from the client's side.
#[derive(Clone, Debug)]
pub(super) struct Links {
    /// `https://host[:port]/acme/{provisioner}`
    prefix: String,
}

impl Links {
    /// Addresses under `base` (`https://host[:port]`) for `provisioner`.
    pub(super) fn new(base: &str, provisioner: &str) -> Self {
        Self {
            prefix: format!("{base}/acme/{}", escape(provisioner)),
        }
    }

    /// The directory, and what hangs directly on it: `new-nonce`, `new-account`, …
    pub(super) fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    /// One resource: `account`, `order`, `authz` or `certificate`.
    pub(super) fn to(&self, kind: &str, id: Uuid) -> String {
        format!("{}/{kind}/{}", self.prefix, id.simple())
    }

    /// A challenge, which hangs on its authorization.
    pub(super) fn challenge(&self, authorization: Uuid, challenge: Uuid) -> String {
        format!(
            "{}/challenge/{}/{}",
            self.prefix,
            authorization.simple(),
            challenge.simple()
        )
    }

    /// The account that a `kid` names, whatever host it was made under.
    pub(super) fn account_of(&self, kid: &str) -> Option<Uuid> {
        let mine = path_of(&self.prefix)?;
        let id = path_of(kid)?
            .strip_prefix(mine)?
            .strip_prefix("/account/")?;
        id_of(id)
    }
}

/// The id in an address; `None` for anything that this server never wrote.
pub(super) fn id_of(text: &str) -> Option<Uuid> {
    let plain = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    plain.then(|| Uuid::try_parse(text).ok()).flatten()
}

/// The path of an `https` address.
fn path_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://")?;
    rest.find('/').map(|slash| &rest[slash..])
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn escape(segment: &str) -> String {
    let mut out = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_path_under_any_host() {
        let links = Links::new("https://ca:9000", "my acme");
        let id = Uuid::from_u128(0x1234);
        assert_eq!(
            links.at("directory"),
            "https://ca:9000/acme/my%20acme/directory"
        );
        let kid = links.to("account", id).replace("ca:9000", "127.0.0.1");
        assert_eq!(links.account_of(&kid), Some(id));
    }

    #[test]
    fn a_kid_of_another_provisioner_or_scheme_names_nobody() {
        let links = Links::new("https://ca", "acme");
        let other = Links::new("https://ca", "acme2").to("account", Uuid::from_u128(1));
        assert_eq!(links.account_of(&other), None);
        let plain = links
            .to("account", Uuid::from_u128(1))
            .replace("https", "http");
        assert_eq!(links.account_of(&plain), None);
        assert_eq!(links.account_of(""), None);
    }
}
