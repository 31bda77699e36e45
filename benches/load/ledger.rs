//! Who was sent what and when, and who has received it: latencies, and proof that nothing is missing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::LazyLock;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::histogram::Histogram;
use crate::yjs::{Run, write_typed};

/// Nanoseconds since the start of the run.
pub(crate) fn now() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_nanos()).unwrap()
}

/// What is measured while a phase lasts.
#[derive(Default)]
pub(crate) struct Measure {
    /// Only what was sent between these times is timed.
    pub(crate) since: Cell<Option<u64>>,
    pub(crate) until: Cell<Option<u64>>,
    /// Updates that arrived at a member in the phase.
    pub(crate) deliveries: Cell<u64>,
    pub(crate) latencies: RefCell<Histogram>,
    /// Presence states sent in the phase.
    pub(crate) states: Cell<u64>,
    /// How old a presence state was on arrival.
    pub(crate) ages: RefCell<Histogram>,
    /// Frames that nobody could read.
    pub(crate) unreadable: Cell<u64>,
}

impl Measure {
    pub(crate) fn is_open(&self) -> bool {
        self.since.get().is_some() && self.until.get().is_none()
    }

    fn times(&self, sent: u64) -> bool {
        self.since.get().is_some_and(|since| sent >= since) && self.until.get().is_none_or(|until| sent <= until)
    }
}

/// A document and what its members have written.
pub(crate) struct Room {
    pub(crate) doc: String,
    /// The client id of the first author; the others' follow.
    first_client: u64,
    /// The letters of one update.
    text: String,
    /// How many members an update must reach until it counts as complete, see [`Track::completed`].
    pub(crate) receivers: Cell<u32>,
    tracks: RefCell<Vec<Track>>,
    /// When each author's presence states were sent, the one with clock 1 first.
    presence: RefCell<Vec<Vec<u64>>>,
    /// Clients that are no authors, and what all members have of them.
    known: RefCell<Vec<(u64, u64)>>,
    bytes_written: Cell<usize>,
    measure: Rc<Measure>,
}

/// One author's updates.
#[derive(Default)]
pub(crate) struct Track {
    sent: Vec<u64>,
    arrived: Vec<u32>,
    /// Updates that have reached all receivers.
    completed: usize,
    /// Told of each completion.
    pub(crate) completion: Rc<Notify>,
}

/// How far a member has received one author's updates.
#[derive(Default)]
pub(crate) struct Progress {
    next: usize,
    /// What came before its turn.
    ahead: BTreeSet<usize>,
}

/// What a room is made of.
pub(crate) struct RoomParts {
    pub(crate) doc: String,
    pub(crate) number: u64,
    pub(crate) authors: usize,
    /// The length of an update's text.
    pub(crate) len: usize,
}

impl Room {
    pub(crate) fn new(parts: &RoomParts, measure: &Rc<Measure>) -> Self {
        Self {
            doc: parts.doc.clone(),
            first_client: FIRST_CLIENT + parts.number * CLIENTS_OF_A_ROOM,
            text: "a".repeat(parts.len),
            receivers: Cell::new(u32::MAX),
            tracks: RefCell::new((0..parts.authors).map(|_| Track::default()).collect()),
            presence: RefCell::default(),
            known: RefCell::default(),
            bytes_written: Cell::default(),
            measure: Rc::clone(measure),
        }
    }

    /// Says that all members have so much of a client that is no author.
    pub(crate) fn knows(&self, client: u64, clock: u64) {
        self.known.borrow_mut().push((client, clock));
    }

    pub(crate) fn known(&self) -> Vec<(u64, u64)> {
        self.known.borrow().clone()
    }

    pub(crate) fn measure(&self) -> &Measure {
        &self.measure
    }

    pub(crate) fn client(&self, author: usize) -> u64 {
        self.first_client + author as u64
    }

    /// Adds an author who may write from now on.
    pub(crate) fn add_author(&self) -> usize {
        let mut tracks = self.tracks.borrow_mut();
        tracks.push(Track::default());
        tracks.len() - 1
    }

    pub(crate) fn authors(&self) -> usize {
        self.tracks.borrow().len()
    }

    /// Appends the author's next update, which is about to be sent.
    pub(crate) fn write_next(&self, author: usize, out: &mut Vec<u8>) {
        let mut tracks = self.tracks.borrow_mut();
        let track = &mut tracks[author];
        let length = out.len();
        write_typed(out, self.client(author), (track.sent.len() * self.text.len()) as u64, &self.text);
        self.bytes_written.set(self.bytes_written.get() + out.len() - length);
        track.sent.push(now());
        track.arrived.push(0);
    }

