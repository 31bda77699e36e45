//! What is counted: the way of an update from the bytes of one socket to those of the others.

use std::hint::black_box;

use ydock::delivery::{Dialect, Message};
use ydock::fronts::y_websocket::{Acks, YWebSocketDialect};
use ydock::sync::{DocumentBytes, DocumentIndex, Integration, StateVector, UpdateRef, diff, merge};
use ydock::websocket::{Decoder, Step};

use crate::samples::{Random, document, insertion, masked, scattered, typing};
use crate::{counted, fanout};

/// One thing that is counted.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// How many of what it does.
    pub(crate) units: u64,
    pub(crate) unit: &'static str,
    /// Prepares, and does it inside of [`counted`].
    pub(crate) run: fn(),
}

/// All cases.
pub(crate) const CASES: &[Case] = &[
    Case { name: "decode_small_frames", units: 1000, unit: "frame", run: || decode(&small_frames(), READ) },
    Case { name: "decode_cut_frames", units: 1000, unit: "frame", run: || decode(&small_frames(), 100) },
    Case { name: "decode_large_frames", units: 1024, unit: "KiB", run: || decode(&large_frames(), READ) },
    Case { name: "encode_updates", units: 1000, unit: "frame", run: encode },
    Case { name: "scan_updates", units: 1000, unit: "update", run: scan },
    Case { name: "integrate_typing", units: 1000, unit: "update", run: integrate_typing },
    Case { name: "integrate_scattered", units: 1000, unit: "update", run: integrate_scattered },
    Case { name: "load_document", units: 5000, unit: "block", run: load },
    Case { name: "merge_updates", units: 500, unit: "update", run: merge_updates },
    Case { name: "merge_into_document", units: 5000, unit: "block", run: merge_into_document },
    Case { name: "diff_of_document", units: 5000, unit: "block", run: diff_of_document },
    Case { name: "fan_out_one_by_one", units: fanout::DELIVERIES, unit: "delivery", run: fanout::one_by_one },
    Case { name: "fan_out_a_burst", units: fanout::DELIVERIES, unit: "delivery", run: fanout::burst },
];

/// The case of this name.
pub(crate) fn named(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap()
}

fn decode(stream: &[u8], read: usize) {
    let mut reads: Vec<_> = stream.chunks(read).map(<[u8]>::to_vec).collect();
    let mut decoder = Decoder::new(1 << 20);
    let messages = counted(|| reads.iter_mut().map(|bytes| messages(&mut decoder, bytes)).sum::<u64>());
    assert!(messages > 0 && decoder.is_between_messages());
}

/// How many messages the bytes complete.
fn messages(decoder: &mut Decoder, bytes: &mut [u8]) -> u64 {
    let (mut done, mut messages) = (0, 0);
    while done < bytes.len() {
        let Step { consumed, message } = decoder.step(&mut bytes[done..]).unwrap();
        done += consumed;
        messages += u64::from(black_box(message).is_some());
    }
    messages
}

fn small_frames() -> Vec<u8> {
    typing(1000, 1000).iter().flat_map(|update| masked(update)).collect()
}

fn large_frames() -> Vec<u8> {
    (0..16).flat_map(|number| masked(&vec![number; 64 << 10])).collect()
}

fn encode() {
    let (dialect, updates) = (YWebSocketDialect::new(Acks::None), typing(1000, 1000));
    counted(|| {
        for update in &updates {
            black_box(dialect.encode(&Message::Update(black_box(update))));
        }
    });
}

fn scan() {
    let updates = scattered(1000);
    counted(|| assert!(updates.iter().all(|update| UpdateRef::parse(black_box(update)).is_ok())));
}

/// Letters after each other, as one who types sends them.
fn integrate_typing() {
    integrate(&typing(1000, 1000));
}

/// Letters at random places of the document, each after one of another client.
fn integrate_scattered() {
    let mut random = Random::new(7);
    let others = index().state_vector().clone();
    let others: Vec<_> = others.iter().map(|(client, clock)| (client.value(), u64::from(clock))).collect();
    let insert = |clock| {
        let (client, letters) = others[usize::try_from(random.below(8)).unwrap()];
        insertion((1000, clock), Some((client, random.below(letters))), "a")
    };
    integrate(&(0..1000).map(insert).collect::<Vec<_>>());
}

fn integrate(updates: &[Vec<u8>]) {
    let mut index = index();
    counted(|| {
        for update in updates {
            assert_eq!(index.integrate(update), Ok(Integration::Complete));
        }
    });
}

fn load() {
    let document = DocumentBytes { snapshot: Some(document(5000).into()), tail: Vec::new() };
    counted(|| DocumentIndex::load(&document).unwrap());
}

fn merge_updates() {
    let updates = typing(1000, 500);
    counted(|| merge(updates.iter().map(Vec::as_slice)).unwrap());
}

fn merge_into_document() {
    let (document, updates) = (document(5000), typing(1000, 500));
    counted(|| merge(std::iter::once(&document).chain(&updates).map(Vec::as_slice)).unwrap());
}

/// For a client that knows half of it.
fn diff_of_document() {
    let document = document(5000);
    let half: StateVector = index().state_vector().iter().map(|(client, clock)| (client, clock / 2)).collect();
    counted(|| diff([document.as_slice()], &half).unwrap());
}

fn index() -> DocumentIndex {
    DocumentIndex::load(&DocumentBytes { snapshot: Some(document(5000).into()), tail: Vec::new() }).unwrap()
}

/// What a server reads at once.
const READ: usize = 16 << 10;
