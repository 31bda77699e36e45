//! What the rest of the server asks: who is this?

use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;
use thiserror::Error;

use crate::access::Pass;
use crate::ids::DocName;
use crate::telemetry::Metrics;

/// Finds out who somebody is. Bring your own with [`Access::by`](super::Access::by).
#[async_trait]
pub trait Authenticator: Send + Sync + fmt::Debug + 'static {
    /// What somebody may do who has brought this.
    ///
    /// # Errors
    /// When they may not come in, or it cannot be found out now.
    async fn authenticate(&self, asked: &Asked<'_>) -> Result<Pass, Refusal>;
}

/// What somebody has brought.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The token.
    pub token: Option<&'a str>,
    /// The document that they want to open, if it is about one.
    pub doc: Option<&'a DocName>,
    /// Where they come from, if that is known.
    pub address: Option<IpAddr>,
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.token.map(|_| "…");
        f.debug_struct("Asked").field("token", &token).field("doc", &self.doc).field("address", &self.address).finish()
    }
}

/// Why somebody may not come in. The texts are for them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// They have brought no token.
    #[error("a token is needed")]
    NoToken,
    /// Their token is none that counts here; the text says why.
    #[error("{0}")]
    Invalid(&'static str),
    /// Their token was good and is no longer.
    #[error("the token has expired")]
    Expired,
    /// Their token was taken back.
    #[error("access was revoked")]
    Revoked,
    /// They are somebody who may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// It cannot be found out now.
    #[error("it cannot be checked now who this is, try again later")]
    Unavailable,
}

impl Refusal {
    /// Its place among the reasons that are counted.
    const fn reason(&self) -> usize {
        match self {
            Self::NoToken => 0,
            Self::Invalid(_) => 1,
            Self::Expired => 2,
            Self::Revoked => 3,
            Self::Forbidden(_) => 4,
            Self::Unavailable => 5,
        }
    }

    /// Counts it.
    pub(super) fn count(&self, metrics: &Metrics) {
        if let Some(counter) = metrics.access_refused.get(self.reason()) {
            counter.increment(1);
        }
    }

    /// They may not open the document.
    #[must_use]
    pub fn not_this_document() -> Self {
        Self::Forbidden("this token is not for this document".to_owned())
    }
}
