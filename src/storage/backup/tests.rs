//! What goes into a backup comes out of it, and nothing else does.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use proptest::prelude::*;

use super::format::{FRAME, MAX_PAYLOAD, OPENING, checksum};
use super::*;
use crate::ids::{DocName, Generation};
use crate::storage::{Restoration, StoredDocument};
use crate::sync::DocumentBytes;

type Named = (DocName, Restoration, bool);

fn info() -> BackupInfo {
    BackupInfo { version: "0.1.0".into(), engine: "memory".into(), begun: 1_700_000_000_000, names: 3, bytes: 10 }
}

fn named(name: &str, snapshot: Option<Vec<u8>>, tail: Vec<Vec<u8>>, ancestors: Vec<u8>) -> Named {
    let snapshot_upto = if snapshot.is_some() { 7 } else { 0 };
    let bytes =
        DocumentBytes { snapshot: snapshot.map(Bytes::from), tail: tail.into_iter().map(Bytes::from).collect() };
    let head = snapshot_upto + bytes.tail.len() as u64;
    let document =
        StoredDocument { generation: Generation(2), ancestors: ancestors.into(), snapshot_upto, head, bytes };
    let created = SystemTime::UNIX_EPOCH + Duration::from_millis(5);
    let updated = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
    (DocName::parse(name).unwrap(), Restoration { document, created, updated }, false)
}

fn written(documents: &[Named], missing: &[&str]) -> Vec<u8> {
    let mut writer = BackupWriter::new(&info());
    let mut file = Vec::new();
    for (name, restoration, unsaved) in documents {
        writer.document(name, restoration, *unsaved).for_each(|chunk| file.extend_from_slice(&chunk));
    }
    for name in missing {
        writer.missing(&DocName::parse(name).unwrap(), "its header is unreadable");
    }
    file.extend_from_slice(&writer.finish());
    file
}

fn read(file: &[u8], portion: usize) -> Result<(Vec<BackupItem>, BackupTotals), BackupError> {
    let mut reader = BackupReader::new();
    let mut items = Vec::new();
    for bytes in file.chunks(portion) {
        reader.push(bytes);
        while let Some(item) = reader.item()? {
            items.push(item);
        }
    }
    Ok((items, reader.finish()?))
}

fn small() -> Vec<u8> {
    let documents = [
        named("a", None, vec![b"one".to_vec(), vec![], b"three".to_vec()], vec![]),
        named("b", Some(b"snapshot".to_vec()), vec![b"after".to_vec()], b"ancestors".to_vec()),
        named("c", None, vec![], b"grave".to_vec()),
    ];
    written(&documents, &["d"])
}

#[test]
fn everything_comes_back_however_the_bytes_come() {
    let mut documents = vec![
        named("a", None, vec![b"one".to_vec(), vec![]], vec![]),
        named(
            "large",
            Some(vec![7; 3 * MAX_PAYLOAD + 1]),
            vec![vec![8; MAX_PAYLOAD], vec![9; MAX_PAYLOAD + 1]],
            vec![1],
        ),
        named("tomb", None, vec![], vec![2; MAX_PAYLOAD * 2]),
    ];
    documents[1].2 = true;
    let file = written(&documents, &["z"]);
    for portion in [7919, 1 << 16, usize::MAX] {
        let (items, totals) = read(&file, portion).unwrap();
        assert_eq!(items.len(), 4);
        for (item, (name, restoration, unsaved)) in items.iter().zip(&documents) {
            let expected =
                BackupItem::Document { name: name.clone(), restoration: restoration.clone(), unsaved: *unsaved };
            assert_eq!(item, &expected);
        }
        assert!(matches!(&items[3], BackupItem::Missing { name, .. } if name.as_str() == "z"));
        let bytes = documents.iter().map(|(_, restoration, _)| restoration.document.bytes.len() as u64).sum();
        assert_eq!(totals, BackupTotals { documents: 2, tombstones: 1, updates: 4, bytes, missing: 1 });
    }
}

#[test]
fn what_a_backup_says_of_itself_is_known_before_its_documents() {
    let mut reader = BackupReader::new();
    reader.push(&small()[..OPENING + FRAME + 40]);
    assert_eq!(reader.item(), Ok(None));
    assert_eq!(reader.info(), Some(&info()));
}

/// A backup that somebody made with the first version is read, and written the same, for as long as there is this version.
#[test]
fn the_bytes_are_those_of_version_1() {
    let fixture = include_bytes!("../../../tests/fixtures/backup/version-1.backup");
    assert_eq!(small(), fixture);
}

