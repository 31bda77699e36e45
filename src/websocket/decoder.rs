//! From bytes as they come to messages: in place where a frame lies whole in what was read, gathered where it does not.
//!
//! The promise: nothing is gathered beyond the limit; what a length announces is not reserved before it comes.

use super::frame::{Header, Opcode, ProtocolError, unmask};

/// Reads one client's frames.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    /// There is none as long as frames come whole, which they nearly always do.
    gathered: Option<Box<Gathered>>,
}

/// What has come of a message, or of a frame, whose end is missing.
#[derive(Debug, Default)]
struct Gathered {
    /// The beginning of a header.
    head: Vec<u8>,
    /// The frame whose payload is being gathered, and how much of it is here.
    frame: Option<(Header, u64)>,
    /// What is gathered of a message in parts, or of a frame that did not come whole.
    message: Vec<u8>,
    /// What is gathered of a control frame; they may come between the parts of a message.
    control: Vec<u8>,
    /// The kind of the message whose parts are coming.
    parts: Option<Opcode>,
    /// How much of a text in parts is known to be UTF-8: what is wrong is refused with the part that has it.
    checked: usize,
    /// What is gathered was lent out, and is cleared with the next step.
    lent: Lent,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Lent {
    #[default]
    Nothing,
    Message,
    Control,
}

/// What a client says.
#[derive(Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// UTF-8 text.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
    /// Asks for a pong with the same bytes.
    Ping(&'a [u8]),
    /// A sign of life.
    Pong,
    /// Nothing more will come; with the code that is to be sent back.
    Close(Option<u16>),
}

/// How far a step came.
#[derive(Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// How many bytes of the input are done with.
    pub consumed: usize,
    /// The message that they complete; `None` when the whole input is consumed and completes none.
    pub message: Option<Message<'a>>,
}

impl Decoder {
    /// A decoder for a new connection, whose messages may have so many bytes.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { limit, gathered: None }
    }

    /// Whether nothing of a message is here whose end is missing.
    #[must_use]
    pub fn is_between_messages(&self) -> bool {
        self.gathered.as_ref().is_none_or(|gathered| gathered.is_between_messages())
    }

    /// How much memory it holds for what has not come whole: at most twice what has come of it, or some 4 KiB.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.gathered.as_ref().map_or(0, |gathered| gathered.memory_bytes())
    }

    /// Reads on, up to the end of the next message. Takes masks off in place.
    ///
    /// # Errors
    /// When the client breaks the protocol; nothing that comes after that means anything.
    pub fn step<'a>(&'a mut self, input: &'a mut [u8]) -> Result<Step<'a>, ProtocolError> {
        if let Some(gathered) = &mut self.gathered {
            gathered.take_back();
            if gathered.is_between_messages() {
                self.gathered = None;
            }
        }
        if self.gathered.is_none()
            && let Some((header, end)) = self.whole(input)?
        {
            let payload = input.get_mut(header.size..end).unwrap_or_default();
            unmask(payload, header.mask, 0);
            let is_control = header.opcode.is_control();
            let message =
                if is_control { control_of(header.opcode, payload)? } else { message_of(header.opcode, payload)? };
            return Ok(Step { consumed: end, message: Some(message) });
        }
        self.gathered.get_or_insert_default().step(self.limit, input)
    }

    /// The first frame and its end, if it is here as a whole and all of its message.
    fn whole(&self, input: &[u8]) -> Result<Option<(Header, usize)>, ProtocolError> {
        let Some(header) = Header::read(input)? else { return Ok(None) };
        let may_be = header.is_last && header.opcode != Opcode::Continuation;
        let fits = header.opcode.is_control() || header.len <= self.limit as u64;
        let end = usize::try_from(header.len).ok().and_then(|len| header.size.checked_add(len));
        Ok(end.filter(|end| may_be && fits && *end <= input.len()).map(|end| (header, end)))
    }
}

impl Gathered {
    fn is_between_messages(&self) -> bool {
        self.head.is_empty() && self.frame.is_none() && self.parts.is_none()
    }

