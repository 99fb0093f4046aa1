//! Lookups in a full store.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use store::port::{CertificateSearch as _, Certificates as _};
use store::{CertificatePage, CertificateQuery, Options, Span, Store};

use crate::fill::{name, provisioner};
use crate::{Failure, say, spread};

/// Measures each search, on the first page of twenty, at places all over the store.
pub(crate) async fn measure(path: &Path, count: u64) -> Result<(), Failure> {
    let began = Instant::now();
    let store = Store::open(path, Options::default())?;
    say(&format!(
        "open the store: {:.2} ms",
        began.elapsed().as_secs_f64() * 1000.0
    ))?;
    let mut times = Times::default();
    for turn in 0..TURNS {
        let number = turn * 7919 % TURNS * (count / TURNS);
        searches(&store, number, &mut times).await?;
    }
    for (what, times) in times.0 {
        say(&format!("find by {what}: {}", spread(times)))?;
    }
    store.close().await;
    Ok(())
}

/// Each search for what is like one certificate.
async fn searches(store: &Store, number: u64, times: &mut Times) -> Result<(), Failure> {
    use CertificateQuery as By;
    let page = timed(store, "name", By::Name(name(number)), times).await?;
    let found = page.certificates.first().ok_or("not found by name")?;
    let lap = Instant::now();
    let by_serial = store.certificate_by_serial(&found.serial).await?;
    times.add("serial number", lap.elapsed());
    by_serial.ok_or("not found by serial number")?;
    let day = |from: Timestamp| -> Result<Span, Failure> {
        let to = from.checked_add(SignedDuration::from_hours(24))?;
        Ok(Span { from, to })
    };
    let (rare, usual) = (provisioner(0), provisioner(1));
    for (what, query) in [
        ("name prefix", By::NamePrefix(name(number)[..10].to_owned())),
        ("account", By::Account(found.account.ok_or("no account")?)),
        ("provisioner", By::Provisioner(usual.to_owned())),
        ("rare provisioner", By::Provisioner(rare.to_owned())),
        ("end of validity", By::Expires(day(found.not_after)?)),
        ("time of issuance", By::Issued(day(found.issued_at)?)),
    ] {
        let page = timed(store, what, query, times).await?;
        if page.certificates.is_empty() {
            return Err(format!("nothing found by {what}").into());
        }
    }
    Ok(())
}

async fn timed(
    store: &Store,
    what: &'static str,
    query: CertificateQuery,
    times: &mut Times,
) -> Result<CertificatePage, Failure> {
    let lap = Instant::now();
    let page = store.find_certificates(query, None, 20).await?;
    times.add(what, lap.elapsed());
    Ok(page)
}

/// How long each kind of search took.
#[derive(Default)]
struct Times(Vec<(&'static str, Vec<Duration>)>);

impl Times {
    fn add(&mut self, what: &'static str, took: Duration) {
        match self.0.iter_mut().find(|(name, _)| *name == what) {
            Some((_, all)) => all.push(took),
            None => self.0.push((what, vec![took])),
        }
    }
}

const TURNS: u64 = 200;
