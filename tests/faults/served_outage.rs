//! A disk below the real server that takes no writes for a while: acknowledgements stop, `/readyz` says why, members stay, and
//! everything is saved once the disk works again. And the end of a server whose disk does not.

use std::time::Duration;

use crate::authors::{self, Authors, Crowd};
use crate::backend::Place;
use crate::child::Outcome;
use crate::isolated;
use crate::served::{STOP, Server};
use crate::small_disk::SmallDisk;
use crate::tally::Tally;
use crate::trial::{self, Trial, Where};

/// They write at most 4.5 MB a second: what they write between the repair and the last look must fit on the disk.
const CROWD: Crowd = Crowd { authors: 10, documents: 4, first_client: 1, len: 9000, pause: Duration::from_millis(20) };

/// The disk fills up and is freed.
pub(crate) fn run_full(trial: &Trial<'_>) -> Tally {
    if trial.place == Where::Table {
        return isolated::run(trial);
    }
    rounds(trial, || SmallDisk::new(trial))
}

/// The files turn read-only and writable again.
pub(crate) fn run_read_only(trial: &Trial<'_>) -> Tally {
    if let Err(why) = SmallDisk::immutable() {
        return Tally::skipped(&format!("files cannot be made read-only under a running process here: {why}"));
    }
    rounds(trial, SmallDisk::immutable)
}

/// The server is told to end while its disk is full.
pub(crate) fn run_stop(trial: &Trial<'_>) -> Tally {
    if trial.place == Where::Table {
        return isolated::run(trial);
    }
    trial::block_on(Duration::from_mins(2), async {
        let mut tally = Tally::default();
        for round in 0..trial.plan.pick(1, 5) {
            if let Err(story) = stop_round(trial, round, &mut tally).await {
                tally.breaks(round, story);
            }
            tally.rounds += 1;
        }
        tally
    })
}

fn rounds(trial: &Trial<'_>, disk: impl Fn() -> Result<SmallDisk, String>) -> Tally {
    trial::block_on(Duration::from_mins(3), async {
        let mut tally = Tally::default();
        for round in 0..trial.plan.pick(1, 4) {
            let outcome = match disk() {
                Ok(disk) => outage_round(trial, round, &disk, &mut tally).await,
                Err(story) => Err(story),
            };
            if let Err(story) = outcome {
                tally.breaks(round, story);
            }
            tally.rounds += 1;
        }
        tally
    })
}

async fn outage_round(trial: &Trial<'_>, round: u64, disk: &SmallDisk, tally: &mut Tally) -> Result<(), String> {
    if round == 0 {
        tally.note(disk.description());
    }
    let place = Place::new(trial.backend.kind, &disk.data());
    let mut server = Server::start(&place)?;
    let mut members = Authors::join(&server, CROWD);
    within("members write", members.until_acknowledged(200)).await?;

    disk.fail(Some(server.pid()))?;
    within("/readyz is red for the right reason", until_red(&server, disk)).await?;
    // What is small may still fit where something larger does not.
    within("acknowledgements stop", until_silence(&members)).await?;
    tokio::time::sleep(Duration::from_secs(trial.plan.pick(1, 10))).await;
    let unacknowledged = members.unacknowledged();
    tally.insist(round, unacknowledged > 0, || "nothing waited for the disk".to_owned());
    let departed = members.departed();
    tally.insist(round, departed.is_empty(), || format!("members are gone: {departed:?}"));

    disk.repair(Some(server.pid()))?;
    within("everything is acknowledged", members.until_caught_up(10)).await?;
    let mut reason = String::new();
    let green = within("/readyz is green", until_green(&server, &mut reason)).await;
    green.map_err(|story| {
        format!("{story}, but says: {reason}; on the disk: {}; {} acknowledged", disk.content(), members.acknowledged())
    })?;
    members.finish(Duration::from_secs(30)).await?;
    tally.acknowledged += members.acknowledged();
    server.restart()?;
    authors::check(&server, &members.all, round, tally).await;
    Ok(())
}

async fn stop_round(trial: &Trial<'_>, round: u64, tally: &mut Tally) -> Result<(), String> {
    let disk = SmallDisk::new(trial)?;
    let place = Place::new(trial.backend.kind, &disk.data());
    let server = Server::start(&place)?;
    let mut members = Authors::join(&server, CROWD);
    within("members write", members.until_acknowledged(100)).await?;
    disk.fail(Some(server.pid()))?;
    within("/readyz is red for the right reason", until_red(&server, &disk)).await?;
    within("acknowledgements stop", until_silence(&members)).await?;
    let ended = tokio::task::spawn_blocking(move || server.terminate(2 * STOP)).await.unwrap();
    members.gone().await;
    tally.acknowledged += members.acknowledged();
    match ended.outcome {
        Outcome::Exited(status) if status.code() == Some(1) => {}
        Outcome::OutOfTime => {
            tally.hangs += 1;
            tally.breaks(round, "HANG: the server did not end in time");
        }
        _ => tally.breaks(round, format!("the server ended with {}", ended.story())),
    }
    let is_named = members.all.iter().all(|author| ended.errors.contains(author.doc()));
    tally.insist(round, is_named, || format!("not all unsaved documents are named: {}", ended.story()));
    if round == 0 {
        tally.note(ended.errors.trim());
    }
    disk.repair(None)?;
    let again = Server::start(&place)?;
    authors::check(&again, &members.all, round, tally).await;
    Ok(())
}

async fn until_red(server: &Server, disk: &SmallDisk) {
    loop {
        let (status, reason) = server.ready().await;
        if status == 503 && disk.explains(&reason) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn until_green(server: &Server, reason: &mut String) {
    loop {
        let (status, words) = server.ready().await;
        if status == 200 {
            return;
        }
        *reason = words;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until nothing is acknowledged for a while, although everybody wants something to be.
async fn until_silence(members: &Authors) {
    loop {
        let before = members.acknowledged();
        tokio::time::sleep(Duration::from_millis(700)).await;
        if members.acknowledged() == before && members.unacknowledged() >= CROWD.authors {
            return;
        }
    }
}

async fn within<T>(what: &str, waiting: impl Future<Output = T>) -> Result<T, String> {
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, waiting).await.or(Err(format!("waited {} s in vain: {what}", limit.as_secs())))
}
