//! Certificates over HTTP (RFC 8555 §7.4.2): as PEM chain, DER or PKCS #7, as `Accept` prefers.
//! Alternate chains link to each other, and a single certificate links to its issuer.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::Answer;
use super::accept::Form;
use super::signed::{self, Signed};
use crate::http::links::Links;
use crate::http::problem::AcmeFailure;
use crate::http::url_layout::{AlternatePath, IssuerPath, ResourcePath};
use crate::service::{AcmeService, Download, Error};

/// The certificate with its default chain.
pub(super) async fn read(
    State(acme): State<AcmeService>,
    Path(ResourcePath { id }): Path<ResourcePath>,
    headers: HeaderMap,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let place = Place::new(&id, 0)?;
    let download = place.open(&acme, &request).await?;
    let form = Form::preferred(&headers);
    show(&request.at.links, &place, &download, form)
}

/// The same certificate with another chain.
pub(super) async fn alternate(
    State(acme): State<AcmeService>,
    Path(AlternatePath { id, chain }): Path<AlternatePath>,
    headers: HeaderMap,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let place = Place::new(&id, number(&chain).filter(|n| *n > 0).ok_or_else(none)?)?;
    let download = place.open(&acme, &request).await?;
    let form = Form::preferred(&headers);
    show(&request.at.links, &place, &download, form)
}

/// A certificate of a chain; the leaf's issuer is number 1.
pub(super) async fn issuer(
    State(acme): State<AcmeService>,
    Path(IssuerPath { id, chain, above }): Path<IssuerPath>,
    headers: HeaderMap,
    request: Signed,
) -> Result<Answer, AcmeFailure> {
    let place = Place::new(&id, number(&chain).ok_or_else(none)?)?;
    let above = number(&above).filter(|n| *n > 0).ok_or_else(none)?;
    let Download { chains, .. } = place.open(&acme, &request).await?;
    let mut chain = chains.into_iter().nth(place.chain).ok_or_else(none)?;
    if above > chain.len() {
        return Err(none().into());
    }
    let rest = chain.split_off(above - 1);
    let form = Form::preferred(&headers);
    let answer = body(form, &rest);
    Ok(match rest.len() {
        1 => answer,
        _ => answer.up(&place.issuer(&request.at.links, above + 1)),
    })
}

/// A certificate with one of its chains.
struct Place {
    id: Uuid,
    chain: usize,
}

impl Place {
    fn new(id: &str, chain: usize) -> Result<Self, Error> {
        let id = signed::id(id, "certificate")?;
        Ok(Self { id, chain })
    }

    /// Reads the certificate and its chains, if it is the account's.
    async fn open(&self, acme: &AcmeService, request: &Signed) -> Result<Download, AcmeFailure> {
        request.verified.empty()?;
        let download = acme.certificate(request.caller()?, self.id).await?;
        if self.chain >= download.chains.len() {
            return Err(none().into());
        }
        Ok(download)
    }

    fn url(&self, links: &Links, chain: usize) -> String {
        links.chain(self.id, chain)
    }

    fn issuer(&self, links: &Links, above: usize) -> String {
        links.issuer(self.id, self.chain, above)
    }
}

fn show(
    links: &Links,
    place: &Place,
    download: &Download,
    form: Form,
) -> Result<Answer, AcmeFailure> {
    let above = download.chains.get(place.chain).ok_or_else(none)?;
    let chain: Vec<_> = std::iter::once(&download.leaf).chain(above).collect();
    let mut answer = body(form, &chain);
    if form == Form::Der && !above.is_empty() {
        answer = answer.up(&place.issuer(links, 1));
    }
    for other in (0..download.chains.len()).filter(|other| *other != place.chain) {
        let url = place.url(links, other);
        answer = answer.header(header::LINK, &format!("<{url}>;rel=\"alternate\""));
    }
    Ok(answer)
}

/// The chain in this form; DER holds its first certificate only.
fn body(form: Form, chain: &[impl AsRef<[u8]>]) -> Answer {
    let mut ders = chain.iter().map(AsRef::as_ref);
    let octets = match form {
        Form::Pem => ders
            .map(|der: &[u8]| pki::pem::encode("CERTIFICATE", der))
            .collect::<String>()
            .into_bytes(),
        Form::Der => ders.next().unwrap_or_default().to_vec(),
        Form::Pkcs7 => pki::pkcs7::certs_only(ders),
    };
    let kind = [(header::CONTENT_TYPE, form.media_type())];
    let response: Response = (StatusCode::OK, kind, octets).into_response();
    Answer(response)
}

fn number(text: &str) -> Option<usize> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    (plain || text == "0").then(|| text.parse().ok()).flatten()
}

fn none() -> Error {
    Error::NotFound(
        "There is no such chain for this certificate: its URL without more names the others."
            .to_owned(),
    )
}
