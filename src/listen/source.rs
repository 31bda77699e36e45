//! What counts as one address: where clients come from, as far as limits tell them apart.
//!
//! Whoever has an IPv6 address has a whole network of them, so those of one network of 64 bits are one. An IPv4 address is one,
//! however it is written.

use std::net::{IpAddr, Ipv6Addr};

/// One address to limits per address.
///
/// ```
/// use ydock::listen::Source;
///
/// let of = |text: &str| Source::of(text.parse().unwrap());
/// assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
/// assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
/// assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source(IpAddr);

impl Source {
    /// What an address counts as.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK)),
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// The bits of an IPv6 address that tell networks apart; the rest is the host's, RFC 4291, section 2.5.1.
const NETWORK: u128 = !0 << 64;