    fn memory_bytes(&self) -> usize {
        self.head.capacity() + self.message.capacity() + self.control.capacity()
    }

    /// Takes back what was lent out with the step before.
    fn take_back(&mut self) {
        match std::mem::replace(&mut self.lent, Lent::Nothing) {
            Lent::Nothing => {}
            Lent::Message => forget(&mut self.message),
            Lent::Control => self.control.clear(),
        }
    }

    fn step<'a>(&'a mut self, limit: usize, input: &'a mut [u8]) -> Result<Step<'a>, ProtocolError> {
        let total = input.len();
        let mut rest = input;
        loop {
            let (header, received) = if let Some(frame) = self.frame.take() {
                frame
            } else {
                let Some((header, size)) = self.header(rest, limit)? else {
                    return Ok(Step { consumed: total, message: None });
                };
                rest = rest.get_mut(size..).unwrap_or_default();
                (header, 0)
            };
            let missing = header.len - received;
            let here = usize::try_from(missing).unwrap_or(usize::MAX).min(rest.len());
            let (payload, after) = std::mem::take(&mut rest).split_at_mut(here);
            unmask(payload, header.mask, received);
            rest = after;
            let consumed = total - rest.len();
            let is_whole = here as u64 == missing;
            if !is_whole {
                self.gathered(header.opcode).extend_from_slice(payload);
                self.frame = Some((header, received + here as u64));
                return Ok(Step { consumed, message: None });
            }
            if header.opcode.is_control() {
                self.control.extend_from_slice(payload);
                self.lent = Lent::Control;
                let message = control_of(header.opcode, &self.control)?;
                return Ok(Step { consumed, message: Some(message) });
            }
            let begins = header.opcode != Opcode::Continuation;
            if header.is_last && begins && received == 0 {
                let message = message_of(header.opcode, payload)?;
                return Ok(Step { consumed, message: Some(message) });
            }
            self.message.extend_from_slice(payload);
            if header.is_last {
                let kind = if begins { header.opcode } else { self.parts.take().unwrap_or(Opcode::Binary) };
                self.lent = Lent::Message;
                let message = message_of(kind, &self.message)?;
                return Ok(Step { consumed, message: Some(message) });
            }
            if begins {
                (self.parts, self.checked) = (Some(header.opcode), 0);
            }
            if self.parts == Some(Opcode::Text) {
                self.checked += text_prefix(self.message.get(self.checked..).unwrap_or_default())?;
            }
        }
    }

    /// The next header, if its end is here, and how many of these bytes belong to it.
    fn header(&mut self, rest: &[u8], limit: usize) -> Result<Option<(Header, usize)>, ProtocolError> {
        let before = self.head.len();
        let header = if before == 0 {
            Header::read(rest)?
        } else {
            self.head.extend(rest.iter().take(LONGEST - before));
            Header::read(&self.head)?
        };
        let Some(header) = header else {
            if before == 0 {
                self.head.extend_from_slice(rest);
            }
            return Ok(None);
        };
        self.head.clear();
        self.check(&header, limit)?;
        Ok(Some((header, header.size - before)))
    }

    fn check(&self, header: &Header, limit: usize) -> Result<(), ProtocolError> {
        if header.opcode.is_control() {
            return Ok(());
        }
        match (header.opcode, self.parts) {
            (Opcode::Continuation, None) => return Err(ProtocolError::NothingToContinue),
            (Opcode::Text | Opcode::Binary, Some(_)) => return Err(ProtocolError::Interrupted),
            _ => {}
        }
        let before = self.message.len() as u64;
        if before.saturating_add(header.len) > limit as u64 {
            return Err(ProtocolError::TooLarge { limit });
        }
        Ok(())
    }

    fn gathered(&mut self, opcode: Opcode) -> &mut Vec<u8> {
        if opcode.is_control() { &mut self.control } else { &mut self.message }
    }
}

fn message_of(opcode: Opcode, payload: &[u8]) -> Result<Message<'_>, ProtocolError> {
    if opcode == Opcode::Text {
        std::str::from_utf8(payload).map(Message::Text).or(Err(ProtocolError::NotUtf8))
    } else {
        Ok(Message::Binary(payload))
    }
}

