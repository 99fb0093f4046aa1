//! Writes JSON with the indentation that smallstep's `step` has in each place.

use anyhow::Result;
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

/// JSON with this indentation, without a newline at the end.
///
/// # Errors
/// When the value has no JSON form.
pub(crate) fn pretty(value: &impl Serialize, indent: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let formatter = PrettyFormatter::with_indent(indent);
    value.serialize(&mut Serializer::with_formatter(&mut out, formatter))?;
    Ok(out)
}
