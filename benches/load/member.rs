//! One client of a server under load: it joins, writes, reads everything and keeps nothing but numbers.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use ydock::lib0::{write_buffer, write_text, write_var_uint};

use crate::ledger::{Progress, Room, now};
use crate::wire::{BINARY, CLOSE, Inbox, read_ready, write_client_frame};

/// How to join a document.
pub(crate) struct Seat {
    pub(crate) room: Rc<Room>,
    /// As whom to write, if at all.
    pub(crate) author: Option<usize>,
    /// What is known from an earlier life.
    pub(crate) progress: Vec<Progress>,
    /// The size of the system's buffer for what is not read, where it matters.
    pub(crate) receive_buffer: Option<u32>,
}

/// Where and how a server is spoken to.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    /// Whether each message begins with the document's name, as Hocuspocus has it.
    pub(crate) is_addressed: bool,
}

/// A member of a document, connected or not any more.
pub(crate) struct Member {
    pub(crate) room: Rc<Room>,
    pub(crate) author: Option<usize>,
    stream: TcpStream,
    /// What every message begins with.
    pub(crate) prefix: Vec<u8>,
    unsent: RefCell<Vec<u8>>,
    wake: Notify,
    /// Told when it is synced, and when it has ended.
    pub(crate) news: Notify,
    /// While set, nothing is read.
    is_paused: Cell<bool>,
    /// Whether its deliveries count among the latencies.
    pub(crate) is_timed: Cell<bool>,
    pub(crate) synced_at: Cell<Option<u64>>,
    pub(crate) ended: RefCell<Option<String>>,
    is_leaving: Cell<bool>,
    pub(crate) progress: RefCell<Vec<Progress>>,
    pub(crate) presence: RefCell<Vec<Seen>>,
    /// Letters of clients that are no authors of the room.
    pub(crate) foreign: Cell<u64>,
    /// When it last received anything of others.
    pub(crate) last_received: Cell<u64>,
    /// Letters of its own that the server did not have when it joined.
    pub(crate) lacking: Cell<u64>,
}

/// What a member knows of another's presence.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) clock: u64,
    pub(crate) is_gone: bool,
}

impl Member {
    /// Connects, asks for the document and listens in a task of its own.
    pub(crate) async fn join(door: &Door, seat: Seat) -> io::Result<Rc<Self>> {
        let socket = TcpSocket::new_v4()?;
        if let Some(size) = seat.receive_buffer {
            socket.set_recv_buffer_size(size)?;
        }
        let mut stream = socket.connect(door.address).await?;
        stream.set_nodelay(true)?;
        let mut early = upgrade(&mut stream, door).await?;
        let mut prefix = Vec::new();
        if door.is_addressed {
            write_text(&mut prefix, &seat.room.doc);
        }
        let member = Rc::new(Self {
            room: seat.room,
            author: seat.author,
            stream,
            prefix,
            unsent: RefCell::default(),
            wake: Notify::new(),
            news: Notify::new(),
            is_paused: Cell::new(false),
            is_timed: Cell::new(true),
            synced_at: Cell::new(None),
            ended: RefCell::default(),
            is_leaving: Cell::new(false),
            progress: RefCell::new(seat.progress),
            presence: RefCell::default(),
            foreign: Cell::new(0),
            last_received: Cell::new(0),
            lacking: Cell::new(0),
        });
        member.greet();
        tokio::task::spawn_local(Rc::clone(&member).listen(std::mem::take(&mut early)));
        Ok(member)
    }

    /// Waits until the server has told everything it had.
    pub(crate) async fn synced(&self) -> Result<(), String> {
        while self.synced_at.get().is_none() {
            if let Some(why) = &*self.ended.borrow() {
                return Err(format!("a member was not let in: {why}"));
            }
            self.news.notified().await;
        }
        Ok(())
    }

    /// Sends so many updates, each one letter, at once.
    pub(crate) fn write(&self, count: usize) {
        let author = self.author.unwrap();
        let (mut update, mut frames) = (Vec::new(), Vec::new());
        for _ in 0..count {
            update.clear();
            self.room.write_next(author, &mut update);
            self.frame(&mut frames, |payload| write_update(payload, &update));
        }
        self.send(&frames);
    }

    /// Sends an update that was made elsewhere.
    pub(crate) fn write_foreign(&self, update: &[u8]) {
        let mut frames = Vec::new();
        self.frame(&mut frames, |payload| write_update(payload, update));
        self.send(&frames);
    }

    /// Sends its presence state, a text in JSON.
    pub(crate) fn show(&self, state: &str) {
        let author = self.author.unwrap();
        let mut entry = vec![1];
        write_var_uint(&mut entry, self.room.client(author));
        write_var_uint(&mut entry, self.room.next_presence(author));
        write_text(&mut entry, state);
        let mut frames = Vec::new();
        self.frame(&mut frames, |payload| {
            payload.push(1);
            write_buffer(payload, &entry);
        });
        self.send(&frames);
    }

