//! What an outbox promises, with and without a socket.

use futures_util::FutureExt as _;

use super::*;

fn outbox(limit: u64) -> (Arc<Outbox>, Lane, Arc<Notify>) {
    let outbox = Outbox::new(&Config { max_waiting: ByteSize::b(limit) });
    let attention = Arc::new(Notify::new());
    let lane = outbox.lane(Arc::clone(&attention));
    (outbox, lane, attention)
}

fn frame(length: usize) -> Bytes {
    vec![0; length].into()
}

fn document(lane: &Lane, number: u64, bytes: Bytes) -> Pushed {
    lane.documents(&Run::of([(number, bytes)]))
}

fn drain(outbox: &Outbox) -> usize {
    let mut frames = Vec::new();
    while outbox.take(&mut frames, usize::MAX).is_some_and(|batch| batch == Batch::Frames) {}
    outbox.flushed();
    frames.len()
}

#[tokio::test]
async fn an_overflow_drops_every_waiting_document_frame_and_names_the_first() {
    let (outbox, lane, attention) = outbox(100);
    for number in 5..15 {
        assert_eq!(document(&lane, number, frame(10)), Pushed::Waiting);
    }
    assert_eq!(document(&lane, 15, frame(10)), Pushed::Behind { from: 5 });
    assert_eq!(document(&lane, 16, frame(1)), Pushed::Behind { from: 5 });
    attention.notified().await;
    assert_eq!(lane.wants_resync(), Some(5));
    lane.resume();
    assert_eq!(document(&lane, 17, frame(500)), Pushed::Waiting);
    assert_eq!(drain(&outbox), 1);
}

#[tokio::test]
async fn the_room_is_called_only_after_what_still_waits_has_left() {
    let (outbox, lane, attention) = outbox(100);
    lane.reply(frame(60));
    assert_eq!(document(&lane, 1, frame(30)), Pushed::Waiting);
    assert_eq!(document(&lane, 2, frame(30)), Pushed::Behind { from: 1 });
    assert_eq!(lane.wants_resync(), None);
    assert_eq!(drain(&outbox), 1);
    attention.notified().await;
    assert_eq!(lane.wants_resync(), Some(1));
}

#[test]
fn a_document_larger_than_the_cap_passes_as_a_whole_and_the_next_one_waits_for_it() {
    let (outbox, lane, _) = outbox(100);
    assert_eq!(document(&lane, 7, frame(50)), Pushed::Waiting);
    assert_eq!(lane.catch_up(0, [frame(300), frame(300)]), Pushed::Waiting);
    assert_eq!(lane.catch_up(3, [frame(300)]), Pushed::Behind { from: 0 });
    assert_eq!(lane.catch_up(5, [frame(1)]), Pushed::Behind { from: 0 });
    assert_eq!(drain(&outbox), 0);
    assert_eq!(lane.wants_resync(), Some(0));
}

#[test]
fn a_catch_up_that_comes_too_late_is_asked_for_again_from_its_own_start() {
    let (_outbox, lane, _) = outbox(100);
    assert_eq!(document(&lane, 8, frame(90)), Pushed::Waiting);
    assert_eq!(document(&lane, 9, frame(90)), Pushed::Behind { from: 8 });
    assert_eq!(lane.catch_up(4, [frame(10)]), Pushed::Behind { from: 4 });
}

#[test]
fn presence_gives_way_before_documents() {
    let (outbox, lane, _) = outbox(100);
    assert_eq!(document(&lane, 1, frame(20)), Pushed::Waiting);
    lane.presence(frame(10));
    assert!(!lane.take_missed_presence(), "the connection has not drained yet");
    assert_eq!(drain(&outbox), 1);
    assert!(lane.take_missed_presence());
    assert!(!lane.take_missed_presence());
}

#[test]
fn a_client_that_asks_without_reading_is_ended() {
    let (outbox, lane, _) = outbox(100);
    for _ in 0..50 {
        lane.reply(frame(10));
    }
    let mut frames = Vec::new();
    assert_eq!(outbox.take(&mut frames, usize::MAX), Some(Batch::End(Ending::TooSlow)));
    assert_eq!(frames.len(), 40);
}

