//! The decoder held against that of tungstenite: the same frames, right and wrong, mean the same to both.

use std::io::{self, Cursor, Read, Write};

use proptest::prelude::*;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message as Theirs, WebSocket};

use super::{Decoder, Message, Step};

/// What came, in order, and how it ended.
#[derive(Debug, PartialEq, Eq)]
struct Heard {
    messages: Vec<String>,
    is_refused: bool,
}

/// A frame as somebody might send it.
#[derive(Debug, Clone)]
struct Sent {
    first: u8,
    is_masked: bool,
    mask: [u8; 4],
    payload: Vec<u8>,
}

impl Sent {
    fn bytes(&self) -> Vec<u8> {
        let masked = if self.is_masked { 0x80 } else { 0 };
        let mut out = vec![self.first];
        match (u8::try_from(self.payload.len()), u16::try_from(self.payload.len())) {
            (Ok(len), _) if len <= 125 => out.push(masked | len),
            (_, Ok(len)) => {
                out.push(masked | 0x7e);
                out.extend(len.to_be_bytes());
            }
            _ => {
                out.push(masked | 0x7f);
                out.extend((self.payload.len() as u64).to_be_bytes());
            }
        }
        if self.is_masked {
            out.extend(self.mask);
            out.extend(self.payload.iter().zip(self.mask.iter().cycle()).map(|(byte, key)| byte ^ key));
        } else {
            out.extend(&self.payload);
        }
        out
    }
}

/// Mostly what clients send, now and then what none may.
fn sent() -> impl Strategy<Value = Sent> {
    let opcode = prop_oneof![
        8 => prop_oneof![Just(0x81_u8), Just(0x82), Just(0x01), Just(0x02), Just(0x00), Just(0x80)],
        3 => prop_oneof![Just(0x89_u8), Just(0x8a), Just(0x88)],
        1 => any::<u8>(),
    ];
    let text = "[a-zäß€𝄞]{0,40}".prop_map(String::into_bytes);
    let payload = prop_oneof![
        6 => text,
        3 => prop::collection::vec(any::<u8>(), 0..130),
        1 => (120_usize..70_000).prop_map(|len| vec![b'x'; len]),
        1 => (CODES, "[a-z]{0,10}").prop_map(|(code, reason)| [&code.to_be_bytes()[..], reason.as_bytes()].concat()),
        1 => Just(vec![0x03, 0xe8]),
    ];
    (opcode, prop::bool::weighted(0.98), any::<[u8; 4]>(), payload).prop_map(|(first, is_masked, mask, payload)| Sent {
        first,
        is_masked,
        mask,
        payload,
    })
}

fn ours(bytes: &[u8], piece: usize) -> Heard {
    let mut decoder = Decoder::new(LIMIT);
    let mut messages = Vec::new();
    for piece in bytes.chunks(piece) {
        let mut piece = piece.to_vec();
        let mut done = 0;
        while done < piece.len() {
            let Ok(Step { consumed, message }) = decoder.step(&mut piece[done..]) else {
                return Heard { messages, is_refused: true };
            };
            done += consumed;
            match message {
                Some(Message::Text(text)) => messages.push(format!("text {text}")),
                Some(Message::Binary(bytes)) => messages.push(format!("binary {bytes:?}")),
                Some(Message::Ping(bytes)) => messages.push(format!("ping {bytes:?}")),
                Some(Message::Pong) => messages.push("pong".to_owned()),
                Some(Message::Close(code)) => {
                    messages.push(format!("close {code:?}"));
                    return Heard { messages, is_refused: false };
                }
                None => {}
            }
        }
    }
    Heard { messages, is_refused: false }
}

fn theirs(bytes: &[u8]) -> Heard {
    let config = WebSocketConfig::default().max_message_size(Some(LIMIT)).max_frame_size(Some(LIMIT));
    let stream = OneWay(Cursor::new(bytes.to_vec()));
    let mut socket = WebSocket::from_raw_socket(stream, Role::Server, Some(config));
    let mut messages = Vec::new();
    loop {
        match socket.read() {
            Ok(Theirs::Text(text)) => messages.push(format!("text {text}")),
            Ok(Theirs::Binary(bytes)) => messages.push(format!("binary {:?}", &bytes[..])),
            Ok(Theirs::Ping(bytes)) => messages.push(format!("ping {:?}", &bytes[..])),
            Ok(Theirs::Pong(_)) => messages.push("pong".to_owned()),
            // What is wrong with a close frame is told as if the client had said it.
            Ok(Theirs::Close(Some(close))) if close.reason == "Protocol violation" => {
                return Heard { messages, is_refused: true };
            }
            Ok(Theirs::Close(close)) => {
                messages.push(format!("close {:?}", close.map(|close| u16::from(close.code))));
                return Heard { messages, is_refused: false };
            }
            Ok(Theirs::Frame(_)) => {}
            Err(Error::Protocol(error)) if error.to_string().contains("without closing handshake") => {
                return Heard { messages, is_refused: false };
            }
            Err(Error::Io(_) | Error::ConnectionClosed) => return Heard { messages, is_refused: false },
            Err(_) => return Heard { messages, is_refused: true },
        }
    }
}

/// A stream from which bytes come, and into which any may go.
struct OneWay(Cursor<Vec<u8>>);

impl Read for OneWay {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into)
    }
}

impl Write for OneWay {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_same_frames_mean_the_same(frames in prop::collection::vec(sent(), 1..8), piece in 1_usize..5000) {
        let bytes: Vec<u8> = frames.iter().flat_map(Sent::bytes).collect();
        prop_assert_eq!(ours(&bytes, piece), theirs(&bytes));
    }
}

/// Without the last one that the registry gives out, which tungstenite does not know yet.
const CODES: std::ops::Range<u16> = 990..1014;
/// Above the longest frame that is made here, and below two of them.
const LIMIT: usize = 100_000;
