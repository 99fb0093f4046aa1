//! RFC 8555 §7.1.2.1: the list of an account's orders.

use acceptance::acme::Account;
use acceptance::https::Response;
use serde_json::json;

use crate::conformance::subject::{refused, subject};

/// The orders list is an object with URLs, for the account alone (§7.1.2.1).
#[test]
fn an_account_lists_its_orders() {
    let account = subject().account();
    let list = account.post(&account.kid, None).json()["orders"].clone();
    let list = list.as_str().unwrap();
    assert_eq!(account.post(list, None).json(), json!({"orders": []}));
    let urls: Vec<String> = (0..3)
        .map(|n| account.order(&[&format!("list{n}.conformance.test")]).url)
        .collect();
    assert_eq!(account.post(list, None).json(), json!({"orders": urls}));
}

/// Orders that have failed are not listed (§7.1.2.1).
#[test]
fn an_invalid_order_is_not_listed() {
    let subject = subject();
    let account = subject.account();
    let open = account.order(&["listed.conformance.test"]);
    subject.failed(&account, "unlisted.conformance.test");
    let list = format!("{}/orders", account.kid);
    assert_eq!(
        account.post(&list, None).json(),
        json!({"orders": [open.url]})
    );
}

/// A long list is whole, be it in one page or in several that lead to each other (§7.1.2.1).
#[test]
fn a_long_list_of_orders_is_complete() {
    let account = subject().account();
    let mut urls: Vec<String> = (0..104)
        .map(|_| account.order(&["page.conformance.test"]).url)
        .collect();
    let mut next = format!("{}/orders", account.kid);
    let mut listed = Vec::new();
    while !next.is_empty() {
        let page = account.post(&next, None);
        let orders = page.json()["orders"].as_array().unwrap().clone();
        listed.extend(orders.iter().map(|url| url.as_str().unwrap().to_owned()));
        next = next_page(&page);
    }
    urls.sort();
    listed.sort();
    assert_eq!(listed, urls);
}

fn next_page(page: &Response) -> String {
    let mut links = page.headers.get_all("link").iter();
    let next = links.find_map(|link| {
        let link = link.to_str().unwrap();
        link.strip_suffix(">;rel=\"next\"")?.strip_prefix('<')
    });
    next.unwrap_or_default().to_owned()
}

/// Pages stay consistent while orders are created: nothing is missing or repeated.
#[test]
fn orders_created_meanwhile_are_on_later_pages() {
    let account = subject().account();
    let order = |_| account.order(&["meanwhile.conformance.test"]).url;
    let mut urls: Vec<String> = (0..101).map(order).collect();
    let first = account.post(&list_of(&account), None);
    assert_eq!(listed(&first), urls[..100]);
    urls.push(order(0));
    let second = account.post(&next_page(&first), None);
    assert_eq!(listed(&second), urls[100..]);
    assert_eq!(next_page(&second), "");
    assert_eq!(listed(&account.post(&list_of(&account), None)), urls[..100]);
}

/// A page is the account's alone, and its address is not made up.
#[test]
fn a_page_of_another_account_or_with_an_invalid_cursor_is_refused() {
    let (mine, theirs) = (subject().account(), subject().account());
    let from = "?from=0123456789abcdef0123456789abcdef";
    let stolen = format!("{}{from}", list_of(&theirs));
    refused(&mine.post(&stolen, None), 403, "unauthorized");
    for query in ["?from=x", "?from=", "?page=2", "?"] {
        let url = format!("{}{query}", list_of(&mine));
        refused(&mine.post(&url, None), 400, "malformed");
    }
    let empty = mine.post(&format!("{}{from}", list_of(&mine)), None);
    assert_eq!((empty.status, empty.json()), (200, json!({"orders": []})));
}

fn list_of(account: &Account) -> String {
    let body = account.post(&account.kid, None).json();
    body["orders"].as_str().unwrap().to_owned()
}

fn listed(page: &Response) -> Vec<String> {
    let body = page.json();
    let orders = body["orders"].as_array().unwrap().iter();
    orders.map(|url| url.as_str().unwrap().to_owned()).collect()
}
