//! The TCP socket: bound before anything else is opened, so that a port in use is reported first, and listening
//! only when everything is ready.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use anyhow::{Context as _, anyhow};
use tokio::net::{TcpListener, TcpSocket};

/// Maximum connections that wait in the kernel to be accepted.
const BACKLOG: u32 = 1024;

const IN_USE: &str =
    "the address is in use by another process: stop that one, or listen on another address";

/// Binds the address `host:port`; without a host, all addresses of both families.
pub(super) fn bind(address: &str) -> anyhow::Result<TcpSocket> {
    let failed = || format!("error listening on {address}");
    let mut last = anyhow!("the name has no address");
    for candidate in candidates(address).with_context(failed)? {
        match bind_one(candidate) {
            Ok(socket) => return Ok(socket),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(anyhow!(IN_USE)).with_context(failed);
            }
            Err(error) => last = error.into(),
        }
    }
    Err(last).with_context(failed)
}

/// A listening socket.
pub(super) struct Listening {
    pub(super) listener: TcpListener,
    /// The address as configured, with the assigned port where that was 0.
    pub(super) address: String,
}

/// Begins to listen.
pub(super) fn listen(socket: TcpSocket, configured: &str) -> anyhow::Result<Listening> {
    let failed = || format!("error listening on {configured}");
    let listener = socket.listen(BACKLOG).with_context(failed)?;
    let port = listener.local_addr().with_context(failed)?.port();
    let host = configured.rsplit_once(':').map_or("", |(host, _)| host);
    Ok(Listening {
        listener,
        address: format!("{host}:{port}"),
    })
}

fn candidates(address: &str) -> io::Result<Vec<SocketAddr>> {
    match address.strip_prefix(':').map(str::parse) {
        Some(Ok(port)) => Ok(vec![
            (Ipv6Addr::UNSPECIFIED, port).into(),
            (Ipv4Addr::UNSPECIFIED, port).into(),
        ]),
        Some(Err(_)) | None => address.to_socket_addrs().map(Iterator::collect),
    }
}

fn bind_one(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart must not wait until the kernel has forgotten the connections of the last run.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_reported_with_its_address() {
        let Listening { listener, address } =
            listen(bind("127.0.0.1:0").unwrap(), "127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(address, format!("127.0.0.1:{port}"));
        let words = format!("{:#}", bind(&address).err().unwrap());
        assert_eq!(words, format!("error listening on {address}: {IN_USE}"));
    }

    #[tokio::test]
    async fn an_address_without_host_takes_both_families() {
        let Listening { listener, address } = listen(bind(":0").unwrap(), ":0").unwrap();
        assert!(address.starts_with(':'));
        let port = listener.local_addr().unwrap().port();
        tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .unwrap();
    }
}