#[test]
fn a_batch_is_bounded_but_never_empty() {
    let (outbox, lane, _) = outbox(1000);
    for number in 1..=4 {
        assert_eq!(document(&lane, number, frame(100)), Pushed::Waiting);
    }
    let mut frames = Vec::new();
    assert_eq!(outbox.take(&mut frames, 250), Some(Batch::Frames));
    assert_eq!(frames.len(), 2);
    assert_eq!(outbox.take(&mut frames, 1), Some(Batch::Frames));
    assert_eq!(frames.len(), 3);
}

#[tokio::test]
async fn the_place_of_a_session_that_has_left_is_the_next_ones() {
    let (outbox, lane, _) = outbox(100);
    let calls = Arc::new(Notify::new());
    let other = outbox.lane(Arc::clone(&calls));
    assert_eq!(document(&other, 1, frame(60)), Pushed::Waiting);
    assert_eq!(document(&other, 2, frame(60)), Pushed::Behind { from: 1 });
    drop(other);
    let next = outbox.lane(Arc::clone(&calls));
    let lanes = outbox.lock().lanes.len();
    assert_eq!((lanes, next.wants_resync()), (2, None));
    // What the one before lacks is not the next one's, nor the others'.
    assert_eq!(document(&next, 1, frame(60)), Pushed::Waiting);
    assert_eq!(document(&lane, 1, frame(30)), Pushed::Waiting);
    assert_eq!(drain(&outbox), 2);
}

/// A socket that takes so many bytes and then no more.
#[derive(Debug, Clone, Default)]
struct Narrow(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    room: usize,
    bytes: Vec<u8>,
    is_broken: bool,
}

impl Narrow {
    fn of(room: usize) -> Self {
        Self(Arc::new(Mutex::new(Taken { room, ..Taken::default() })))
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().bytes.clone()
    }
}

impl Wire for Narrow {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = self.0.lock().unwrap();
        if taken.is_broken {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        let count = taken.room.min(bytes.len());
        if count == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        taken.room -= count;
        taken.bytes.extend(bytes.iter().take(count));
        Ok(count)
    }
}

fn with_socket(limit: u64, room: usize) -> (Arc<Outbox>, Lane, Narrow) {
    let (outbox, lane, _) = outbox(limit);
    let socket = Narrow::of(room);
    outbox.attach(Arc::new(socket.clone()));
    (outbox, lane, socket)
}

/// Ten bytes that tell the number.
fn numbered(number: u64) -> (u64, Bytes) {
    (number, vec![u8::try_from(number).unwrap(); 10].into())
}

fn waiting(outbox: &Outbox) -> Vec<u8> {
    let mut frames = Vec::new();
    while outbox.take(&mut frames, usize::MAX).is_some_and(|batch| batch == Batch::Frames) {}
    frames.concat()
}

#[test]
fn what_the_socket_takes_waits_for_nobody() {
    let (outbox, lane, socket) = with_socket(1000, 1000);
    assert_eq!(lane.documents(&Run::of((1..=3).map(numbered))), Pushed::Waiting);
    lane.presence(frame(5));
    lane.reply(frame(5));
    assert_eq!(socket.bytes().len(), 40);
    assert!(waiting(&outbox).is_empty());
    assert_eq!(outbox.take_sent(), Sent { frames: 5, bytes: 40 });
    assert_eq!(outbox.take_sent(), Sent::default());
}

#[test]
fn whatever_the_socket_takes_the_bytes_stay_in_order() {
    for room in 0..=60 {
        let (outbox, lane, socket) = with_socket(1000, room);
        for first in [1, 3, 5] {
            assert_eq!(lane.documents(&Run::of((first..first + 2).map(numbered))), Pushed::Waiting);
        }
        let sent = [socket.bytes(), waiting(&outbox)].concat();
        let all: Vec<u8> = (1..=6).flat_map(|number| numbered(number).1).collect();
        assert_eq!(sent, all, "a socket with room for {room}");
        assert_eq!(outbox.take_sent().frames, 6, "a socket with room for {room}");
    }
}

#[test]
fn presence_leaves_in_one_write_with_the_documents_before_it_and_is_cut_like_them() {
    let along = |first: u64| Run::along((first..first + 2).map(numbered), Some(numbered(first + 2).1));
    for room in 0..=60 {
        let (outbox, lane, socket) = with_socket(1000, room);
        for first in [1, 4] {
            assert_eq!(lane.documents(&along(first)), Pushed::Waiting);
        }
        assert_eq!(lane.documents(&Run::along([], Some(numbered(7).1))), Pushed::Waiting);
        let sent = [socket.bytes(), waiting(&outbox)].concat();
        let all: Vec<u8> = (1..=7).flat_map(|number| numbered(number).1).collect();
        assert_eq!(sent, all, "a socket with room for {room}");
        assert_eq!(outbox.take_sent().frames, 7, "a socket with room for {room}");
    }
}

