//! Keeps the memory of the process, which holds the key of the intermediate, from other processes.

use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit,
};

/// Other processes of the same user can no longer read the memory or attach a debugger, and a crash writes no core
/// file. Logs where the system refuses it.
pub(super) fn protect() {
    let cores = Rlimit {
        current: Some(0),
        maximum: getrlimit(Resource::Core).maximum,
    };
    let outcomes = [
        (
            "dumps",
            set_dumpable_behavior(DumpableBehavior::NotDumpable),
        ),
        ("core files", setrlimit(Resource::Core, cores)),
    ];
    for (what, outcome) in outcomes {
        if let Err(error) = outcome {
            tracing::warn!(%error, "{what} of this process cannot be switched off");
        }
    }
}
