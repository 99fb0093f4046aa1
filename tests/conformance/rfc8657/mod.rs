//! RFC 8657: CAA parameters for accounts and validation methods.

mod s3_accounturi;
mod s4_validationmethods;
