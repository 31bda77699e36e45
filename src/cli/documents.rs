//! `ydock export` and `ydock import`: one document to a file and from one.

use axum::body::Body;
use axum::http::Method;
use futures_util::StreamExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::arguments::{Export, Import};
use super::door::{self, Door};
use super::error::CommandError;
use super::files::{Input, Output};
use super::output::{Outcome, print};
use super::settings;
use crate::ids::DocName;

/// Writes a document to a file or to stdout.
///
/// # Errors
/// When there is no such document, or it cannot be exported or written.
pub fn export(arguments: &Export) -> Result<Outcome, CommandError> {
    door::run(async {
        let door = Door::open(settings::of_command(&arguments.place)?).await?;
        let format = utf8_percent_encode(&arguments.format, NON_ALPHANUMERIC);
        let path = format!("{}/snapshot?format={format}", address(&arguments.name));
        let mut body = door.ask(Method::GET, &path, Body::empty()).await?.into_body().into_data_stream();
        let target = arguments.output.as_deref().unwrap_or("-".as_ref());
        let mut output = Output::begin(target, false)?;
        while let Some(chunk) = body.next().await {
            output.write(&chunk.map_err(CommandError::BrokenOff)?)?;
        }
        door.close().await?;
        output.complete()?;
        Ok(Outcome::Done)
    })
}

/// Brings an update into a document.
///
/// # Errors
/// When the file is no update, or the document does not take it.
pub fn import(arguments: &Import) -> Result<Outcome, CommandError> {
    #[derive(Deserialize)]
    struct Taken {
        updates: u64,
    }
    door::run(async {
        let config = settings::of_command(&arguments.place)?;
        let update = read(&mut Input::open(&arguments.file)?, config.store.max_update.as_u64()).await?;
        let door = Door::open_or_begin(config).await?;
        let path = format!("{}/updates", address(&arguments.name));
        let answer = door.ask(Method::POST, &path, Body::from(update)).await?;
        let Taken { updates } = door::json(answer).await?;
        door.close().await?;
        print(format_args!("saved: {:?} has {updates} update(s)", arguments.name))?;
        Ok(Outcome::Done)
    })
}

/// All of a file; of one that is too long only enough to be refused.
async fn read(input: &mut Input, longest: u64) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    while bytes.len() as u64 <= longest {
        let portion = input.read(PORTION).await?;
        if portion.is_empty() {
            break;
        }
        bytes.extend_from_slice(&portion);
    }
    Ok(bytes)
}

fn address(name: &DocName) -> String {
    format!("/api/docs/{}", utf8_percent_encode(name.as_str(), NON_ALPHANUMERIC))
}

/// How much of a file is read at once.
const PORTION: usize = 1 << 20;
