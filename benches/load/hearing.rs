//! What a member makes of the frames that it receives: it answers, takes note, and throws them away.

use ydock::lib0::{DecodeError, Reader};

use crate::member::{Member, Seen};
use crate::wire::{BINARY, CLOSE, Frame, PING, PONG, write_client_frame};
use crate::yjs::{clocks, runs};

impl Member {
    pub(crate) fn take(&self, frame: &Frame<'_>, at: u64) {
        match frame.opcode {
            BINARY if self.read(frame.payload, at).is_err() => {
                let unreadable = &self.room.measure().unreadable;
                unreadable.set(unreadable.get() + 1);
            }
            PING => {
                let mut frames = Vec::new();
                write_client_frame(&mut frames, PONG, frame.payload);
                self.send(&frames);
            }
            CLOSE => {
                let code = frame.payload.first_chunk().map_or(0, |code| u16::from_be_bytes(*code));
                let reason = String::from_utf8_lossy(frame.payload.get(2..).unwrap_or_default());
                self.ended.borrow_mut().get_or_insert(format!("closed with {code} {reason}"));
            }
            _ => {}
        }
    }

    fn read(&self, message: &[u8], at: u64) -> Result<(), DecodeError> {
        let mut reader = Reader::new(message);
        if !self.prefix.is_empty() {
            reader.buffer()?;
        }
        match reader.byte()? {
            0 => match reader.byte()? {
                0 => self.answer(reader.buffer()?),
                1 => {
                    self.receive(reader.buffer()?, at)?;
                    if self.synced_at.get().is_none() {
                        self.synced_at.set(Some(at));
                        self.news.notify_one();
                    }
                    Ok(())
                }
                _ => self.receive(reader.buffer()?, at),
            },
            1 => self.look(reader.buffer()?, at),
            _ => Ok(()),
        }
    }

    /// Answers the server's question for what it lacks: nothing that this client would have.
    fn answer(&self, state_vector: &[u8]) -> Result<(), DecodeError> {
        if let Some(author) = self.author {
            let mut known = 0;
            clocks(state_vector, |client, clock| {
                if client == self.room.client(author) {
                    known = clock;
                }
            })?;
            self.lacking.set(self.room.letters(self.room.sent(author)).saturating_sub(known));
        }
        let mut frames = Vec::new();
        self.frame(&mut frames, |payload| payload.extend_from_slice(&[0, 1, 2, 0, 0]));
        self.send(&frames);
        Ok(())
    }

    fn receive(&self, update: &[u8], at: u64) -> Result<(), DecodeError> {
        let mut progress = self.progress.borrow_mut();
        let timed = (self.is_timed.get() && self.synced_at.get().is_some()).then_some(at);
        runs(update, |run| match self.room.author_of(run.client) {
            None => self.foreign.set(self.foreign.get() + run.end - run.start),
            // Some servers send everything back to its sender.
            author if author == self.author => {}
            _ => {
                self.last_received.set(at);
                self.room.receive(&mut progress, &run, timed);
            }
        })
    }

    fn look(&self, states: &[u8], at: u64) -> Result<(), DecodeError> {
        let mut presence = self.presence.borrow_mut();
        let mut reader = Reader::new(states);
        for _ in 0..reader.var_uint()? {
            let (client, clock, state) = (reader.var_uint()?, reader.var_uint()?, reader.buffer()?);
            let Some(author) = self.room.author_of(client).filter(|author| Some(*author) != self.author) else {
                continue;
            };
            if presence.len() <= author {
                presence.resize(author + 1, Seen::default());
            }
            if clock > presence[author].clock {
                self.room.receive_presence(author, clock, at);
            }
            if clock >= presence[author].clock {
                presence[author] = Seen { clock, is_gone: state == b"null" };
            }
        }
        Ok(())
    }
}
