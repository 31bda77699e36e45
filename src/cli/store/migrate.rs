//! `ydock store migrate`: the same documents in another store.

use serde::Serialize;

use crate::cli::arguments::{Migrate, StoreFlags, StorePlace};
use crate::cli::error::CommandError;
use crate::cli::new_store::NewStore;
use crate::cli::output::{Outcome, count, print, print_json, size};
use crate::cli::progress::Display;
use crate::cli::settings;
use crate::storage::{self, Config, DataFormat, StoreError, StoreKind};
use crate::upkeep::{self, Copied};

#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    copied: Copied,
    from: String,
    to: String,
}

pub(super) async fn migrate(arguments: &Migrate) -> Result<Outcome, CommandError> {
    let (from, to) = (config(arguments, &arguments.from)?, config(arguments, &arguments.to)?);
    if from.kind == StoreKind::Memory || to.kind == StoreKind::Memory {
        return Err(CommandError::InMemory);
    }
    if DataFormat::of(&from.data)?.is_none() {
        return Err(CommandError::NoStore { path: from.data });
    }
    let source = storage::open(&from)?;
    let new = NewStore::begin(&to)?;
    let mut display = Display::start();
    let copied = upkeep::migrate(&*source, new.store()?, &mut |progress| display.show(progress)).await;
    let copied = copied.map_err(|error| match error {
        StoreError::Corrupt { .. } => CommandError::Damaged(error),
        error => error.into(),
    })?;
    if let Some(name) = upkeep::first_difference(&*source, new.store()?).await? {
        return Err(CommandError::Different(name));
    }
    drop(display);
    source.close().await?;
    new.complete().await?;
    let report = Report { copied, from: arguments.from.to_string(), to: arguments.to.to_string() };
    if arguments.json {
        print_json(&report)?;
    } else {
        print(describe(&report, &arguments.to))?;
    }
    Ok(Outcome::Done)
}

fn config(arguments: &Migrate, place: &StorePlace) -> Result<Config, CommandError> {
    let flags =
        StoreFlags { data: Some(place.data.clone()), store: Some(place.kind), config: arguments.config.clone() };
    Ok(settings::of_command(&flags)?.store)
}

fn describe(report: &Report, to: &StorePlace) -> String {
    let Copied { documents, tombstones, bytes, .. } = report.copied;
    format!(
        "{}, {}, {} copied from {} to {} and compared\nserve them with: ydock serve --store {} --data {}",
        count(documents, "document"),
        count(tombstones, "tombstone"),
        size(bytes),
        report.from,
        report.to,
        to.kind,
        to.data.display()
    )
}