    /// Ends the connection, with a goodbye or as a cable that is pulled.
    pub(crate) fn leave(&self, says_goodbye: Goodbye) {
        self.is_leaving.set(true);
        if says_goodbye == Goodbye::Said {
            self.show("null");
            let mut frames = Vec::new();
            write_client_frame(&mut frames, CLOSE, &1000_u16.to_be_bytes());
            self.send(&frames);
        } else {
            let _gone = rustix::net::shutdown(&self.stream, rustix::net::Shutdown::Both).is_err();
        }
    }

    /// The same seat, for somebody who knows nothing.
    pub(crate) fn seat(&self) -> Seat {
        Seat { room: Rc::clone(&self.room), author: self.author, progress: Vec::new(), receive_buffer: None }
    }

    /// Stops reading, or reads on.
    pub(crate) fn pause(&self, is_paused: bool) {
        self.is_paused.set(is_paused);
        self.wake.notify_one();
    }

    /// Whether everything that it gave to the system was taken.
    pub(crate) fn is_drained(&self) -> bool {
        self.unsent.borrow().is_empty()
    }

    /// Updates of others that have not arrived.
    pub(crate) fn missing(&self) -> u64 {
        self.room.missing(&self.progress.borrow(), self.author)
    }

    /// Why it has ended although nobody wanted it to.
    pub(crate) fn departed(&self) -> Option<String> {
        if self.is_leaving.get() { None } else { self.ended.borrow().clone() }
    }

    fn greet(&self) {
        let mut frames = Vec::new();
        if !self.prefix.is_empty() {
            self.frame(&mut frames, |payload| {
                payload.extend_from_slice(&[2, 0, 0]);
                write_text(payload, "4.8.0");
            });
        }
        let state_vector = self.state_vector();
        self.frame(&mut frames, |payload| {
            payload.extend_from_slice(&[0, 0]);
            write_buffer(payload, &state_vector);
        });
        self.send(&frames);
    }

    fn state_vector(&self) -> Vec<u8> {
        let progress = self.progress.borrow();
        let own = self.author.map(|author| (author, self.room.sent(author)));
        let known = progress.iter().map(Progress::upto).enumerate().filter(|(author, _)| Some(*author) != self.author);
        let authors = known.chain(own).map(|(author, count)| (self.room.client(author), self.room.letters(count)));
        let entries: Vec<_> = authors.chain(self.room.known()).filter(|(_, clock)| *clock > 0).collect();
        let mut out = Vec::new();
        write_var_uint(&mut out, entries.len() as u64);
        for (client, clock) in entries {
            write_var_uint(&mut out, client);
            write_var_uint(&mut out, clock);
        }
        out
    }

    pub(crate) fn frame(&self, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
        let mut payload = self.prefix.clone();
        body(&mut payload);
        write_client_frame(out, BINARY, &payload);
    }

    pub(crate) fn send(&self, frames: &[u8]) {
        let mut unsent = self.unsent.borrow_mut();
        let written = if unsent.is_empty() { self.stream.try_write(frames).unwrap_or(0) } else { 0 };
        if written < frames.len() {
            unsent.extend_from_slice(&frames[written..]);
            self.wake.notify_one();
        }
    }

    async fn listen(self: Rc<Self>, mut early: Vec<u8>) {
        let mut inbox = Inbox::default();
        let at = now();
        inbox.take(&mut early, |frame| self.take(frame, at));
        drop(early);
        let why = loop {
            while self.is_paused.get() {
                self.wake.notified().await;
            }
            let interest = if self.is_drained() { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
            let ready = tokio::select! {
                biased;
                ready = self.stream.ready(interest) => ready,
                () = self.wake.notified() => continue,
            };
            match ready.and_then(|ready| self.work(ready, &mut inbox)) {
                Ok(true) => {}
                Ok(false) => break "the server closed the connection".to_owned(),
                Err(error) => break error.to_string(),
            }
        };
        let _gone = rustix::net::shutdown(&self.stream, rustix::net::Shutdown::Both).is_err();
        self.ended.borrow_mut().get_or_insert(why);
        self.news.notify_one();
    }

    fn work(&self, ready: tokio::io::Ready, inbox: &mut Inbox) -> io::Result<bool> {
        if ready.is_writable() {
            let mut unsent = self.unsent.borrow_mut();
            match self.stream.try_write(&unsent) {
                Ok(written) => drop(unsent.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        if !ready.is_readable() {
            return Ok(true);
        }
        SCRATCH.with_borrow_mut(|scratch| match read_ready(&self.stream, scratch) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(true),
            Err(error) => Err(error),
            Ok(count) => {
                let at = now();
                inbox.take(&mut scratch[..count], |frame| self.take(frame, at));
                Ok(count > 0)
            }
        })
    }
}

/// How a member leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goodbye {
    Said,
    Unsaid,
}

/// Asks for a WebSocket; returns what came after the answer.
async fn upgrade(stream: &mut TcpStream, door: &Door) -> io::Result<Vec<u8>> {
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        door.path, door.address
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let end = loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    if !answer.starts_with(b"HTTP/1.1 101") {
        return Err(io::Error::other(String::from_utf8_lossy(&answer).into_owned()));
    }
    Ok(answer.split_off(end))
}

fn write_update(payload: &mut Vec<u8>, update: &[u8]) {
    payload.extend_from_slice(&[0, 2]);
    write_buffer(payload, update);
}

thread_local! {
    /// Where everybody reads.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 * 1024]);
}
