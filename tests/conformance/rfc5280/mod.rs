//! RFC 5280: what the certificates above a leaf allow.

mod s4_2_1_10_name_constraints;
