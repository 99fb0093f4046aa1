//! The admin socket: a UNIX socket in a folder of its own under the step path. The kernel reports which user
//! connects; what that user may do is decided in `http/`.

use std::fmt;
use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use rustix::process::geteuid;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::sleep;

use super::activity::Activity;
use super::bodies::Bodies;
use super::connection::{self, Client, Service};
use super::{LAST_PAUSE, Limits, Listener};

/// Maximum concurrent connections.
const CONNECTIONS: usize = 64;
/// The longest path that the kernel accepts for a socket, in bytes: 108 with the final zero.
const LONGEST: usize = 107;

/// The user at the other end of the admin socket; in the extensions of its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeerCredentials {
    uid: u32,
    own: u32,
}

impl PeerCredentials {
    /// The user id that the kernel reports.
    pub(crate) const fn uid(self) -> u32 {
        self.uid
    }

    /// Whether the user is root or the one that this server runs as.
    pub(crate) const fn is_operator(self) -> bool {
        self.uid == 0 || self.uid == self.own
    }

    #[cfg(test)]
    pub(crate) const fn new(uid: u32, own: u32) -> Self {
        Self { uid, own }
    }
}

impl fmt::Display for PeerCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uid {}", self.uid)
    }
}

/// Why the admin socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminSocketError {
    /// Another server uses it.
    #[error(
        "{} is held by another step-ca: stop that one, or give this one a step path of its own", .0.display()
    )]
    InUse(PathBuf),
    /// The path is longer than the kernel allows.
    #[error(
        "{} has {} bytes, and the path of a socket may have {LONGEST}: use a shorter step path", .0.display(), .0.as_os_str().len()
    )]
    TooLong(PathBuf),
    /// The file or its folder cannot be used.
    #[error("error making the socket {}: {error}", .path.display())]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// The bound socket; its file is removed with it.
#[derive(Debug)]
pub(crate) struct AdminSocket {
    path: PathBuf,
    listener: UnixListener,
    /// The lock of the folder: its holder owns the socket. The kernel releases it however the server ends.
    _held: File,
}

impl AdminSocket {
    /// Creates the socket at `path` (mode 0600) and its folder (0700). A socket that a dead server left is replaced.
    ///
    /// # Errors
    /// [`AdminSocketError`].
    pub(crate) fn bind(path: &Path) -> Result<Self, AdminSocketError> {
        if path.as_os_str().len() > LONGEST {
            return Err(AdminSocketError::TooLong(path.to_owned()));
        }
        let failed = |error| AdminSocketError::Io {
            path: path.to_owned(),
            error,
        };
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let held = private_folder(folder).map_err(failed)?;
        match held.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(AdminSocketError::InUse(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        remove_stale(path).map_err(failed)?;
        let listener = UnixListener::bind(path).map_err(failed)?;
        fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            listener,
            _held: held,
        })
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // The next start replaces a file that cannot be removed now.
        drop(fs::remove_file(&self.path));
    }
}

/// Creates the folder if necessary, for this user alone, and opens it.
fn private_folder(folder: &Path) -> io::Result<File> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        }
        made => made?,
    }
    File::open(folder)
}

/// Removes the socket of a server that has ended; any other file stays.
fn remove_stale(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path),
        Ok(_) => Err(io::Error::other(
            "a file that is no socket has this name: move it away",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

impl Listener {
    /// Serves `router` on the admin socket.
    pub(crate) fn admin(socket: AdminSocket, router: Router, limits: Limits) -> Self {
        let (stop, stopped) = watch::channel(());
        let service = Service {
            router,
            limits,
            bodies: Bodies::new(limits.unfinished_bodies),
        };
        let accepting = tokio::spawn(accept(socket, service, stopped));
        Self { stop, accepting }
    }
}

async fn accept(socket: AdminSocket, service: Service, mut stop: watch::Receiver<()>) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let own = geteuid().as_raw();
    loop {
        let accepted = async {
            let permit = Arc::clone(&permits).acquire_owned().await.ok();
            (permit, socket.listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            _ = stop.changed() => return,
            accepted = accepted => accepted,
        };
        match accepted.and_then(|(stream, _)| credentials(&stream, own).map(|it| (stream, it))) {
            Ok((stream, credentials)) => {
                let client = Client {
                    peer: credentials,
                    network: None,
                    activity: Arc::new(Activity::new()),
                };
                let serving = connection::run(stream, client, service.clone(), stop.clone());
                tokio::spawn(async move {
                    serving.await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::error!(%error, "cannot accept a connection on the admin socket");
                sleep(LAST_PAUSE).await;
            }
        }
    }
}

fn credentials(stream: &UnixStream, own: u32) -> io::Result<PeerCredentials> {
    let uid = stream.peer_cred()?.uid();
    Ok(PeerCredentials { uid, own })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_root_and_the_servers_own_user_are_operators() {
        assert!(PeerCredentials::new(0, 1000).is_operator());
        assert!(PeerCredentials::new(1000, 1000).is_operator());
        assert!(!PeerCredentials::new(1001, 1000).is_operator());
        assert!(!PeerCredentials::new(1000, 0).is_operator());
    }

    #[tokio::test]
    async fn the_socket_is_private_and_removed_with_its_server() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/step-ca.sock");
        fs::create_dir(dir.path().join("run")).unwrap();
        let socket = AdminSocket::bind(&path).unwrap();
        assert_eq!((mode(&path), mode(&dir.path().join("run"))), (0o600, 0o700));
        let second = AdminSocket::bind(&path).unwrap_err();
        assert!(matches!(second, AdminSocketError::InUse(_)), "{second}");
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn the_socket_of_a_killed_server_is_replaced_but_no_other_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/step-ca.sock");
        fs::create_dir(dir.path().join("run")).unwrap();
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        drop(AdminSocket::bind(&path).unwrap());
        fs::write(&path, "precious").unwrap();
        let refused = AdminSocket::bind(&path).unwrap_err().to_string();
        assert!(refused.contains("no socket"), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_path_too_long_for_a_socket_is_reported_with_its_length() {
        let path = Path::new("/").join("x".repeat(107));
        let refused = AdminSocket::bind(&path).unwrap_err().to_string();
        assert!(refused.contains("has 108 bytes"), "{refused}");
    }
}
