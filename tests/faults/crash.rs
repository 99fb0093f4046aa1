//! kill -9 under load: nothing acknowledged is lost, and every restart succeeds.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use acceptance::acme::{Account, Order, csr};
use acceptance::authority::Authority;
use acceptance::https::Client;
use acceptance::namespace::own_harness;
use acceptance::web::Web;
use serde_json::Value;

const KILLS: usize = 20;
const CLIENTS: usize = 4;

/// What the server has said yes to.
#[derive(Default)]
struct Promises {
    orders: Vec<(Account, Order)>,
    certificates: Vec<(Account, String, String)>,
}

/// One client's endless work; each promise is written down when its answer has arrived.
fn work(
    client: &Client,
    directory: &str,
    web: &Web,
    promises: &Mutex<Promises>,
    stop: &AtomicBool,
) {
    let mut account = None;
    while !stop.load(Ordering::Relaxed) {
        if account.is_none() {
            account = Account::try_register(client, directory).ok();
        }
        let Some(account) = &account else {
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        let Ok(mut order) = account.try_order(&["example.com"]) else {
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        promises
            .lock()
            .unwrap()
            .orders
            .push((account.clone(), order.clone()));
        if account.try_prove(&mut order, web).is_err() {
            continue;
        }
        let Ok(answer) = account.try_finalize(&order, &csr(&["example.com"])) else {
            continue;
        };
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let Some(url) = body["certificate"].as_str() else {
            continue;
        };
        if let Ok(pem) = account.try_post(url, None) {
            let promise = (account.clone(), url.to_owned(), pem.text());
            promises.lock().unwrap().certificates.push(promise);
        }
    }
}

#[test]
fn twenty_kills_under_load_lose_nothing_acknowledged() {
    own_harness(|harness| {
        harness.dns.addresses("example.com", &["127.0.0.1"]);
        let web = Web::start("127.0.0.1:80");
        let mut server = Authority::started(harness);
        let promises = Arc::new(Mutex::new(Promises::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let workers: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let (client, directory) = (server.client.clone(), server.authority.directory());
                let (web, promises, stop) = (web.clone(), Arc::clone(&promises), Arc::clone(&stop));
                std::thread::spawn(move || work(&client, &directory, &web, &promises, &stop))
            })
            .collect();
        for kill in 0..KILLS {
            let before = promises.lock().unwrap().certificates.len();
            acceptance::process::eventually("certificates under load", || {
                (promises.lock().unwrap().certificates.len() > before + 1).then_some(())
            });
            std::thread::sleep(Duration::from_millis(37 * (kill as u64 % 7)));
            server = server.crash_and_restart();
        }
        stop.store(true, Ordering::Relaxed);
        for worker in workers {
            worker.join().unwrap();
        }
        let promises = Arc::try_unwrap(promises)
            .ok()
            .unwrap()
            .into_inner()
            .unwrap();
        for (account, order) in &promises.orders {
            let found = account.post(&order.url, None);
            assert_eq!(found.status, 200, "{}: {}", order.url, found.text());
        }
        for (account, url, pem) in &promises.certificates {
            assert_eq!(&account.post(url, None).text(), pem, "{url}");
        }
        eprintln!(
            "{KILLS} kills, {} orders and {} certificates kept",
            promises.orders.len(),
            promises.certificates.len()
        );
        server.stop();
    });
}
