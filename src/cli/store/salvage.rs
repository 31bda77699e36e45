//! `ydock store salvage`: what can be read of a damaged store, in a new one.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::cli::arguments::Salvage;
use crate::cli::error::CommandError;
use crate::cli::files::beside;
use crate::cli::new_store::NewStore;
use crate::cli::output::{Outcome, count, print, print_json, size};
use crate::cli::progress::Display;
use crate::cli::settings;
use crate::ids::DocName;
use crate::storage::{self, Config, DataFormat, Rebuilt, Store, StoreError};
use crate::upkeep::{self, Copied, Salvaged};

#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    copied: Copied,
    /// Documents of which not even the name is known; absent when that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_names: Option<u64>,
    /// Whether the store could only be read record by record.
    rescued: bool,
    /// Bytes that the disk could not read.
    unreadable: u64,
    into: PathBuf,
}

pub(super) async fn salvage(arguments: &Salvage) -> Result<Outcome, CommandError> {
    let config = settings::of_command(&arguments.place)?.store;
    if DataFormat::of(&config.data)?.is_none() {
        return Err(CommandError::NoStore { path: config.data });
    }
    let into = arguments.into.clone().unwrap_or_else(|| salvaged(&config.data));
    let new = NewStore::begin(&Config { data: into.clone(), ..config.clone() })?;
    let scratch = Scratch(beside(&into, "source"));
    let (store, rebuilt, unreadable) = open(&config, &scratch)?;
    let mut display = Display::start();
    let left = new.path().join(LEFT);
    let mut aside = |name: &DocName, bytes: &[u8]| put_aside(&left, name, bytes);
    let copied = upkeep::salvage(&*store, new.store()?, &mut aside, &mut |progress| display.show(progress)).await?;
    drop(display);
    store.close().await?;
    new.complete().await?;
    drop(scratch);
    let rescued = rebuilt.is_some();
    let lost_names = rebuilt.map_or(Some(0), |rebuilt| rebuilt.lost_names);
    let report = Report { copied, lost_names, rescued, unreadable, into };
    if arguments.json {
        print_json(&report)?;
    } else {
        print(describe(&report))?;
    }
    let is_whole = report.copied.damaged.is_empty() && report.lost_names == Some(0) && report.unreadable == 0;
    Ok(if is_whole { Outcome::Done } else { Outcome::Found })
}

type Opened = (Arc<dyn Store>, Option<Rebuilt>, u64);

/// Opens a copy of the store, since opening it may write, or what can be read of it record by record when it refuses. Tells
/// also how many bytes the disk could not read.
fn open(config: &Config, scratch: &Scratch) -> Result<Opened, CommandError> {
    let copy = Config { data: scratch.0.join("copy"), ..config.clone() };
    scratch.make().map_err(|source| CommandError::Write { path: scratch.0.clone(), source })?;
    let unreadable = storage::duplicate(&config.data, &copy.data)?;
    match storage::open(&copy) {
        Ok(store) => Ok((store, None, unreadable)),
        Err(error @ (StoreError::Failed(_) | StoreError::Damaged { .. })) => {
            let records = Config { data: scratch.0.join("records"), ..config.clone() };
            let Some(rebuilt) = storage::rescue(&copy, &records.data).map_err(CommandError::Hopeless)? else {
                return Err(error.into());
            };
            Ok((storage::open(&records)?, Some(rebuilt), unreadable))
        }
        Err(error) => Err(error.into()),
    }
}

/// A directory that is of no use afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn make(&self) -> std::io::Result<()> {
        if self.0.exists() {
            // Left behind by a command that was killed.
            fs::remove_dir_all(&self.0)?;
        }
        fs::create_dir_all(&self.0)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _was_never_made = fs::remove_dir_all(&self.0).is_err();
    }
}

fn salvaged(data: &Path) -> PathBuf {
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let mut name = data.file_name().unwrap_or_default().to_owned();
    name.push("-salvaged");
    data.with_file_name(name)
}

fn put_aside(directory: &Path, name: &DocName, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut file_name = utf8_percent_encode(name.as_str(), NON_ALPHANUMERIC).to_string();
    file_name.truncate(LONGEST_NAME);
    let path = (1..=SAME_NAMES)
        .map(|number| match number {
            1 => directory.join(format!("{file_name}.update")),
            _ => directory.join(format!("{file_name}-{number}.update")),
        })
        .find(|path| !path.exists());
    let mut file = fs::File::create_new(path.unwrap_or_else(|| directory.join("update")))?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn describe(report: &Report) -> String {
    let mut lines = Vec::new();
    if report.rescued {
        lines.push("the store could not be opened and was read record by record".to_owned());
    }
    if report.unreadable > 0 {
        lines.push(format!("the disk could not read {} of the store", size(report.unreadable)));
    }
    for Salvaged { name, what, bytes, aside } in &report.copied.damaged {
        let what = if what.is_empty() { "it cannot be read".to_owned() } else { what.join(", ") };
        let left = match bytes {
            0 => "nothing of it could be brought back".to_owned(),
            bytes => format!("{} of it brought back", size(*bytes)),
        };
        lines.push(format!("{name:?} is damaged: {what}; {left}"));
        if *aside > 0 {
            lines.push(format!("  {} that build on what is lost are in {LEFT}", size(*aside)));
        }
    }
    match report.lost_names {
        Some(0) => {}
        Some(lost) => lines.push(format!("the names of {} are lost", count(lost, "document"))),
        None => lines.push("there may be documents whose names are lost".to_owned()),
    }
    let Copied { documents, tombstones, bytes, .. } = report.copied;
    lines.push(format!(
        "{} and {} whole, {}, in {}",
        count(documents, "document"),
        count(tombstones, "tombstone"),
        size(bytes),
        report.into.display()
    ));
    lines.join("\n")
}

/// Where updates lie that could not be brought back into their documents.
const LEFT: &str = "lost+found";
/// File systems take names of 255 bytes.
const LONGEST_NAME: usize = 200;
/// Long names may begin alike.
const SAME_NAMES: u32 = 10_000;
