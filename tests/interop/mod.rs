//! Real programs against ours, and ours against real servers, over http-01.
//! Each test opens the rows of the table that it fills.

mod certbot;
mod curl;
mod dev;
mod failing;
mod folders;
mod inspect;
mod lego;
mod pebble;
mod real_step;
mod real_step_ca;
