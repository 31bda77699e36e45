//! One document's way through one worker process: what is missing is sent, then the export is fetched.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::export::{Export, Refusal};
use super::frames::{Pace, Request, Response, Skipped};
use super::process::{Broken, Process};

/// The terms of a trip.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trip {
    /// The document's slot in the worker.
    pub slot: u64,
    pub pace: Pace,
    /// When the caller's time is up.
    pub deadline: Instant,
    /// How long a worker may work on something small without a word.
    pub patience: Duration,
}

/// An export that came back.
#[derive(Debug)]
pub(super) enum Answer {
    Exported(Bytes),
    Refused(Refusal),
    Oversized,
}

/// A trip that ended early. The process is of no more use.
#[derive(Debug)]
pub(super) struct Trouble {
    pub cause: Cause,
    /// Parts that were dealt with for certain. The culprit is the next one, if any was left.
    pub applied: usize,
}

/// What ended a trip.
#[derive(Debug)]
pub(super) enum Cause {
    /// The worker's process ended, or broke the protocol.
    Died(io::Error),
    /// Something outside killed it: the operator, or a system out of memory.
    Killed,
    /// It was silent for longer than its work can take.
    Stalled,
    /// It was silent as long, but hardly got to run: the machine is to blame.
    Starved,
    /// The caller's time was up while it worked.
    OutOfTime,
    /// The engine gave up.
    Gave(Refusal),
}

impl Trip {
    /// Loads parts into the document's slot, and names those that are no updates by their index.
    pub(super) async fn load(&self, process: &mut Process, parts: &[Bytes]) -> Result<Vec<(usize, String)>, Trouble> {
        let mut skipped = Vec::new();
        let mut base = 0;
        while base < parts.len() {
            let frame = frame_of(parts.get(base..).unwrap_or_default());
            let size = frame.iter().map(Bytes::len).sum();
            let count = frame.len();
            let request = Request::Load { slot: self.slot, parts: frame, pace: self.pace };
            let patience = self.patience_for(size);
            process.say(&request, self.within(patience)).await.map_err(|broken| self.trouble(broken, base))?;
            let mut applied = base;
            loop {
                match process.hear(self.within(patience)).await.map_err(|broken| self.trouble(broken, applied))? {
                    Response::Applied { parts } => applied = base + usize::try_from(parts).unwrap_or(0).min(count),
                    Response::Loaded { skipped: found } => {
                        skipped.extend(found.into_iter().map(|found| placed(base, found)));
                        break;
                    }
                    Response::Refused { refusal } => return Err(Trouble { cause: Cause::Gave(refusal), applied }),
                    _ => return Err(out_of_turn(applied)),
                }
            }
            base += count;
        }
        Ok(skipped)
    }

    /// Exports what was loaded. `size` is the document's, in bytes, and `applied` the number of its parts.
    pub(super) async fn export(
        &self,
        process: &mut Process,
        export: &Export,
        size: usize,
        applied: usize,
    ) -> Result<Answer, Trouble> {
        let until = self.within(self.patience_for(size));
        let request = Request::Export { slot: self.slot, export: export.clone() };
        process.say(&request, until).await.map_err(|broken| self.trouble(broken, applied))?;
        match process.hear(until).await.map_err(|broken| self.trouble(broken, applied))? {
            Response::Exported { bytes } => Ok(Answer::Exported(bytes)),
            Response::Refused { refusal: refusal @ Refusal::Failed { .. } } => {
                Err(Trouble { cause: Cause::Gave(refusal), applied })
            }
            Response::Refused { refusal } => Ok(Answer::Refused(refusal)),
            Response::Oversized => Ok(Answer::Oversized),
            _ => Err(out_of_turn(applied)),
        }
    }

    /// Makes a worker forget a document.
    pub(super) async fn forget(&self, process: &mut Process, slot: u64) -> Result<(), Trouble> {
        let until = self.within(self.patience);
        process.say(&Request::Drop { slot }, until).await.map_err(|broken| self.trouble(broken, 0))?;
        match process.hear(until).await.map_err(|broken| self.trouble(broken, 0))? {
            Response::Dropped => Ok(()),
            _ => Err(out_of_turn(0)),
        }
    }

    fn patience_for(&self, bytes: usize) -> Duration {
        self.patience + PATIENCE_PER_BYTE * u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    fn within(&self, patience: Duration) -> Instant {
        (Instant::now() + patience).min(self.deadline)
    }

    fn trouble(&self, broken: Broken, applied: usize) -> Trouble {
        let cause = match broken {
            Broken::Died(error) => Cause::Died(error),
            Broken::Silent if Instant::now() >= self.deadline => Cause::OutOfTime,
            Broken::Silent => Cause::Stalled,
        };
        Trouble { cause, applied }
    }
}

/// The first parts, as many as make a frame of about [`FRAME_BYTES`], at least one.
fn frame_of(parts: &[Bytes]) -> Vec<Bytes> {
    let mut size = 0;
    parts
        .iter()
        .take_while(|part| {
            let first = size == 0;
            size += part.len() + 1;
            first || size <= FRAME_BYTES
        })
        .cloned()
        .collect()
}

fn out_of_turn(applied: usize) -> Trouble {
    let error = io::Error::new(io::ErrorKind::InvalidData, "the worker answered out of turn");
    Trouble { cause: Cause::Died(error), applied }
}

fn placed(base: usize, skipped: Skipped) -> (usize, String) {
    (base + usize::try_from(skipped.part).unwrap_or(usize::MAX - base), skipped.reason)
}

/// Loading takes 20 to 50 ns a byte; this allows for a busy machine.
const PATIENCE_PER_BYTE: Duration = Duration::from_nanos(200);

const FRAME_BYTES: usize = 1 << 20;
