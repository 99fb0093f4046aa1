//! RFC 8555: Automatic Certificate Management Environment.

mod s11_1_keys;
mod s6_1_https;
mod s6_2_algorithms;
mod s6_2_keys;
mod s6_2_request_authentication;
mod s6_3_post_as_get;
mod s6_4_request_url;
mod s6_5_replay;
mod s6_6_rate_limits;
mod s6_7_errors;
mod s7_1_2_1_orders_list;
mod s7_1_4_identifiers;
mod s7_1_bodies;
mod s7_1_resources;
mod s7_2_nonces;
mod s7_3_3_terms;
mod s7_3_4_external_accounts;
mod s7_3_5_key_rollover;
mod s7_3_accounts;
mod s7_4_1_permits;
mod s7_4_1_preauthorization;
mod s7_4_2_certificates;
mod s7_4_2_forms;
mod s7_4_csr;
mod s7_4_finalize;
mod s7_4_orders;
mod s7_5_authorizations;
mod s7_5_reuse;
mod s7_6_revocation;
mod s8_3_http01;
mod s8_3_redirects;
mod s8_4_dns01;

pub(in crate::conformance) use s8_4_dns01::{failed, start, value};
