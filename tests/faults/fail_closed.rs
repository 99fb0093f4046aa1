//! Files of the configuration that are written slowly, cut, moved away or removed while clients ask for a denied name:
//! no restriction ends before its removal is complete, whatever the order of events.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use acceptance::acme::Account;
use acceptance::authority::{Authority, Pair, Server};
use acceptance::namespace::{Harness, own_harness};
use acceptance::{process, table};
use serde_json::{Value, json};

/// A riser.toml whose every beginning, line by line, is valid; only its last line denies the name.
const DENYING: &str = "# Settings of the lab
[rate_limits]
validations_per_account = 100
[provisioner.acme]
order_life = \"24h\"
[provisioner.acme.policy]
deny_dns = [\"*.denied.test\"]
";
const WITHOUT: &str = "[provisioner.acme]\norder_life = \"24h\"\n";

/// A server whose riser.toml denies a name, and clients that ask for it all the time.
struct Attacked {
    server: Server,
    account: Account,
    stopped: Arc<AtomicBool>,
    refused: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<Option<String>>>,
    additions: usize,
}

impl Attacked {
    fn start(harness: &Harness) -> Self {
        Self::serve(Authority::init(harness, Pair::ours(), "ca"))
    }

    fn serve(authority: Authority) -> Self {
        authority
            .run(&["ca", "provisioner", "add", "acme", "--type", "ACME"])
            .success();
        fs::write(authority.path.join("config/riser.toml"), DENYING).unwrap();
        let server = authority.start();
        server.await_acme();
        let stopped = Arc::<AtomicBool>::default();
        let refused = Arc::<AtomicUsize>::default();
        let client = |account: Account| {
            let (stopped, refused) = (stopped.clone(), refused.clone());
            thread::spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    match account.try_order(&["x.denied.test"]) {
                        Ok(order) => return Some(order.url),
                        Err(error) => {
                            assert!(error.to_string().contains("rejectedIdentifier"), "{error}");
                            refused.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
                None
            })
        };
        let clients = (0..2).map(|_| client(server.account())).collect();
        Self {
            account: server.account(),
            server,
            stopped,
            refused,
            clients,
            additions: 0,
        }
    }

    fn riser(&self) -> PathBuf {
        self.server.authority.path.join("config/riser.toml")
    }

    /// Opens riser.toml as a redirect of the shell does, and writes this much of it.
    fn begin(&self, text: &str) -> File {
        let mut file = File::create(self.riser()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    /// Adds a provisioner to ca.json, by a rename.
    fn edit_neighbour(&mut self) -> String {
        self.additions += 1;
        let name = format!("other{}", self.additions);
        let file = self.server.authority.path.join("config/ca.json");
        let mut config: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let list = config["authority"]["provisioners"].as_array_mut();
        list.unwrap().push(json!({"type": "ACME", "name": name}));
        let beside = file.with_extension("json.new");
        fs::write(&beside, config.to_string()).unwrap();
        fs::rename(&beside, &file).unwrap();
        name
    }

    /// Adds a provisioner to ca.json and waits until it is served: the files have been read by then.
    fn edit_neighbour_and_wait(&mut self) {
        let name = self.edit_neighbour();
        process::eventually("the change of ca.json", || {
            let path = format!("/acme/{name}/directory");
            (self.server.get(&path).status == 200).then_some(())
        });
        self.ask_more();
    }

    /// Waits until `/health` says this.
    fn await_health(&self, words: &str) {
        process::eventually(words, || {
            self.server
                .get("/health")
                .text()
                .contains(words)
                .then_some(())
        });
    }

    /// Waits until the clients have been refused some more times.
    fn ask_more(&self) {
        let goal = self.refused.load(Ordering::Relaxed) + 5;
        process::eventually("more refusals", || {
            let is_over = self.clients.iter().any(JoinHandle::is_finished);
            (is_over || self.refused.load(Ordering::Relaxed) >= goal).then_some(())
        });
    }

    /// Ends the load: no order for the denied name was ever made.
    fn held(mut self) -> Server {
        self.ask_more();
        self.stopped.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            assert_eq!(client.join().unwrap(), None, "an order for a denied name");
        }
        assert!(self.account.try_order(&["x.allowed.test"]).is_ok());
        self.server
    }
}

#[test]
fn a_file_that_is_cut_and_still_open_counts_for_nothing_when_its_neighbour_changes() {
    own_harness(|harness| {
        let mut attacked = Attacked::start(harness);
        let mut half = attacked.begin("");
        attacked.edit_neighbour_and_wait();
        for line in DENYING.split_inclusive('\n') {
            half.write_all(line.as_bytes()).unwrap();
            attacked.edit_neighbour_and_wait();
        }
        drop(half);
        attacked.edit_neighbour_and_wait();
        attacked.held().stop();
    });
}

#[test]
fn a_file_that_is_removed_and_written_again_line_by_line_restricts_all_the_time() {
    own_harness(|harness| {
        let mut attacked = Attacked::start(harness);
        fs::remove_file(attacked.riser()).unwrap();
        attacked.edit_neighbour();
        attacked.await_health("riser.toml is missing");
        let mut half = attacked.begin("");
        attacked.await_health("riser.toml is empty");
        for line in DENYING.split_inclusive('\n') {
            half.write_all(line.as_bytes()).unwrap();
            attacked.ask_more();
        }
        drop(half);
        attacked.await_health(r#"{"status":"ok"}"#);
        attacked.edit_neighbour_and_wait();
        attacked.held().stop();
    });
}

#[test]
fn a_half_written_file_that_is_renamed_away_and_back_is_not_complete() {
    own_harness(|harness| {
        let mut attacked = Attacked::start(harness);
        let aside = attacked.riser().with_extension("aside");
        let mut half = attacked.begin(WITHOUT);
        fs::rename(attacked.riser(), &aside).unwrap();
        attacked.edit_neighbour();
        attacked.await_health("riser.toml is missing");
        fs::rename(&aside, attacked.riser()).unwrap();
        attacked.edit_neighbour_and_wait();
        let rest = DENYING.split_inclusive('\n').skip(5);
        half.write_all(rest.collect::<String>().as_bytes()).unwrap();
        drop(half);
        attacked.edit_neighbour_and_wait();
        attacked.held().stop();
    });
}

#[test]
fn two_processes_that_write_one_file_end_no_restriction_between_them() {
    own_harness(|harness| {
        let mut attacked = Attacked::start(harness);
        let mut first = attacked.begin("# The first one\n");
        // The second one closes the file while the first one is at it.
        let mut second = File::options().append(true).open(attacked.riser()).unwrap();
        second.write_all(WITHOUT.as_bytes()).unwrap();
        drop(second);
        let stopped = Arc::<AtomicBool>::default();
        let writer = thread::spawn({
            let stopped = stopped.clone();
            move || {
                while !stopped.load(Ordering::Relaxed) {
                    first.write_all(b"# Still at it\n").unwrap();
                    thread::sleep(Duration::from_millis(500));
                }
                first.write_all(DENYING.as_bytes()).unwrap();
            }
        });
        attacked.edit_neighbour_and_wait();
        stopped.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        attacked.edit_neighbour_and_wait();
        attacked.held().stop();
    });
}

#[test]
fn a_file_that_a_full_disk_has_cut_ends_no_restriction() {
    own_harness(|harness| {
        let authority = Authority::init(harness, Pair::ours(), "ca");
        let config = authority.path.join("config");
        let kept = harness.path("kept");
        process::run(Command::new("cp").args(["-a"]).arg(&config).arg(&kept)).success();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"]);
        process::run(mount.arg(&config)).success();
        let copy = format!("cp -a {}/. {}/", kept.display(), config.display());
        process::run(Command::new("sh").args(["-c", &copy])).success();
        let attacked = Attacked::serve(authority);
        // What fits ends with a line, so that nothing but the disk tells that the rest is missing.
        let line = format!("{:<31}\n", "# A line of a long comment");
        let long = format!("{}{DENYING}", line.repeat(400));
        let filler = config.join("filler");
        let fill = "dd if=/dev/zero of=\"$0\" bs=4096 2>/dev/null; truncate -s -4096 \"$0\"";
        process::run(Command::new("sh").args(["-c", fill]).arg(&filler));
        let written = File::create(attacked.riser())
            .unwrap()
            .write_all(long.as_bytes());
        assert!(written.is_err(), "the disk is full");
        assert!(fs::metadata(attacked.riser()).unwrap().len() >= 4096);
        attacked.await_health("may be incomplete");
        fs::remove_file(&filler).unwrap();
        thread::sleep(Duration::from_secs(6));
        attacked.ask_more();
        fs::write(attacked.riser(), &long).unwrap();
        attacked.await_health(r#"{"status":"ok"}"#);
        attacked.held().stop();
    });
}

#[test]
fn a_restriction_removed_in_place_ends_after_a_while_with_a_warning_that_names_it() {
    own_harness(|harness| {
        let attacked = Attacked::start(harness);
        let riser = attacked.riser();
        fs::write(&riser, "[rate_limits]\nvalidations_per_account = 100\n").unwrap();
        thread::sleep(Duration::from_secs(3));
        let server = attacked.held();
        let account = server.account();
        process::eventually("the end of the restriction", || {
            account.try_order(&["x.denied.test"]).ok()
        });
        let words =
            "riser.toml: provisioner.acme.policy.deny_dns \"*.denied.test\" no longer restricts";
        assert!(
            server.daemon.log().contains(words),
            "{}",
            server.daemon.log()
        );
        // The next start knows of it.
        let authority = server.stop();
        fs::write(&riser, DENYING).unwrap();
        let server = authority.start();
        assert!(server.account().try_order(&["x.denied.test"]).is_err());
        server.stop();
    });
}

#[test]
fn a_riser_toml_that_is_gone_ends_a_start_until_the_operator_accepts_that() {
    own_harness(|harness| {
        let attacked = Attacked::start(harness);
        let riser = attacked.riser();
        let mut server = attacked.held();
        fs::rename(&riser, riser.with_extension("aside")).unwrap();
        server.daemon.signal("HUP");
        process::eventually("health to report it", || {
            let health = server.get("/health").text();
            health.contains("riser.toml is missing").then_some(())
        });
        assert!(server.account().try_order(&["x.denied.test"]).is_err());
        let mut authority = server.stop();
        for text in [None, Some(""), Some("\n")] {
            if let Some(text) = text {
                fs::write(&riser, text).unwrap();
            }
            let refused = process::run(&mut authority.command()).code(2);
            assert!(refused.stderr.contains("--accept-removal"), "{refused:?}");
        }
        authority.arguments.push("--accept-removal".to_owned());
        server = authority.start();
        assert!(server.account().try_order(&["x.denied.test"]).is_ok());
        // Once is enough.
        let mut authority = server.stop();
        authority.arguments.pop();
        server = authority.start();

        fs::rename(riser.with_extension("aside"), &riser).unwrap();
        server.authority.run(&["ca", "reload"]).success();
        assert!(server.account().try_order(&["x.denied.test"]).is_err());
        fs::remove_file(&riser).unwrap();
        let refused = server.authority.run(&["ca", "reload"]).code(1);
        assert!(
            refused.stderr.contains("riser.toml is missing"),
            "{refused:?}"
        );
        let accepted = server.authority.run(&["ca", "reload", "--accept-removal"]);
        accepted.success();
        assert!(server.account().try_order(&["x.denied.test"]).is_ok());
        server.stop();
    });
}

#[test]
fn a_provisioner_with_a_table_that_another_program_removes_is_gone_at_once_and_after_a_restart() {
    own_harness(|harness| {
        let Some((step, row)) =
            table::peer("step", "smallstep step, our server", "remove a provisioner")
        else {
            return;
        };
        let server = Attacked::start(harness).held();
        let mut remove = server.authority.step_of(&step);
        remove.args(["ca", "provisioner", "remove", "acme"]);
        process::run(&mut remove).success();
        process::eventually("the provisioner to be gone", || {
            (server.get("/acme/acme/directory").status == 404).then_some(())
        });
        let words =
            "riser.toml: provisioner.acme: has no effect: ca.json no longer has this provisioner";
        assert!(
            server.daemon.log().contains(words),
            "{}",
            server.daemon.log()
        );
        let authority = server.stop();
        let log = authority.path.with_extension("log");
        fs::remove_file(&log).unwrap();
        let server = authority.start();
        assert_eq!(server.get("/acme/acme/directory").status, 404);
        assert!(
            server.daemon.log().contains(words),
            "{}",
            server.daemon.log()
        );
        server.stop();
        row.passed();
    });
}
