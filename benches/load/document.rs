//! A document that was there before: written through a member, and joined by many who must get all of it.

use std::time::Duration;

use tokio::time::sleep;

use crate::crowd::{Crowd, Phase};
use crate::member::Goodbye;
use crate::server::{Kind, Server};
use crate::stored;
use crate::yjs::{PIECE, pieces, write_typed};

/// What was written.
pub(crate) struct Document {
    pub(crate) bytes: usize,
    letters: u64,
}

impl Document {
    /// Writes it in updates of at most about a megabyte.
    pub(crate) async fn write(server: &Server, kilobytes: u64) -> Result<Self, String> {
        let mut crowd = Crowd::default();
        let room = crowd.room(Self::NAME, 0, 1);
        crowd.join(server, Crowd::seats(&room, 1), 1).await?;
        let (mut bytes, mut written) = (0, 0);
        let count = kilobytes * PIECES / 1000;
        while written < count {
            let update = pieces(AUTHOR, written, PIECES.min(count - written));
            bytes += update.len();
            written = count.min(written + PIECES);
            crowd.members[0].write_foreign(&update);
            while !crowd.members[0].is_drained() {
                sleep(Duration::from_millis(5)).await;
            }
        }
        if server.kind == Kind::Ydock {
            let mut last = Vec::new();
            write_typed(&mut last, LAST, 0, "!");
            stored::post(server, Self::NAME, last).await?;
        }
        // Whoever joins is answered after all of this.
        crowd.join(server, Crowd::seats(&room, 1), 1).await?;
        Ok(Self { bytes, letters: count * PIECE.len() as u64 })
    }

    /// Lets so many join at once and go again; what that costs, and how many letters they did not get.
    pub(crate) async fn join(&self, server: &Server, members: usize) -> Result<(Phase, u64), String> {
        let mut crowd = Crowd::default();
        let room = crowd.room(Self::NAME, 0, 1);
        let phase = crowd.measured_join(server, Crowd::seats(&room, members), members).await?;
        let missing = self.missing(&crowd);
        for member in &crowd.members {
            member.leave(Goodbye::Unsaid);
        }
        sleep(REST).await;
        Ok((phase, missing))
    }

    /// How many letters members do not have.
    pub(crate) fn missing(&self, crowd: &Crowd) -> u64 {
        crowd.members.iter().map(|member| self.letters.saturating_sub(member.foreign.get())).sum()
    }

    /// Under which name it is written.
    pub(crate) const NAME: &str = "large";
}

/// Until a server has done what it does after a change.
pub(crate) const REST: Duration = Duration::from_secs(3);
const AUTHOR: u64 = 1;
const LAST: u64 = 7;
/// Pieces in an update: a megabyte of bytes, about.
const PIECES: u64 = 1 << 15;
