//! Close codes: the one table from reasons to what clients see.
//!
//! 4400 to 4499 mean that trying again will not help (y-websocket 3.1 stops then), all others that it may.
//! 1002, 1007 and 1013 are those of RFC 6455 and its registry, 4205, 4401, 4403 and 4408 those of Hocuspocus, whose
//! providers from version 3 on try again after all of them.

use crate::delivery::Ending;

/// A close code and the reason beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// The code.
    pub code: u16,
    /// The reason, at most 123 bytes of UTF-8 as RFC 6455, section 5.5.1 demands.
    pub reason: String,
}

impl Close {
    /// Whether trying again will not help.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        (4400..4500).contains(&self.code)
    }
}

impl From<&Ending> for Close {
    fn from(ending: &Ending) -> Self {
        let code = match ending {
            Ending::BrokenFrames(_) => 1002,
            Ending::NotUtf8 => 1007,
            Ending::Reset(_) | Ending::Kicked => 4205,
            Ending::Malformed(_) => 4400,
            Ending::Unauthorized(_) | Ending::Expired | Ending::Revoked => 4401,
            Ending::Forbidden(_) => 4403,
            Ending::Deleted | Ending::NotFound(_) => 4404,
            Ending::NoToken => 4408,
            Ending::SentAway => 4410,
            Ending::TooLarge(_) => 4413,
            Ending::RoomFailed | Ending::Damaged => 4500,
            Ending::Unavailable(_) | Ending::ShuttingDown => 4503,
            Ending::Silent => 4504,
            Ending::TooSlow | Ending::RateLimited | Ending::Full => 1013,
        };
        Self { code, reason: shortened(ending.to_string()) }
    }
}

fn shortened(mut text: String) -> String {
    let mut end = text.len().min(LONGEST_REASON);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

const LONGEST_REASON: usize = 123;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        let close = Close::from(&Ending::Malformed("ü".repeat(100)));
        assert_eq!((close.code, close.reason.len()), (4400, 122));
    }

    #[test]
    fn what_the_client_must_mend_is_permanent_and_everything_else_is_not() {
        let permanent = |ending| Close::from(&ending).is_permanent();
        assert!(permanent(Ending::Malformed(String::new())));
        assert!(permanent(Ending::TooLarge(String::new())));
        assert!(permanent(Ending::Deleted));
        assert!(permanent(Ending::Forbidden(String::new())));
        assert!(permanent(Ending::NotFound(String::new())));
        assert!(permanent(Ending::SentAway));
        assert!(permanent(Ending::Unauthorized(String::new())));
        assert!(permanent(Ending::Expired));
        assert!(permanent(Ending::Revoked));
        for ending in [
            Ending::Full,
            Ending::Kicked,
            Ending::RateLimited,
            Ending::RoomFailed,
            Ending::ShuttingDown,
            Ending::Silent,
            Ending::TooSlow,
        ] {
            assert!(!permanent(ending));
        }
    }
}