#[test]
fn presence_that_goes_along_is_dropped_where_documents_wait_on() {
    let along = |number: u64| Run::along([numbered(number)], Some(frame(10)));
    let (outbox, lane, _) = outbox(100);
    assert_eq!(lane.documents(&along(1)), Pushed::Waiting);
    assert_eq!(lane.documents(&along(2)), Pushed::Waiting);
    assert_eq!(waiting(&outbox), [vec![1; 10], vec![0; 10], vec![2; 10]].concat(), "over a quarter of the cap waited");
    outbox.flushed();
    assert!(lane.take_missed_presence());

    // Who is behind is shown who is there as soon as it has room again.
    lane.reply(frame(95));
    assert_eq!(lane.documents(&along(3)), Pushed::Behind { from: 3 });
    assert_eq!(lane.documents(&along(4)), Pushed::Behind { from: 3 });
    assert_eq!(drain(&outbox), 1);
    assert!(lane.take_missed_presence());
    assert_eq!(lane.documents(&along(5)), Pushed::Behind { from: 3 });
    assert_eq!(drain(&outbox), 1, "the presence alone");
}

#[test]
fn what_is_left_of_a_frame_stays_when_everything_else_is_dropped() {
    let (outbox, lane, socket) = with_socket(50, 15);
    assert_eq!(lane.documents(&Run::of((1..=4).map(numbered))), Pushed::Waiting);
    assert_eq!(lane.documents(&Run::of((5..=8).map(numbered))), Pushed::Behind { from: 3 });
    assert_eq!(socket.bytes(), [vec![1; 10], vec![2; 5]].concat());
    assert_eq!(waiting(&outbox), [2; 5]);
    outbox.flushed();
    assert_eq!(lane.wants_resync(), Some(3));
}

#[test]
fn while_the_writer_has_frames_nothing_passes_it() {
    let (outbox, lane, socket) = with_socket(1000, 0);
    assert_eq!(lane.documents(&Run::of([numbered(1)])), Pushed::Waiting);
    assert_eq!(waiting(&outbox), [1; 10]);
    socket.0.lock().unwrap().room = 100;
    assert_eq!(lane.documents(&Run::of([numbered(2)])), Pushed::Waiting);
    assert!(socket.bytes().is_empty(), "the writer still writes the first");
    assert_eq!(waiting(&outbox), [2; 10]);
    outbox.flushed();
    assert_eq!(lane.documents(&Run::of([numbered(3)])), Pushed::Waiting);
    assert_eq!(socket.bytes(), [3; 10]);
}

#[test]
fn of_pongs_that_wait_only_the_last_is_sent() {
    let (outbox, _lane, socket) = with_socket(1000, 0);
    for number in 1..=3 {
        outbox.pong(numbered(number).1);
    }
    assert_eq!(waiting(&outbox), [3; 10]);
    outbox.flushed();
    socket.0.lock().unwrap().room = 100;
    outbox.pong(numbered(4).1);
    assert_eq!(socket.bytes(), [4; 10]);
}

#[test]
fn nothing_comes_after_the_last_frame_and_before_it_only_what_was_begun() {
    let (outbox, lane, socket) = with_socket(1000, 5);
    assert_eq!(lane.documents(&Run::of((1..=2).map(numbered))), Pushed::Waiting);
    outbox.pong(numbered(7).1);
    outbox.close(numbered(9).1);
    assert_eq!(lane.documents(&Run::of([numbered(3)])), Pushed::Waiting);
    lane.reply(numbered(4).1);
    lane.presence(numbered(5).1);
    outbox.control(numbered(6).1);
    outbox.pong(numbered(8).1);
    let mut rest = Vec::new();
    outbox.take_rest(&mut rest);
    assert_eq!(rest.concat(), [vec![1; 5], vec![9; 10]].concat());

    let (outbox, lane, socket_of_nothing_begun) = with_socket(1000, 1000);
    outbox.close(numbered(9).1);
    assert_eq!(lane.documents(&Run::of([numbered(3)])), Pushed::Waiting);
    assert_eq!(socket_of_nothing_begun.bytes(), [9; 10]);
    assert_eq!(socket.bytes(), [1; 5]);
}

