//! The server as a whole, on raw bytes: one file a promise.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise and say what it measured"
)]

mod acks;
mod at_once;
mod board;
mod client;
mod command_line;
mod compaction;
mod demo;
mod direct;
mod embedded;
mod full_disk;
mod gateway;
mod goodbye;
mod hocuspocus;
mod hooks;
mod hostile;
mod json_ws;
mod kill;
mod limits;
mod load;
mod outage;
mod public_address;
mod quiet_connections;
mod raw;
mod read_only;
mod rfc6455;
mod save_window;
mod server;
mod slow_reader;
mod store_commands;
mod store_copies;
mod store_trouble;
mod streams;
mod tls;
mod unix_socket;
mod unload;
mod yjs;
