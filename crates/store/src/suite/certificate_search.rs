//! What searches for certificates promise.

use super::BackEnd;
use super::harness::{self, later, now};
use crate::{CertificateQuery, CertificateRecord, Span};

super::for_each_back_end!(each_search_finds_what_fits_in_pages_and_in_order);

/// The places in `all` of what a search finds, in pages of 7.
async fn found(
    store: &impl BackEnd,
    query: &CertificateQuery,
    all: &[CertificateRecord],
) -> Vec<usize> {
    let mut places = Vec::new();
    let mut after = None;
    loop {
        let page = store.find_certificates(query.clone(), after, 7).await;
        let page = page.unwrap();
        for certificate in &page.certificates {
            let is_it = |it: &CertificateRecord| it.id == certificate.id;
            let place = all.iter().position(is_it).unwrap();
            assert_eq!(*certificate, all[place]);
            places.push(place);
        }
        after = page.next;
        if after.is_none() {
            return places;
        }
    }
}

async fn each_search_finds_what_fits_in_pages_and_in_order(store: &impl BackEnd) {
    let account = harness::account(store).await;
    let mut all = Vec::new();
    for number in 0_i32..30 {
        let own = format!("host-{number:02}.example");
        let is_even = number % 2 == 0;
        let certificate = CertificateRecord {
            account: is_even.then_some(account.id),
            provisioner: Some(if is_even { "even" } else { "odd" }.to_owned()),
            issued_at: later(number.into()),
            not_after: later(100 + i64::from(number / 2)),
            ..harness::certificate(&[&own, "all.example"])
        };
        harness::recorded(store, certificate.clone()).await.unwrap();
        all.push(certificate);
    }
    let numbers = |step| (0..30).step_by(step).collect::<Vec<_>>();
    let newest_first = |mut places: Vec<usize>| {
        places.reverse();
        places
    };
    let span = |from, to| Span {
        from: later(from),
        to: later(to),
    };
    use CertificateQuery as By;
    for (query, expected) in [
        (By::Name("all.example".to_owned()), newest_first(numbers(1))),
        (By::NamePrefix("host-1".to_owned()), (10..20).collect()),
        (By::Account(account.id), newest_first(numbers(2))),
        (By::Provisioner("even".to_owned()), newest_first(numbers(2))),
        (By::Expires(span(101, 105)), (2..10).collect()),
        (By::Issued(span(3, 11)), (3..11).collect()),
        (
            By::Issued(Span {
                from: now(),
                to: now(),
            }),
            vec![],
        ),
        (By::Name("host".to_owned()), vec![]),
    ] {
        assert_eq!(found(store, &query, &all).await, expected, "{query:?}");
    }
}
