//! Places by address: how many connections each address has, and may have.
//!
//! The promise: an address costs memory only while it holds a place, and one that is full costs the others nothing.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;

use super::source::Source;

/// The places of all addresses; a clone is the same.
#[derive(Debug, Clone, Default)]
pub struct Places {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// How many each address may have; 0 is any number.
    most: usize,
    held: Mutex<HashMap<Source, Held>>,
}

#[derive(Debug, Default)]
struct Held {
    places: usize,
    /// Somebody was refused since the address took its first place.
    is_known_as_full: bool,
}

/// A place of an address, free again when dropped.
#[derive(Debug)]
pub struct Place {
    held_by: Option<(Arc<Shared>, Source)>,
}

/// An address has as many places as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this address has as many connections as it may")]
pub struct NoPlace {
    /// The address.
    pub address: IpAddr,
    /// Whether it is the first refusal since the address came: worth a line in the log, which later ones are not.
    pub is_first: bool,
}

impl NoPlace {
    /// Says it in the log, if it is worth it; `setting` names the limit.
    pub fn tell(&self, setting: &str) {
        let Self { address, is_first } = self;
        if *is_first {
            tracing::warn!(%address, "an address has as many connections as {setting} allows, and further ones are refused; \
                if it is a proxy's, name it in http.trusted_proxies");
        } else {
            tracing::debug!(%address, "a connection is refused because of {setting}");
        }
    }
}

impl Places {
    /// At most so many for each address; 0 is any number.
    ///
    /// ```
    /// use ydock::listen::Places;
    ///
    /// let places = Places::new(1);
    /// let (ada, ben) = ("192.0.2.1".parse().ok(), "192.0.2.2".parse().ok());
    /// let first = places.take(ada).unwrap();
    /// assert!(places.take(ada).is_err() && places.take(ben).is_ok() && places.take(None).is_ok());
    /// drop(first);
    /// assert!(places.take(ada).is_ok());
    /// ```
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { shared: Arc::new(Shared { most, held: Mutex::default() }) }
    }

    /// Takes a place for an address. Who has none, as on a unix socket, is not counted.
    ///
    /// # Errors
    /// When the address has as many as it may.
    pub fn take(&self, address: Option<IpAddr>) -> Result<Place, NoPlace> {
        let Some(address) = address.filter(|_| self.shared.most > 0) else { return Ok(Place { held_by: None }) };
        let source = Source::of(address);
        let mut held = self.shared.held();
        let of_source = held.entry(source).or_default();
        if of_source.places >= self.shared.most {
            let is_first = !std::mem::replace(&mut of_source.is_known_as_full, true);
            return Err(NoPlace { address, is_first });
        }
        of_source.places += 1;
        drop(held);
        Ok(Place { held_by: Some((Arc::clone(&self.shared), source)) })
    }

    /// How many each address may have; `None` when any number.
    #[must_use]
    pub fn most(&self) -> Option<usize> {
        Some(self.shared.most).filter(|most| *most > 0)
    }
}

impl Shared {
    fn held(&self) -> MutexGuard<'_, HashMap<Source, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((shared, source)) = &self.held_by else { return };
        if let Entry::Occupied(mut entry) = shared.held().entry(*source) {
            entry.get_mut().places -= 1;
            if entry.get().places == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn an_address_has_its_places_and_no_more_and_the_others_theirs() {
        let places = Places::new(2);
        let taken = [places.take(address("192.0.2.1")).unwrap(), places.take(address("::ffff:192.0.2.1")).unwrap()];
        let refused = || places.take(address("192.0.2.1")).unwrap_err();
        assert!(refused().is_first && !refused().is_first);
        let [one, other] = taken;
        drop(one);
        let again = places.take(address("192.0.2.1")).unwrap();
        assert!(!refused().is_first);
        let _network = [places.take(address("2001:db8::1")).unwrap(), places.take(address("2001:db8::2")).unwrap()];
        assert!(places.take(address("2001:db8::3")).is_err() && places.take(address("2001:db8:0:1::1")).is_ok());
        drop((other, again));
        assert_eq!(places.shared.held().len(), 1, "who has gone is remembered");
    }

    #[test]
    fn without_a_limit_or_an_address_nobody_is_counted() {
        let (unlimited, limited) = (Places::new(0), Places::new(1));
        let _taken = [unlimited.take(address("192.0.2.1")).unwrap(), unlimited.take(address("192.0.2.1")).unwrap()];
        let _without = [limited.take(None).unwrap(), limited.take(None).unwrap()];
        assert!(unlimited.shared.held().is_empty() && limited.shared.held().is_empty());
    }
}
