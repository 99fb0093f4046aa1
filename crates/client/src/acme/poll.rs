//! From an order to a certificate: challenges, polling, finalizing (RFC 8555 §7.4, §7.5).

use std::time::Duration;

use acme::challenge;
use acme::message::authorization::Authorization;
use acme::message::challenge::Challenge;
use acme::message::order::{Finalize, NewOrder, Order};
use acme::order;
use acme::problem::{Kind, Problem};
use pki::{AltName, Certificate, Name, PrivateKey};

use super::deadline::Deadline;
use super::session::{Payload, Session, json, location, unexpected};
use crate::issued::Expected;
use crate::{Error, Reply};

/// How long a validation may take.
const VALIDATION: Duration = Duration::from_secs(90);
/// How long an order may take to become ready or valid.
const ORDER: Duration = Duration::from_secs(60);
/// How often a challenge is offered again that failed and stayed pending.
const OFFERS: usize = 4;

/// An order and its URL.
pub struct Placed {
    /// The order's URL.
    pub url: String,
    /// The order as the server sent it last.
    pub order: Order,
}

/// What an order's certificate has to certify.
pub struct CertificateRequest<'a> {
    /// The subject.
    pub subject: &'a Name,
    /// The names of the order.
    pub names: &'a [AltName],
    /// The certificate's key, which signs the CSR.
    pub key: &'a PrivateKey,
}

impl Session {
    /// Places an order (RFC 8555 §7.4).
    ///
    /// # Errors
    /// The server's problem.
    pub async fn place(&mut self, new: &NewOrder) -> Result<Placed, Error> {
        let doing = "creating the order";
        let url = self.directory().new_order.clone();
        let reply = self.post_json(doing, &url, new).await?;
        Ok(Placed {
            url: location(doing, &reply)?,
            order: json(doing, &reply)?,
        })
    }

    /// Reads an authorization (RFC 8555 §7.5).
    ///
    /// # Errors
    /// The server's problem.
    pub async fn authorization(&mut self, url: &str) -> Result<Authorization, Error> {
        let doing = "reading the authorization";
        json(doing, &self.read(doing, url).await?)
    }

    /// Tells the server that the challenge is ready and waits for the result (RFC 8555 §7.5.1).
    /// `on_answer` is called for each answer.
    ///
    /// A server may validate within the POST or after it, and may leave a challenge that it could
    /// not validate pending with an error: then it is offered again a few times.
    ///
    /// # Errors
    /// [`Error::Challenge`] with what the server saw.
    pub async fn prove(
        &mut self,
        identifier: &str,
        offered: &Challenge,
        mut on_answer: impl FnMut(),
    ) -> Result<(), Error> {
        let mut deadline = Deadline::new(VALIDATION);
        let mut offers = 1;
        let mut reply = self.offer(&offered.url).await?;
        loop {
            on_answer();
            let seen: Challenge = json("validating the challenge", &reply)?;
            let failed = |problem: Option<Problem>| Error::Challenge {
                identifier: identifier.to_owned(),
                problem: Box::new(problem.unwrap_or_else(unexplained)),
            };
            let again = match (seen.status, seen.error) {
                (challenge::Status::Valid, _) => return Ok(()),
                (challenge::Status::Invalid, error) => return Err(failed(error)),
                (challenge::Status::Pending, Some(error)) if offers >= OFFERS => {
                    return Err(failed(Some(error)));
                }
                (challenge::Status::Pending, Some(_)) => true,
                (challenge::Status::Pending | challenge::Status::Processing, _) => false,
            };
            if !deadline.wait(reply.retry_after()).await {
                return Err(Error::Deadline {
                    doing: "validating the challenge",
                    seconds: deadline.seconds(),
                    status: seen.status.as_str().to_owned(),
                });
            }
            reply = if again {
                offers += 1;
                self.offer(&offered.url).await?
            } else {
                self.read("validating the challenge", &offered.url).await?
            };
        }
    }

    /// Waits until the order is ready, or past that; `on_answer` is called for each answer.
    ///
    /// # Errors
    /// The order's error when it became invalid; [`Error::Deadline`].
    pub async fn await_ready(
        &mut self,
        placed: &mut Placed,
        mut on_answer: impl FnMut(),
    ) -> Result<(), Error> {
        let doing = "waiting for the order";
        let mut deadline = Deadline::new(ORDER);
        loop {
            let reply = self.read(doing, &placed.url).await?;
            on_answer();
            placed.order = json(doing, &reply)?;
            match placed.order.status {
                order::Status::Pending => {}
                order::Status::Invalid => return Err(failed_order(doing, &placed.order)),
                order::Status::Ready | order::Status::Processing | order::Status::Valid => {
                    return Ok(());
                }
            }
            wait(doing, &mut deadline, &reply, &placed.order).await?;
        }
    }

    /// Sends a CSR and returns the certificate chain, leaf first (RFC 8555 §7.4, §7.4.2). `on_answer`
    /// is called for each answer.
    ///
    /// # Errors
    /// The server's problem, or the order's own error; [`Error::Deadline`]; [`Error::OtherKey`] and
    /// [`Error::OtherNames`] when the certificate is not the requested one.
    pub async fn finalize(
        &mut self,
        placed: &mut Placed,
        request: &CertificateRequest<'_>,
        mut on_answer: impl FnMut(),
    ) -> Result<Vec<Certificate>, Error> {
        let doing = "finalizing order";
        let mut deadline = Deadline::new(ORDER);
        let csr = pki::request(request.subject, request.names, request.key)
            .map_err(|e| unexpected(doing, e.to_string()))?;
        let url = placed.order.finalize.clone();
        let mut reply = self.post_json(doing, &url, &Finalize::new(&csr)).await?;
        loop {
            on_answer();
            placed.order = json(doing, &reply)?;
            match placed.order.status {
                order::Status::Valid => break,
                order::Status::Invalid => return Err(failed_order(doing, &placed.order)),
                order::Status::Pending | order::Status::Ready | order::Status::Processing => {}
            }
            wait(doing, &mut deadline, &reply, &placed.order).await?;
            reply = self.read(doing, &placed.url).await?;
        }
        let Some(url) = placed.order.certificate.clone() else {
            let what = "the order is valid but has no certificate URL".to_owned();
            return Err(unexpected(doing, what));
        };
        let doing = "downloading the certificate";
        let chain = self.read(doing, &url).await?;
        on_answer();
        let expected = Expected {
            key: request.key.public(),
            names: request.names,
        };
        expected.check(doing, &chain.body)
    }

    async fn offer(&mut self, url: &str) -> Result<Reply, Error> {
        self.post("validating the challenge", url, Payload::Json(b"{}"))
            .await
    }
}

async fn wait(
    doing: &'static str,
    deadline: &mut Deadline,
    reply: &Reply,
    order: &Order,
) -> Result<(), Error> {
    if deadline.wait(reply.retry_after()).await {
        return Ok(());
    }
    Err(Error::Deadline {
        doing,
        seconds: deadline.seconds(),
        status: order.status.as_str().to_owned(),
    })
}

fn failed_order(doing: &'static str, order: &Order) -> Error {
    match &order.error {
        Some(problem) => Error::Problem {
            doing,
            problem: Box::new(problem.clone()),
            request_id: String::new(),
        },
        None => unexpected(
            doing,
            "the order became invalid, and the server does not say why".to_owned(),
        ),
    }
}

fn unexplained() -> Problem {
    Problem::new(
        Kind::ServerInternal,
        "the challenge became invalid, and the server does not say why",
    )
}
