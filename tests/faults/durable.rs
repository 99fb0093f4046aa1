//! Under strace: no response to a write is sent before its record is on disk.

use std::collections::BTreeSet;
use std::path::Path;

use acceptance::authority::{Authority, Pair};
use acceptance::namespace::{Harness, own_harness};
use acceptance::table;
use acceptance::web::Web;

/// What one line of strace's output means here.
#[derive(Debug, PartialEq)]
enum Event {
    /// A new connection, by its two ends.
    Accepted(String),
    /// Bytes went into the write-ahead log.
    LogWritten,
    /// A thread asked for the log to be on the disk.
    SyncBegun(String),
    /// What that thread asked for last is done.
    SyncDone(String),
    /// Bytes left on the connection with these ends.
    Sent(String),
}

/// Reads a line `PID call(fd<what>, …) = result`, or one half of it.
fn event(line: &str) -> Option<Vec<Event>> {
    let (pid, call) = line.trim_start().split_once(' ')?;
    let (pid, call) = (pid.to_owned(), call.trim_start());
    let ends = |text: &str| {
        let at = text.rfind("<TCP:[127.0.0.1:9000->")?;
        text[at..].split_once('>').map(|_| {
            let rest = &text[at + "<TCP:[".len()..];
            rest.split(']').next().unwrap_or_default().to_owned()
        })
    };
    if call.starts_with("accept4(") || call.contains("accept4 resumed") {
        return Some(vec![Event::Accepted(ends(call)?)]);
    }
    if call.starts_with("<... fdatasync resumed") || call.starts_with("<... fsync resumed") {
        return Some(vec![Event::SyncDone(pid)]);
    }
    let first = call.split([',', ')']).next()?;
    if call.starts_with("fdatasync(") || call.starts_with("fsync(") {
        if !first.contains("-wal>") {
            return None;
        }
        let begun = Event::SyncBegun(pid.clone());
        if call.contains("unfinished") {
            return Some(vec![begun]);
        }
        return Some(vec![begun, Event::SyncDone(pid)]);
    }
    if first.contains("-wal>") {
        return Some(vec![Event::LogWritten]);
    }
    Some(vec![Event::Sent(ends(first)?)])
}

/// Answers on the newest connection that left while the log had bytes not yet on the disk; and
/// how many answers left after a sync.
fn too_early(trace: &str) -> (Vec<String>, usize) {
    let (mut newest, mut dirty, mut synced) = (String::new(), false, false);
    let mut covered = BTreeSet::new();
    let (mut wrong, mut kept) = (Vec::new(), 0);
    for line in trace.lines() {
        for event in event(line).unwrap_or_default() {
            match event {
                Event::Accepted(ends) => (newest, synced) = (ends, false),
                Event::LogWritten => (dirty, covered) = (true, BTreeSet::new()),
                Event::SyncBegun(thread) => drop(covered.insert(thread)),
                // A sync that began before the last write does not cover it.
                Event::SyncDone(thread) if covered.contains(&thread) => {
                    (dirty, synced) = (false, true)
                }
                Event::SyncDone(_) => (),
                Event::Sent(ends) if ends != newest => (),
                Event::Sent(_) if dirty => wrong.push(line.to_owned()),
                Event::Sent(_) => kept += usize::from(std::mem::take(&mut synced)),
            }
        }
    }
    (wrong, kept)
}

/// What strace sees while an account is made and gets a certificate, three times.
fn traced(harness: &Harness, strace: &Path) -> [String; 3] {
    harness.dns.addresses("example.com", &["127.0.0.1"]);
    let web = Web::start("127.0.0.1:80");
    let trace = harness.path("trace");
    let mut authority = Authority::init(harness, Pair::ours(), "ca");
    authority.wrapper = [
        strace.to_str().unwrap(),
        "-f",
        "-yy",
        "-s0",
        "-e",
        "trace=accept4,fdatasync,fsync,write,writev,pwrite64,sendto,sendmsg",
        "-o",
        trace.to_str().unwrap(),
    ]
    .map(str::to_owned)
    .to_vec();
    let mut server = authority.start();
    server.add_acme();
    let mut began = std::fs::read_to_string(&trace).unwrap().len();
    [(); 3].map(|()| {
        server.account().obtain(&["example.com"], &web);
        let text = std::fs::read_to_string(&trace).unwrap();
        let seen = text[began..].to_owned();
        began = text.len();
        seen
    })
}

/// The plain path: whatever else there is costs nothing where it is not used.
#[test]
fn a_new_account_and_its_certificate_take_four_durable_writes() {
    own_harness(|harness| {
        let Some((strace, row)) = table::peer("strace", "strace", "writes of a certificate") else {
            return;
        };
        let traced = traced(harness, &strace);
        let flushes_all = |line: &&str| line.contains("-wal>") && line.contains(" fsync(");
        assert_eq!(traced.concat().lines().find(flushes_all), None);
        let writes = traced.map(|seen| {
            let events = seen.lines().filter_map(event).flatten();
            let is_sync = |event: &Event| matches!(event, Event::SyncBegun(_));
            events.filter(is_sync).count()
        });
        // Account, order, verdict, certificate; on a slow machine also a challenge in progress.
        assert_eq!(writes.iter().min(), Some(&4), "{writes:?}");
        row.passed();
    });
}

#[test]
fn no_answer_to_a_write_leaves_before_its_sync() {
    own_harness(|harness| {
        let Some((strace, row)) = table::peer("strace", "strace", "sync before each answer") else {
            return;
        };
        let text = traced(harness, &strace).concat();
        let (wrong, kept) = too_early(&text);
        assert_eq!(wrong, Vec::<String>::new(), "answers left too early");
        // Account, order, verdict and certificate, three times.
        assert!(kept >= 12, "only {kept} answers came after a sync");
        row.passed();
    });
}

#[test]
fn an_answer_before_its_sync_would_be_seen() {
    let good = "\
10 accept4(9<TCP:[127.0.0.1:9000]>, ...) = 15<TCP:[127.0.0.1:9000->127.0.0.1:4000]>
11 pwrite64(7</x/riser.sqlite3-wal>, \"\"..., 4096, 32) = 4096
11 fdatasync(7</x/riser.sqlite3-wal> <unfinished ...>
10 write(14<TCP:[127.0.0.1:9000->127.0.0.1:3999]>, \"\"..., 24) = 24
11 <... fdatasync resumed>) = 0
10 writev(15<TCP:[127.0.0.1:9000->127.0.0.1:4000]>, [], 1) = 400
";
    assert_eq!(too_early(good), (Vec::new(), 1));
    let without: String = good
        .lines()
        .filter(|l| !l.contains("fdatasync"))
        .map(|l| format!("{l}\n"))
        .collect();
    assert_eq!(too_early(&without).0.len(), 1);
    let late = "\
10 accept4(9<TCP:[127.0.0.1:9000]>, ...) = 15<TCP:[127.0.0.1:9000->127.0.0.1:4000]>
11 fdatasync(7</x/riser.sqlite3-wal> <unfinished ...>
12 write(7</x/riser.sqlite3-wal>, \"\"..., 4096) = 4096
11 <... fdatasync resumed>) = 0
10 sendto(15<TCP:[127.0.0.1:9000->127.0.0.1:4000]>, \"\"..., 400, 0, NULL, 0) = 400
";
    assert_eq!(too_early(late).0.len(), 1);
}
