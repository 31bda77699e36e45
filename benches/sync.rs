//! What the Yjs side costs: `cargo bench --bench sync`.
//!
//! The documents are made here, the same in every run. `pages` is a list of texts with insertions at random places
//! by 8 clients, about 25 bytes a block, which is about the worst; `prose` is one text typed by 8 clients in turns. Two long
//! histories of documents that stayed small: `rewritten` is a text of some 10 000 letters in which 4 clients have typed
//! 200 000, in bursts; `board` has 50 shapes left of 5000, each pushed about 20 times.

#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a benchmark"
)]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use ydock::ClientId;
use ydock::lib0::{write_text, write_var_uint};
use ydock::sync::{
    DocumentBytes, DocumentIndex, Integration, StateVector, UpdateRef, collect, diff, is_collection_of, merge,
    state_vector_of,
};
use yrs::updates::decoder::Decode;
use yrs::{Doc, ReadTxn, Transact, Update};

fn main() {
    for (name, document) in [("pages 1 MB", pages(1)), ("pages 5 MB", pages(5)), ("prose 1 MB", prose(1))] {
        let index = index_of(&document);
        let blocks = UpdateRef::parse(&document).map_or(0, |update| update.blocks().count());
        println!(
            "{name}: {} bytes, {blocks} blocks, index {} bytes, {:.1} a block",
            document.len(),
            index.memory_bytes(),
            index.memory_bytes() as f64 / blocks as f64,
        );
    }
    for history in HISTORIES {
        let merged = history_of(history);
        let (ours, yrs) = (collected(&merged).len(), collected_in_yrs(&merged).len());
        println!("{history}: {} bytes merged, {ours} collected, {yrs} by yrs", merged.len());
    }
    divan::main();
}

#[divan::bench]
fn scan_one_character(bencher: Bencher<'_, '_>) {
    let update = insertion(1, 1000, "a");
    bencher.bench(|| UpdateRef::parse(black_box(&update)).is_ok());
}

#[divan::bench]
fn scan_30_bytes(bencher: Bencher<'_, '_>) {
    let update = insertion(1, 1000, "thirty bytes of text, more or l");
    bencher.bench(|| UpdateRef::parse(black_box(&update)).is_ok());
}

#[divan::bench(args = [1, 5])]
fn scan_pages(bencher: Bencher<'_, '_>, megabytes: usize) {
    let document = pages(megabytes);
    bencher.counter(BytesCount::of_slice(&document)).bench(|| UpdateRef::parse(black_box(&document)).is_ok());
}

/// A character typed at the end, each one once.
#[divan::bench(sample_count = 100, sample_size = 1000, args = [1, 5])]
fn integrate_typing_into_pages(bencher: Bencher<'_, '_>, megabytes: usize) {
    let mut index = index_of(&pages(megabytes));
    let mut clock = index.state_vector().clock(client(1));
    bencher
        .with_inputs(|| {
            clock += 1;
            insertion(1, clock - 1, "a")
        })
        .bench_local_values(|update| index.integrate(&update));
}

/// A character typed beside a random one, each one once.
#[divan::bench(sample_count = 100, sample_size = 1000, args = [1, 5])]
fn integrate_scattered_into_pages(bencher: Bencher<'_, '_>, megabytes: usize) {
    let mut index = index_of(&pages(megabytes));
    let mut clock = index.state_vector().clock(client(1));
    let mut random = Random(7);
    let state = index.state_vector().clone();
    bencher
        .with_inputs(|| {
            let other = 1 + random.below(8);
            let origin = (other, random.below(u64::from(state.clock(client(other)))));
            clock += 1;
            let mut out = vec![1, 1, 1];
            write_var_uint(&mut out, u64::from(clock - 1));
            block(&mut out, Some(origin), "a");
            out.push(0);
            out
        })
        .bench_local_values(|update| index.integrate(&update));
}

#[divan::bench(args = [1, 5])]
fn integrate_known_document(bencher: Bencher<'_, '_>, megabytes: usize) {
    let document = pages(megabytes);
    let mut index = index_of(&document);
    bencher.bench_local(|| index.integrate(black_box(&document)));
}

#[divan::bench(args = [1, 5])]
fn build_index_of_pages(bencher: Bencher<'_, '_>, megabytes: usize) {
    let document = stored(pages(megabytes));
    bencher.bench(|| DocumentIndex::load(black_box(&document)).is_ok());
}

