//! Certificates that clients present. A certificate that is not for TLS clients is taken too: its holder may
//! renew it, and nothing else is decided by a client's certificate.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use pki::Certificate;
use pki::chain::{self, Purpose};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};

/// Verifies as webpki does, but for certificates of any purpose.
#[derive(Debug)]
pub(super) struct AnyPurpose {
    /// Verifies certificates for TLS clients, and signatures.
    pub(super) for_clients: Arc<dyn ClientCertVerifier>,
    /// The roots and intermediates of the authority.
    pub(super) anchors: Vec<Certificate>,
}

impl AnyPurpose {
    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Option<ClientCertVerified> {
        let leaf = Certificate::from_der(end_entity).ok()?;
        let between = intermediates.iter();
        let between: Vec<_> = between
            .filter_map(|der| Certificate::from_der(der).ok())
            .collect();
        let since = SignedDuration::try_from(Duration::from_secs(now.as_secs())).ok()?;
        let options = chain::Options {
            intermediates: &between,
            roots: &self.anchors,
            at: Timestamp::UNIX_EPOCH + since,
            purpose: Purpose::Any,
            host: None,
        };
        let verified = chain::verify(&leaf, &options);
        verified.ok().map(|()| ClientCertVerified::assertion())
    }
}

impl ClientCertVerifier for AnyPurpose {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.for_clients.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = (self.for_clients).verify_client_cert(end_entity, intermediates, now);
        match verified {
            Err(
                refused @ Error::InvalidCertificate(
                    CertificateError::InvalidPurpose
                    | CertificateError::InvalidPurposeContext { .. },
                ),
            ) => self.verify(end_entity, intermediates, now).ok_or(refused),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.for_clients
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.for_clients
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.for_clients.supported_verify_schemes()
    }

    fn offer_client_auth(&self) -> bool {
        self.for_clients.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.for_clients.client_auth_mandatory()
    }
}
