//! The server's own TLS certificate: issued at start, renewed after two thirds of
//! its lifetime and when its names change.

use std::sync::Arc;
use std::time::Duration;

use ca::config::Config;
use jiff::{SignedDuration, Timestamp};
use pki::KeyKind;
use tokio::time::sleep;

use crate::listen::ServerCertificate;
use crate::live::Live;
use crate::service::{Issuer, Services};

/// Maximum time between two checks of the wall clock: timers do not run while the machine is
/// suspended.
const CHECK_INTERVAL: SignedDuration = SignedDuration::from_secs(10);

/// When a certificate was issued and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    issued: Timestamp,
    ends: Timestamp,
}

/// Issues a certificate for a new key and presents it from now on.
///
/// # Errors
/// When the authority refuses or its key fails.
pub(crate) async fn renew(
    issuer: &Issuer,
    config: &Config,
    server_certificate: &ServerCertificate,
) -> anyhow::Result<Span> {
    let key = keys::generate(KeyKind::EcP256)?;
    let issued = Timestamp::now();
    let chain = issuer
        .server_certificate(config, key.public(), issued)
        .await?;
    server_certificate.install(&chain, &key)?;
    let ends = chain.first().map_or(issued, pki::Certificate::not_after);
    Ok(Span { issued, ends })
}

/// Renews the certificate when it is due; never returns.
pub(crate) async fn keep(
    services: Services,
    server_certificate: ServerCertificate,
    live: Arc<Live>,
    first: Span,
) {
    let mut changes = live.changes();
    let mut config = live.config();
    let mut span = first;
    let mut due = span.due(random_part());
    loop {
        let now = Timestamp::now();
        let left = due.duration_since(now);
        if left > SignedDuration::ZERO && !span.is_ahead_of(now) {
            tokio::select! {
                () = sleep(left.min(CHECK_INTERVAL).unsigned_abs()) => continue,
                Ok(()) = changes.changed() => {
                    let new = live.config();
                    let same = is_same(&config, &new);
                    config = new;
                    if same {
                        continue;
                    }
                }
            }
        }
        due = match renew(&services.issuer, &live.config(), &server_certificate).await {
            Ok(next) => {
                tracing::info!(event = "server_certificate", not_after = %next.ends, "renewed");
                services.native.note_certificate(None);
                span = next;
                span.due(random_part())
            }
            Err(error) => {
                tracing::error!(event = "server_certificate", outcome = "failed", %error);
                services.native.note_certificate(Some(error.to_string()));
                span.issued = now;
                now + RETRY
            }
        };
    }
}

const RETRY: Duration = Duration::from_secs(10);

impl Span {
    /// Whether the clock was set back to before the issuance, by more than a usual correction.
    fn is_ahead_of(self, now: Timestamp) -> bool {
        self.issued.duration_since(now) > CHECK_INTERVAL
    }

    /// When renewal is due: after two thirds of the lifetime, less up to a twentieth, so that nodes that
    /// started together do not renew together. `part` is 0 to 255.
    fn due(self, part: u8) -> Timestamp {
        let life = self.ends.duration_since(self.issued);
        self.issued + (life * 2 / 3 - life / 20 * i32::from(part) / 256)
    }
}

fn random_part() -> u8 {
    let [part] = keys::random();
    part
}

/// Whether both configurations make the same certificate.
fn is_same(a: &Config, b: &Config) -> bool {
    a.dns_names == b.dns_names && a.common_name == b.common_name && a.riser.server == b.riser.server
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_back_behind_the_issue_is_noticed_and_a_corrected_one_is_not() {
        let issued = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(10);
        let ends = issued + SignedDuration::from_hours(24);
        let span = Span { issued, ends };
        assert!(span.is_ahead_of(issued - SignedDuration::from_secs(11)));
        assert!(!span.is_ahead_of(issued - SignedDuration::from_secs(9)));
        assert!(!span.is_ahead_of(ends));
    }

    #[test]
    fn renewal_is_due_shortly_before_two_thirds() {
        let issued = Timestamp::UNIX_EPOCH;
        let ends = issued + SignedDuration::from_secs(3600);
        let span = Span { issued, ends };
        assert_eq!(span.due(0), issued + SignedDuration::from_secs(2400));
        let early = span.due(255).duration_since(issued);
        assert!(early > SignedDuration::from_secs(2219) && early < SignedDuration::from_secs(2222));
    }
}
