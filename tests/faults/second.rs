//! A second process on the same data directory: it is told so and ends, and the first notices nothing.

use std::time::Duration;

use tempfile::TempDir;
use ydock::storage::StoreError;

use crate::authors::{self, Authors, Crowd};
use crate::backend::Place;
use crate::served::{Server, is_clear_refusal, run_refused};
use crate::tally::Tally;
use crate::trial::{self, Trial};

const CROWD: Crowd = Crowd { authors: 4, documents: 2, first_client: 1, len: 20, pause: Duration::ZERO };

pub(crate) fn run(trial: &Trial<'_>) -> Tally {
    trial::block_on(Duration::from_mins(2), async {
        let mut tally = Tally::default();
        if let Err(story) = rounds(trial, &mut tally).await {
            tally.breaks(tally.rounds, story);
        }
        tally
    })
}

async fn rounds(trial: &Trial<'_>, tally: &mut Tally) -> Result<(), String> {
    let scratch = TempDir::new().unwrap();
    let place = Place::new(trial.backend.kind, &scratch.path().join("data"));
    let mut first = Server::start(&place)?;
    let mut writers = Authors::join(&first, CROWD);
    writers.until_acknowledged(10).await;
    for round in 0..trial.plan.pick(3, 20) {
        let refused = run_refused(&place);
        let is_clear = is_clear_refusal(&refused, &["in use", place.data.to_str().unwrap()]);
        tally.insist(round, is_clear, || format!("the second server: {}", refused.story()));
        let opened = ydock::storage::open(&place.config()).map(|_| ());
        let is_locked = matches!(opened, Err(StoreError::Locked { .. }));
        tally.insist(round, is_locked, || format!("opened by another process: {opened:?}"));
        writers.until_acknowledged(writers.acknowledged() + 10).await;
        let departed = writers.departed();
        tally.insist(round, departed.is_empty(), || format!("members of the first are gone: {departed:?}"));
        tally.rounds += 1;
    }
    writers.finish(Duration::from_secs(20)).await?;
    tally.acknowledged = writers.acknowledged();
    first.restart()?;
    authors::check(&first, &writers.all, 0, tally).await;
    Ok(())
}
