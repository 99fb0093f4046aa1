//! A disk that fills: every caller hears the truth, what was acknowledged
//! stays, and the server goes on by itself when there is space again.

use std::fs;
use std::process::Command;
use std::sync::{Arc, Mutex};

use acceptance::authority::{Authority, Pair};
use acceptance::namespace::own_world;
use acceptance::process;

const CLIENTS: usize = 8;

#[test]
fn a_full_disk_tells_the_truth_and_recovers() {
    own_world(|world| {
        let authority = Authority::init(world, Pair::ours(), "ca");
        let db = authority.path.join("db");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"])
            .arg(&db);
        process::run(&mut mount).success();
        let mut server = authority.start();
        server.add_acme();
        let accounts: Vec<_> = (0..CLIENTS).map(|_| server.account()).collect();
        let kept = Arc::new(Mutex::new(Vec::new()));

        // All but a little of what is left is taken; the clients take the rest, all at once.
        let filler = db.join("filler");
        let left = free_bytes(&db);
        fs::write(
            &filler,
            vec![0; usize::try_from(left.saturating_sub(150_000)).unwrap()],
        )
        .unwrap();
        let clients: Vec<_> = accounts
            .iter()
            .cloned()
            .map(|account| {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || {
                    for n in 0..500 {
                        match account.try_order(&[&format!("n{n}.example.com")]) {
                            Ok(order) => kept.lock().unwrap().push((account.clone(), order)),
                            Err(refusal) => return refusal.to_string(),
                        }
                    }
                    String::new()
                })
            })
            .collect();
        for client in clients {
            let refusal = client.join().unwrap();
            assert!(
                refusal.contains("newOrder: 50"),
                "told {refusal:?}\n{}",
                server.daemon.log()
            );
            assert!(
                refusal.contains("urn:ietf:params:acme:error:serverInternal"),
                "{refusal}"
            );
        }
        assert!(server.daemon.is_running(), "{}", server.daemon.log());
        assert_eq!(server.get("/health").status / 100, 2, "reading goes on");

        fs::remove_file(&filler).unwrap();
        let after = process::eventually("orders again", || {
            accounts[0].try_order(&["late.example.com"]).ok()
        });
        kept.lock().unwrap().push((accounts[0].clone(), after));
        let check = || {
            for (account, order) in kept.lock().unwrap().iter() {
                let found = account.post(&order.url, None);
                assert_eq!(found.status, 200, "{}: {}", order.url, found.text());
            }
        };
        check();
        let server = server.crash_and_restart();
        check();
        eprintln!(
            "{} orders kept over a full disk and a kill",
            kept.lock().unwrap().len()
        );
        server.stop();
    });
}

#[test]
fn a_server_killed_on_a_full_disk_starts_again_there_and_serves_what_needs_no_write() {
    own_world(|world| {
        let authority = Authority::init(world, Pair::ours(), "ca");
        let db = authority.path.join("db");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=3m", "tmpfs"]).arg(&db);
        process::run(&mut mount).success();
        let mut server = authority.start();
        server.add_acme();
        let account = server.account();
        let filler = db.join("filler");
        let left = usize::try_from(free_bytes(&db)).unwrap();
        fs::write(&filler, vec![0; left]).unwrap();
        let server = server.crash_and_restart();
        assert_eq!(server.get("/roots.pem").status, 200);
        assert_eq!(account.post(&account.kid, None).status, 200, "the account is read");
        fs::remove_file(&filler).unwrap();
        process::eventually("orders again", || account.try_order(&["a.example.com"]).ok());
    });
}

/// What can still be written there, by `df`.
fn free_bytes(dir: &std::path::Path) -> u64 {
    let mut df = Command::new("df");
    let out = process::run(df.args(["--block-size=1", "--output=avail"]).arg(dir)).success();
    out.stdout.lines().last().unwrap().trim().parse().unwrap()
}
