//! Every snippet of the seed as Rust, compiled and run: one file a section. `docs/guides/gateway.md` has the table.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop at the first surprise")]

mod log;
mod table;

mod acknowledgments;
mod asynchronous_responses;
mod basic_gateway;
mod broadcasting;
mod broadcasting_from_a_service;
mod chat_example;
mod client_side;
mod configuration;
mod custom_decorators;
mod event_handling;
mod events_example;
mod filter;
mod guard;
mod interceptor;
mod lifecycle;
mod multiple_responses;
mod rooms;
mod server_and_namespace;
mod ws_library;
