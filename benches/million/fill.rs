//! Fills a store with certificates of a year, through its verbs.

use std::path::Path;
use std::sync::Arc;

use acme::account::{self, Account};
use acme::authz::{self, Authorization, Origin};
use acme::challenge::{
    Challenge, Means, Method, Proof, ProofRecord, authorization_of_order, challenge_id, order_id,
};
use acme::identifier::Identifier;
use acme::order::{self, Order};
use acme::scope::{Scope, Subject};
use jiff::{SignedDuration, Timestamp};
use pki::jose::Jwk;
use pki::{Certificate, KeyKind, Serial};
use store::port::{Accounts as _, Certificates as _, Challenges as _, Orders as _};
use store::{
    AuditEntry, CertificateRecord, Issuance, Issued, NewOrder, Options, Proven, Registration,
    Store, Synchronous,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::Failure;

/// What every certificate shares.
struct Template {
    der: Vec<u8>,
    chain: Vec<Vec<u8>>,
    serial: usize,
    end: usize,
}

/// Fills a new file at `path` with `count` certificates of the year before `now`.
pub(crate) async fn fill(path: &Path, count: u64, now: Timestamp) -> Result<(), Failure> {
    let options = Options {
        // Nothing is acknowledged to anybody, and the file is complete once it is closed.
        synchronous: Synchronous::Off,
        ..Options::default()
    };
    let part = path.with_extension("part");
    // An earlier run may have been interrupted.
    for suffix in ["", "-wal", "-shm", "-lock"] {
        drop(std::fs::remove_file(beside(&part, suffix)));
    }
    let store = Store::open(&part, options)?;
    let template = Arc::new(Template::new()?);
    let pause = YEAR.as_millis() / i128::from(count);
    let mut tasks = JoinSet::new();
    for first in (0..count).step_by(EACH_ACCOUNT) {
        if tasks.len() >= WRITERS {
            tasks.join_next().await.ok_or("no task")???;
        }
        let (store, template) = (store.clone(), Arc::clone(&template));
        let numbers = first..(first + EACH_ACCOUNT as u64).min(count);
        let at = move |number: u64| {
            let age = i128::from(count - number) * pause;
            let age = SignedDuration::from_millis(i64::try_from(age).unwrap_or(i64::MAX));
            now.checked_sub(age)
        };
        tasks.spawn(async move {
            let account = account(&store, first, at(first)?).await?;
            for number in numbers {
                issue(&store, &template, &account, number, at(number)?).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    store.close().await;
    for suffix in ["-wal", "-shm", "-lock"] {
        drop(std::fs::remove_file(beside(&part, suffix)));
    }
    Ok(std::fs::rename(part, path)?)
}

fn beside(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

async fn account(store: &Store, number: u64, at: Timestamp) -> Result<Account, Failure> {
    let key = keys::generate(KeyKind::EcP256)?;
    let account = Account {
        id: id(at, number),
        provisioner: provisioner(number).to_owned(),
        key: Jwk::from_public_key(key.public()),
        status: account::Status::Valid,
        contact: Vec::new(),
        terms_agreed: false,
        terms: None,
        permitted: false,
        external: None,
        created_at: at,
    };
    store
        .create_account(Registration::new(account.clone()))
        .await?;
    Ok(account)
}

/// Order, verdict and certificate, in the three transactions in which the server writes them.
async fn issue(
    store: &Store,
    template: &Template,
    account: &Account,
    number: u64,
    at: Timestamp,
) -> Result<(), Failure> {
    let name = name(number);
    let identifier = Identifier::parse("dns", &name).map_err(|why| why.detail)?;
    let order = order_id(id(at, number));
    let first = authorization_of_order(order, 0).ok_or("no place")?;
    let authorization = authorization(account, &identifier, first, at)?;
    let order = order_for(&authorization, order, at);
    let record = template.record(&order, number, at)?;
    let new = NewOrder::new(order, vec![authorization.clone()]);
    store.create_order(new).await?;
    let proof = Proof::from_record(ProofRecord {
        subject: Subject {
            identifier,
            scope: Scope::Name,
        },
        account: account.id,
        method: Method::Http01,
        at,
        evidence: serde_json::json!({ "addresses": ["10.0.0.1"], "status": 200 }),
        attested_key: None,
    });
    let proven = Proven {
        challenge: challenge_id(authorization.id, Method::Http01),
        proof,
        until: at,
        entry: AuditEntry::authorization_valid(&authorization, Method::Http01, at),
    };
    store.settle_valid(&proven).await?;
    let issued = store.issue(Issuance::new(record, [9; 32])).await?;
    if issued != Issued::Done {
        return Err(format!("{issued:?}").into());
    }
    Ok(())
}

fn authorization(
    account: &Account,
    identifier: &Identifier,
    id: Uuid,
    at: Timestamp,
) -> Result<Authorization, Failure> {
    let methods = Method::USUAL.iter();
    let challenge = |method: &Method| Challenge::new(challenge_id(id, *method), *method, &[7; 16]);
    Ok(Authorization {
        id,
        account: account.id,
        provisioner: account.provisioner.clone(),
        identifier: identifier.clone(),
        scope: Scope::Name,
        status: authz::Status::Pending,
        expires: at.checked_add(DAY)?,
        challenges: methods.map(challenge).collect(),
        origin: Origin::Order,
    })
}

fn order_for(authorization: &Authorization, id: Uuid, at: Timestamp) -> Order {
    Order::from_record(order::Record {
        id,
        account: authorization.account,
        provisioner: authorization.provisioner.clone(),
        identifiers: vec![authorization.identifier.clone()],
        authorizations: vec![authorization.id],
        not_before: None,
        not_after: None,
        expires: authorization.expires,
        status: order::Status::Pending,
        error: None,
        certificate: None,
        replaces: None,
        profile: None,
        created_at: at,
    })
}

impl Template {
    fn new() -> Result<Self, Failure> {
        let key = rcgen::KeyPair::generate()?;
        let mut params = rcgen::CertificateParams::new(vec![name(0)])?;
        params.serial_number = Some(rcgen::SerialNumber::from_slice(&MARK));
        params.not_before = rcgen::date_time_ymd(2026, 1, 2);
        params.not_after = rcgen::date_time_ymd(2026, 3, 4);
        let der = params.self_signed(&key)?.der().to_vec();
        let find = |mark: &[u8]| der.windows(mark.len()).position(|part| part == mark);
        Ok(Self {
            serial: find(&MARK).ok_or("no serial number")?,
            end: find(END).ok_or("no end")?,
            chain: vec![der.clone()],
            der,
        })
    }

    /// The record of a certificate, whose DER has its serial number and its end.
    fn record(
        &self,
        order: &Order,
        number: u64,
        at: Timestamp,
    ) -> Result<CertificateRecord, Failure> {
        let mut serial = MARK;
        // Random, as a CA's are: the index of serial numbers is written all over.
        serial[1..].copy_from_slice(&keys::random::<15>());
        let end = Timestamp::from_second(at.checked_add(NINETY_DAYS)?.as_second())?;
        let mut der = self.der.clone();
        der[self.serial..self.serial + serial.len()].copy_from_slice(&serial);
        let shown = end.strftime("%y%m%d%H%M%SZ").to_string();
        der[self.end..self.end + END.len()].copy_from_slice(shown.as_bytes());
        debug_assert!(Certificate::from_der(&der).is_ok());
        Ok(CertificateRecord {
            id: id(at, number),
            serial: Serial::from_bytes(&serial)?,
            der,
            chain: self.chain.clone(),
            provisioner: Some(order.provisioner.clone()),
            account: Some(order.account),
            order: Some(order.id),
            not_before: at,
            not_after: end,
            names: vec![name(number)],
            issued_at: at,
            renewed_from: None,
            lineage: None,
            profile: None,
            basis: vec![Some(Means::Challenge(Method::Http01))],
            revoked: None,
        })
    }
}

/// The name of a certificate.
pub(crate) fn name(number: u64) -> String {
    format!("host-{number:07}.site-{:02}.example.com", number % 100)
}

/// The provisioner of an account, by its first certificate: one in ten has another.
pub(crate) fn provisioner(number: u64) -> &'static str {
    if number.is_multiple_of(1000) {
        "rare"
    } else {
        "acme"
    }
}

/// An id of version 7, made at this time.
fn id(at: Timestamp, number: u64) -> Uuid {
    let millis = u128::try_from(at.as_millisecond()).unwrap_or_default();
    let unique = u128::from(number) << 20;
    Uuid::from_u128(millis << 80 | 7 << 76 | 2 << 62 | unique & ((1 << 62) - 1))
}

/// The serial number of the template.
const MARK: [u8; 16] = [
    0x5a, 1, 0x7b, 2, 0x5a, 3, 0x7b, 4, 0x5a, 5, 0x7b, 6, 0x5a, 7, 0x7b, 8,
];
/// The end of the template.
const END: &[u8] = b"260304000000Z";
const EACH_ACCOUNT: usize = 100;
/// Accounts that are at work at a time.
const WRITERS: usize = 256;
const DAY: SignedDuration = SignedDuration::from_hours(24);
const NINETY_DAYS: SignedDuration = SignedDuration::from_hours(90 * 24);
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);
