//! The Yjs engine: documents in slots, updated and exported under guard of their panics.
//!
//! What it cannot contain is memory corruption, endless loops and exhausted memory or stack: that is what worker processes
//! are for. It is called from one thread with a large stack.

use std::any::Any as Payload;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use yrs::updates::decoder::Decode;
use yrs::{Doc, OffsetKind, Options, Out, Transact, TransactionMut, Update, WriteTxn};

use super::board::picture;
use super::export::{Export, Refusal, Root};
use super::frames::{Pace, Skipped};
use super::json::{Json, WalkFault};
use super::legacy::{MAX_DEPTH, UpdateFault, modernise};
use super::xml::Xml;
use crate::sync::RootKind;

/// Documents loaded in slots.
pub(super) struct Engine {
    documents: HashMap<u64, Doc>,
    /// The longest export, in bytes.
    longest: usize,
}

/// Why an export failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EngineFault {
    /// The document cannot be exported. After a panic it is forgotten.
    Refused(Refusal),
    /// The export is longer than allowed.
    Oversized,
}

/// Why a load failed, and how many parts had been dealt with by then. The document is forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LoadFault {
    /// Parts that are behind; the next one, or with [`Pace::Fast`] one of the next [`BATCH`], is at fault.
    pub applied: u64,
    /// What happened.
    pub refusal: Refusal,
}

impl Engine {
    /// An engine without documents, whose exports have at most `longest` bytes.
    pub(super) fn new(longest: usize) -> Self {
        Self { documents: HashMap::new(), longest }
    }

