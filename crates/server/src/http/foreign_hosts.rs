//! Hosts that clients ask for and that are not names of this server: each is logged once, since its
//! clients get URLs with another host.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::base;
use super::request::Received;

/// Those that were logged. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct ForeignHosts(Arc<Mutex<HashSet<String>>>);

impl ForeignHosts {
    /// Logs the host unless it was logged; beyond [`MOST`] hosts nothing is logged.
    pub(super) fn log(&self, host: &ForeignHost) {
        let ForeignHost(Some(host)) = host else {
            return;
        };
        if self.is_new(&host.asked) {
            tracing::warn!(
                event = "foreign_host",
                host = host.asked,
                url = host.url,
                "a client asked for the directory at a host that is not one of this server's names, and got URLs \
                 with another: add the host to public_names in riser.toml, or to dnsNames in ca.json"
            );
        }
    }

    fn is_new(&self, host: &str) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.len() < MOST && known.insert(host.to_owned())
    }
}

/// The host of a request, where it is none of the server's.
pub(super) struct ForeignHost(Option<Asked>);

/// What the client asked for, and where the URLs that it gets point.
struct Asked {
    asked: String,
    url: String,
}

impl<S: Sync> FromRequestParts<S> for ForeignHost {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let received = parts.extensions.get::<Received>();
        let found = received.and_then(|received| {
            let asked = base::foreign_host(parts, received.configuration())?;
            let url = received.base().to_owned();
            Some(Asked { asked, url })
        });
        Ok(Self(found))
    }
}

/// The most hosts that are logged.
const MOST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_logged_once_and_strangers_do_not_fill_the_memory() {
        let hosts = ForeignHosts::default();
        assert!(hosts.is_new("ingress.test") && !hosts.is_new("ingress.test"));
        let logged = (0..10 * MOST).filter(|n| hosts.is_new(&format!("n{n}.test")));
        assert_eq!(logged.count(), MOST - 1);
    }
}
