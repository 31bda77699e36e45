//! The documents that were found damaged, whose writes are refused until the store is opened again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::ids::DocName;
use crate::storage::{Damage, StoreError};

/// Damaged documents by name.
#[derive(Debug, Default)]
pub(super) struct Quarantine(Mutex<HashMap<DocName, Damage>>);

impl Quarantine {
    /// Remembers a document as damaged when the error says so.
    pub(super) fn notice(&self, error: &StoreError) {
        let StoreError::Corrupt { doc, what } = error else { return };
        let mut damaged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if damaged.insert(doc.clone(), what.clone()).is_none() {
            tracing::error!(%doc, error = %what, "a document is damaged; its writes are refused");
        }
    }

    /// Refuses a document that is known to be damaged.
    pub(super) fn check(&self, doc: &DocName) -> Result<(), StoreError> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).get(doc) {
            Some(what) => Err(StoreError::Corrupt { doc: doc.clone(), what: what.clone() }),
            None => Ok(()),
        }
    }

    /// Forgets that a document was damaged, because it was deleted.
    pub(super) fn release(&self, doc: &DocName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(doc);
    }
}
