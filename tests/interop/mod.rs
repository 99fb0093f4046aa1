//! Real programs against ours, and ours against real servers, over every challenge that they know.
//! Each test opens the rows of the table that it fills.

mod caddy;
mod certbot;
mod chains;
mod curl;
mod dev;
mod external_accounts;
mod failing;
mod folders;
mod inspect;
mod lego;
mod pebble;
mod policy;
mod real_step;
mod real_step_ca;
mod renewal;
mod revocation;
mod suites;

use acceptance::table;

/// Programs whose rows the promises of the README rest on.
const PARTNERS: [&str; 11] = [
    "certbot",
    "certbot-pypi",
    "lego",
    "lego-v5",
    "caddy",
    "curl",
    "step",
    "step-ca",
    "pebble",
    "openssl",
    "goverify",
];

#[test]
fn no_partner_is_excused() {
    let excused = table::absences();
    for program in PARTNERS {
        assert!(!excused.contains_key(program), "{program} must be there");
    }
}
