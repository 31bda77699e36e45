//! The event gateway over its test client: what handlers, services and whoever embeds it can rely on.

mod around;
mod events;
mod leaving;
mod limits;
mod topics;
