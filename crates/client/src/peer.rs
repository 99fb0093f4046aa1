//! The certificates that a TLS server sends.

use std::sync::Arc;

use rustls_pki_types::ServerName;
use tokio_rustls::TlsConnector;

use crate::dial::dial;
use crate::http::tls_words;
use crate::trust::configuration;
use crate::{Error, Trust};

/// The chain that the server at `host:port` sends for `name`, as DER, leaf first.
///
/// # Errors
/// [`Error::Connect`] when there is no connection, or the server cannot be trusted.
pub async fn chain(
    host: &str,
    port: u16,
    name: &str,
    trust: &Trust,
) -> Result<Vec<Vec<u8>>, Error> {
    let failed = Error::Connect;
    let bare = name
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let name = ServerName::try_from(bare).map_err(|e| failed(e.to_string()))?;
    let connector = TlsConnector::from(Arc::new(configuration(trust, None)?));
    let stream = dial(host, port).await.map_err(failed)?;
    let stream = connector
        .connect(name, stream)
        .await
        .map_err(|e| failed(tls_words(&e)))?;
    let shown = stream.get_ref().1.peer_certificates().unwrap_or_default();
    Ok(shown.iter().map(|one| one.to_vec()).collect())
}
