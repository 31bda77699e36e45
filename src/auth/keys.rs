//! Keys of tokens, read from a file: a secret, PEM, or a set of JSON Web Keys.

use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use thiserror::Error;

/// The keys that tokens are checked with, and the one that they are signed with if the file has it.
#[derive(Debug, Clone)]
pub struct Keys {
    pub(super) checking: Vec<CheckingKey>,
    pub(super) signing: Option<SigningKey>,
}

/// A key that a token may be signed with.
#[derive(Debug, Clone)]
pub(super) struct CheckingKey {
    /// Its name in the set, if it has one.
    pub(super) id: Option<String>,
    /// The one algorithm that it is for, whatever a token says.
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// A key that signs.
#[derive(Debug, Clone)]
pub(super) struct SigningKey {
    pub(super) algorithm: Algorithm,
    pub(super) key: EncodingKey,
}

/// Why a text holds no keys. None of these shows what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The secret is too short to be one.
    #[error("the secret has {0} bytes and needs at least {MIN_SECRET}; `openssl rand -base64 32` makes one")]
    ShortSecret(usize),
    /// A secret is a text.
    #[error("the key is neither a text nor PEM nor a set of JSON Web Keys")]
    NoText,
    /// The PEM cannot be used.
    #[error(
        "a PEM block is no key that can be used: RSA of 2048 bits or more, P-256 and Ed25519 can, the private ones as PKCS #8 \
         (`openssl pkcs8 -topk8 -nocrypt` makes that of others)"
    )]
    Pem,
    /// The JSON is no set of keys.
    #[error("the JSON is no set of JSON Web Keys: {0}")]
    Jwks(String),
    /// There is no key in it that can be used.
    #[error("the set has no key that can be used: RS256, ES256, EdDSA with Ed25519, and HS256 can")]
    NoneUsable,
}

impl Keys {
    /// Reads the content of a key file.
    ///
    /// # Errors
    /// When it holds no keys that can be used.
    pub fn parse(content: &[u8]) -> Result<Self, KeyError> {
        let text = std::str::from_utf8(content).or(Err(KeyError::NoText))?.trim();
        if text.starts_with('{') {
            Self::of_jwks(text)
        } else if text.contains(PEM_BEGIN) {
            Self::of_pem(text)
        } else {
            Self::of_secret(text.as_bytes())
        }
    }

    /// Whether tokens can be made with them.
    #[must_use]
    pub const fn can_sign(&self) -> bool {
        self.signing.is_some()
    }

    fn of_secret(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < MIN_SECRET {
            return Err(KeyError::ShortSecret(secret.len()));
        }
        let short = |_| KeyError::ShortSecret(secret.len());
        let (algorithm, id) = (Algorithm::HS256, None);
        let checking = CheckingKey { id, algorithm, key: DecodingKey::from_secret(secret).map_err(short)? };
        let signing = SigningKey { algorithm, key: EncodingKey::from_secret(secret).map_err(short)? };
        Ok(Self { checking: vec![checking], signing: Some(signing) })
    }

    /// Several blocks are several keys: the first private one signs.
    fn of_pem(text: &str) -> Result<Self, KeyError> {
        let mut keys = Self { checking: Vec::new(), signing: None };
        for block in text.split(PEM_BEGIN).skip(1) {
            let block = format!("{PEM_BEGIN}{block}");
            if block.contains("PRIVATE KEY-----") {
                let signing = private_key(block.as_bytes()).ok_or(KeyError::Pem)?;
                let public = Jwk::from_encoding_key(&signing.key, signing.algorithm).or(Err(KeyError::Pem))?;
                keys.checking.push(checking_key(&public).ok_or(KeyError::Pem)?);
                keys.signing.get_or_insert(signing);
            } else {
                keys.checking.push(public_key(block.as_bytes()).ok_or(KeyError::Pem)?);
            }
        }
        Ok(keys)
    }

    fn of_jwks(text: &str) -> Result<Self, KeyError> {
        let wrong = |error: serde_json::Error| KeyError::Jwks(error.to_string());
        let value: serde_json::Value = serde_json::from_str(text).map_err(wrong)?;
        let set = if value.get("keys").is_some() { value } else { serde_json::json!({ "keys": [value] }) };
        // One that is of no kind known here must not hide the others.
        let listed = set.get("keys").and_then(serde_json::Value::as_array);
        let Some(listed) = listed else { return Err(KeyError::Jwks("`keys` is no list".to_owned())) };
        let read = listed.iter().filter_map(|one| serde_json::from_value::<Jwk>(one.clone()).ok());
        let set = JwkSet { keys: read.collect() };
        let checking: Vec<_> = set.keys.iter().filter_map(checking_key).collect();
        if checking.is_empty() { Err(KeyError::NoneUsable) } else { Ok(Self { checking, signing: None }) }
    }
}

/// The key of a set, if it is one for signatures that are known here.
fn checking_key(jwk: &Jwk) -> Option<CheckingKey> {
    if matches!(jwk.common.public_key_use, Some(PublicKeyUse::Encryption)) {
        return None;
    }
    let key = DecodingKey::from_jwk(jwk).ok()?;
    let algorithm = algorithm_of(&key)?;
    let is_other = |named: KeyAlgorithm| named.to_string() != format!("{algorithm:?}");
    if jwk.common.key_algorithm.is_some_and(is_other) {
        return None;
    }
    Some(CheckingKey { id: jwk.common.key_id.clone(), algorithm, key })
}

