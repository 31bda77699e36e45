//! What the server says about itself: the metrics catalogue and the log.

mod catalogue;
mod chain;
mod limits;
mod log;
mod seconds;

pub use catalogue::Metrics;
pub use chain::ErrorChain;
pub use limits::{Limit, Refusals};
pub use log::{Config, LogFormat, install};
pub use seconds::Seconds;
