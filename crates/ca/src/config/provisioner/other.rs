//! Provisioners of types that cannot issue here yet.

use crate::config::section::Section;
use crate::provisioner::{Common, Known, Other, Provisioner};

/// Reads one of a type that has no reader of its own.
pub(super) fn read(mut common: Common, kind: &str, section: &Section<'_>) -> Provisioner {
    let known = Known::find(kind);
    let reason = if known.is_some() {
        format!("provisioners of type {kind} are not supported yet")
    } else {
        format!("{kind:?} is not a type of provisioner")
    };
    if !kind.is_empty() {
        section.warn("type", format!("{reason}; it is listed only"));
    }
    common.disabled.get_or_insert(reason);
    Other {
        kind: known.map_or(kind, |known| known.name).to_owned(),
        number: known.map(|known| known.number),
        common,
    }
    .into()
}
