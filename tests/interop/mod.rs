//! Other ACME clients against our server, and our client against other servers, with every challenge
//! that they support. Each test writes its rows of the table.

mod attestation;
mod caddy;
mod certbot;
mod chains;
mod contexts;
mod curl;
mod dehydrated;
mod dev;
mod external_accounts;
mod failing;
mod folders;
mod inspect;
mod lego;
mod mod_md;
mod moving;
mod pebble;
mod policy;
mod real_step;
mod real_step_ca;
mod renewal;
mod revocation;
mod ruby;
mod suites;
mod uacme;

use acceptance::table;

/// Programs that the README lists as tested.
const PEERS: [&str; 15] = [
    "certbot",
    "certbot-pypi",
    "lego",
    "lego-v5",
    "caddy",
    "apache2",
    "dehydrated",
    "uacme",
    "ruby-acme-client",
    "curl",
    "step",
    "step-ca",
    "pebble",
    "openssl",
    "goverify",
];

#[test]
fn no_installed_peer_is_listed_as_absent() {
    let excused = table::absences();
    for program in PEERS {
        assert!(
            !excused.contains_key(program),
            "{program} must be installed"
        );
    }
}
