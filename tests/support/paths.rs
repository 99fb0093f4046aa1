//! Paths of the programs under test and of their peers.

use std::path::{Path, PathBuf};

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the workspace")
        .to_owned()
}

/// One of our own programs (`step`, `step-ca`), built beside this test; or another
/// make's, from the folder `RISER_OURS`, so that the tests are judged too.
pub fn ours(name: &str) -> PathBuf {
    if let Some(folder) = std::env::var_os("RISER_OURS") {
        return Path::new(&folder).join(name);
    }
    let test = std::env::current_exe().expect("a test knows its own file");
    let profile = test.ancestors().nth(2).expect("target/<profile>/deps/test");
    let program = profile.join(name);
    assert!(
        program.is_file(),
        "{} is not built: run `make build` first",
        program.display()
    );
    program
}

/// A peer's program, from `target/peers/bin` or from Debian; `None` where it is absent.
pub fn peer(name: &str) -> Option<PathBuf> {
    let installed = peers().join("bin").join(name);
    if installed.exists() {
        return Some(installed);
    }
    // Debian's `step` is another program: ours and smallstep's are only taken from folders we know.
    if name == "step" || name == "step-ca" {
        return None;
    }
    ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
        .iter()
        .map(|dir| Path::new(dir).join(name))
        .find(|path| path.is_file())
}

/// Why a peer is absent, as `peers/install` recorded it.
pub fn absence(name: &str) -> String {
    std::fs::read_to_string(peers().join("absent").join(name)).map_or_else(
        |_| "not installed: run `make peers`".to_owned(),
        |text| text.trim().to_owned(),
    )
}

/// Where the rows of the interop table go.
pub fn rows() -> PathBuf {
    std::env::var_os("RISER_INTEROP").map_or_else(|| root().join("target/interop"), PathBuf::from)
}

fn peers() -> PathBuf {
    std::env::var_os("RISER_PEERS").map_or_else(|| root().join("target/peers"), PathBuf::from)
}
