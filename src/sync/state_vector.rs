//! State vectors: how far a document knows each client.

use std::collections::BTreeMap;

use thiserror::Error;

use super::block::{CLOCK_END, Id};
use crate::ids::ClientId;
use crate::lib0::{DecodeError, Reader, write_var_uint};

/// For each client the number of its clocks that are known without a hole. A client that is not named counts as 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateVector {
    // A tree: few clients take one node, many stay logarithmic, and chosen client ids cannot make it slow.
    clocks: BTreeMap<ClientId, u32>,
}

/// Why bytes are no state vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StateVectorError {
    /// A number is malformed or missing.
    #[error(transparent)]
    Encoding(#[from] DecodeError),
    /// It claims more clients than the caller admits.
    #[error("the state vector names too many clients")]
    TooManyClients,
    /// A clock reaches 2³¹.
    #[error("a clock is too large")]
    ClockTooLarge,
    /// A client has two different clocks.
    #[error("the state vector names a client twice")]
    RepeatedClient,
    /// Something follows the last entry.
    #[error("bytes follow the end of the state vector")]
    TrailingBytes,
}

impl StateVector {
    /// The state vector of an empty document.
    #[must_use]
    pub const fn new() -> Self {
        Self { clocks: BTreeMap::new() }
    }

    /// Decodes a state vector of at most `max_clients` clients.
    ///
    /// # Errors
    /// When it is malformed or names more clients; a claim beyond the bytes or the bound costs nothing.
    pub fn decode(bytes: &[u8], max_clients: usize) -> Result<Self, StateVectorError> {
        let mut reader = Reader::new(bytes);
        let count = reader.var_uint()?;
        if count > reader.rest().len() as u64 / LEAST_ENTRY {
            return Err(DecodeError::Truncated.into());
        }
        if count > max_clients as u64 {
            return Err(StateVectorError::TooManyClients);
        }
        let mut clocks = BTreeMap::new();
        for _ in 0..count {
            let (client, clock) = entry(&mut reader)?;
            if clocks.insert(client, clock).is_some_and(|earlier| earlier != clock) {
                return Err(StateVectorError::RepeatedClient);
            }
        }
        clocks.retain(|_, clock| *clock > 0);
        if reader.is_empty() { Ok(Self { clocks }) } else { Err(StateVectorError::TrailingBytes) }
    }

    /// Encodes it as Yjs does: large client ids first.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(2 + self.clocks.len() * 8);
        write_var_uint(&mut out, self.clocks.len() as u64);
        for (client, clock) in self.clocks.iter().rev() {
            write_var_uint(&mut out, client.value());
            write_var_uint(&mut out, (*clock).into());
        }
        out
    }

    /// The first clock of a client that is not known.
    #[must_use]
    pub fn clock(&self, client: ClientId) -> u32 {
        self.clocks.get(&client).copied().unwrap_or(0)
    }

    /// Whether this id is known.
    #[must_use]
    pub fn contains(&self, id: Id) -> bool {
        id.clock < self.clock(id.client)
    }

    /// Moves a client forward to `clock`; never back.
    pub fn raise(&mut self, client: ClientId, clock: u32) {
        if clock > 0 {
            let known = self.clocks.entry(client).or_insert(0);
            *known = clock.max(*known);
        }
    }

    /// Sets a client back to `clock`, to undo a [`raise`](Self::raise).
    pub(super) fn reset(&mut self, client: ClientId, clock: u32) {
        if clock == 0 {
            self.clocks.remove(&client);
        } else {
            self.clocks.insert(client, clock);
        }
    }

    /// The known clients with their clocks, small client ids first.
    pub fn iter(&self) -> impl Iterator<Item = (ClientId, u32)> {
        self.clocks.iter().map(|(client, clock)| (*client, *clock))
    }

    /// The number of known clients.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clocks.len()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clocks.is_empty()
    }

    /// Whether everything that `other` knows is known.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.iter().all(|(client, clock)| self.clock(client) >= clock)
    }

    /// As [`covers`](Self::covers) for what [`encode`](Self::encode) has written; of other bytes nothing is covered.
    pub(crate) fn covers_encoded(&self, other: &[u8]) -> bool {
        let mut reader = Reader::new(other);
        let Ok(count) = reader.var_uint() else { return false };
        (0..count).all(|_| entry(&mut reader).is_ok_and(|(client, clock)| self.clock(client) >= clock))
    }

    /// Takes in what `other` knows.
    pub fn merge(&mut self, other: &Self) {
        for (client, clock) in other.iter() {
            self.raise(client, clock);
        }
    }

    /// Whether both know something of the same client, so that they belong to one history.
    #[must_use]
    pub fn shares_client_with(&self, other: &Self) -> bool {
        let (few, many) = if self.len() <= other.len() { (self, other) } else { (other, self) };
        few.clocks.keys().any(|client| many.clocks.contains_key(client))
    }
}

