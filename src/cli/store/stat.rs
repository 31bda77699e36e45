//! `ydock store stat`: what is in a store.

use std::fmt::Write;

use crate::cli::arguments::Stat;
use crate::cli::door::Door;
use crate::cli::error::CommandError;
use crate::cli::output::{Outcome, print, print_json, size};
use crate::cli::settings;
use crate::http::control::StoreStat;

pub(super) async fn stat(arguments: &Stat) -> Result<Outcome, CommandError> {
    let door = Door::open(settings::of_command(&arguments.place)?).await?;
    let stat: StoreStat = door.read("/control/stat").await?;
    door.close().await?;
    if arguments.json {
        print_json(&stat)?;
    } else {
        print(describe(&stat).trim_end())?;
    }
    Ok(if stat.census.damaged.is_empty() { Outcome::Done } else { Outcome::Found })
}

fn describe(stat: &StoreStat) -> String {
    let census = &stat.census;
    let rows = [
        ("directory", stat.directory.display().to_string()),
        ("engine", format!("{}, format {}", stat.engine, stat.format)),
        ("documents", census.documents.to_string()),
        ("tombstones", census.tombstones.to_string()),
        ("updates", format!("{} not yet in snapshots", census.updates)),
        ("content", size(census.bytes)),
        ("on disk", size(stat.disk)),
    ];
    let mut text = String::new();
    for (name, value) in rows {
        // Writing to a text does not fail.
        let _never = writeln!(text, "{name:<12}{value}").is_err();
    }
    for finding in &census.damaged {
        let _never = writeln!(text, "{:<12}{:?}: {}", "damaged", finding.name, finding.what).is_err();
    }
    for (place, document) in census.largest.iter().enumerate() {
        let title = if place == 0 { "largest" } else { "" };
        let _never = writeln!(text, "{title:<12}{:>10}  {}", size(document.bytes), document.name).is_err();
    }
    text
}
