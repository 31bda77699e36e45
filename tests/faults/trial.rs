//! One fault against one store, within a plan.

use std::time::Duration;

use crate::backend::Backend;
use crate::plan::Plan;
use crate::random::Random;
use crate::tally::Tally;

/// A kind of fault.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    /// Whether a typed error is an honest answer to it.
    pub(crate) may_refuse: bool,
    /// Whether it mostly waits, so that others may run at the same time.
    pub(crate) is_patient: bool,
    pub(crate) run: fn(&Trial<'_>) -> Tally,
}

/// What a fault needs to know.
pub(crate) struct Trial<'a> {
    pub(crate) fault: &'static str,
    pub(crate) backend: Backend,
    pub(crate) plan: &'a Plan,
    pub(crate) place: Where,
}

/// What the process in which a fault runs may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Where {
    /// It is the one that prints the table.
    Table,
    /// It has file systems of its own.
    MayMount,
    /// It is one of its own, and ignores the signal of files that grow too long.
    MayNotMount,
}

impl Trial<'_> {
    pub(crate) fn random(&self, round: u64) -> Random {
        self.plan.random(self.fault, round)
    }
}

/// Lets a future run, but not for ever.
pub(crate) fn block_on(limit: Duration, future: impl Future<Output = Tally>) -> Tally {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let tally = runtime.block_on(async { tokio::time::timeout(limit, future).await });
    runtime.shutdown_background();
    tally.unwrap_or_else(|_| {
        let mut tally = Tally { rounds: 1, hangs: 1, ..Tally::default() };
        tally.breaks(0, format!("HANG: nothing more happened within {} s", limit.as_secs()));
        tally
    })
}
