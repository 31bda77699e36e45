//! What the server says about itself: the metrics catalogue and the log.

mod catalogue;
mod chain;
mod log;

pub use catalogue::Metrics;
pub use chain::ErrorChain;
pub use log::{Config, LogFormat, install};
