//! Requirements of the standards, by document and section: the path of a file is the
//! section that its tests check. Hostile requests have a module of their own.
//! All of them talk to one server, over HTTPS, with a client of their own.

mod csr;
mod der;
mod drafts;
mod hostile;
mod key;
mod leaf;
mod rfc5280;
mod rfc8555;
mod rfc8657;
mod rfc8659;
mod rfc8737;
mod rfc8738;
mod rfc9444;
mod rfc9773;
mod subject;
mod weak;
