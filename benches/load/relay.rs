//! The ceiling: a relay of WebSocket frames without documents and without a store, the least that a server can do.
//!
//! A connection reads by readiness into the scratch of its thread. What it reads at once goes to all others of its room as one
//! piece of bytes, encoded once, with one attempt to write a member; only who would block has a queue, bounded by bytes. A room
//! is the path of the address.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::wire::{BINARY, CLOSE, Frame, Inbox, PING, PONG, read_ready, write_server_frame};

/// Serves until the process is ended. `flaw` makes it lose one delivery, so that a run can be seen to notice.
pub(crate) fn serve(address: SocketAddr, flaw: Option<u64>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let mut out = io::stdout();
        writeln!(out, "listening on http://{}", listener.local_addr()?)?;
        out.flush()?;
        let relay = Arc::new(Relay { rooms: Mutex::default(), pushes: AtomicU64::new(0), flaw });
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let relay = Arc::clone(&relay);
            connections.spawn(async move {
                // Whoever is gone is gone.
                let _ended = open(relay, stream).await.is_err();
            });
            while connections.try_join_next().is_some() {}
        }
    })
}

struct Relay {
    rooms: Mutex<HashMap<String, Arc<Room>>>,
    pushes: AtomicU64,
    flaw: Option<u64>,
}

/// Replaced as a whole when somebody comes or goes, so that nobody waits for a fan-out.
#[derive(Default)]
struct Room {
    members: RwLock<Arc<Vec<Arc<Conn>>>>,
}

struct Conn {
    stream: TcpStream,
    /// What the socket did not take at once.
    waiting: Mutex<Vec<u8>>,
    wake: Notify,
}

async fn open(relay: Arc<Relay>, mut stream: TcpStream) -> io::Result<()> {
    let path = shake_hands(&mut stream).await?;
    let conn = Arc::new(Conn { stream, waiting: Mutex::default(), wake: Notify::new() });
    let room = relay.enter(&path, &conn);
    // The handshake's future is large, and the connection lives long.
    let outcome = Box::pin(talk(&relay, &room, &conn)).await;
    relay.leave(&path, &room, &conn);
    outcome
}

async fn shake_hands(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
    let accept = derive_accept_key(key.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    Ok(path)
}

async fn talk(relay: &Relay, room: &Room, conn: &Arc<Conn>) -> io::Result<()> {
    let mut inbox = Inbox::default();
    loop {
        let is_waiting = !lock(&conn.waiting).is_empty();
        let interest = if is_waiting { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        let ready = tokio::select! {
            ready = conn.stream.ready(interest) => ready?,
            () = conn.wake.notified() => continue,
        };
        if ready.is_writable() {
            conn.drain()?;
        }
        if ready.is_readable() && !pass_on(relay, room, conn, &mut inbox)? {
            return Ok(());
        }
    }
}

/// Reads once and gives it to everybody else; whether the connection is still open.
fn pass_on(relay: &Relay, room: &Room, conn: &Arc<Conn>, inbox: &mut Inbox) -> io::Result<bool> {
    SCRATCH.with_borrow_mut(|(scratch, batch)| {
        let count = match read_ready(&conn.stream, scratch) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            outcome => outcome?,
        };
        let mut is_open = count > 0;
        batch.clear();
        inbox.take(&mut scratch[..count], |frame| is_open &= answer(conn, frame, batch));
        if !batch.is_empty() {
            let members = Arc::clone(&room.members.read().unwrap_or_else(PoisonError::into_inner));
            for member in members.iter().filter(|member| !Arc::ptr_eq(member, conn)) {
                if relay.flaw.is_some() && relay.flaw == Some(relay.pushes.fetch_add(1, Ordering::Relaxed)) {
                    continue;
                }
                member.push(batch);
            }
        }
        Ok(is_open)
    })
}

/// Answers a frame or appends it for the others; whether the connection stays open.
fn answer(conn: &Conn, frame: &Frame<'_>, batch: &mut Vec<u8>) -> bool {
    let mut reply = Vec::new();
    match (frame.opcode, frame.payload) {
        (BINARY, [0, 0, ..]) => {
            write_server_frame(&mut reply, BINARY, &[0, 0, 1, 0]);
            write_server_frame(&mut reply, BINARY, &[0, 1, 2, 0, 0]);
        }
        (BINARY, [0, 1, 2, 0, 0]) => {}
        (BINARY, payload) => write_server_frame(batch, BINARY, payload),
        (PING, payload) => write_server_frame(&mut reply, PONG, payload),
        (CLOSE, payload) => write_server_frame(&mut reply, CLOSE, payload),
        _ => {}
    }
    if !reply.is_empty() {
        conn.push(&reply);
    }
    frame.opcode != CLOSE
}

impl Relay {
    fn enter(&self, path: &str, conn: &Arc<Conn>) -> Arc<Room> {
        let mut rooms = lock(&self.rooms);
        let room = Arc::clone(rooms.entry(path.to_owned()).or_default());
        room.change(|members| members.push(Arc::clone(conn)));
        room
    }

    fn leave(&self, path: &str, room: &Room, conn: &Arc<Conn>) {
        let mut rooms = lock(&self.rooms);
        room.change(|members| members.retain(|member| !Arc::ptr_eq(member, conn)));
        if room.members.read().unwrap_or_else(PoisonError::into_inner).is_empty() {
            rooms.remove(path);
        }
    }
}

impl Room {
    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Conn>>)) {
        let mut members = self.members.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut *members));
    }
}

impl Conn {
    /// Writes at once, or keeps what the socket does not take. Who lets too much wait is cut off.
    fn push(&self, bytes: &[u8]) {
        let mut waiting = lock(&self.waiting);
        let written = if waiting.is_empty() { self.stream.try_write(bytes).unwrap_or(0) } else { 0 };
        if written == bytes.len() {
            return;
        }
        if waiting.len() + bytes.len() > MAX_WAITING {
            // Its own task sees the end.
            let _gone = rustix::net::shutdown(&self.stream, rustix::net::Shutdown::Both).is_err();
            return;
        }
        waiting.extend_from_slice(&bytes[written..]);
        self.wake.notify_one();
    }

    fn drain(&self) -> io::Result<()> {
        let mut waiting = lock(&self.waiting);
        while !waiting.is_empty() {
            match self.stream.try_write(&waiting) {
                Ok(written) => drop(waiting.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        waiting.shrink_to(0);
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// Where a thread reads, and where it gathers what goes on.
    static SCRATCH: RefCell<(Vec<u8>, Vec<u8>)> = RefCell::new((vec![0; 64 * 1024], Vec::new()));
}

/// Connections that may wait to be accepted: with a few hundred, a crowd that comes at once waits a second to try again.
const BACKLOG: u32 = 4096;
/// What may wait for one member.
const MAX_WAITING: usize = 16 << 20;
