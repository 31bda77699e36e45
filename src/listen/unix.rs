//! Unix sockets as files: made with the mode that they are to have, found to be dead or alive, removed by whoever made them.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, chmod, fchmod, flock};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use tokio::net::{UnixListener, UnixSocket};

use super::listener::{BACKLOG, ListenError};

/// The file of a socket. It is removed with the value, unless another file has its name by then.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

/// A path to a socket that is short enough to be one, with what keeps it valid.
#[derive(Debug)]
pub struct Reach {
    path: PathBuf,
    _directory: Option<File>,
}

/// Listens at a path where nothing is; only those whom the mode lets may connect, from the first moment on.
///
/// # Errors
/// What the system says.
pub fn bind_unix(path: &Path, mode: Mode, backlog: u32) -> io::Result<(UnixListener, SocketFile)> {
    let socket = UnixSocket::new_stream()?;
    // On Linux the file gets the socket's mode, so that at no moment somebody else may open it.
    fchmod(&socket, mode)?;
    socket.bind(Reach::of(path)?.path())?;
    let file = SocketFile { path: path.to_owned(), identity: identity(path) };
    chmod(path, mode)?;
    Ok((socket.listen(backlog)?, file))
}

/// Listens at a path where a dead process may have left its socket.
pub(super) fn take_place(path: &Path) -> Result<(UnixListener, SocketFile), ListenError> {
    // Of two processes that find the same dead socket, the later must not remove the socket of the earlier.
    let directory = lock_directory_of(path);
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
        Ok(found) if !found.file_type().is_socket() => return Err(ListenError::NoSocket),
        Ok(_) if is_answered(path)? => return Err(ListenError::InUse),
        Ok(_) => fs::remove_file(path)?,
    }
    let listening = bind_unix(path, MODE, BACKLOG)?;
    drop(directory);
    Ok(listening)
}

impl Reach {
    /// The way to a socket, over its directory when its path is too long.
    ///
    /// # Errors
    /// When the directory cannot be opened, or there is no way around the length.
    pub fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str().len() <= LONGEST_PATH {
            return Ok(Self { path: path.to_owned(), _directory: None });
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(ErrorKind::InvalidFilename.into());
        };
        let directory = File::open(parent)?;
        let through = Path::new("/proc/self/fd").join(directory.as_raw_fd().to_string());
        if !through.exists() {
            return Err(io::Error::new(ErrorKind::InvalidFilename, "the path is too long for a socket"));
        }
        Ok(Self { path: through.join(name), _directory: Some(directory) })
    }

    /// The path, which leads there as long as this value lives.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.identity.is_some() && self.identity == identity(&self.path) {
            let _gone_already = fs::remove_file(&self.path).is_err();
        }
    }
}

/// Whether a process listens on a socket.
fn is_answered(path: &Path) -> io::Result<bool> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    let reach = Reach::of(path)?;
    match connect(&socket, &SocketAddrUnix::new(reach.path())?) {
        // Whoever has no room for another connection listens too.
        Ok(()) | Err(Errno::AGAIN) => Ok(true),
        Err(Errno::CONNREFUSED | Errno::NOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Keeps other processes from listening anew in the directory, for as long as the value lives and if the system can.
fn lock_directory_of(path: &Path) -> Option<File> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = File::open(parent).ok()?;
    flock(&directory, FlockOperation::LockExclusive).ok()?;
    Some(directory)
}

/// What tells a file from another of the same name.
fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino())).ok()
}

/// The owner and the group may connect: a proxy that is in the group of the server reaches it, others of the machine do not.
const MODE: Mode = Mode::RUSR.union(Mode::WUSR).union(Mode::RGRP).union(Mode::WGRP);
/// The longest path of a socket: `sun_path` of unix(7) without its final zero.
const LONGEST_PATH: usize = 107;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener as StdListener;

    use super::*;

    #[tokio::test]
    async fn the_owner_and_the_group_may_connect_and_the_file_goes_with_the_listener() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ydock.sock");
        let listening = take_place(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        assert!(is_answered(&path).unwrap());
        drop(listening);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_dead_socket_is_replaced_and_a_live_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ydock.sock");
        drop(StdListener::bind(&path).unwrap());
        let listening = take_place(&path).unwrap();
        assert!(matches!(take_place(&path), Err(ListenError::InUse)));
        assert!(path.exists());
        drop(listening);
    }

    #[tokio::test]
    async fn a_live_socket_that_accepts_nobody_is_alive_too() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ydock.sock");
        let listening = bind_unix(&path, MODE, 0).unwrap();
        for _ in 0..4 {
            assert!(is_answered(&path).unwrap());
        }
        drop(listening);
    }

    #[tokio::test]
    async fn what_is_no_socket_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes.txt");
        fs::write(&path, "notes").unwrap();
        assert!(matches!(take_place(&path), Err(ListenError::NoSocket)));
        assert_eq!(fs::read(&path).unwrap(), b"notes");
    }

    #[tokio::test]
    async fn a_socket_that_took_the_name_is_not_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ydock.sock");
        let listening = take_place(&path).unwrap();
        fs::rename(&path, directory.path().join("moved.sock")).unwrap();
        let _other = StdListener::bind(&path).unwrap();
        drop(listening);
        assert!(path.exists());
    }

    #[tokio::test]
    async fn a_long_path_is_reached_over_its_directory() {
        let scratch = tempfile::tempdir().unwrap();
        let directory = scratch.path().join("x".repeat(120));
        fs::create_dir(&directory).unwrap();
        let path = directory.join("ydock.sock");
        let listening = take_place(&path).unwrap();
        assert!(matches!(take_place(&path), Err(ListenError::InUse)));
        drop(listening);
        assert!(!path.exists());
    }
}
