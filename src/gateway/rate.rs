//! How fast clients may send: a token bucket for each, and one for all clients of an address.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::config::Config;
use crate::listen::Source;

/// The bucket of one client.
pub(super) struct OwnRate(RateLimiter<NotKeyed, InMemoryState, DefaultClock>);

/// The buckets of all addresses.
pub(super) struct AddressRates(RateLimiter<Source, HashMapStateStore<Source>, DefaultClock>);

impl OwnRate {
    pub(super) fn new(config: &Config) -> Self {
        Self(RateLimiter::direct(quota(config.events_per_second, config.events_at_once)))
    }

    pub(super) fn allows(&self) -> bool {
        self.0.check().is_ok()
    }
}

impl AddressRates {
    pub(super) fn new(config: &Config) -> Self {
        Self(RateLimiter::hashmap(quota(config.address_events_per_second, config.address_events_at_once)))
    }

    /// This machine itself may always send: what comes from there is a proxy's, and stands for many addresses.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.0.check_key(&Source::of(address)).is_ok()
    }

    /// Forgets addresses whose buckets are full again.
    pub(super) fn tidy(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

fn quota(per_second: u32, at_once: u32) -> Quota {
    let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(at_once))
}

impl fmt::Debug for OwnRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnRate").finish_non_exhaustive()
    }
}

impl fmt::Debug for AddressRates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressRates").finish_non_exhaustive()
    }
}
