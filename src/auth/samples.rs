//! Keys for tests. They sign nothing anywhere else.

use jsonwebtoken::Algorithm;

/// A private key and its public one, in PEM.
pub(super) struct Pair {
    pub(super) private: String,
    pub(super) public: String,
}

/// A pair of each kind.
pub(super) fn pairs() -> [(Pair, Algorithm); 3] {
    let pair = |private: &str, public: &str| Pair { private: private.to_owned(), public: public.to_owned() };
    [
        (pair(include_str!("samples/rsa.pem"), include_str!("samples/rsa.pub")), Algorithm::RS256),
        (pair(include_str!("samples/ec.pem"), include_str!("samples/ec.pub")), Algorithm::ES256),
        (pair(include_str!("samples/ed.pem"), include_str!("samples/ed.pub")), Algorithm::EdDSA),
    ]
}
