//! JSON texts inside updates: formats, embeds and the arrays of old Yjs versions.
//!
//! Every other member's `JSON.parse` must accept what passes here, so it is checked before it is relayed.

use serde::de::IgnoredAny;

use super::scan::ScanError;

/// Checks one JSON text: valid, and nested at most [`MAX_DEPTH`] deep.
pub(super) fn check(text: &str) -> Result<(), ScanError> {
    match text {
        "null" | "true" | "false" => Ok(()),
        _ if too_deep(text.as_bytes()) => Err(ScanError::TooDeep),
        // `IgnoredAny` accepts escaped lone surrogates, as `JSON.stringify` writes them and `JSON.parse` reads them.
        _ => serde_json::from_str::<IgnoredAny>(text).map(drop).or(Err(ScanError::InvalidJson)),
    }
}

fn too_deep(text: &[u8]) -> bool {
    let opened = text.iter().filter(|byte| matches!(byte, b'[' | b'{')).count();
    opened > MAX_DEPTH && depth(text) > MAX_DEPTH
}

/// The deepest nesting outside strings; exact for valid JSON.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Arrays and objects inside each other, at most: what yrs reads.
const MAX_DEPTH: usize = 127;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_stringify_writes_is_accepted() {
        for text in ["null", "1e308", "-0.5", r#""\ud83d""#, r#"{"a":[1,{"b":"[{"}]}"#, "\"\u{2028}\"", "1e400"] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_json_parse_would_throw_on_is_refused() {
        for text in ["", "undefined", "{", "[1,]", "NaN", "'a'", "1 2", "\"\n\""] {
            assert_eq!(check(text), Err(ScanError::InvalidJson), "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded_and_brackets_in_strings_do_not_count() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(check(&nested(MAX_DEPTH + 1)), Err(ScanError::TooDeep));
        assert_eq!(check(&nested(1_000_000)), Err(ScanError::TooDeep));
        assert_eq!(check(&format!("\"\\\"{}\"", "[".repeat(1000))), Ok(()));
    }
}