    /// The length of all updates of authors so far.
    pub(crate) fn bytes_written(&self) -> usize {
        self.bytes_written.get()
    }

    pub(crate) fn sent(&self, author: usize) -> usize {
        self.tracks.borrow()[author].sent.len()
    }

    /// How many letters so many updates have.
    pub(crate) fn letters(&self, updates: usize) -> u64 {
        (updates * self.text.len()) as u64
    }

    /// How many updates of an author have not reached everybody.
    pub(crate) fn in_flight(&self, author: usize) -> usize {
        let tracks = self.tracks.borrow();
        tracks[author].sent.len() - tracks[author].completed
    }

    pub(crate) fn completion(&self, author: usize) -> Rc<Notify> {
        Rc::clone(&self.tracks.borrow()[author].completion)
    }

    /// The number of the author who has this client id.
    pub(crate) fn author_of(&self, client: u64) -> Option<usize> {
        let index = usize::try_from(client.checked_sub(self.first_client)?).ok()?;
        (index < self.tracks.borrow().len().max(self.presence.borrow().len())).then_some(index)
    }

    /// Takes note of what arrived at a member. `at` is the time, unless it is not to be timed.
    pub(crate) fn receive(&self, progress: &mut Vec<Progress>, run: &Run, at: Option<u64>) {
        let Some(author) = self.author_of(run.client) else { return };
        let mut tracks = self.tracks.borrow_mut();
        let Some(track) = tracks.get_mut(author) else { return };
        if progress.len() <= author {
            progress.resize_with(author + 1, Progress::default);
        }
        let len = self.text.len() as u64;
        let range = usize::try_from(run.start / len).unwrap()..usize::try_from(run.end / len).unwrap();
        let mut fresh = 0;
        let mut latencies = self.measure.latencies.borrow_mut();
        progress[author].cover(range, |number| {
            fresh += 1;
            let sent = track.sent[number];
            if let Some(at) = at.filter(|_| self.measure.times(sent)) {
                latencies.count(at.saturating_sub(sent));
            }
            track.arrived[number] += 1;
            if track.arrived[number] == self.receivers.get() {
                track.completed += 1;
                track.completion.notify_one();
            }
        });
        if self.measure.is_open() {
            self.measure.deliveries.set(self.measure.deliveries.get() + fresh);
        }
    }

    /// How many updates of others a member does not have, or, of an author, the others'.
    pub(crate) fn missing(&self, progress: &[Progress], author: Option<usize>) -> u64 {
        let tracks = self.tracks.borrow();
        let others = tracks.iter().enumerate().filter(|(index, _)| Some(*index) != author);
        others.map(|(index, track)| track.sent.len() - progress.get(index).map_or(0, Progress::count)).sum::<usize>()
            as u64
    }

    /// The clock of the presence state that an author is about to send.
    pub(crate) fn next_presence(&self, author: usize) -> u64 {
        let mut presence = self.presence.borrow_mut();
        if presence.len() <= author {
            presence.resize_with(author + 1, Vec::new);
        }
        presence[author].push(now());
        if self.measure.is_open() {
            self.measure.states.set(self.measure.states.get() + 1);
        }
        presence[author].len() as u64
    }

    /// Takes note of a presence state that is newer than what the member knew.
    pub(crate) fn receive_presence(&self, author: usize, clock: u64, at: u64) {
        let presence = self.presence.borrow();
        let sent = presence.get(author).and_then(|sent| sent.get(usize::try_from(clock).unwrap().checked_sub(1)?));
        if let Some(sent) = sent.filter(|sent| self.measure.times(**sent)) {
            self.measure.ages.borrow_mut().count(at.saturating_sub(*sent));
        }
    }

    /// The clock of the newest presence state of an author.
    pub(crate) fn newest_presence(&self, author: usize) -> u64 {
        self.presence.borrow().get(author).map_or(0, Vec::len) as u64
    }
}

impl Progress {
    fn cover(&mut self, range: std::ops::Range<usize>, mut fresh: impl FnMut(usize)) {
        for number in range.start.max(self.next)..range.end {
            if number == self.next {
                fresh(number);
                self.next += 1;
                while self.ahead.remove(&self.next) {
                    self.next += 1;
                }
            } else if number > self.next && self.ahead.insert(number) {
                fresh(number);
            }
        }
    }

    /// How many updates have arrived.
    pub(crate) fn count(&self) -> usize {
        self.next + self.ahead.len()
    }

    /// How many have arrived without a hole.
    pub(crate) fn upto(&self) -> usize {
        self.next
    }
}

/// Such as Yjs draws: they take five bytes.
const FIRST_CLIENT: u64 = 1 << 31;
const CLIENTS_OF_A_ROOM: u64 = 1 << 16;