/// A difference that is computed while the last one cannot leave is thrown away, and the next one is larger.
#[test]
fn the_room_is_not_called_while_the_writer_has_something_in_its_hands() {
    let (outbox, lane, attention) = outbox(100);
    assert_eq!(document(&lane, 1, frame(60)), Pushed::Waiting);
    let mut taken = Vec::new();
    assert_eq!(outbox.take(&mut taken, usize::MAX), Some(Batch::Frames));
    assert_eq!(document(&lane, 2, frame(60)), Pushed::Waiting);
    assert_eq!(document(&lane, 3, frame(60)), Pushed::Behind { from: 2 });
    assert_eq!(lane.wants_resync(), None);
    assert!(attention.notified().now_or_never().is_none());
    outbox.flushed();
    assert!(attention.notified().now_or_never().is_some());
    assert_eq!(lane.wants_resync(), Some(2));
}

#[test]
fn nothing_waits_for_a_broken_socket() {
    let (outbox, lane, socket) = with_socket(1000, 100);
    socket.0.lock().unwrap().is_broken = true;
    for number in 1..=9 {
        assert_eq!(lane.documents(&Run::of([numbered(number)])), Pushed::Waiting);
        lane.presence(frame(10));
    }
    assert!(waiting(&outbox).len() <= 10, "what found out may wait, and no more");
}

/// A frame of ten bytes that tell the number, of which the first three stand before a shared body.
fn in_two_parts(number: u64) -> Framed {
    let bytes = numbered(number).1;
    Framed::new(bytes.slice(..3), bytes.slice(3..))
}

#[test]
fn whatever_the_socket_takes_of_a_frame_in_two_parts_the_bytes_stay_in_order() {
    for room in 0..=40 {
        let (outbox, lane, socket) = with_socket(1000, room);
        assert_eq!(lane.catch_up(0, [in_two_parts(1), in_two_parts(2)]), Pushed::Waiting);
        assert_eq!(document(&lane, 3, numbered(3).1), Pushed::Waiting);
        assert_eq!(lane.catch_up(4, [in_two_parts(4)]), Pushed::Waiting);
        let sent = [socket.bytes(), waiting(&outbox)].concat();
        let all: Vec<u8> = (1..=4).flat_map(|number| numbered(number).1).collect();
        assert_eq!(sent, all, "a socket with room for {room}");
        assert_eq!(outbox.take_sent(), Sent { frames: 4, bytes: 40 }, "a socket with room for {room}");
    }
}

#[test]
fn a_frame_in_two_parts_of_which_one_byte_has_left_is_never_dropped() {
    for (room, kept) in [(0, 0), (1, 9), (3, 7), (4, 6)] {
        let (outbox, lane, socket) = with_socket(20, room);
        assert_eq!(lane.catch_up(0, [in_two_parts(1), in_two_parts(2)]), Pushed::Waiting);
        assert!(matches!(document(&lane, 9, frame(30)), Pushed::Behind { from: 0 }));
        assert_eq!(socket.bytes().len() + kept, if kept == 0 { 0 } else { 10 });
        assert_eq!(waiting(&outbox), vec![1; kept], "a socket with room for {room}");
    }
}

#[test]
fn the_writer_gets_both_parts_of_a_frame_at_once() {
    let (outbox, lane, _) = outbox(1000);
    assert_eq!(lane.catch_up(0, [in_two_parts(1), in_two_parts(2)]), Pushed::Waiting);
    let mut frames = Vec::new();
    assert_eq!(outbox.take(&mut frames, 4), Some(Batch::Frames));
    assert_eq!(frames.iter().map(Bytes::len).collect::<Vec<_>>(), [3, 7]);
}

/// Whoever writes updates in quick succession must not leave everybody behind.
#[test]
fn of_a_document_a_part_is_written_at_once_and_of_an_update_all() {
    let (outbox, lane, socket) = with_socket(1000, 1 << 20);
    assert_eq!(document(&lane, 1, frame(AT_ONCE * 2)), Pushed::Waiting);
    assert_eq!(socket.bytes().len(), AT_ONCE * 2);
    assert_eq!(lane.catch_up(0, [frame(AT_ONCE * 2)]), Pushed::Waiting);
    assert_eq!(socket.bytes().len(), AT_ONCE * 3);
    assert_eq!(waiting(&outbox).len(), AT_ONCE);
}
