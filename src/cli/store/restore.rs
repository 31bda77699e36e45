//! `ydock store restore`: a new store of a backup.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use serde::Serialize;

use super::backup::progress;
use crate::cli::arguments::Restore;
use crate::cli::error::CommandError;
use crate::cli::files::input;
use crate::cli::new_store::NewStore;
use crate::cli::output::{Outcome, count, print, print_json, size};
use crate::cli::progress::Display;
use crate::cli::settings;
use crate::ids::DocName;
use crate::storage::{BackupItem, BackupReader};
use crate::upkeep::Finding;

/// What a new store has.
#[derive(Debug, Default, Serialize)]
struct Restored {
    documents: u64,
    tombstones: u64,
    bytes: u64,
    /// Documents that the backup says were damaged when it was made.
    missing: Vec<Finding>,
}

pub(super) async fn restore(arguments: &Restore) -> Result<Outcome, CommandError> {
    let config = settings::of_command(&arguments.place)?;
    let mut file = input(&arguments.file)?;
    let new = NewStore::begin(&config.store)?;
    let mut wanted: BTreeSet<DocName> = arguments.docs.iter().cloned().collect();
    let restored = fill(&new, &mut *file, &arguments.file, &mut wanted).await?;
    if let Some(name) = wanted.into_iter().next() {
        return Err(CommandError::NotInBackup(name));
    }
    new.complete().await?;
    if arguments.json {
        print_json(&restored)?;
    } else {
        print(describe(&restored, &config.store.data))?;
    }
    Ok(if restored.missing.is_empty() { Outcome::Done } else { Outcome::Found })
}

/// Restores what is wanted, or everything when nothing is named, and takes from `wanted` what was there.
async fn fill(
    new: &NewStore,
    file: &mut (dyn Read + Send),
    path: &Path,
    wanted: &mut BTreeSet<DocName>,
) -> Result<Restored, CommandError> {
    let wants_all = wanted.is_empty();
    let mut display = Display::start();
    let mut restored = Restored::default();
    let mut reader = BackupReader::new();
    let mut buffer = vec![0; PORTION];
    let bad = |source| CommandError::Backup { path: path.to_owned(), source };
    loop {
        let read = file.read(&mut buffer).map_err(|source| CommandError::Read { path: path.to_owned(), source })?;
        let Some(portion) = buffer.get(..read).filter(|portion| !portion.is_empty()) else { break };
        reader.push(portion);
        while let Some(item) = reader.item().map_err(bad)? {
            match item {
                BackupItem::Document { name, restoration, .. } if wanted.remove(&name) || wants_all => {
                    let document = &restoration.document;
                    *if document.head == 0 { &mut restored.tombstones } else { &mut restored.documents } += 1;
                    restored.bytes += document.bytes.len() as u64;
                    new.store().restore(&name, restoration).await?;
                }
                BackupItem::Missing { name, what } if wants_all => restored.missing.push(Finding { name, what }),
                _ => {}
            }
        }
        display.show(progress(&reader));
    }
    reader.finish().map_err(bad)?;
    Ok(restored)
}

fn describe(restored: &Restored, data: &Path) -> String {
    let Restored { documents, tombstones, bytes, missing } = restored;
    let mut lines: Vec<_> = missing
        .iter()
        .map(|Finding { name, what }| format!("{name:?} was damaged when the backup was made: {what}"))
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
