//! An address to listen on, as it is written in the settings.

use std::fmt;
use std::net::{AddrParseError, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// An address to listen on.
///
/// ```
/// use ydock::listen::Address;
///
/// let address: Address = "unix:/run/ydock/ydock.sock".parse().unwrap();
/// assert_eq!(address, Address::Unix("/run/ydock/ydock.sock".into()));
/// assert_eq!("[::1]:1234".parse::<Address>().unwrap().to_string(), "[::1]:1234");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An IP address and a port; port 0 takes a free one.
    Tcp(SocketAddr),
    /// The path of a unix socket.
    Unix(PathBuf),
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is no IP address with a port.
    #[error("{text:?} is neither an IP address with a port, such as 127.0.0.1:1234, nor unix:PATH")]
    Neither {
        /// The text.
        text: String,
        /// What is wrong with it as an IP address.
        source: AddrParseError,
    },
    /// Nothing follows `unix:`.
    #[error("unix: must be followed by the path of a socket, such as unix:/run/ydock/ydock.sock")]
    NoPath,
}

impl Address {
    /// Whether only this machine reaches it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }

    /// The IP address and the port, if it has such.
    #[must_use]
    pub const fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix(UNIX) {
            Some("") => Err(AddressError::NoPath),
            Some(path) => Ok(Self::Unix(path.into())),
            None => match text.parse() {
                Ok(address) => Ok(Self::Tcp(address)),
                Err(source) => Err(AddressError::Neither { text: text.to_owned(), source }),
            },
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

const UNIX: &str = "unix:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_address_or_a_clear_error() {
        for text in ["127.0.0.1:1234", "[::]:0", "unix:/run/ydock.sock", "unix:ydock.sock"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        assert_eq!("unix:".parse::<Address>(), Err(AddressError::NoPath));
        for text in ["", "localhost:1234", "127.0.0.1", "/run/ydock.sock", "Unix:/x"] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")) && error.contains("unix:PATH"), "{error}");
        }
    }

    #[test]
    fn a_unix_socket_is_local_and_only_loopback_is_of_the_others() {
        let is_local = |text: &str| text.parse::<Address>().unwrap().is_local();
        assert!(is_local("unix:x") && is_local("127.0.0.9:1") && is_local("[::1]:1"));
        assert!(!is_local("0.0.0.0:1") && !is_local("10.0.0.1:1"));
    }
}