#[divan::bench]
fn merge_500_updates(bencher: Bencher<'_, '_>) {
    let updates = tail(500);
    bencher.bench(|| merge(updates.iter().map(Vec::as_slice)));
}

#[divan::bench(args = [1, 5])]
fn merge_pages_and_500_updates(bencher: Bencher<'_, '_>, megabytes: usize) {
    let document = pages(megabytes);
    let updates = tail(500);
    bencher.bench(|| merge(std::iter::once(document.as_slice()).chain(updates.iter().map(Vec::as_slice))));
}

#[divan::bench(args = [1, 5])]
fn diff_of_pages_all_known(bencher: Bencher<'_, '_>, megabytes: usize) {
    let document = pages(megabytes);
    let state = state_of(&document);
    bencher.bench(|| diff([document.as_slice()], &state));
}

#[divan::bench(args = [1, 5])]
fn diff_of_pages_half_known(bencher: Bencher<'_, '_>, megabytes: usize) {
    let document = pages(megabytes);
    let state: StateVector = state_of(&document).iter().map(|(client, clock)| (client, clock / 2)).collect();
    bencher.bench(|| diff([document.as_slice()], &state));
}

const HISTORIES: [&str; 2] = ["rewritten", "board"];

#[divan::bench(args = HISTORIES)]
fn merge_history(bencher: Bencher<'_, '_>, history: &str) {
    let document = history_of(history);
    bencher.counter(BytesCount::of_slice(&document)).bench(|| merge([document.as_slice()]));
}

#[divan::bench(args = HISTORIES)]
fn collect_history(bencher: Bencher<'_, '_>, history: &str) {
    let document = history_of(history);
    bencher.counter(BytesCount::of_slice(&document)).bench(|| collect([document.as_slice()]));
}

#[divan::bench(args = HISTORIES)]
fn check_collected_history(bencher: Bencher<'_, '_>, history: &str) {
    let document = history_of(history);
    let collected = collected(&document);
    bencher.counter(BytesCount::of_slice(&document)).bench(|| is_collection_of(&collected, &document));
}

#[divan::bench(args = HISTORIES)]
fn collect_history_in_yrs(bencher: Bencher<'_, '_>, history: &str) {
    let document = history_of(history);
    bencher.counter(BytesCount::of_slice(&document)).bench(|| collected_in_yrs(&document));
}

fn collected(document: &[u8]) -> Vec<u8> {
    let collected = collect([document]).unwrap_or_default();
    assert!(
        is_collection_of(&collected, document) && collected.len() < document.len(),
        "it is shorter, and nothing else"
    );
    let _ = index_of(&collected);
    collected
}

fn history_of(name: &str) -> Vec<u8> {
    let history = if name == "board" { board(5000) } else { rewritten(200_000) };
    merge([history.as_slice()]).unwrap_or_default()
}

/// What it is measured against: a document is built, collects, and is encoded.
fn collected_in_yrs(document: &[u8]) -> Vec<u8> {
    let doc = Doc::new();
    let mut txn = doc.transact_mut();
    let update = Update::decode_v1(document).ok();
    assert!(update.is_some_and(|update| txn.apply_update(update).is_ok()), "an honest document");
    txn.commit();
    txn.encode_state_as_update_v1(&yrs::StateVector::default())
}

fn state_of(document: &[u8]) -> StateVector {
    state_vector_of([document]).unwrap_or_default()
}

fn stored(document: Vec<u8>) -> DocumentBytes {
    DocumentBytes { snapshot: Some(document.into()), tail: Vec::new() }
}

fn index_of(document: &[u8]) -> DocumentIndex {
    let mut index = DocumentIndex::new();
    assert_eq!(index.integrate(document), Ok(Integration::Complete), "the sample document is honest");
    index
}

fn client(number: u64) -> ClientId {
    ClientId::new(number).unwrap_or_else(|| unreachable!("small"))
}

/// An update of one client that goes on where it was.
fn insertion(client: u64, clock: u32, text: &str) -> Vec<u8> {
    let mut out = vec![1, 1];
    write_var_uint(&mut out, client);
    write_var_uint(&mut out, clock.into());
    block(&mut out, clock.checked_sub(1).map(|before| (client, before.into())), text);
    out.push(0);
    out
}

