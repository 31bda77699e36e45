//! One case: what a client sends and what it hears.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use ydock::lib0::write_buffer;

use crate::raw::{masked, next_frame, upgraded};
use crate::yjs::typed;

/// What a client sends and what it hears.
#[derive(Debug)]
pub(super) struct Case {
    /// Its number in the suite.
    pub(super) number: String,
    pub(super) sends: Vec<u8>,
    /// The payloads of the pongs, in their order.
    pongs: Vec<Vec<u8>>,
    end: End,
}

/// How the connection is left.
#[derive(Debug)]
enum End {
    /// It goes on, and the document holds this text.
    Open(String),
    /// The server has closed it with this code, and with a reason.
    Refused(u16),
    /// The client's goodbye was answered with this payload.
    Parted(Vec<u8>),
}

impl Case {
    /// The connection goes on, in an empty document.
    pub(super) fn open(number: impl Into<String>, sends: &[Vec<u8>]) -> Self {
        Self::edited(number, sends, "")
    }

    /// The connection goes on, and the text was typed into the document.
    pub(super) fn edited(number: impl Into<String>, sends: &[Vec<u8>], text: impl Into<String>) -> Self {
        Self { number: number.into(), sends: sends.concat(), pongs: Vec::new(), end: End::Open(text.into()) }
    }

    /// The server ends the connection.
    pub(super) fn refused(number: impl Into<String>, sends: &[Vec<u8>], code: u16) -> Self {
        Self { end: End::Refused(code), ..Self::open(number, sends) }
    }

    /// The server answers a goodbye.
    pub(super) fn parted(number: impl Into<String>, sends: &[Vec<u8>], payload: &[u8]) -> Self {
        Self { end: End::Parted(payload.to_vec()), ..Self::open(number, sends) }
    }

    /// These pongs come, and no others.
    pub(super) fn pongs(self, pongs: &[&[u8]]) -> Self {
        Self { pongs: pongs.iter().map(|pong| pong.to_vec()).collect(), ..self }
    }

    /// The frames to be heard, as [`hear`] writes them down.
    fn expected(&self) -> Vec<Vec<u8>> {
        let pongs = self.pongs.iter().map(|payload| [&[PONG], &payload[..]].concat());
        let end = match &self.end {
            End::Open(text) => {
                let mut answer = [&[BINARY], &STEP_2[..]].concat();
                write_buffer(&mut answer, &if text.is_empty() { vec![0, 0] } else { typed(1, 0, text) });
                answer
            }
            End::Refused(code) => [&[CLOSE], &code.to_be_bytes()[..]].concat(),
            End::Parted(payload) => [&[CLOSE], &payload[..]].concat(),
        };
        pongs.chain([end]).collect()
    }
}

/// Sends a case in pieces; says what was not as it should be.
pub(super) async fn run(url: String, case: Arc<Case>, piece: usize) -> Result<(), String> {
    let mut stream = upgraded(&url).await;
    stream.set_nodelay(true).unwrap();
    // What the server says first has come before the case begins, so that all that it hears then belongs to the case.
    stream.write_all(&question()).await.unwrap();
    while next_frame(&mut stream).await.is_some_and(|(_, payload)| !payload.starts_with(&STEP_2)) {}
    let Ok(heard) = timeout(PATIENCE, hear(stream, &case, piece)).await else {
        return Err(format!("{} in pieces of {piece}: neither an answer nor an end", case.number));
    };
    let expected = case.expected();
    if heard == expected {
        return Ok(());
    }
    Err(format!("{} in pieces of {piece}:\n  heard    {}\n  expected {}", case.number, show(&heard), show(&expected)))
}

/// Sends the case, and a question if there should be an answer. Hears all, but data before the answer or the goodbye.
async fn hear(mut stream: TcpStream, case: &Case, piece: usize) -> Vec<Vec<u8>> {
    let (mut reading, mut writing) = stream.split();
    let saying = async {
        // A server that has ended the connection need not take what comes then.
        for piece in case.sends.chunks(piece) {
            let _is_over = writing.write_all(piece).await.is_err();
        }
        if matches!(case.end, End::Open(_)) {
            let _is_over = writing.write_all(&question()).await.is_err();
        }
    };
    let hearing = async {
        let (mut heard, mut is_over) = (Vec::new(), false);
        while let Some((first, mut payload)) = next_frame(&mut reading).await {
            let is_answer = first == BINARY && payload.starts_with(&STEP_2);
            if first == BINARY && !is_answer && !is_over {
                continue;
            }
            is_over |= first == CLOSE;
            if first == CLOSE && matches!(case.end, End::Refused(_)) {
                let reason = payload.split_off(payload.len().min(2));
                if std::str::from_utf8(&reason).is_err() || reason.is_empty() {
                    payload.extend(b" and a reason that is none");
                }
            }
            heard.push([&[first], &payload[..]].concat());
            if is_answer {
                break;
            }
        }
        heard
    };
    tokio::join!(saying, hearing).1
}

/// Asks for the whole document.
fn question() -> Vec<u8> {
    masked(BINARY, &[0, 0, 1, 0])
}

/// The beginning of each frame in hexadecimal digits.
fn show(frames: &[Vec<u8>]) -> String {
    let shown = |frame: &Vec<u8>| match frame.split_at_checked(40) {
        Some((beginning, rest)) => format!("{beginning:02x?} and {} bytes", rest.len()),
        None => format!("{frame:02x?}"),
    };
    frames.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// The first byte of a frame that is a whole message, or a pong, or a goodbye.
const BINARY: u8 = 0x82;
const PONG: u8 = 0x8a;
const CLOSE: u8 = 0x88;
/// The answer to a question for the document begins so.
const STEP_2: [u8; 2] = [0, 1];
/// Far longer than any case takes.
const PATIENCE: Duration = Duration::from_secs(30);