fn public_key(pem: &[u8]) -> Option<CheckingKey> {
    let read = [DecodingKey::from_rsa_pem, DecodingKey::from_ec_pem, DecodingKey::from_ed_pem];
    let key = read.iter().find_map(|read| read(pem).ok())?;
    Some(CheckingKey { id: None, algorithm: algorithm_of(&key)?, key })
}

fn private_key(pem: &[u8]) -> Option<SigningKey> {
    type Read = fn(&[u8]) -> jsonwebtoken::errors::Result<EncodingKey>;
    let read: [(Algorithm, Read); 3] = [
        (Algorithm::RS256, EncodingKey::from_rsa_pem),
        (Algorithm::ES256, EncodingKey::from_ec_pem),
        (Algorithm::EdDSA, EncodingKey::from_ed_pem),
    ];
    read.iter().find_map(|(algorithm, read)| Some(SigningKey { algorithm: *algorithm, key: read(pem).ok()? }))
}

/// What a key is for, by its kind and length; `None` when it is not to be used, or its length would be wrong where it is.
fn algorithm_of(key: &DecodingKey) -> Option<Algorithm> {
    use jsonwebtoken::{AlgorithmFamily, DecodingKeyKind};
    let len = match key.kind() {
        DecodingKeyKind::SecretOrDer(bytes) => bytes.len(),
        DecodingKeyKind::RsaModulusExponent { n, .. } => n.len(),
    };
    match key.family() {
        AlgorithmFamily::Hmac => (len >= MIN_SECRET).then_some(Algorithm::HS256),
        AlgorithmFamily::Rsa => (len >= MIN_MODULUS).then_some(Algorithm::RS256),
        AlgorithmFamily::Ec => (len == P256_POINT).then_some(Algorithm::ES256),
        AlgorithmFamily::Ed => (len == ED25519_KEY).then_some(Algorithm::EdDSA),
    }
}

const PEM_BEGIN: &str = "-----BEGIN ";
/// RFC 7518, section 3.2: a key of HS256 has at least the length of the hash.
const MIN_SECRET: usize = 32;
/// RFC 7518, section 3.3: 2048 bits.
const MIN_MODULUS: usize = 256;
/// An uncompressed point of SEC 1, section 2.3.3.
const P256_POINT: usize = 65;
/// RFC 8032, section 5.1.5.
const ED25519_KEY: usize = 32;

#[cfg(test)]
mod tests {
    use super::super::samples::{self, Pair};
    use super::*;

    fn algorithms(text: &str) -> Result<Vec<Algorithm>, KeyError> {
        Keys::parse(text.as_bytes()).map(|keys| keys.checking.iter().map(|key| key.algorithm).collect())
    }

    #[test]
    fn a_secret_needs_its_length() {
        assert_eq!(algorithms(&"x".repeat(32)), Ok(vec![Algorithm::HS256]));
        assert_eq!(algorithms(&format!("  {}\n", "x".repeat(31))), Err(KeyError::ShortSecret(31)));
        assert_eq!(Keys::parse(&[0xff; 40]).unwrap_err(), KeyError::NoText);
    }

    #[test]
    fn each_kind_of_pem_is_known_by_itself() {
        for (Pair { private, public }, algorithm) in samples::pairs() {
            assert_eq!(algorithms(&public), Ok(vec![algorithm]), "{public}");
            assert_eq!(algorithms(&private), Ok(vec![algorithm]), "{algorithm:?}");
            assert!(Keys::parse(private.as_bytes()).unwrap().can_sign());
            assert!(!Keys::parse(public.as_bytes()).unwrap().can_sign());
        }
        let both = samples::pairs().map(|(pair, _)| pair.public).concat();
        assert_eq!(algorithms(&both).unwrap().len(), 3);
    }

    #[test]
    fn what_is_no_key_is_told_and_not_shown() {
        let certificate = samples::pairs()[0].0.public.replace("PUBLIC", "CERTIFICATE REQUEST");
        for wrong in ["-----BEGIN PUBLIC KEY-----\nsecret\n-----END PUBLIC KEY-----", &certificate] {
            let error = algorithms(wrong).unwrap_err();
            assert_eq!(error, KeyError::Pem);
            assert!(!error.to_string().contains("secret"));
        }
    }

    #[test]
    fn a_set_keeps_what_can_be_used() {
        let set = r#"{"keys":[
            {"kty":"EC","crv":"P-256","kid":"a","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
            {"kty":"EC","crv":"P-256","use":"enc","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
            {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"EdDSA"},
            {"kty":"OKP","crv":"Ed25519","x":"AAAA"},
            {"kty":"oct","k":"c2hvcnQ"},
            {"kty":"novel"}]}"#;
        assert_eq!(algorithms(set), Ok(vec![Algorithm::ES256, Algorithm::EdDSA]));
        let one = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(algorithms(one), Ok(vec![Algorithm::EdDSA]));
        assert_eq!(algorithms(r#"{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}"#), Err(KeyError::NoneUsable));
        assert!(matches!(algorithms(r#"{"keys":1}"#), Err(KeyError::Jwks(_))));
        assert!(matches!(algorithms("{"), Err(KeyError::Jwks(_))));
    }
}
