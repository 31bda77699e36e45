//! A data directory that may only be read: the server says so and ends, and changes nothing.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::authors::{self, Authors, Crowd};
use crate::backend::Place;
use crate::damage::files;
use crate::isolated;
use crate::served::{Server, is_clear_refusal, run_refused};
use crate::small_disk::{SmallDisk, run as run_command};
use crate::tally::Tally;
use crate::trial::{self, Trial, Where};

const CROWD: Crowd = Crowd { authors: 4, documents: 2, first_client: 1, len: 20, pause: Duration::ZERO };

pub(crate) fn run(trial: &Trial<'_>) -> Tally {
    match trial.place {
        Where::Table => isolated::run(trial),
        Where::MayNotMount => {
            Tally::skipped("file systems cannot be mounted here, and permissions do not bind everybody")
        }
        Where::MayMount => trial::block_on(Duration::from_mins(1), async {
            let mut tally = Tally::default();
            if let Err(story) = rounds(trial, &mut tally).await {
                tally.breaks(tally.rounds, story);
            }
            tally
        }),
    }
}

async fn rounds(trial: &Trial<'_>, tally: &mut Tally) -> Result<(), String> {
    let disk = SmallDisk::new(trial)?;
    let place = Place::new(trial.backend.kind, &disk.data());
    let mount = disk.data().parent().unwrap().to_owned();
    for round in 0..trial.plan.pick(2, 6) {
        let mut server = Server::start(&place)?;
        let mut members = Authors::join(&server, Crowd { first_client: 100 * (round + 1), ..CROWD });
        members.until_acknowledged(20).await;
        if round % 2 == 0 {
            server.kill();
            members.gone().await;
        } else {
            members.finish(Duration::from_secs(20)).await?;
            server.terminate(Duration::from_secs(20));
        }
        tally.acknowledged += members.acknowledged();
        let before = contents(&disk);
        run_command("mount", &["-o", "remount,ro"], &mount)?;
        let refused = run_refused(&place);
        let is_clear = is_clear_refusal(&refused, &[place.data.to_str().unwrap(), "Read-only file system"]);
        tally.insist(round, is_clear, || format!("on a read-only directory: {}", refused.story()));
        tally.insist(round, contents(&disk) == before, || "a read-only directory was changed".to_owned());
        run_command("mount", &["-o", "remount,rw"], &mount)?;
        let again = Server::start(&place)?;
        authors::check(&again, &members.all, round, tally).await;
        tally.rounds += 1;
    }
    Ok(())
}

fn contents(disk: &SmallDisk) -> Vec<(PathBuf, Vec<u8>)> {
    files(&disk.data()).into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}
