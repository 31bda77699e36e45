//! The laws that the decoder of WebSocket frames is held to.

use ydock::websocket::{Decoder, Message, Opcode, ProtocolError, Step, frame};

/// A message as its sender knows it.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong,
    Close(Option<u16>),
}

/// What was heard of a stream: messages, and what was wrong, or else whether none is left in the middle.
#[derive(Debug, PartialEq, Eq)]
struct Heard {
    messages: Vec<Said>,
    end: Result<bool, ProtocolError>,
}

/// A stream means the same however it is cut; what is taken was sent, and no more is kept than has come of it.
pub fn check(stream: &[u8], limit: usize, cuts: [u8; 4]) {
    let whole = hear(limit, [stream]);
    assert_eq!(hear(limit, stream.chunks(1)), whole, "byte by byte");
    assert_eq!(hear(limit, pieces(stream, cuts)), whole, "cut by {cuts:?}");
    let (sent, is_between_messages) = read(stream);
    match whole.end {
        Ok(end) => assert_eq!((whole.messages, end), (sent, is_between_messages)),
        Err(_) => assert!(sent.starts_with(&whole.messages), "heard {:?} of {sent:?}", whole.messages),
    }
    let answer = frame(Opcode::Binary, &[&cuts, stream]);
    assert_eq!(read(&answer), (vec![Said::Binary([&cuts, stream].concat())], true));
}

/// The stream in pieces, by turns so long and one byte more.
fn pieces(mut stream: &[u8], cuts: [u8; 4]) -> impl Iterator<Item = &[u8]> {
    cuts.into_iter().cycle().map_while(move |cut| {
        let (piece, rest) = stream.split_at(stream.len().min(usize::from(cut) + 1));
        stream = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// What the decoder hears.
fn hear<'a>(limit: usize, pieces: impl IntoIterator<Item = &'a [u8]>) -> Heard {
    let (mut decoder, mut messages, mut came) = (Decoder::new(limit), Vec::new(), 0);
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut done = 0;
        while done < piece.len() {
            let left = piece.len() - done;
            let Step { consumed, message } = match decoder.step(&mut piece[done..]) {
                Ok(step) => step,
                Err(error) => return Heard { messages, end: Err(error) },
            };
            assert!(consumed > 0 && (message.is_some() || consumed == left));
            messages.extend(message.map(|message| said(&message, limit)));
            (done, came) = (done + consumed, came + consumed);
            assert!(decoder.memory_bytes() <= 2 * came.min(limit) + KEPT);
        }
    }
    Heard { messages, end: Ok(decoder.is_between_messages()) }
}

fn said(message: &Message<'_>, limit: usize) -> Said {
    match message {
        Message::Text(text) => Said::Text(bounded(text.as_bytes(), limit)),
        Message::Binary(bytes) => Said::Binary(bounded(bytes, limit)),
        Message::Ping(bytes) => Said::Ping(bounded(bytes, 125)),
        Message::Pong => Said::Pong,
        Message::Close(code) => {
            assert!(code.is_none_or(|code| matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)));
            Said::Close(*code)
        }
    }
}

fn bounded(bytes: &[u8], limit: usize) -> Vec<u8> {
    assert!(bytes.len() <= limit);
    bytes.to_owned()
}

/// What a stream says to one who has all of it and trusts it, and whether it ends between two messages.
fn read(mut stream: &[u8]) -> (Vec<Said>, bool) {
    let (mut messages, mut parts) = (Vec::new(), None);
    while let Some((first, payload, rest)) = next_frame(stream) {
        stream = rest;
        match first & 0x0f {
            0x8 => messages.push(Said::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code)))),
            0x9 => messages.push(Said::Ping(payload)),
            0xa => messages.push(Said::Pong),
            opcode => {
                let (kind, mut message) = parts.take().unwrap_or((opcode, Vec::new()));
                message.extend(payload);
                match kind {
                    _ if first & 0x80 == 0 => parts = Some((kind, message)),
                    0x1 => messages.push(Said::Text(message)),
                    _ => messages.push(Said::Binary(message)),
                }
            }
        }
    }
    (messages, stream.is_empty() && parts.is_none())
}

/// The first byte of a frame, its payload without the mask, and what comes after it.
fn next_frame(stream: &[u8]) -> Option<(u8, Vec<u8>, &[u8])> {
    let ([first, second], rest) = stream.split_first_chunk()?;
    let (len, rest) = match second & 0x7f {
        126 => rest.split_first_chunk().map(|(len, rest)| (u64::from(u16::from_be_bytes(*len)), rest))?,
        127 => rest.split_first_chunk().map(|(len, rest)| (u64::from_be_bytes(*len), rest))?,
        len => (u64::from(len), rest),
    };
    let (mask, rest) =
        if second & 0x80 == 0 { ([0; 4], rest) } else { rest.split_first_chunk().map(|(m, r)| (*m, r))? };
    let (payload, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
    Some((*first, payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key).collect(), rest))
}

/// A decoder may hold so much beside twice what has come.
const KEPT: usize = 4096 + 512;
