//! RFC 8657: parameters of CAA that bind to an account and to ways of validation.

mod s3_accounturi;
mod s4_validationmethods;
