//! Edits that remove a restriction, complete or not.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::symlink;

use ca::config::{Restriction, removed};

use super::*;

const DENY: &str = "\n[provisioner.a.policy]\ndeny_dns = [\"*.denied.lab\"]\n";
const NONE: &str = "\n[provisioner.a]\n";

impl Folder {
    /// A folder in which riser.toml denies names to provisioner a.
    fn denying() -> Self {
        let folder = Self::new(&["a"]);
        folder.put("riser.toml", DENY);
        folder
    }

    /// Opens riser.toml as a redirect of the shell does, and writes this much of it.
    fn begin(&self, text: &str) -> File {
        let mut file = File::create(self.path("riser.toml")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn ask_for(&self, provisioners: &[&str]) {
        self.rename_to("ca.json", &ca_json(provisioners, "db"));
    }
}

fn denies(live: &Live) -> bool {
    let restrictions = live.config().restrictions();
    let denied = |one: &Restriction| one.place.contains("*.denied.lab");
    restrictions.iter().any(denied)
}

#[tokio::test]
async fn a_half_written_file_does_not_count_because_its_neighbour_changed() {
    let folder = Folder::denying();
    let live = folder.live();
    let mut half = folder.begin("");
    folder.ask_for(&["a", "b"]);
    assert_eq!(
        reload(&live).await,
        None,
        "an operator learns that riser.toml is open"
    );
    assert!(live.fault().unwrap().contains("riser.toml is still open"));
    assert_eq!(names(&live), ["a", "b"], "the neighbour is in force");
    assert!(denies(&live));
    half.write_all(NONE.as_bytes()).unwrap();
    folder.ask_for(&["a", "c"]);
    reload(&live).await;
    assert_eq!(names(&live), ["a", "c"]);
    assert!(denies(&live));
    half.write_all(b"order_life = \"1h\"").unwrap();
    half.write_all(DENY.as_bytes()).unwrap();
    drop(half);
    reload(&live).await;
    assert_eq!(live.fault(), None);
    assert!(denies(&live));
    let settings = live.config().riser.provisioner("a").order_life;
    assert_eq!(settings.as_secs(), 3600);
}

#[tokio::test]
async fn an_edit_in_place_removes_a_restriction_only_after_a_time_without_edits() {
    let folder = Folder::denying();
    let live = folder.live();
    folder.put("riser.toml", NONE);
    let more = async {
        sleep(SHORT.quiet / 2).await;
        assert!(denies(&live));
        folder.put("riser.toml", &format!("{NONE}order_life = \"1h\"\n"));
        sleep(SHORT.quiet * 3 / 4).await;
        assert!(denies(&live), "the time begins again");
    };
    let (reloaded, ()) = tokio::join!(reload(&live), more);
    assert_eq!(reloaded, Some(Reloaded::Changed));
    assert!(!denies(&live));
    let note = "riser.toml: provisioner.a.policy.deny_dns \"*.denied.lab\" no longer restricts";
    assert_eq!(live.notes(), [note]);
}

#[tokio::test]
async fn a_file_that_is_being_written_again_has_no_time_without_edits() {
    let folder = Folder::denying();
    let live = folder.live();
    folder.put("riser.toml", NONE);
    let again = async {
        sleep(SHORT.quiet / 2).await;
        let riser = folder.path("riser.toml");
        let mut half = File::options().append(true).open(riser).unwrap();
        half.write_all(b"# Not over\n").unwrap();
        sleep(SHORT.quiet * 2).await;
        assert!(denies(&live));
        half.write_all(DENY.as_bytes()).unwrap();
    };
    tokio::join!(reload(&live), again);
    reload(&live).await;
    assert!(denies(&live));
}

#[tokio::test]
async fn a_change_of_the_other_file_does_not_wait_with_it() {
    let folder = Folder::denying();
    let live = folder.live();
    folder.put("riser.toml", NONE);
    folder.ask_for(&["a", "b"]);
    let meanwhile = async {
        while names(&live) != ["a", "b"] {
            sleep(SHORT.settle).await;
        }
        denies(&live)
    };
    let (_, denied) = tokio::join!(reload(&live), meanwhile);
    assert!(denied);
    assert!(!denies(&live));
}

#[tokio::test]
async fn a_rename_and_a_swapped_link_remove_a_restriction_at_once() {
    let folder = Folder::denying();
    let live = folder.live();
    folder.rename_to("riser.toml", NONE);
    let start = Instant::now();
    reload(&live).await;
    assert!(!denies(&live));
    // As Kubernetes mounts a ConfigMap.
    for (name, text) in [("one", DENY), ("two", NONE)] {
        fs::create_dir(folder.path(name)).unwrap();
        folder.put(&format!("{name}/riser.toml"), text);
    }
    let point_to = |name: &str| {
        symlink(name, folder.path("tmp")).unwrap();
        fs::rename(folder.path("tmp"), folder.path("..data")).unwrap();
    };
    point_to("one");
    symlink("..data/riser.toml", folder.path("aside")).unwrap();
    fs::rename(folder.path("aside"), folder.path("riser.toml")).unwrap();
    reload(&live).await;
    assert!(denies(&live));
    point_to("two");
    reload(&live).await;
    assert!(!denies(&live));
    assert!(start.elapsed() < SHORT.quiet, "none of them waited");
}

#[tokio::test]
async fn a_file_that_was_in_force_and_is_gone_is_a_fault_that_only_the_operator_can_accept() {
    let folder = Folder::denying();
    let live = folder.live();
    let gone = folder.path("gone");
    fs::rename(folder.path("riser.toml"), &gone).unwrap();
    folder.ask_for(&["a", "b"]);
    assert_eq!(reload(&live).await, None);
    assert!(live.fault().unwrap().contains("riser.toml is missing"));
    folder.put("riser.toml", "\n");
    assert_eq!(reload(&live).await, None);
    assert!(live.fault().unwrap().contains("riser.toml is empty"));
    assert!(denies(&live));
    fs::rename(&gone, folder.path("riser.toml")).unwrap();
    assert_eq!(reload(&live).await, Some(Reloaded::Changed));
    assert_eq!((live.fault(), denies(&live)), (None, true));
    fs::remove_file(folder.path("riser.toml")).unwrap();
    let accepted = live.reload(Removal::Accepted).await;
    assert_eq!(accepted, Some(Reloaded::Changed));
    assert!(!denies(&live));
    assert_eq!(reload(&live).await, Some(Reloaded::Same));
}

#[tokio::test]
async fn a_text_that_lost_the_end_of_its_last_line_removes_no_restriction() {
    let folder = Folder::denying();
    let live = folder.live();
    folder.put("riser.toml", "# The names that nobody");
    assert_eq!(reload(&live).await, None);
    assert!(live.fault().unwrap().contains("may be incomplete"));
    assert!(denies(&live));
    assert_eq!(
        live.reload(Removal::Accepted).await,
        Some(Reloaded::Changed)
    );
    assert!(!denies(&live));
}

#[tokio::test]
async fn a_table_without_provisioner_is_a_fault_of_riser_toml_and_a_warning_of_ca_json() {
    let folder = Folder::denying();
    folder.put("ca.json", &ca_json(&["a", "b"], "db"));
    let live = folder.live();
    folder.put("ca.json", &ca_json(&["b"], "db"));
    assert_eq!(reload(&live).await, Some(Reloaded::Changed));
    assert_eq!(names(&live), ["b"]);
    assert!(
        live.notes()[0].contains("provisioner.a: has no effect"),
        "{:?}",
        live.notes()
    );
    folder.rename_to("riser.toml", &format!("{DENY}[provisioner.b]\n"));
    assert_eq!(reload(&live).await, None);
    assert!(
        live.fault()
            .unwrap()
            .contains("provisioner.a: names no provisioner")
    );
}

/// What was in force, as a start finds it in the store.
fn last(live: &Live) -> Option<AcceptedConfiguration> {
    live.accepted().borrow().clone()
}

#[tokio::test]
async fn a_start_judges_the_files_by_what_was_in_force_when_the_server_ran_last() {
    let folder = Folder::denying();
    let db = folder.path("db");
    let db = db.to_str().unwrap();
    folder.put("ca.json", &ca_json(&["a"], db));
    let last = last(&folder.live());
    let judge = async |removal| {
        let (live, _) = Live::open_with(folder.files(), Overrides::default(), SHORT)
            .map_err(|error| error.to_string())?;
        let judged = live.judge_start(last.as_ref(), removal).await;
        judged
            .map(|()| denies(&live))
            .map_err(|error| error.to_string())
    };
    assert_eq!(judge(Removal::Refused).await, Ok(true));
    fs::remove_file(folder.path("riser.toml")).unwrap();
    let refused = judge(Removal::Refused).await.unwrap_err();
    assert!(
        refused.contains("riser.toml is missing") && refused.contains("step-ca --accept-removal")
    );
    assert_eq!(judge(Removal::Accepted).await, Ok(false));
    // A full disk has cut the file long ago.
    folder.put("riser.toml", NONE.trim_end());
    let refused = judge(Removal::Refused).await.unwrap_err();
    assert!(refused.contains("may be incomplete"), "{refused}");
    assert_eq!(judge(Removal::Accepted).await, Ok(false));
    folder.put("riser.toml", NONE);
    assert_eq!(judge(Removal::Refused).await, Ok(false));
    // Another program removed the provisioner, and riser.toml is as it was.
    folder.put("riser.toml", DENY);
    folder.put("ca.json", &ca_json(&["b"], db));
    fs::create_dir(folder.path("db")).unwrap();
    folder.put("db/riser.sqlite3", "");
    assert_eq!(judge(Removal::Refused).await, Ok(false));
    folder.put("riser.toml", &format!("{DENY}# edited\n"));
    let refused = judge(Removal::Refused).await.unwrap_err();
    assert!(refused.contains("names no provisioner"), "{refused}");
}

#[tokio::test]
async fn a_start_waits_for_a_file_that_was_written_just_now_and_removes_a_restriction() {
    let folder = Folder::denying();
    let last = last(&folder.live());
    folder.put("riser.toml", NONE);
    let live = folder.live();
    let finish = async {
        sleep(SHORT.quiet / 2).await;
        folder.put("riser.toml", DENY);
    };
    let (judged, ()) = tokio::join!(live.judge_start(last.as_ref(), Removal::Refused), finish);
    assert!(judged.is_ok());
    assert!(denies(&live));
    assert_eq!(
        removed(&last.unwrap().restrictions, &live.config().restrictions()),
        []
    );
}
