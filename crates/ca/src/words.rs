//! Sentences that other programs compare, print as their own or search for in scripts. They are
//! interface: a change here breaks a client that never saw our source. Everything else we say
//! may be worded anew at any time.

use jiff::SignedDuration;

use crate::go_duration::format;

/// 401 of the step API for a client that has not proven who it is; the cause stays in the log. `step` prints it as it comes.
pub const UNAUTHORIZED: &str = "The request lacked necessary authorization to be completed. Please see the certificate authority logs for more info.";
/// 404 without a cause.
pub const NOT_FOUND: &str = "The requested resource could not be found. Please see the certificate authority logs for more info.";
/// 500 of the step API; the cause stays in the log.
pub const INTERNAL: &str = "The certificate authority encountered an Internal Server Error. Please see the certificate authority logs for more info.";
/// 501 of the step API.
pub const NOT_IMPLEMENTED: &str = "The requested method is not implemented by the certificate authority. Please see the certificate authority logs for more info.";

/// 401 of the step API, with its cause: it begins as [`UNAUTHORIZED`] does.
#[must_use]
pub fn unauthorized(cause: &str) -> String {
    format!("The request lacked necessary authorization to be completed: {cause}.")
}

/// 400 of the step API, with its cause.
#[must_use]
pub fn bad_request(cause: &str) -> String {
    format!("The request could not be completed: {cause}.")
}

/// 403 of the step API, with its cause.
#[must_use]
pub fn forbidden(cause: &str) -> String {
    format!("The request was forbidden by the certificate authority: {cause}.")
}

/// Any other status of the step API.
#[must_use]
pub fn unexpected(status: u16) -> String {
    format!(
        "The certificate authority received an unexpected HTTP status code - '{status}'. Please see the certificate authority logs for more info."
    )
}

/// 404 of `/root/{sha}`: what `step ca bootstrap` prints for a wrong fingerprint.
#[must_use]
pub fn root_not_found(fingerprint: &str) -> String {
    format!("root certificate with fingerprint \"{fingerprint}\" was not found")
}

/// A life beyond the maximum, as `step ca certificate --not-after` prints it.
pub(crate) fn too_long(requested: SignedDuration, maximum: SignedDuration) -> String {
    format!(
        "requested duration of {} is more than the authorized maximum certificate duration of {}",
        format(requested),
        format(maximum)
    )
}

/// A life below the minimum.
pub(crate) fn too_short(requested: SignedDuration, minimum: SignedDuration) -> String {
    format!(
        "requested duration of {} is less than the authorized minimum certificate duration of {}",
        format(requested),
        format(minimum)
    )
}

/// The end of the line that `step ca provisioner add` prints for a name that is taken.
pub(crate) fn provisioner_exists(name: &str) -> String {
    format!("provisioner with name {name} already exists")
}

/// The end of the line that `step ca provisioner update|remove` prints for an unknown name.
pub(crate) fn provisioner_not_found(name: &str) -> String {
    format!("provisioner {name} not found")
}
