//! Rooms: documents that somebody has open, each with its members, its presence and its way to the disk.
//!
//! ```text
//!  sessions ──edits──────────►┌─ desk ─────────────────────────────┐──frames──► lanes of all members but the sender
//!     │  when it is free      │ room: state (command in, effects   │
//!     ▼                       │       out), seats, saver           │◄─► windows: one append for many rooms
//!  queue (bounded) ──► task ─►│                                    │
//!  http ─► control ──►  │     └────────────────────────────────────┘
//!                       └─ what takes time: appends that somebody waits for, compactions, large differences
//! ```
//!
//! [`Rooms`] opens each room once: the handle is registered before the document is loaded, and whoever comes meanwhile
//! waits in the room's queue. A room retires under the lock of the registry, and only when nobody holds a handle.
//! [`state`] decides and knows neither clock nor IO; the task around it receives, carries out and nothing else.
//!
//! A document in a room is bytes: the latest snapshot and the original updates after it, beside an index that tells what
//! is known. Nothing here integrates a document.

mod answers;
mod catch_up;
mod command;
mod compaction;
mod config;
mod desk;
mod direct;
mod direct_seat;
mod effect;
mod errors;
mod joined;
mod log;
mod membership;
mod open;
mod parked;
mod registry;
mod room;
mod saver;
mod seats;
mod seed;
mod state;
mod state_presence;
mod state_saved;
mod task;
mod told;
mod unload;
mod windows;

pub use command::{Reading, Submitted};
pub use config::{Broadcast, Config, History};
pub use direct::{DirectDocument, EditError, PresenceTooLong, StateError};
pub use errors::{CondenseError, DeleteError, JoinError, ReadError, SubmitError};
pub use membership::{Membership, RoomEnded, Seat};
pub use registry::{Rooms, RoomsParts};
