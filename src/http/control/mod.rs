//! The operator's door: a unix socket in the data directory of a running server.
//!
//! The server has the store to itself, so the commands of `ydock store` ask it for what they would do themselves. Whoever
//! may open the socket, which only the server's own user may, may do everything with every document. It answers the
//! addresses of the API as well, as to an administrator.

mod lines;
mod routes;
mod socket;

pub use lines::Line;
pub use routes::{Control, Place, StoreStat, control_routes};
pub use socket::{ControlSocket, connect};
