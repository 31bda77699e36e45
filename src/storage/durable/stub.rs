//! Values longer than one record: how they are cut, and the stub that stands for a long update in its tail.

/// The payload of a stub record: the length of the update whose pieces lie elsewhere, as 8 bytes, little endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stub {
    pub(super) len: u64,
}

impl Stub {
    pub(super) fn encode(self) -> [u8; 8] {
        self.len.to_le_bytes()
    }

    pub(super) fn decode(payload: &[u8]) -> Result<Self, &'static str> {
        let Ok(bytes) = payload.try_into() else { return Err("the stub has a wrong length") };
        Ok(Self { len: u64::from_le_bytes(bytes) })
    }
}

/// The pieces of a value, of this length but for the last, numbered from 0; an empty value has none.
pub(super) fn pieces(value: &[u8], len: usize) -> impl Iterator<Item = (u32, &[u8])> {
    (0..).zip(value.chunks(len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_full_but_the_last_and_give_the_value_back() {
        let value: Vec<u8> = (0..=u8::MAX).cycle().take(2 * 64_994 + 1).collect();
        let cut: Vec<_> = pieces(&value, 64_994).collect();
        assert_eq!(
            cut.iter().map(|(chunk, piece)| (*chunk, piece.len())).collect::<Vec<_>>(),
            [(0, 64_994), (1, 64_994), (2, 1)]
        );
        assert_eq!(cut.iter().flat_map(|(_, piece)| piece.iter().copied()).collect::<Vec<_>>(), value);
        assert_eq!(pieces(&[], 64_994).count(), 0);
    }

    #[test]
    fn a_stub_reads_back() {
        assert_eq!(Stub::decode(&Stub { len: 70_000 }.encode()), Ok(Stub { len: 70_000 }));
        assert!(Stub::decode(&[1]).is_err());
    }
}
