//! Fronts: one file or folder for each wire protocol, none knowing another.

pub mod hocuspocus;
pub mod json_ws;
pub mod socket_io;
pub mod y_socket_io;
pub mod y_websocket;