fn tail(count: u32) -> Vec<Vec<u8>> {
    (0..count).map(|clock| insertion(99, clock, "a")).collect()
}

/// A text block after `origin`, or the first of the root `t`.
fn block(out: &mut Vec<u8>, origin: Option<(u64, u64)>, text: &str) {
    if let Some((client, clock)) = origin {
        out.push(0x84);
        write_var_uint(out, client);
        write_var_uint(out, clock);
    } else {
        out.push(0x04);
        write_var_uint(out, 1);
        write_text(out, "t");
    }
    write_text(out, text);
}

/// Pages of text in a list, each block after one at a random place of the same page, 8 clients.
fn pages(megabytes: usize) -> Vec<u8> {
    let mut random = Random(42);
    let page_count = 40 * megabytes as u64;
    let mut blocks = vec![Vec::new(); 8];
    let mut counts = vec![0_u64; 8];
    let mut clocks = vec![0_u64; 8];
    // The pages themselves are the first ids of client 1.
    for page in 0..page_count {
        let out = &mut blocks[0];
        if page == 0 {
            out.extend_from_slice(&[0x07, 1, 1, b'p', 2]);
        } else {
            out.extend_from_slice(&[0x87, 1]);
            write_var_uint(out, page - 1);
            out.push(2);
        }
        counts[0] += 1;
        clocks[0] += 1;
    }
    let mut ids: Vec<Vec<(u64, u64)>> = vec![Vec::new(); page_count as usize];
    let mut written = 0;
    while written < megabytes * 1_000_000 {
        let page = random.below(page_count) as usize;
        let who = random.below(8) as usize;
        let text = &"lorem ipsum dolor sit amet, consetetur"[..4 + random.below(30) as usize];
        let out = &mut blocks[who];
        let before = out.len();
        let known = &ids[page];
        if known.is_empty() {
            out.extend_from_slice(&[0x04, 0, 1]);
            write_var_uint(out, page as u64);
            write_text(out, text);
        } else {
            block(out, Some(known[random.below(known.len() as u64) as usize]), text);
        }
        written += out.len() - before;
        ids[page].push((who as u64 + 1, clocks[who] + random.below(text.len() as u64)));
        counts[who] += 1;
        clocks[who] += text.len() as u64;
    }
    sections(&blocks, &counts, &deletions(&mut random, &clocks, 350 * megabytes))
}

/// One text, typed key by key by 8 clients in turns of 2000 keys, merged.
fn prose(megabytes: usize) -> Vec<u8> {
    let mut blocks = vec![Vec::new(); 8];
    let mut counts = vec![0_u64; 8];
    let mut clocks = vec![0_u64; 8];
    let mut last = None;
    for turn in 0..megabytes * 500 {
        let who = turn % 8;
        block(&mut blocks[who], last, &"typed text ".repeat(182)[..2000]);
        counts[who] += 1;
        clocks[who] += 2000;
        last = Some((who as u64 + 1, clocks[who] - 1));
    }
    sections(&blocks, &counts, &deletions(&mut Random(3), &clocks, 200))
}

/// One text of some 10 000 letters in which 4 clients have typed `letters` in bursts, with wrong keys that were taken back
/// and passages that were cut out.
fn rewritten(letters: usize) -> Vec<u8> {
    let mut random = Random(11);
    let (mut blocks, mut counts, mut clocks) = (vec![Vec::new(); 4], vec![0; 4], vec![0; 4]);
    let mut deletions = vec![Vec::new(); 4];
    // All letters ever typed, by their places; and which of them are left.
    let mut text: Vec<(u64, u64, bool)> = Vec::new();
    let (mut typed, mut left, mut at) = (0, 0_usize, 0);
    let mut delete = |letter: &mut (u64, u64, bool), left: &mut usize| {
        if std::mem::take(&mut letter.2) {
            deletions[letter.0 as usize - 1].push((letter.1, 1));
            *left -= 1;
        }
    };
    while typed < letters {
        let who = random.below(4) as usize;
        if random.below(10) < 3 {
            at = random.below(text.len() as u64 + 1) as usize;
        }
        let len = 5 + random.below(40);
        let id = |place: usize| text.get(place).map(|letter| (letter.0, letter.1));
        let (origin, right) = (at.checked_sub(1).and_then(id), id(at));
        block_between(&mut blocks[who], origin, right, &"the quick brown fox jumps over the lazy dog "[..len as usize]);
        counts[who] += 1;
        text.splice(at..at, (clocks[who]..clocks[who] + len).map(|clock| (who as u64 + 1, clock, true)));
        left += len as usize;
        for letter in &mut text[at..at + len as usize] {
            if random.below(100) < 8 {
                delete(letter, &mut left);
            }
        }
        clocks[who] += len;
        typed += len as usize;
        at += len as usize;
        if left > 10_000 {
            let from = random.below(text.len() as u64 - 200) as usize;
            text[from..from + 200].iter_mut().for_each(|letter| delete(letter, &mut left));
        }
    }
    for ranges in &mut deletions {
        ranges.sort_unstable();
    }
    sections(&blocks, &counts, &deletions)
}