/// How much of these bytes is whole characters; what is left may be the beginning of one.
fn text_prefix(bytes: &[u8]) -> Result<usize, ProtocolError> {
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(bytes.len()),
        Err(error) if error.error_len().is_none() => Ok(error.valid_up_to()),
        Err(_) => Err(ProtocolError::NotUtf8),
    }
}

fn control_of(opcode: Opcode, payload: &[u8]) -> Result<Message<'_>, ProtocolError> {
    match opcode {
        Opcode::Close => close_code(payload).map(Message::Close),
        Opcode::Ping => Ok(Message::Ping(payload)),
        _ => Ok(Message::Pong),
    }
}

/// RFC 6455, sections 5.5.1 and 7.4.
fn close_code(payload: &[u8]) -> Result<Option<u16>, ProtocolError> {
    if payload.is_empty() {
        return Ok(None);
    }
    let (code, reason) = payload.split_first_chunk().ok_or(ProtocolError::BadCloseCode)?;
    let code = u16::from_be_bytes(*code);
    if !matches!(code, NORMAL..=UNSUPPORTED | NOT_CONSISTENT..=BAD_GATEWAY | FRAMEWORKS..=LAST_CODE) {
        return Err(ProtocolError::BadCloseCode);
    }
    std::str::from_utf8(reason).or(Err(ProtocolError::NotUtf8))?;
    Ok(Some(code))
}

/// Clears what was gathered, and gives the memory of a large message back.
fn forget(bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.shrink_to(KEPT);
}

/// The longest header of a client.
const LONGEST: usize = 14;
/// So much memory a decoder keeps between messages.
const KEPT: usize = 4096;

