//! `ydock store restore`: a new store of a backup, or single documents of it.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use serde::Serialize;

use super::backup::progress;
use crate::cli::arguments::Restore;
use crate::cli::error::CommandError;
use crate::cli::files::Input;
use crate::cli::new_store::NewStore;
use crate::cli::output::{Outcome, count, print, print_json, size};
use crate::cli::progress::Display;
use crate::cli::settings;
use crate::ids::{DocName, Generation};
use crate::storage::{
    self, BackupError, BackupItem, BackupReader, Config, DataFormat, Restoration, Store, StoredDocument,
};
use crate::upkeep::Finding;

/// What was restored.
#[derive(Debug, Default, Serialize)]
struct Restored {
    documents: u64,
    tombstones: u64,
    bytes: u64,
    /// Documents that were missing when the backup was made.
    missing: Vec<Finding>,
}

/// What is taken from a backup, and what it is called.
enum Wanted {
    Everything,
    /// These, as far as they have not been found yet.
    Only(BTreeMap<DocName, DocName>),
}

pub(super) async fn restore(arguments: &Restore) -> Result<Outcome, CommandError> {
    let config = settings::of_command(&arguments.place)?.store;
    let mut wanted = Wanted::of(arguments)?;
    let mut source = Input::open(&arguments.file)?;
    let is_there = DataFormat::of(&config.data)?.is_some();
    let restored = match &mut wanted {
        Wanted::Only(_) if is_there => into_existing(&config, &mut source, &mut wanted).await?,
        _ => into_new(&config, &mut source, &mut wanted).await?,
    };
    if arguments.json {
        print_json(&restored)?;
    } else {
        print(describe(&restored, &config.data))?;
    }
    Ok(if restored.missing.is_empty() { Outcome::Done } else { Outcome::Found })
}

async fn into_new(config: &Config, source: &mut Input, wanted: &mut Wanted) -> Result<Restored, CommandError> {
    let new = NewStore::begin(config)?;
    let mut restored = Restored::default();
    let mut items = Items::of(source);
    while let Some(item) = items.next().await? {
        if let Some((name, restoration)) = restored.choose(item, wanted) {
            restored.put(new.store()?, &name, restoration).await?;
        }
    }
    items.finish()?;
    wanted.all_found()?;
    new.complete().await?;
    Ok(restored)
}

/// Adds documents to a store, once the whole backup was read and is sound.
async fn into_existing(config: &Config, source: &mut Input, wanted: &mut Wanted) -> Result<Restored, CommandError> {
    let store = storage::open(config)?;
    for name in wanted.new_names() {
        if store.load(name).await? != StoredDocument::default() {
            return Err(CommandError::Taken(name.clone()));
        }
    }
    let (mut restored, mut chosen) = (Restored::default(), Vec::new());
    let mut items = Items::of(source);
    while let Some(item) = items.next().await? {
        chosen.extend(restored.choose(item, wanted));
    }
    items.finish()?;
    wanted.all_found()?;
    for (name, restoration) in chosen {
        restored.put(&*store, &name, restoration).await?;
    }
    store.close().await?;
    Ok(restored)
}

impl Wanted {
    fn of(arguments: &Restore) -> Result<Self, CommandError> {
        match (&arguments.other_name, arguments.docs.as_slice()) {
            (_, []) => Ok(Self::Everything),
            (None, docs) => Ok(Self::Only(docs.iter().map(|name| (name.clone(), name.clone())).collect())),
            (Some(other), [name]) => Ok(Self::Only(BTreeMap::from([(name.clone(), other.clone())]))),
            (Some(_), _) => Err(CommandError::OneName),
        }
    }

    fn new_names(&self) -> impl Iterator<Item = &DocName> {
        let names = if let Self::Only(names) = self { Some(names.values()) } else { None };
        names.into_iter().flatten()
    }

    fn all_found(&self) -> Result<(), CommandError> {
        let Self::Only(names) = self else { return Ok(()) };
        names.keys().next().map_or(Ok(()), |name| Err(CommandError::NotInBackup(name.clone())))
    }
}

impl Restored {
    /// What of an item is to be restored, and under which name.
    fn choose(&mut self, item: BackupItem, wanted: &mut Wanted) -> Option<(DocName, Restoration)> {
        match (item, wanted) {
            (BackupItem::Document { name, restoration, .. }, Wanted::Everything) => Some((name, restoration)),
            (BackupItem::Document { name, mut restoration, .. }, Wanted::Only(names)) => {
                let called = names.remove(&name)?;
                if called != name {
                    // Another name has lives of its own.
                    restoration.document.generation = Generation::FIRST;
                    restoration.document.ancestors = Bytes::new();
                }
                Some((called, restoration))
            }
            (BackupItem::Missing { name, what }, Wanted::Everything) => {
                self.missing.push(Finding { name, what });
                None
            }
            (BackupItem::Missing { .. }, Wanted::Only(_)) => None,
        }
    }

    async fn put(&mut self, store: &dyn Store, name: &DocName, restoration: Restoration) -> Result<(), CommandError> {
        let document = &restoration.document;
        *if document.head == 0 { &mut self.tombstones } else { &mut self.documents } += 1;
        self.bytes += document.bytes.len() as u64;
        Ok(store.restore(name, restoration).await?)
    }
}

/// The items of a backup, read portion by portion.
struct Items<'a> {
    source: &'a mut Input,
    reader: BackupReader,
    display: Display,
}

impl<'a> Items<'a> {
    fn of(source: &'a mut Input) -> Self {
        Self { source, reader: BackupReader::new(), display: Display::start() }
    }

    async fn next(&mut self) -> Result<Option<BackupItem>, CommandError> {
        loop {
            let item = self.reader.item();
            if let Some(item) = item.map_err(|error| bad(self.source, error))? {
                self.display.show(progress(&self.reader));
                return Ok(Some(item));
            }
            let portion = self.source.read(PORTION).await?;
            if portion.is_empty() {
                return Ok(None);
            }
            self.reader.push(&portion);
        }
    }

    fn finish(self) -> Result<(), CommandError> {
        self.reader.finish().map(drop).map_err(|error| bad(self.source, error))
    }
}

fn bad(backup: &Input, source: BackupError) -> CommandError {
    CommandError::Backup { path: backup.path().to_owned(), source }
}

fn describe(restored: &Restored, data: &Path) -> String {
    let Restored { documents, tombstones, bytes, missing } = restored;
    let mut lines: Vec<_> = missing
        .iter()
        .map(|Finding { name, what }| format!("{name:?} was missing when the backup was made: {what}"))
        .collect();
    lines.push(format!(
        "{}, {}, {} restored into {}",
        count(*documents, "document"),
        count(*tombstones, "tombstone"),
        size(*bytes),
        data.display()
    ));
    lines.join("\n")
}

/// How much of a backup is read at once.
const PORTION: usize = 1 << 20;
