//! One suite for every back end: what the verbs promise, whatever is below them.
//! A test is a function of an open, empty store; [`for_each_back_end`] runs it on each.

mod accounts;
mod back_ends;
mod certificate_retention;
mod certificate_search;
mod certificates;
mod configurations;
mod external_keys;
pub(crate) mod harness;
mod lineages;
mod load;
mod orders;
mod renewals;
mod retention;
mod reuse;
mod revocations;
mod subdomains;
mod untouched;
mod verdicts;

use crate::port;

/// What the tests need of a back end: every port, and that tasks can share it.
pub(crate) trait BackEnd:
    port::Accounts
    + port::AuditLog
    + port::Authorizations
    + port::CertificateSearch
    + port::Certificates
    + port::Challenges
    + port::Configurations
    + port::ExternalKeys
    + port::Orders
    + port::Permits
    + port::RenewalWindows
    + port::Retention
    + port::Revocations
    + port::ValidationJobs
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl BackEnd for crate::Store {}

/// Makes a `#[tokio::test]` of each named function for each function of `back_ends.rs`: one line a back end.
macro_rules! for_each_back_end {
    ($($tests:tt)+) => {
        super::tests_of!(sqlite_file: $($tests)+);
        super::tests_of!(sqlite_ephemeral: $($tests)+);
    };
}
use for_each_back_end;

macro_rules! tests_of {
    ($back_end:ident: $($test:ident),+ $(,)?) => {
        mod $back_end {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    let test = async |store: &_| super::$test(store).await;
                    crate::suite::back_ends::$back_end(test).await;
                }
            )+
        }
    };
}
use tests_of;
