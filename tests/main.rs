//! The acceptance tests: the rules of the code base, the protocol, real clients, real
//! readers of certificates, and everything that can break.

mod advisories;
mod architecture;
mod conformance;
mod documents;
mod faults;
mod interop;
mod journey;
mod manual;
mod terminal;
mod third_party;
