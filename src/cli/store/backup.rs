//! `ydock store backup`: the whole store in one file, read back while it is written.

use axum::body::Body;
use axum::http::Method;
use futures_util::StreamExt;
use serde::Serialize;

use crate::cli::arguments::Backup;
use crate::cli::door::Door;
use crate::cli::error::CommandError;
use crate::cli::files::{Output, is_standard};
use crate::cli::output::{Outcome, count, print, print_json, remark, size};
use crate::cli::progress::Display;
use crate::cli::settings;
use crate::ids::DocName;
use crate::storage::{BackupError, BackupItem, BackupReader, BackupTotals};
use crate::upkeep::{Finding, Progress, Step};

/// What a backup has.
#[derive(Debug, Default, Serialize)]
struct Made {
    documents: u64,
    tombstones: u64,
    updates: u64,
    bytes: u64,
    /// The length of the file.
    file_bytes: u64,
    missing: Vec<Finding>,
    /// Documents with edits that could not be saved in time.
    unsaved: Vec<DocName>,
}

pub(super) async fn backup(arguments: &Backup) -> Result<Outcome, CommandError> {
    let door = Door::open(settings::of_command(&arguments.place)?).await?;
    let mut output = Output::begin(&arguments.file, arguments.force)?;
    let made = fill(&door, &mut output).await?;
    let closed = door.close().await;
    output.complete()?;
    closed?;
    let text = describe(&made);
    match (is_standard(&arguments.file), arguments.json) {
        (true, true) => remark(serde_json::to_string(&made).unwrap_or_default()),
        (true, false) => remark(text.trim_end()),
        (false, true) => print_json(&made)?,
        (false, false) => print(text.trim_end())?,
    }
    Ok(if made.missing.is_empty() && made.unsaved.is_empty() { Outcome::Done } else { Outcome::Found })
}

async fn fill(door: &Door, output: &mut Output) -> Result<Made, CommandError> {
    let mut display = Display::start();
    let mut body = door.ask(Method::GET, "/control/backup", Body::empty()).await?.into_body().into_data_stream();
    let mut reader = BackupReader::new();
    let mut made = Made::default();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(CommandError::BrokenOff)?;
        output.write(&chunk)?;
        made.file_bytes += chunk.len() as u64;
        reader.push(&chunk);
        while let Some(item) = reader.item().map_err(given_up)? {
            made.note(item);
        }
        display.show(progress(&reader));
    }
    let totals = reader.finish().map_err(given_up)?;
    let BackupTotals { documents, tombstones, updates, bytes, .. } = totals;
    Ok(Made { documents, tombstones, updates, bytes, ..made })
}

/// How far the reading of a backup is.
pub(super) fn progress(reader: &BackupReader) -> Progress {
    let totals = reader.totals();
    let (of_names, of_bytes) = reader.info().map_or((0, 0), |info| (info.names, info.bytes));
    let names = totals.documents + totals.tombstones + totals.missing;
    Progress { step: Step::Copy, names, of_names, bytes: totals.bytes, of_bytes }
}

/// What is wrong with what was just written is what stopped whoever wrote it.
fn given_up(error: BackupError) -> CommandError {
    match error {
        BackupError::GivenUp { reason } => CommandError::Refused(reason),
        _ => CommandError::NotUnderstood,
    }
}

impl Made {
    fn note(&mut self, item: BackupItem) {
        match item {
            BackupItem::Document { name, unsaved: true, .. } => self.unsaved.push(name),
            BackupItem::Document { .. } => {}
            BackupItem::Missing { name, what } => self.missing.push(Finding { name, what }),
        }
    }
}

fn describe(made: &Made) -> String {
    let Made { documents, tombstones, updates, bytes, file_bytes, missing, unsaved } = made;
    let mut lines: Vec<_> =
        missing.iter().map(|Finding { name, what }| format!("{name:?} is not in the backup: {what}")).collect();
    lines.extend(unsaved.iter().map(|name| format!("{name:?} has edits that are not saved and not in the backup")));
    lines.push(format!(
        "{}, {}, {}, {}: {} in the file",
        count(*documents, "document"),
        count(*tombstones, "tombstone"),
        count(*updates, "update"),
        size(*bytes),
        size(*file_bytes)
    ));
    lines.join("\n")
}
