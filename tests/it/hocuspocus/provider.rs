//! A client of the Hocuspocus wire that sees every message.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};
use ydock::lib0::{Reader, write_buffer, write_text};

use crate::client::Io;

/// One socket, with what came on it.
pub(super) struct Provider {
    socket: WebSocketStream<Io>,
    /// The addresses and messages that nobody has looked at yet.
    heard: Vec<(String, Vec<u8>)>,
    /// The code with which the server closed the socket.
    closed: Option<u16>,
}

impl Provider {
    pub(super) async fn over(stream: Io) -> Self {
        let (socket, _) = client_async("ws://ydock/hocuspocus", stream).await.unwrap();
        Self { socket, heard: Vec::new(), closed: None }
    }

    /// Comes into a document and asks for it.
    pub(super) async fn enter(&mut self, address: &str) {
        self.send(address, b"\x02\x00\x05token").await;
        self.send(address, &[0, 0, 1, 0]).await;
        let mut heard = Vec::new();
        for _ in 0..100 {
            heard.extend(self.hear(address).await);
            if heard.iter().any(|message| message.starts_with(&[0, 1])) {
                break;
            }
        }
        assert!(heard.first().is_some_and(|first| first.starts_with(b"\x02\x02\x0aread-write")), "{heard:?}");
        assert!(heard.iter().any(|message| message.starts_with(&[0, 1])), "{heard:?}");
    }

    pub(super) async fn update(&mut self, address: &str, update: &[u8]) {
        let mut message = vec![0, 2];
        write_buffer(&mut message, update);
        self.send(address, &message).await;
    }

    pub(super) async fn send(&mut self, address: &str, message: &[u8]) {
        let mut frame = Vec::new();
        write_text(&mut frame, address);
        frame.extend(message);
        self.socket.send(Message::Binary(frame.into())).await.unwrap();
    }

    /// What has come under an address since it was asked last, without waiting for more than a moment.
    pub(super) async fn hear(&mut self, address: &str) -> Vec<Vec<u8>> {
        self.listen().await;
        let (wanted, others) = std::mem::take(&mut self.heard).into_iter().partition(|(of, _)| of == address);
        self.heard = others;
        wanted.into_iter().map(|(_, message)| message).collect()
    }

    /// How many of the updates under an address have been acknowledged since it was asked last.
    pub(super) async fn acknowledged(&mut self, address: &str) -> usize {
        let heard = self.hear(address).await;
        assert!(!heard.contains(&NOT_STORED.to_vec()), "{heard:?}");
        heard.iter().filter(|message| **message == STORED).count()
    }

    /// The code with which the server has closed the socket.
    pub(super) async fn closed(&mut self) -> Option<u16> {
        self.listen().await;
        self.closed
    }

    /// Takes an update out of what has come under an address.
    pub(super) async fn has_received(&mut self, address: &str, update: &[u8]) -> bool {
        let mut message = vec![0, 2];
        write_buffer(&mut message, update);
        self.hear(address).await.contains(&message)
    }

    async fn listen(&mut self) {
        while let Ok(Some(Ok(message))) = timeout(MOMENT, self.socket.next()).await {
            match message {
                Message::Binary(frame) => {
                    let mut reader = Reader::new(&frame);
                    let address = reader.text().unwrap().to_owned();
                    self.heard.push((address, reader.rest().to_vec()));
                }
                Message::Close(frame) => self.closed = frame.map(|frame| frame.code.into()),
                _ => {}
            }
        }
    }
}

/// `SyncStatus`: the update is on disk.
const STORED: [u8; 2] = [8, 1];
/// `SyncStatus`: it was not taken.
const NOT_STORED: [u8; 2] = [8, 0];
/// Of paused time: longer than whatever is under way and waits for no clock.
const MOMENT: Duration = Duration::from_millis(200);
