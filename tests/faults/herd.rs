//! SIGKILL of the real server under a herd of writers: the store is sound and has every acknowledged update.

use std::time::Duration;

use tempfile::TempDir;

use crate::authors::{self, Authors, Crowd};
use crate::backend::Place;
use crate::served::Server;
use crate::tally::Tally;
use crate::trial::{self, Trial};
use crate::verify::verify_deep;

const CROWD: Crowd = Crowd { authors: 100, documents: 20, first_client: 1, len: 5, pause: Duration::ZERO };

pub(crate) fn run(trial: &Trial<'_>) -> Tally {
    trial::block_on(Duration::from_mins(10), rounds(trial))
}

async fn rounds(trial: &Trial<'_>) -> Tally {
    let mut tally = Tally::default();
    let scratch = TempDir::new().unwrap();
    let place = Place::new(trial.backend.kind, &scratch.path().join("data"));
    let mut everybody = Vec::new();
    for round in 0..trial.plan.pick(3, 20) {
        let lifetime = Duration::from_millis(trial.random(round).between(100, 1500));
        if let Err(story) = one_round(&place, round, lifetime, &mut everybody, &mut tally).await {
            tally.breaks(round, story);
            return tally;
        }
        tally.rounds += 1;
    }
    tally
}

async fn one_round(
    place: &Place,
    round: u64,
    lifetime: Duration,
    everybody: &mut Vec<std::sync::Arc<authors::Author>>,
    tally: &mut Tally,
) -> Result<(), String> {
    let mut server = Server::start(place)?;
    let crowd = Crowd { first_client: 1000 * (round + 1), ..CROWD };
    let mut herd = Authors::join(&server, crowd);
    herd.until_acknowledged(1).await;
    tokio::time::sleep(lifetime).await;
    server.kill();
    herd.gone().await;
    tally.acknowledged += herd.acknowledged();
    if let Err(what) = verify_deep(place) {
        tally.breaks(round, what);
    }
    everybody.append(&mut herd.all);
    server.restart()?;
    authors::check(&server, everybody, round, tally).await;
    Ok(())
}