// What a close frame may say: the codes that RFC 6455 and its registry give to endpoints, and those of applications. The
// others are reserved, or say what happened without a close frame.
const NORMAL: u16 = 0x3e8;
const UNSUPPORTED: u16 = NORMAL + 3;
const NOT_CONSISTENT: u16 = NORMAL + 7;
const BAD_GATEWAY: u16 = NORMAL + 14;
const FRAMEWORKS: u16 = 3000;
const LAST_CODE: u16 = 4999;

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [9, 8, 7, 6];

    /// A client's frame.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut out = vec![first];
        match payload.len() {
            len @ 0..=125 => out.push(0x80 | u8::try_from(len).unwrap()),
            len @ 126..=0xffff => {
                out.push(0xfe);
                out.extend(u16::try_from(len).unwrap().to_be_bytes());
            }
            len => {
                out.push(0xff);
                out.extend((len as u64).to_be_bytes());
            }
        }
        out.extend(MASK);
        out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
        out
    }

    /// Decodes bytes that come in pieces of this length; says what came, and what was wrong at last.
    fn decode(limit: usize, bytes: &[u8], piece: usize) -> (Vec<String>, Option<ProtocolError>) {
        let mut decoder = Decoder::new(limit);
        let mut heard = Vec::new();
        for piece in bytes.chunks(piece) {
            let mut piece = piece.to_vec();
            let mut rest = &mut piece[..];
            while !rest.is_empty() {
                match decoder.step(rest) {
                    Ok(Step { consumed, message }) => {
                        heard.extend(message.map(|message| format!("{message:?}")));
                        rest = &mut std::mem::take(&mut rest)[consumed..];
                    }
                    Err(error) => return (heard, Some(error)),
                }
            }
        }
        (heard, None)
    }

    #[test]
    fn messages_are_the_same_however_the_bytes_are_cut() {
        let long = vec![5; 70_000];
        let stream = [
            frame(0x81, "grüße".as_bytes()),
            frame(0x82, &[]),
            frame(0x02, b"one "),
            frame(0x89, b"meanwhile"),
            frame(0x00, b"two "),
            frame(0x8a, b""),
            frame(0x80, b"three"),
            frame(0x82, &long),
            frame(0x01, "gr\u{fc}".as_bytes()),
            frame(0x80, b""),
            frame(0x88, &[0x0f, 0xa0, b'b', b'y', b'e']),
        ]
        .concat();
        let (whole, error) = decode(1 << 20, &stream, stream.len());
        assert_eq!(error, None);
        assert_eq!(whole.len(), 8);
        assert_eq!(whole[0], r#"Text("grüße")"#);
        assert_eq!(whole[2], format!("{:?}", Message::Ping(b"meanwhile")));
        assert_eq!(whole[4], format!("{:?}", Message::Binary(b"one two three")));
        assert_eq!(whole[7], "Close(Some(4000))");
        for piece in [1, 2, 3, 7, 1000, 65_536] {
            assert_eq!(decode(1 << 20, &stream, piece), (whole.clone(), None), "in pieces of {piece}");
        }
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_comes() {
        let error = Some(ProtocolError::TooLarge { limit: 100 });
        assert_eq!(decode(100, &frame(0x82, &[0; 101])[..8], 8).1, error);
        let parts = [frame(0x02, &[0; 60]), frame(0x00, &[0; 40]), frame(0x80, &[0; 1])].concat();
        assert_eq!(decode(100, &parts, parts.len()).1, error);
        assert_eq!(decode(100, &parts[..parts.len() - 7], 9), (Vec::new(), None));
        let whole = [frame(0x82, &[0; 100]), frame(0x82, &[0; 100])].concat();
        assert_eq!(decode(100, &whole, 30).0.len(), 2, "each message has the whole limit");
    }

    #[test]
    fn what_breaks_the_protocol_is_named() {
        use ProtocolError::*;
        for (bytes, error) in [
            (frame(0x80, b"x"), NothingToContinue),
            (frame(0x00, b"x"), NothingToContinue),
            ([frame(0x02, b"x"), frame(0x82, b"y")].concat(), Interrupted),
            ([frame(0x01, b"x"), frame(0x01, b"y")].concat(), Interrupted),
            (frame(0x81, &[0xff]), NotUtf8),
            ([frame(0x01, &[0xc3]), frame(0x80, &[0x28])].concat(), NotUtf8),
            (frame(0x88, &[3]), BadCloseCode),
            (frame(0x88, &[0x03, 0xe7]), BadCloseCode),
            (frame(0x88, &[0x03, 0xec]), BadCloseCode),
            (frame(0x88, &[0x03, 0xed]), BadCloseCode),
            (frame(0x88, &[0x03, 0xee]), BadCloseCode),
            (frame(0x88, &[0x03, 0xf7]), BadCloseCode),
            (frame(0x88, &[0x0b, 0xb7]), BadCloseCode),
            (frame(0x88, &[0x13, 0x88]), BadCloseCode),
            (frame(0x88, &[0x03, 0xe8, 0xff]), NotUtf8),
        ] {
            assert_eq!(decode(1000, &bytes, bytes.len()).1, Some(error), "{bytes:x?}");
            assert_eq!(decode(1000, &bytes, 1).1, Some(error), "{bytes:x?}, byte by byte");
        }
    }

    #[test]
    fn every_code_that_an_endpoint_may_send_is_taken() {
        for code in [1000_u16, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]
        {
            let (heard, error) = decode(100, &frame(0x88, &code.to_be_bytes()), 100);
            assert_eq!((heard, error), (vec![format!("Close(Some({code}))")], None));
        }
        assert_eq!(decode(100, &frame(0x88, &[]), 100).0, ["Close(None)"]);
    }

    #[test]
    fn memory_of_a_large_message_is_given_back() {
        let mut decoder = Decoder::new(1 << 20);
        let mut bytes = frame(0x82, &vec![1; 500_000]);
        let (first, second) = bytes.split_at_mut(1000);
        assert_eq!(decoder.step(first).unwrap().message, None);
        assert!(decoder.memory_bytes() < 10_000, "an announced length reserves nothing");
        assert!(decoder.step(second).unwrap().message.is_some());
        assert!(decoder.is_between_messages());
        assert!(decoder.step(&mut frame(0x82, b"next")).unwrap().message.is_some());
        assert_eq!(decoder.memory_bytes(), 0);
    }
}