#[test]
fn every_cut_is_refused() {
    let file = small();
    for end in 0..file.len() {
        let error = read(&file[..end], usize::MAX).unwrap_err();
        let fits = matches!(&error, BackupError::Incomplete(place) if place.position == end as u64);
        assert!(fits || end == 0 && error == BackupError::Foreign, "cut at {end}: {error}");
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let file = small();
    for position in 0..file.len() {
        for bit in 0..8 {
            let mut flipped = file.clone();
            flipped[position] ^= 1 << bit;
            assert!(read(&flipped, usize::MAX).is_err(), "bit {bit} of byte {position}");
        }
    }
}

#[test]
fn a_frame_left_out_doubled_or_moved_is_refused() {
    let file = small();
    let mut frames = Vec::new();
    let mut position = OPENING;
    while position < file.len() {
        let length = u32::from_le_bytes(file[position..position + 4].try_into().unwrap()) as usize;
        frames.push(position..position + FRAME + length);
        position += FRAME + length;
    }
    assert!(frames.len() > 10);
    for frame in &frames {
        let without = [&file[..frame.start], &file[frame.end..]].concat();
        let doubled = [&file[..frame.end], &file[frame.start..]].concat();
        assert!(read(&without, usize::MAX).is_err() && read(&doubled, usize::MAX).is_err(), "{frame:?}");
    }
    assert!(read(&[&file[..], b"x"].concat(), usize::MAX).is_err());
    assert!(read(&[&file[..], &file[..]].concat(), usize::MAX).is_err());
}

#[test]
fn the_error_says_what_is_wrong_and_where() {
    let file = small();
    let text = |file: &[u8]| read(file, usize::MAX).unwrap_err().to_string();
    assert_eq!(text(b"PK\x03\x04 and so on, a zip archive"), "it is no backup of ydock");
    assert_eq!(text(b"short"), "it is no backup of ydock");
    assert_eq!(
        text(b"ydock backup\x02\0\0\0"),
        "it has version 2, and this version reads up to 1: use the newer one that wrote it"
    );
    let cut = text(&file[..file.len() - 1]);
    assert_eq!(cut, format!("it is incomplete, it ends at byte {}, in or after the document \"d\"", file.len() - 1));
    let place = file.windows(8).position(|window| window == b"snapshot").unwrap();
    let mut flipped = file;
    flipped[place] ^= 1;
    let expected = format!(
        "it is damaged at byte {}, in or after the document \"b\": a frame does not match its checksum",
        place - FRAME
    );
    assert_eq!(text(&flipped), expected);
}

#[test]
fn a_backup_that_was_given_up_tells_why() {
    let mut writer = BackupWriter::new(&info());
    let (name, restoration, unsaved) = named("a", None, vec![b"one".to_vec()], vec![]);
    assert_eq!(writer.document(&name, &restoration, unsaved).count(), 0);
    let error = read(&writer.give_up("the disk\nis gone"), usize::MAX).unwrap_err();
    assert_eq!(error, BackupError::GivenUp { reason: "the disk is gone".into() });
}

#[test]
fn a_document_above_the_bound_is_refused_before_it_is_read() {
    let file = written(&[named("a", Some(vec![0; 1000]), vec![], vec![0; 10])], &[]);
    let mut reader = BackupReader::with_limit(1009);
    reader.push(&file[..OPENING + 200]);
    let error = reader.item().unwrap_err();
    assert!(matches!(error, BackupError::TooLarge { bytes: 1010, limit: 1009, .. }), "{error}");
}

/// What a hostile author can do: frames whose checksums fit.
#[test]
fn well_sealed_nonsense_is_refused_and_holds_no_memory() {
    let frame = |kind: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap();
        let sum = checksum(16, length, kind, payload);
        [&b"ydock backup\x01\0\0\0"[..], &length.to_le_bytes(), &[kind], &sum.to_le_bytes(), payload].concat()
    };
    for kind in 0..=255 {
        for payload in [&b""[..], &[0; 9], &[255; 300], &vec![253; MAX_PAYLOAD]] {
            assert!(read(&frame(kind, payload), usize::MAX).is_err(), "kind {kind}");
        }
    }
    let huge = [&b"ydock backup\x01\0\0\0"[..], &[255; 9]].concat();
    let mut reader = BackupReader::new();
    reader.push(&huge);
    assert!(reader.item().is_err());
}

proptest! {
    #[test]
    fn any_documents_come_back(
        contents in proptest::collection::btree_map(
            "[a-z/ü]{1,12}",
            (any::<Option<Vec<u8>>>(), any::<Vec<Vec<u8>>>(), any::<Vec<u8>>()),
            0..8,
        ),
        portion in 1usize..5000,
    ) {
        let documents: Vec<_> = contents
            .into_iter()
            .map(|(name, (snapshot, tail, ancestors))| named(&name, snapshot, tail, ancestors))
            .collect();
        let (items, _) = read(&written(&documents, &[]), portion).unwrap();
        prop_assert_eq!(items.len(), documents.len());
        for (item, (name, restoration, unsaved)) in items.into_iter().zip(documents) {
            prop_assert_eq!(item, BackupItem::Document { name, restoration, unsaved });
        }
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in any::<Vec<u8>>(), portion in 1usize..100) {
        prop_assert!(read(&bytes, portion).is_err());
        prop_assert!(read(&[&b"ydock backup\x01\0\0\0"[..], &bytes].concat(), portion).is_err());
    }
}
