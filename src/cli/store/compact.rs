//! `ydock store compact`: a smaller store.

use axum::http::Method;
use serde::Serialize;

use crate::cli::arguments::Compact;
use crate::cli::door::Door;
use crate::cli::error::CommandError;
use crate::cli::output::{Outcome, count, print, print_json, size};
use crate::cli::settings;
use crate::http::control::StoreStat;
use crate::upkeep::{Compacted, Finding};

#[derive(Debug, Serialize)]
struct Smaller {
    #[serde(flatten)]
    compacted: Compacted,
    disk_before: u64,
    disk_after: u64,
}

pub(super) async fn compact(arguments: &Compact) -> Result<Outcome, CommandError> {
    let door = Door::open(settings::of_command(&arguments.place)?).await?;
    let before: StoreStat = door.read("/control/stat").await?;
    let compacted: Compacted = door.watch(Method::POST, "/control/compact").await?;
    let after: StoreStat = door.read("/control/stat").await?;
    door.close().await?;
    let smaller = Smaller { compacted, disk_before: before.disk, disk_after: after.disk };
    if arguments.json {
        print_json(&smaller)?;
    } else {
        print(describe(&smaller))?;
    }
    Ok(if smaller.compacted.left.is_empty() { Outcome::Done } else { Outcome::Found })
}

fn describe(smaller: &Smaller) -> String {
    let Compacted { documents, updates, bytes_before, bytes_after, open, left } = &smaller.compacted;
    let mut lines: Vec<_> =
        left.iter().map(|Finding { name, what }| format!("{name:?} stays as it is: {what}")).collect();
    lines.push(format!("{} of {} merged", count(*updates, "update"), count(*documents, "document")));
    if *open > 0 {
        lines.push(format!("{} open: left to the server", count(*open, "document")));
    }
    lines.push(format!("content     {} -> {}", size(*bytes_before), size(*bytes_after)));
    lines.push(format!("on disk     {} -> {}", size(smaller.disk_before), size(smaller.disk_after)));
    lines.join("\n")
}
