//! Edits of the files, valid and invalid, as people and programs make them.

mod removal;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::source::Waits;
use super::*;

struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    fn new(provisioners: &[&str]) -> Self {
        let folder = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        folder.put("ca.json", &ca_json(provisioners, "db"));
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn files(&self) -> Files {
        Files::beside(self.path("ca.json"))
    }

    fn live(&self) -> Arc<Live> {
        let opened = Live::open_with(self.files(), Overrides::default(), SHORT);
        Arc::new(opened.ok().unwrap().0)
    }

    /// Puts a text into a file as an editor does that renames.
    fn rename_to(&self, name: &str, text: &str) {
        self.put("aside", text);
        fs::rename(self.path("aside"), self.path(name)).unwrap();
    }
}

/// Long enough for a loaded machine to see the order of what happens.
const SHORT: Waits = Waits {
    settle: Duration::from_millis(20),
    absence: Duration::from_millis(40),
    quiet: Duration::from_millis(600),
};

async fn reload(live: &Live) -> Option<Reloaded> {
    live.reload(Removal::Refused).await
}

fn ca_json(provisioners: &[&str], db: &str) -> String {
    let provisioners: Vec<_> = provisioners
        .iter()
        .map(|name| json!({"type": "ACME", "name": name}))
        .collect();
    json!({
        "root": "root.crt", "crt": "int.crt", "key": "int.key", "address": ":9000",
        "db": {"type": "sqlite", "dataSource": db},
        "authority": {"provisioners": provisioners},
    })
    .to_string()
}

