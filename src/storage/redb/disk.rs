//! A disk for tests: it fails when it is told, and forgets what was not synced when its power is cut.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use redb::{Database, StorageBackend};

use super::database::Opener;

/// A disk in memory, shared by all that hold a clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Arc<Mutex<State>>, Arc<Gate>);

/// What operations wait for while the disk hangs.
#[derive(Debug, Default)]
struct Gate {
    is_shut: Mutex<bool>,
    opened: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What reads see.
    seen: Vec<u8>,
    /// What a power cut leaves for certain.
    durable: Vec<u8>,
    /// What was done since the last sync, and may or may not survive a cut.
    pending: Vec<Pending>,
    operations: u64,
    fault: Option<Fault>,
    reads_fail: bool,
}

#[derive(Debug, Clone)]
enum Pending {
    Write { offset: usize, data: Vec<u8> },
    Resize(usize),
}

#[derive(Debug, Clone, Copy)]
struct Fault {
    from: u64,
    until: u64,
    kind: io::ErrorKind,
}

impl Disk {
    pub(super) fn opener(&self) -> Opener {
        let disk = self.clone();
        Box::new(move || Database::builder().set_cache_size(1 << 20).create_with_backend(disk.clone()))
    }

    /// The writes, resizes and syncs so far.
    pub(super) fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Lets `count` operations fail, after `after` more that work.
    pub(super) fn fail(&self, after: u64, count: u64, kind: io::ErrorKind) {
        let mut state = self.state();
        let from = state.operations + after;
        state.fault = Some(Fault { from, until: from.saturating_add(count), kind });
    }

    /// Lets every read fail that the engine's cache does not answer.
    pub(super) fn fail_reads(&self) {
        self.state().reads_fail = true;
    }

    /// Lets every operation wait until the disk is repaired.
    pub(super) fn hang(&self) {
        *self.1.is_shut.lock().unwrap() = true;
    }

    /// Lets everything work again.
    pub(super) fn repair(&self) {
        *self.1.is_shut.lock().unwrap() = false;
        self.1.opened.notify_all();
        let mut state = self.state();
        (state.fault, state.reads_fail) = (None, false);
    }

    /// The disk after a power cut now: of what was not synced, page by page, `survives` decides.
    pub(super) fn cut(&self, mut survives: impl FnMut() -> bool) -> Self {
        let state = self.state();
        let mut bytes = state.durable.clone();
        for pending in &state.pending {
            let Pending::Write { offset, data } = pending else {
                if let Pending::Resize(len) = pending
                    && survives()
                {
                    bytes.resize(*len, 0);
                }
                continue;
            };
            for (start, piece) in (*offset..).step_by(4096).zip(data.chunks(4096)) {
                if survives() {
                    bytes.resize(bytes.len().max(start + piece.len()), 0);
                    bytes[start..start + piece.len()].copy_from_slice(piece);
                }
            }
        }
        let state = State { seen: bytes.clone(), durable: bytes, ..State::default() };
        Self(Arc::new(Mutex::new(state)), Arc::default())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Counts an operation and says whether it fails.
    fn operate(&self) -> io::Result<MutexGuard<'_, State>> {
        drop(self.1.opened.wait_while(self.1.is_shut.lock().unwrap(), |is_shut| *is_shut).unwrap());
        let mut state = self.state();
        let at = state.operations;
        state.operations += 1;
        match state.fault {
            Some(fault) if (fault.from..fault.until).contains(&at) => Err(fault.kind.into()),
            _ => Ok(state),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        if state.reads_fail {
            return Err(io::ErrorKind::Other.into());
        }
        let start = usize::try_from(offset).unwrap();
        let bytes = state.seen.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.operate()?;
        let len = usize::try_from(len).unwrap();
        state.seen.resize(len, 0);
        state.pending.push(Pending::Resize(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.operate()?;
        let pending = std::mem::take(&mut state.pending);
        for pending in pending {
            match pending {
                Pending::Resize(len) => state.durable.resize(len, 0),
                Pending::Write { offset, data } => {
                    state.durable[offset..offset + data.len()].copy_from_slice(&data);
                }
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.operate()?;
        let offset = usize::try_from(offset).unwrap();
        state.seen[offset..offset + data.len()].copy_from_slice(data);
        state.pending.push(Pending::Write { offset, data: data.to_vec() });
        Ok(())
    }
}