/// A map of maps: `shapes` shapes with 12 keys that one client has made, of which two were set 20 times, and all but the
/// last 50 deleted.
fn board(shapes: u64) -> Vec<u8> {
    let (mut out, mut count, mut clock) = (Vec::new(), 0, 0);
    let mut deleted = Vec::new();
    for shape in 0..shapes {
        let (first, before) = (clock, count);
        out.extend_from_slice(&[0x27, 1]);
        write_text(&mut out, "board");
        write_text(&mut out, &format!("shape-{shape}"));
        out.push(1);
        count += 1;
        for key in 0..12 {
            out.extend_from_slice(&[0x28, 0, 1]);
            write_var_uint(&mut out, first);
            write_text(&mut out, &format!("key-{key}"));
            out.extend_from_slice(&[1, 119]);
            write_text(&mut out, "a value");
            count += 1;
        }
        for time in 0..40 {
            out.extend_from_slice(&[0xa8, 1]);
            // The values of two keys in turns: each stands behind the one that it replaces.
            write_var_uint(&mut out, first + if time < 2 { 1 + time } else { 11 + time });
            out.extend_from_slice(&[1, 125, 12]);
            count += 1;
        }
        clock += count - before;
        deleted.push(if shape + 50 < shapes { (first, clock - first) } else { (first + 1, 2) });
        if shape + 50 >= shapes {
            deleted.push((first + 13, 38));
        }
    }
    sections(&[out], &[count], &[deleted])
}

/// A text block between two others, or the first of the root `t`.
fn block_between(out: &mut Vec<u8>, origin: Option<(u64, u64)>, right: Option<(u64, u64)>, text: &str) {
    let Some(right) = right else { return block(out, origin, text) };
    out.push(if origin.is_some() { 0xc4 } else { 0x44 });
    for (client, clock) in origin.into_iter().chain([right]) {
        write_var_uint(out, client);
        write_var_uint(out, clock);
    }
    write_text(out, text);
}

fn sections(blocks: &[Vec<u8>], counts: &[u64], deletions: &[Vec<(u64, u64)>]) -> Vec<u8> {
    let mut out = Vec::new();
    write_var_uint(&mut out, blocks.len() as u64);
    for (who, bytes) in blocks.iter().enumerate().rev() {
        write_var_uint(&mut out, counts[who]);
        write_var_uint(&mut out, who as u64 + 1);
        write_var_uint(&mut out, 0);
        out.extend_from_slice(bytes);
    }
    write_var_uint(&mut out, deletions.len() as u64);
    for (who, ranges) in deletions.iter().enumerate() {
        write_var_uint(&mut out, who as u64 + 1);
        write_var_uint(&mut out, ranges.len() as u64);
        for (start, len) in ranges {
            write_var_uint(&mut out, *start);
            write_var_uint(&mut out, *len);
        }
    }
    out
}

/// About `count` ranges for each client, sorted and apart.
fn deletions(random: &mut Random, clocks: &[u64], count: usize) -> Vec<Vec<(u64, u64)>> {
    let ranges = |clocks: u64, random: &mut Random| {
        let step = (clocks / count as u64).max(8);
        (100..clocks.saturating_sub(step))
            .step_by(step as usize)
            .map(|at| (at + random.below(3), 1 + random.below(4)))
            .collect()
    };
    clocks.iter().map(|clocks| ranges(*clocks, random)).collect()
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}
