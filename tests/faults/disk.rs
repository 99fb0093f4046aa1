//! A disk that fills: every caller gets a correct answer, what was acknowledged
//! stays, and the server goes on by itself when there is space again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use acceptance::acme::{Account, Order};
use acceptance::authority::{Authority, Pair, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::process;

const CLIENTS: usize = 8;

/// A server whose store is on a disk of three megabytes, and that directory.
fn on_a_small_disk(harness: &Harness) -> (Server, PathBuf) {
    let authority = Authority::init(harness, Pair::ours(), "ca");
    let db = authority.path.join("db");
    let mut mount = Command::new("mount");
    mount
        .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
        .arg(&db);
    process::run(&mut mount).success();
    let mut server = authority.start();
    server.add_acme();
    (server, db)
}

/// An order that the server has acknowledged, and its account.
struct Kept {
    account: Account,
    order: Order,
}

/// Orders until the server refuses: what it promised, and the refusal.
fn until_refused(account: &Account) -> (Vec<Kept>, String) {
    let mut kept = Vec::new();
    for n in 0..500 {
        match account.try_order(&[&format!("n{n}.example.com")]) {
            Ok(order) => kept.push(Kept {
                account: account.clone(),
                order,
            }),
            Err(refusal) => return (kept, refusal.to_string()),
        }
    }
    (kept, String::new())
}

fn all_there(kept: &[Kept]) {
    for Kept { account, order } in kept {
        let found = account.post(&order.url, None);
        assert_eq!(found.status, 200, "{}: {}", order.url, found.text());
    }
}

#[test]
fn a_full_disk_gives_correct_answers_and_the_server_recovers() {
    own_harness(|harness| {
        let (mut server, db) = on_a_small_disk(harness);
        let accounts: Vec<_> = (0..CLIENTS).map(|_| server.account()).collect();
        // All but a little of what is left is taken; the clients take the rest, all at once.
        let filler = db.join("filler");
        let left = free_bytes(&db).saturating_sub(150_000);
        fs::write(&filler, vec![0; left]).unwrap();
        let clients: Vec<_> = accounts
            .iter()
            .cloned()
            .map(|account| std::thread::spawn(move || until_refused(&account)))
            .collect();
        let mut kept = Vec::new();
        for client in clients {
            let (orders, refusal) = client.join().unwrap();
            kept.extend(orders);
            assert!(
                refusal.contains("newOrder: 50"),
                "the client got {refusal:?}\n{}",
                server.daemon.log()
            );
            assert!(
                refusal.contains("urn:ietf:params:acme:error:serverInternal"),
                "{refusal}"
            );
        }
        assert!(server.daemon.is_running(), "{}", server.daemon.log());
        assert_eq!(server.get("/health").status / 100, 2, "reading goes on");
        all_there(&kept);

        fs::remove_file(&filler).unwrap();
        let after = process::eventually("orders again", || {
            accounts[0].try_order(&["late.example.com"]).ok()
        });
        kept.push(Kept {
            account: accounts[0].clone(),
            order: after,
        });
        let server = server.crash_and_restart();
        all_there(&kept);
        eprintln!("{} orders kept over a full disk and a kill", kept.len());
        server.stop();
    });
}

#[test]
fn a_server_killed_on_a_full_disk_starts_again_there_and_serves_what_needs_no_write() {
    own_harness(|harness| {
        starts_on_a_full_disk(harness, |server, fill| {
            fill();
            server.crash_and_restart()
        });
    });
}

#[test]
fn a_server_stopped_on_a_full_disk_starts_again_there_and_serves_what_needs_no_write() {
    own_harness(|harness| {
        starts_on_a_full_disk(harness, |server, fill| {
            fill();
            server.stop().start()
        });
    });
}

#[test]
fn a_disk_that_fills_while_the_server_is_stopped_does_not_prevent_its_start() {
    own_harness(|harness| {
        starts_on_a_full_disk(harness, |server, fill| {
            let authority = server.stop();
            fill();
            authority.start()
        });
    });
}

/// `restart` fills the disk, ends the server in its way and starts it again.
fn starts_on_a_full_disk(harness: &Harness, restart: impl FnOnce(Server, &dyn Fn()) -> Server) {
    let (server, db) = on_a_small_disk(harness);
    let account = server.account();
    let filler = db.join("filler");
    let server = restart(server, &|| {
        fs::write(&filler, vec![0; free_bytes(&db)]).unwrap();
        assert_eq!(free_bytes(&db), 0);
    });
    assert_eq!(server.get("/roots.pem").status, 200);
    assert_eq!(
        account.post(&account.kid, None).status,
        200,
        "the account is read"
    );
    fs::remove_file(&filler).unwrap();
    process::eventually("orders again", || {
        account.try_order(&["a.example.com"]).ok()
    });
}

/// What can still be written there, by `df`.
fn free_bytes(dir: &Path) -> usize {
    let mut df = Command::new("df");
    let out = process::run(df.args(["--block-size=1", "--output=avail"]).arg(dir)).success();
    out.stdout.lines().last().unwrap().trim().parse().unwrap()
}