    /// Applies updates in order; parts that are no updates are left out and named. Calls `progress` with the number of parts
    /// dealt with after each transaction.
    pub(super) fn load(
        &mut self,
        slot: u64,
        parts: &[Bytes],
        pace: Pace,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Vec<Skipped>, LoadFault> {
        let doc = self.documents.remove(&slot).unwrap_or_else(empty_document);
        let mut skipped = Vec::new();
        let mut applied = 0;
        let size = if pace == Pace::Careful { 1 } else { BATCH };
        for batch in parts.chunks(size) {
            if let Err(refusal) = apply(&doc, batch, applied, &mut skipped) {
                if matches!(refusal, Refusal::Failed { .. }) {
                    // Dropping a half-integrated document would walk its broken structure.
                    std::mem::forget(doc);
                }
                return Err(LoadFault { applied, refusal });
            }
            applied += batch.len() as u64;
            progress(applied);
        }
        self.documents.insert(slot, doc);
        Ok(skipped)
    }

    /// Exports the document in a slot; an empty one when nothing was loaded there.
    pub(super) fn export(&mut self, slot: u64, export: &Export) -> Result<Vec<u8>, EngineFault> {
        let doc = self.documents.entry(slot).or_insert_with(empty_document);
        let longest = self.longest;
        let written = guarded(doc, |txn| write(txn, export, longest));
        match written {
            Ok(Ok(bytes)) if bytes.len() <= longest => Ok(bytes),
            Ok(Ok(_) | Err(WalkFault::TooLong)) => Err(EngineFault::Oversized),
            Ok(Err(WalkFault::TooDeep)) => Err(EngineFault::Refused(Refusal::TooDeep { limit: MAX_DEPTH })),
            Err(refusal) => {
                if let Some(doc) = self.documents.remove(&slot) {
                    std::mem::forget(doc);
                }
                Err(EngineFault::Refused(refusal))
            }
        }
    }

    /// Forgets the document in a slot.
    pub(super) fn forget(&mut self, slot: u64) {
        if let Some(doc) = self.documents.remove(&slot) {
            let _panicked = catch_unwind(AssertUnwindSafe(|| drop(doc)));
        }
    }
}

/// Applies a few parts in one transaction.
fn apply(doc: &Doc, parts: &[Bytes], base: u64, skipped: &mut Vec<Skipped>) -> Result<(), Refusal> {
    let mut updates = Vec::with_capacity(parts.len());
    for (part, bytes) in (base..).zip(parts) {
        match decode(bytes) {
            Ok(update) => updates.push(update),
            Err(DecodeFault::Skip(reason)) => skipped.push(Skipped { part, reason }),
            Err(DecodeFault::Refuse(refusal)) => return Err(refusal),
        }
    }
    let applied = guarded(doc, |txn| updates.into_iter().try_for_each(|update| txn.apply_update(update)))?;
    applied.map_err(|error| Refusal::Failed { message: error.to_string() })
}

enum DecodeFault {
    Skip(String),
    Refuse(Refusal),
}

fn decode(bytes: &[u8]) -> Result<Update, DecodeFault> {
    let bytes = modernise(bytes).map_err(|fault| match fault {
        UpdateFault::Unsupported(feature) => DecodeFault::Refuse(Refusal::Unsupported { feature: feature.to_owned() }),
        other => DecodeFault::Skip(other.to_string()),
    })?;
    match catch_unwind(AssertUnwindSafe(|| Update::decode_v1(&bytes))) {
        Ok(Ok(update)) => Ok(update),
        Ok(Err(error)) => Err(DecodeFault::Skip(error.to_string())),
        Err(payload) => Err(DecodeFault::Skip(message(&*payload))),
    }
}

/// Runs a transaction. After a panic neither it nor the document is dropped: both would go on with broken structures.
fn guarded<R>(doc: &Doc, run: impl FnOnce(&mut TransactionMut<'_>) -> R) -> Result<R, Refusal> {
    let mut txn = doc.try_transact_mut().map_err(|error| Refusal::Failed { message: error.to_string() })?;
    match catch_unwind(AssertUnwindSafe(|| run(&mut txn))) {
        Ok(result) => {
            catch_unwind(AssertUnwindSafe(move || drop(txn)))
                .map_err(|payload| Refusal::Failed { message: message(&*payload) })?;
            Ok(result)
        }
        Err(payload) => {
            std::mem::forget(txn);
            Err(Refusal::Failed { message: message(&*payload) })
        }
    }
}

fn write(txn: &mut TransactionMut<'_>, export: &Export, longest: usize) -> Result<Vec<u8>, WalkFault> {
    match export {
        Export::Json { roots } => {
            let mut members: Vec<(&str, Out)> =
                roots.iter().map(|root| (root.name.as_str(), typed(txn, root))).collect();
            members.sort_by_key(|(name, _)| *name);
            members.dedup_by_key(|(name, _)| *name);
            Json::new(txn, longest).roots(&members)
        }
        Export::Text { roots } => {
            let mut text = String::new();
            let written = roots.iter().filter(|root| matches!(root.kind, RootKind::Text | RootKind::Xml));
            for (index, root) in written.enumerate() {
                if index > 0 {
                    text.push('\n');
                }
                let value = typed(txn, root);
                let mut xml = Xml::new(txn, longest.saturating_sub(text.len()));
                xml.value(&value, 0)?;
                text.push_str(&xml.finish());
            }
            Ok(text.into_bytes())
        }
        Export::Svg { root } => {
            let board = txn.get_or_insert_map(root.as_str());
            picture(txn, &board, longest)
        }
    }
}

fn typed(txn: &mut TransactionMut<'_>, root: &Root) -> Out {
    let name = root.name.as_str();
    match root.kind {
        RootKind::Text => Out::YText(txn.get_or_insert_text(name)),
        RootKind::Array => Out::YArray(txn.get_or_insert_array(name)),
        RootKind::Map => Out::YMap(txn.get_or_insert_map(name)),
        RootKind::Xml => Out::YXmlFragment(txn.get_or_insert_xml_fragment(name)),
    }
}

fn empty_document() -> Doc {
    Doc::with_options(Options { offset_kind: OffsetKind::Utf16, cleanup_formatting: false, ..Options::default() })
}

/// A panic's message, shortened.
pub(super) fn message(payload: &(dyn Payload + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message");
    text.chars().take(MESSAGE_CHARS).collect()
}

/// Parts in a transaction: more gain nothing, fewer cost up to 1.6 times as much.
const BATCH: usize = 64;

const MESSAGE_CHARS: usize = 300;
