//! The updates after a snapshot, joined into few: whoever opens the document is sent these, and not a frame for each letter
//! that was typed since.
//!
//! What was joined stays joined; each time only what came since is added.

use bytes::Bytes;

use super::log::Log;
use crate::sync::{self, ScanError};

/// The updates after the snapshot of one log.
#[derive(Debug, Default)]
pub(super) struct Joined {
    /// The number up to which the snapshot stands for the updates.
    after: u64,
    /// The number of the last update in here.
    upto: u64,
    /// Complete ones, in order.
    done: Vec<Bytes>,
    /// The last one, to which others may be joined.
    open: Option<Bytes>,
}

impl Joined {
    /// All updates after the snapshot, joined, in order.
    ///
    /// # Errors
    /// When one of them is no update.
    pub(super) fn tail_of(&mut self, log: &Log) -> Result<Vec<Bytes>, ScanError> {
        if self.after != log.snapshot_upto() || self.upto < self.after {
            *self = Self { after: log.snapshot_upto(), upto: log.snapshot_upto(), ..Self::default() };
        }
        // Begun anew should one of them be no update.
        let Self { after, upto, mut done, open } = std::mem::take(self);
        let mut run: Vec<_> = open.into_iter().collect();
        let mut bytes = run.iter().map(Bytes::len).sum::<usize>();
        for update in log.since(upto + 1).into_iter().flatten() {
            if bytes + update.len() > LONGEST {
                done.extend(join(&mut run)?);
                bytes = 0;
            }
            bytes += update.len();
            run.push(update.clone());
        }
        let open = join(&mut run)?;
        let tail = done.iter().chain(&open).cloned().collect();
        *self = Self { after, upto: log.head(), done, open };
        Ok(tail)
    }
}

/// One update of several; one alone stays as it is.
fn join(run: &mut Vec<Bytes>) -> Result<Option<Bytes>, ScanError> {
    if run.len() < 2 {
        return Ok(run.pop());
    }
    let joined = sync::merge(run.iter().map(AsRef::as_ref))?;
    run.clear();
    Ok(Some(joined.into()))
}

/// Updates are joined up to this length, so that adding one takes less than 500 µs. Longer ones stay as they are.
const LONGEST: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lib0::{write_text, write_var_uint};
    use crate::sync::StateVector;

    /// Client 7 types a text after so many letters.
    fn typed(clock: usize, text: &str) -> Bytes {
        let mut update = vec![1, 1, 7];
        write_var_uint(&mut update, clock as u64);
        if clock == 0 {
            update.extend([4, 1, 1, b't']);
        } else {
            update.extend([0x84, 7]);
            write_var_uint(&mut update, clock as u64 - 1);
        }
        write_text(&mut update, text);
        update.push(0);
        update.into()
    }

    fn whole(parts: &[Bytes]) -> Vec<u8> {
        sync::merge(parts.iter().map(AsRef::as_ref)).unwrap()
    }

    #[test]
    fn letters_become_few_updates_that_bring_the_same_whenever_they_are_asked_for() {
        let mut log = Log::default();
        let mut joined = Joined::default();
        let mut all = Vec::new();
        assert!(joined.tail_of(&log).unwrap().is_empty());
        for clock in 0..9_000 {
            all.push(typed(clock, "a"));
            log.push(typed(clock, "a"));
            if clock % 700 == 0 {
                assert_eq!(whole(&joined.tail_of(&log).unwrap()), whole(&all), "{clock}");
            }
        }
        let tail = joined.tail_of(&log).unwrap();
        assert_eq!((whole(&tail), tail.len()), (whole(&all), 1));
    }

    #[test]
    fn long_updates_stay_as_they_are_and_in_their_place() {
        let mut log = Log::default();
        let page = typed(2, &"b".repeat(LONGEST));
        for update in [typed(0, "a"), typed(1, "a"), page.clone(), typed(LONGEST + 2, "c"), typed(LONGEST + 3, "c")] {
            log.push(update);
        }
        let tail = Joined::default().tail_of(&log).unwrap();
        assert_eq!(tail[0], whole(&[typed(0, "a"), typed(1, "a")]));
        assert_eq!((tail[1].as_ptr(), tail.len()), (page.as_ptr(), 3));
    }

    #[test]
    fn what_a_snapshot_has_taken_in_is_forgotten() {
        let mut log = Log::default();
        let mut joined = Joined::default();
        for clock in 0..4 {
            log.push(typed(clock, "a"));
        }
        joined.tail_of(&log).unwrap();
        log.replace(3, typed(0, "aaa"), &StateVector::default());
        assert_eq!(joined.tail_of(&log).unwrap(), [typed(3, "a")]);
        log.push(typed(4, "a"));
        assert_eq!(joined.tail_of(&log).unwrap(), [typed(3, "aa")]);
        log.replace(5, typed(0, "aaaaa"), &StateVector::default());
        assert!(joined.tail_of(&log).unwrap().is_empty());
    }

    #[test]
    fn after_bytes_that_are_no_update_it_begins_anew() {
        let mut log = Log::default();
        let mut joined = Joined::default();
        log.push(typed(0, "a"));
        joined.tail_of(&log).unwrap();
        log.push(Bytes::from_static(b"no update"));
        assert!(joined.tail_of(&log).is_err() && joined.tail_of(&log).is_err());
        log.replace(2, typed(0, "a"), &StateVector::default());
        log.push(typed(1, "a"));
        assert_eq!(joined.tail_of(&log).unwrap(), [typed(1, "a")]);
    }
}
