//! Reading a whole store, record by record, to find what is damaged in it.

use super::{DamagedDocument, Store, StoreError, StoredName, VerifyReport};

/// Reads every document, checks every record, and reports each damaged document and whatever else is wrong.
///
/// Calls `seen` after each document with what was found so far. Others may read and write meanwhile. Takes as long as
/// reading the whole store takes, and the memory of its largest document.
///
/// # Errors
/// When the store fails as a whole. Damage is no error but in the report.
pub async fn verify(store: &dyn Store, mut seen: impl FnMut(&VerifyReport)) -> Result<VerifyReport, StoreError> {
    let mut report = VerifyReport { flaws: store.flaws().await?, ..VerifyReport::default() };
    let mut after = None;
    loop {
        let page = store.names(after.as_ref(), PAGE).await?;
        for entry in &page {
            check(store, entry, &mut report).await?;
            seen(&report);
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = Some(last.name().clone()),
            _ => return Ok(report),
        }
    }
}

async fn check(store: &dyn Store, entry: &StoredName, report: &mut VerifyReport) -> Result<(), StoreError> {
    match entry {
        StoredName::Tombstone { .. } => report.tombstones += 1,
        StoredName::Document(_) | StoredName::Damaged(_) => report.documents += 1,
    }
    match store.load(entry.name()).await {
        // What was not readable a moment ago and is now was written anew meanwhile.
        Ok(document) => {
            report.updates += document.bytes.tail.len() as u64;
            report.bytes += document.bytes.len() as u64;
        }
        Err(StoreError::Corrupt { doc, what }) => report.damaged.push(DamagedDocument { name: doc, what }),
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Names asked for at once.
const PAGE: usize = 256;
