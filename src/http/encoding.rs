//! In which coding a file goes out: one that the request allows, best first.
//!
//! Source: RFC 9110, section 12.5.3. What cannot be read there counts as not allowed, because no coding is never wrong.

use axum::http::{HeaderMap, header};

/// A form in which a file may lie ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
    /// As it is.
    Identity,
}

impl Coding {
    /// The name of the coding in headers.
    pub(super) const fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }

    /// What the file in this coding is called after the name of the file itself.
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }
}

/// The codings that a request allows, the preferred one first. The last resort is always the file as it is.
pub(super) fn accepted(headers: &HeaderMap) -> Vec<Coding> {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let wishes: Vec<_> = lines.flat_map(|line| line.split(',')).map(wish).collect();
    let mut weighed = CODINGS.map(|coding| (coding, weight(coding, &wishes)));
    weighed.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let mut codings: Vec<_> =
        weighed.into_iter().filter(|(_, weight)| *weight > 0.0).map(|(coding, _)| coding).collect();
    if !codings.contains(&Coding::Identity) {
        codings.push(Coding::Identity);
    }
    codings
}

/// A coding's name and its weight.
fn wish(text: &str) -> (&str, f32) {
    let (name, parameters) = text.split_once(';').unwrap_or((text, ""));
    let weight = match parameters.trim().split_once('=') {
        Some((key, number)) if key.trim().eq_ignore_ascii_case("q") => number.trim().parse().unwrap_or(0.0),
        _ => 1.0,
    };
    (name.trim(), weight)
}

fn weight(coding: Coding, wishes: &[(&str, f32)]) -> f32 {
    let of = |wanted: &str| {
        let found = wishes.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, weight)| *weight)
    };
    let unnamed = if coding == Coding::Identity { LEAST } else { 0.0 };
    of(coding.token()).or_else(|| of("*")).unwrap_or(unnamed)
}

/// Among equal weights the first wins.
const CODINGS: [Coding; 3] = [Coding::Brotli, Coding::Gzip, Coding::Identity];
/// The weight of a file as it is where nothing is said of it: allowed, but every named coding is preferred.
const LEAST: f32 = f32::MIN_POSITIVE;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> Vec<&'static str> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::ACCEPT_ENCODING, line.parse().unwrap());
        }
        accepted(&headers).into_iter().map(Coding::token).collect()
    }

    #[test]
    fn browsers_get_brotli_and_plain_programs_the_file_as_it_is() {
        assert_eq!(of(&["gzip, deflate, br, zstd"]), ["br", "gzip", "identity"]);
        assert_eq!(of(&["gzip", "BR"]), ["br", "gzip", "identity"]);
        assert_eq!(of(&["*"]), ["br", "gzip", "identity"]);
        for nothing in [&[][..], &[""], &["deflate"], &["identity"]] {
            assert_eq!(of(nothing), ["identity"], "{nothing:?}");
        }
    }

    #[test]
    fn weights_order_the_codings_and_zero_forbids_one() {
        assert_eq!(of(&["br;q=0.2, gzip;q=0.8"]), ["gzip", "br", "identity"]);
        assert_eq!(of(&["br; q=0 , gzip ;Q=0.001"]), ["gzip", "identity"]);
        assert_eq!(of(&["gzip;q=0.5, identity"]), ["identity", "gzip"]);
        assert_eq!(of(&["*, br;q=0.0"]), ["gzip", "identity"]);
        assert_eq!(of(&["br;q=many, gzip;q=0"]), ["identity"]);
    }

    #[test]
    fn a_request_that_forbids_everything_gets_the_file_as_it_is() {
        assert_eq!(of(&["*;q=0"]), ["identity"]);
        assert_eq!(of(&["identity;q=0"]), ["identity"]);
        assert_eq!(of(&["identity;q=0, br"]), ["br", "identity"]);
    }
}