fn names(live: &Live) -> Vec<String> {
    let config = live.config();
    config.authority.names().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_good_edit_comes_into_force_and_is_counted() {
    let folder = Folder::new(&["a"]);
    let live = folder.live();
    let changes = live.changes();
    assert_eq!(reload(&live).await, Some(Reloaded::Same));
    folder.put("ca.json", &ca_json(&["a", "b"], "db"));
    assert_eq!(reload(&live).await, Some(Reloaded::Changed));
    assert_eq!(names(&live), ["a", "b"]);
    assert!(changes.has_changed().unwrap());
}

#[tokio::test]
async fn an_invalid_edit_leaves_the_old_in_force_and_is_reported_until_it_is_corrected() {
    let folder = Folder::new(&["a"]);
    let live = folder.live();
    folder.put("ca.json", "{");
    assert_eq!(reload(&live).await, None);
    assert!(live.fault().unwrap().contains("ca.json"));
    assert_eq!(names(&live), ["a"]);
    folder.put("ca.json", &ca_json(&["a"], "db"));
    folder.put("riser.toml", "[provisioner.gone]\norder_life = \"1h\"\n");
    assert_eq!(reload(&live).await, None);
    assert!(live.fault().unwrap().contains("provisioner.gone"));
    fs::remove_file(folder.path("riser.toml")).unwrap();
    assert_eq!(reload(&live).await, Some(Reloaded::Same));
    assert_eq!(live.fault(), None, "riser.toml was never in force");
}

#[tokio::test]
async fn the_command_line_overrides_the_files_at_each_read() {
    let folder = Folder::new(&["a"]);
    folder.put("riser.toml", "[validation]\nhttp_port = 1\ntls_port = 2\n");
    let overrides = Overrides {
        http_port: Some(5002),
        rate_limits: Some(RateLimits::off()),
        ..Overrides::default()
    };
    let (live, _) = Live::open(folder.files(), overrides).ok().unwrap();
    let ports = || {
        let config = live.config();
        let validation = &config.riser.validation;
        (validation.http_port, validation.tls_port)
    };
    assert_eq!(ports(), (5002, 2));
    assert_eq!(live.config().riser.rate_limits, RateLimits::off());
    folder.put("riser.toml", "[validation]\nhttp_port = 1\ntls_port = 3\n");
    reload(&live).await;
    assert_eq!(ports(), (5002, 3));
}

#[tokio::test]
async fn a_change_with_another_store_is_refused_completely() {
    let folder = Folder::new(&["a"]);
    let live = folder.live();
    folder.put("ca.json", &ca_json(&["a", "b"], "elsewhere"));
    assert_eq!(reload(&live).await, None);
    assert!(live.fault().unwrap().contains("restart"));
    assert_eq!(names(&live), ["a"]);
}

#[tokio::test]
async fn a_file_that_is_missing_for_a_moment_is_not_a_configuration() {
    let folder = Folder::new(&["a"]);
    let live = folder.live();
    fs::remove_file(folder.path("ca.json")).unwrap();
    assert_eq!(reload(&live).await, None);
    assert_eq!(names(&live), ["a"]);
}

#[tokio::test]
async fn an_edit_during_a_reload_is_taken_and_what_it_replaces_is_not() {
    let folder = Folder::new(&["a"]);
    let live = folder.live();
    let revision = *live.changes().borrow();
    folder.put("ca.json", &ca_json(&["b"], "db"));
    let edit = async { folder.put("ca.json", &ca_json(&["c"], "db")) };
    // The reload is polled first: it reads, and waits before it reads again.
    let (reloaded, ()) = tokio::join!(biased; reload(&live), edit);
    assert_eq!(reloaded, Some(Reloaded::Changed));
    assert_eq!(names(&live), ["c"]);
    assert_eq!(*live.changes().borrow(), revision + 1);
}

/// Edits the watched files in one way, and waits until the edit is in force.
async fn follows(edit: impl FnOnce(&Folder)) -> Vec<String> {
    let folder = Folder::new(&["a"]);
    let live = folder.live();
    let mut changes = live.changes();
    let watching = Arc::clone(&live);
    let watch = tokio::spawn(async move { watching.watch().await });
    edit(&folder);
    let changed = timeout(Duration::from_secs(30), changes.changed());
    changed.await.unwrap().unwrap();
    watch.abort();
    names(&live)
}

#[tokio::test]
async fn a_file_written_in_place_is_followed() {
    let edit = |folder: &Folder| folder.put("ca.json", &ca_json(&["b"], "db"));
    assert_eq!(follows(edit).await, ["b"]);
}

#[tokio::test]
async fn a_file_renamed_into_place_is_followed() {
    let edit = |folder: &Folder| {
        folder.put("aside", &ca_json(&["c"], "db"));
        fs::rename(folder.path("aside"), folder.path("ca.json")).unwrap();
    };
    assert_eq!(follows(edit).await, ["c"]);
}

#[tokio::test]
async fn a_changed_link_is_followed() {
    let edit = |folder: &Folder| {
        folder.put("other", &ca_json(&["d"], "db"));
        std::os::unix::fs::symlink("other", folder.path("link")).unwrap();
        fs::rename(folder.path("link"), folder.path("ca.json")).unwrap();
    };
    assert_eq!(follows(edit).await, ["d"]);
}

/// A folder whose ca.json names the intermediate that smallstep's `step` made, and riser.toml these alternates.
fn chained(alternates: &[&str]) -> Folder {
    let folder = Folder::new(&["a"]);
    let mut file: serde_json::Value = serde_json::from_str(&ca_json(&["a"], "db")).unwrap();
    file["crt"] = json!(folder.path("int.crt"));
    folder.put("ca.json", &file.to_string());
    folder.put("int.crt", INTERMEDIATE);
    folder.put(
        "riser.toml",
        &format!("[chains]\nalternates = {alternates:?}\n"),
    );
    folder
}

const INTERMEDIATE: &str = include_str!("../../../ca/testdata/written-by-step/intermediate_ca.crt");
const ROOT: &str = include_str!("../../../ca/testdata/written-by-step/root_ca.crt");

#[tokio::test]
async fn an_alternate_chain_is_read_with_the_configuration_and_again_when_its_file_changes() {
    let folder = chained(&["up.pem"]);
    folder.put("up.pem", INTERMEDIATE);
    let live = folder.live();
    let lengths = || -> Vec<usize> {
        let chains = &live.config().riser.chains;
        chains.above.iter().map(Vec::len).collect()
    };
    assert_eq!(lengths(), [1]);
    assert_eq!(reload(&live).await, Some(Reloaded::Same));
    folder.put("up.pem", &format!("{INTERMEDIATE}{ROOT}"));
    assert_eq!(reload(&live).await, Some(Reloaded::Changed));
    assert_eq!(lengths(), [2]);
    folder.put("up.pem", ROOT);
    assert_eq!(reload(&live).await, None);
    assert_eq!(lengths(), [2], "the old stays in force");
}

#[tokio::test]
async fn every_alternate_chain_that_cannot_be_read_is_reported() {
    let folder = chained(&["missing.pem", "root.pem", "empty.pem"]);
    folder.put("root.pem", ROOT);
    folder.put("empty.pem", "nothing");
    let opened = Live::open(folder.files(), Overrides::default());
    let words = opened.err().unwrap().to_string();
    let lines: Vec<_> = words.lines().collect();
    assert_eq!(lines.len(), 3, "{words}");
    assert!(lines[0].contains("chains.alternates[0]") && lines[0].contains("missing.pem"));
    assert!(lines[1].contains("name and key"), "{words}");
    assert!(lines[2].contains("empty.pem"), "{words}");
}
