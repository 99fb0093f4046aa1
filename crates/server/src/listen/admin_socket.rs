//! The operator's listener: a UNIX socket in a folder of its own under the step path. The kernel says
//! who knocks; whether that one may do something is `http/`'s business.

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

use super::{LAST_PAUSE, Limits, Listener, connection};

/// Operators on the listener at the same time.
const CONNECTIONS: usize = 64;
/// The longest path that the kernel takes for a socket, in bytes; the last of its 108 is a zero.
const LONGEST: usize = 107;

/// Who is at the other end of the operator's socket; in the extensions of its requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeerCredentials {
    uid: u32,
    own: u32,
}

impl PeerCredentials {
    /// The user that the kernel says the connection is from.
    pub(crate) const fn uid(self) -> u32 {
        self.uid
    }

    /// Whether it is root, or the user that this server runs as.
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

/// Why there is no operator's listener.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SocketError {
    /// Another server has it.
    #[error(
        "{} is held by another step-ca: stop that one, or give this one a step path of its own", .0.display()
    )]
    InUse(PathBuf),
    /// The kernel takes no path of this length.
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

/// The bound socket; its file goes with it.
#[derive(Debug)]
pub(crate) struct Socket {
    path: PathBuf,
    listener: UnixListener,
    /// The lock of the folder: whoever has it owns the file. The kernel lets it go however the server ends.
    _held: File,
}

impl Socket {
    /// Makes the socket at `path` (mode 0600) and its folder (0700). What a dead server has left is replaced.
    ///
    /// # Errors
    /// [`SocketError`], which says what is in the way.
    pub(crate) fn bind(path: &Path) -> Result<Self, SocketError> {
        if path.as_os_str().len() > LONGEST {
            return Err(SocketError::TooLong(path.to_owned()));
        }
        let failed = |error| SocketError::Io {
            path: path.to_owned(),
            error,
        };
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let held = private_folder(folder).map_err(failed)?;
        match held.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SocketError::InUse(path.to_owned())),
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

impl Drop for Socket {
    fn drop(&mut self) {
        // Gone already is as good; the next start replaces what stays.
        drop(fs::remove_file(&self.path));
    }
}

/// Opens the folder that nobody else may look into.
fn private_folder(folder: &Path) -> io::Result<File> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        }
        made => made?,
    }
    File::open(folder)
}

/// Removes the socket of a server that is gone; anything else in its place stays.
fn remove_stale(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path),
        Ok(_) => Err(io::Error::other(
            "there is a file that is no socket: move it away",
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

impl Listener {
    /// Serves `router` to whoever comes through the operator's socket.
    pub(crate) fn open_to_operators(socket: Socket, router: Router, limits: Limits) -> Self {
        let (stop, stopped) = watch::channel(());
        let accepting = tokio::spawn(accept(socket, router, limits, stopped));
        Self { stop, accepting }
    }
}

async fn accept(socket: Socket, router: Router, limits: Limits, mut stop: watch::Receiver<()>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let own = geteuid().as_raw();
    loop {
        let accepted = async {
            let place = Arc::clone(&room).acquire_owned().await.ok();
            (place, socket.listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            _ = stop.changed() => return,
            accepted = accepted => accepted,
        };
        match accepted.and_then(|(stream, _)| credentials(&stream, own).map(|it| (stream, it))) {
            Ok((stream, credentials)) => {
                let serving =
                    connection::run(stream, credentials, router.clone(), limits, stop.clone());
                tokio::spawn(async move {
                    serving.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::error!(%error, "cannot accept an operator's connection");
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
    fn root_and_the_servers_own_user_are_operators_and_nobody_else() {
        assert!(PeerCredentials::new(0, 1000).is_operator());
        assert!(PeerCredentials::new(1000, 1000).is_operator());
        assert!(!PeerCredentials::new(1001, 1000).is_operator());
        assert!(!PeerCredentials::new(1000, 0).is_operator());
    }

    #[tokio::test]
    async fn the_socket_is_private_and_goes_with_its_server() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/step-ca.sock");
        fs::create_dir(dir.path().join("run")).unwrap();
        let socket = Socket::bind(&path).unwrap();
        assert_eq!((mode(&path), mode(&dir.path().join("run"))), (0o600, 0o700));
        let second = Socket::bind(&path).unwrap_err();
        assert!(matches!(second, SocketError::InUse(_)), "{second}");
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_a_dead_server_left_is_replaced_but_no_other_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/step-ca.sock");
        fs::create_dir(dir.path().join("run")).unwrap();
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        drop(Socket::bind(&path).unwrap());
        fs::write(&path, "precious").unwrap();
        let refused = Socket::bind(&path).unwrap_err().to_string();
        assert!(refused.contains("no socket"), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_told_with_its_length() {
        let path = Path::new("/").join("x".repeat(107));
        let refused = Socket::bind(&path).unwrap_err().to_string();
        assert!(refused.contains("has 108 bytes"), "{refused}");
    }
}
