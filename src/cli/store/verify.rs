//! `ydock store verify`: reads everything and tells what is damaged.

use std::fmt::Write;

use axum::http::Method;

use crate::cli::arguments::Verify;
use crate::cli::door::Door;
use crate::cli::error::CommandError;
use crate::cli::output::{Outcome, count, print, print_json, remark, size};
use crate::cli::settings;
use crate::storage::StoreError;
use crate::telemetry::ErrorChain;
use crate::upkeep::{Finding, Verified};

pub(super) async fn verify(arguments: &Verify) -> Result<Outcome, CommandError> {
    let door = match Door::open(settings::of_command(&arguments.place)?).await {
        // Nothing could be read, and yet it is known what is the matter.
        Err(CommandError::Store(error @ StoreError::Damaged { .. })) => {
            remark(format_args!("ydock: {}", ErrorChain(&error)));
            return Ok(Outcome::Found);
        }
        door => door?,
    };
    let path = if arguments.deep { "/control/verify?deep=true" } else { "/control/verify" };
    let verified: Verified = door.watch(Method::GET, path).await?;
    door.close().await?;
    if arguments.json {
        print_json(&verified)?;
    } else {
        print(describe(&verified, arguments.deep).trim_end())?;
    }
    Ok(if verified.sound { Outcome::Done } else { Outcome::Found })
}

fn describe(verified: &Verified, deep: bool) -> String {
    let mut text = String::new();
    list(&mut text, "is damaged", &verified.damaged);
    list(&mut text, "is no Yjs document", &verified.undecodable);
    list(&mut text, "could not be decoded", &verified.undecided);
    for flaw in &verified.flaws {
        // Writing to a text does not fail.
        let _never = writeln!(text, "the store: {flaw}").is_err();
    }
    let Verified { documents, tombstones, updates, bytes, decoded, .. } = *verified;
    let read = format!(
        "{}, {}, {}, {} read",
        count(documents, "document"),
        count(tombstones, "tombstone"),
        count(updates, "update"),
        size(bytes)
    );
    let decoded = if deep { format!(", {decoded} decoded") } else { String::new() };
    let found = verified.damaged.len() + verified.undecodable.len() + verified.flaws.len();
    let verdict =
        if verified.sound { "everything is sound".to_owned() } else { count(found as u64, "thing") + " wrong" };
    let _never = writeln!(text, "{read}{decoded}: {verdict}").is_err();
    text
}

fn list(text: &mut String, title: &str, findings: &[Finding]) {
    for Finding { name, what } in findings {
        let _never = writeln!(text, "{name:?} {title}: {what}").is_err();
    }
}
