//! One fault against one store, within a plan.

use crate::backend::Backend;
use crate::plan::Plan;
use crate::random::Random;
use crate::tally::Tally;

/// A kind of fault.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    /// Whether a typed error is an honest answer to it.
    pub(crate) may_refuse: bool,
    pub(crate) run: fn(&Trial<'_>) -> Tally,
}

/// What a fault needs to know.
pub(crate) struct Trial<'a> {
    pub(crate) fault: &'a str,
    pub(crate) backend: Backend,
    pub(crate) plan: &'a Plan,
}

impl Trial<'_> {
    pub(crate) fn random(&self, round: u64) -> Random {
        self.plan.random(self.fault, round)
    }
}
