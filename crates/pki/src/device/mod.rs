//! What certificates and structures of hardware say about a device: the identifiers of devices in
//! names, and the attestations of TPMs, YubiKeys and Android.
//!
//! Not here: which statements are believed (in `acme`).

mod android;
mod names;
pub mod tpm;
mod yubikey;

pub use android::{KeyDescription, SecurityLevel, key_description};
pub use names::{HardwareModule, PermanentIdentifier, TpmModel, is_device_name, tpm_model};
pub use yubikey::YubiKey;