impl FromIterator<(ClientId, u32)> for StateVector {
    fn from_iter<I: IntoIterator<Item = (ClientId, u32)>>(entries: I) -> Self {
        let mut state = Self::new();
        for (client, clock) in entries {
            state.raise(client, clock);
        }
        state
    }
}

fn entry(reader: &mut Reader<'_>) -> Result<(ClientId, u32), StateVectorError> {
    let client = ClientId::new(reader.var_uint()?).ok_or(DecodeError::IntegerTooLarge)?;
    let clock = u32::try_from(reader.var_uint()?).or(Err(StateVectorError::ClockTooLarge))?;
    if clock > CLOCK_END { Err(StateVectorError::ClockTooLarge) } else { Ok((client, clock)) }
}

/// An entry takes at least one byte for the client and one for the clock.
const LEAST_ENTRY: u64 = 2;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn state(entries: &[(u64, u32)]) -> StateVector {
        entries.iter().map(|(client, clock)| (ClientId::new(*client).unwrap(), *clock)).collect()
    }

    #[test]
    fn an_encoded_vector_has_the_bytes_of_yjs() {
        assert_eq!(StateVector::new().encode(), [0]);
        assert_eq!(state(&[(7, 1), (300, 200)]).encode(), [2, 0xac, 2, 0xc8, 1, 7, 1]);
    }

    #[test]
    fn a_claim_of_200_million_entries_costs_nothing() {
        assert_eq!(StateVector::decode(&[0x80, 0x84, 0xaf, 0x5f], usize::MAX), Err(DecodeError::Truncated.into()));
    }

    #[test]
    fn a_vector_out_of_bounds_is_refused_with_the_reason() {
        let decode = |bytes: &[u8]| StateVector::decode(bytes, 2);
        assert_eq!(decode(&[3, 1, 1, 2, 1, 3, 1]), Err(StateVectorError::TooManyClients));
        assert_eq!(decode(&[1, 1, 1, 0]), Err(StateVectorError::TrailingBytes));
        assert_eq!(decode(&[2, 1, 1, 1, 2]), Err(StateVectorError::RepeatedClient));
        assert_eq!(decode(&[2, 1, 1, 1, 1]), Ok(state(&[(1, 1)])));
        assert_eq!(decode(&[1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f]), Err(StateVectorError::ClockTooLarge));
        assert_eq!(decode(&[1, 1]), Err(DecodeError::Truncated.into()));
    }

    #[test]
    fn a_client_at_zero_is_as_good_as_absent() {
        assert_eq!(StateVector::decode(&[1, 1, 0], 1), Ok(StateVector::new()));
        assert!(StateVector::new().covers(&state(&[(1, 0)])));
    }

    #[test]
    fn covering_merging_and_sharing_go_by_client() {
        let (mut one, two) = (state(&[(1, 5), (2, 1)]), state(&[(2, 3)]));
        assert!(!one.covers(&two) && !two.covers(&one) && one.shares_client_with(&two));
        assert!(!one.shares_client_with(&state(&[(3, 9)])));
        one.merge(&two);
        assert_eq!(one, state(&[(1, 5), (2, 3)]));
        assert!(one.covers(&two) && one.contains(Id { client: ClientId::new(2).unwrap(), clock: 2 }));
    }

    proptest! {
        #[test]
        fn vectors_come_back_as_encoded(entries in proptest::collection::vec((0u64..1 << 53, 0u32..1 << 31), 0..40)) {
            let vector = state(&entries);
            prop_assert_eq!(StateVector::decode(&vector.encode(), 40), Ok(vector));
        }

        #[test]
        fn a_vector_covers_another_one_as_well_encoded(
            one in proptest::collection::vec((0u64..4, 0u32..4), 0..5),
            other in proptest::collection::vec((0u64..4, 0u32..4), 0..5),
        ) {
            let (one, other) = (state(&one), state(&other));
            prop_assert_eq!(one.covers_encoded(&other.encode()), one.covers(&other));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = StateVector::decode(&bytes, 1000);
            let _ = StateVector::new().covers_encoded(&bytes);
        }
    }
}
