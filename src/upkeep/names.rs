//! All names of a store, one after the other.

use std::vec;

use crate::ids::DocName;
use crate::storage::{Store, StoreError, StoredName};

/// Walks over every name of a store, tombstones and damaged documents included, a page at a time.
#[derive(Debug)]
pub struct Names<'a> {
    store: &'a dyn Store,
    page: vec::IntoIter<StoredName>,
    after: Option<DocName>,
    is_last: bool,
}

impl<'a> Names<'a> {
    /// At the first name.
    #[must_use]
    pub fn of(store: &'a dyn Store) -> Self {
        Self { store, page: Vec::new().into_iter(), after: None, is_last: false }
    }

    /// The next name; `None` after the last.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next(&mut self) -> Result<Option<StoredName>, StoreError> {
        if self.page.len() == 0 && !self.is_last {
            let page = self.store.names(self.after.as_ref(), PAGE).await?;
            self.is_last = page.len() < PAGE;
            self.after = page.last().map(|entry| entry.name().clone());
            self.page = page.into_iter();
        }
        Ok(self.page.next())
    }
}

/// Names asked for at once.
const PAGE: usize = 256;
