//! A certificate and its key, read from PEM and checked to belong together.
//!
//! What is wrong with PEM is not quoted, and the errors of its reader are not kept: they have whole lines in them, and a file
//! may be that of the key by mistake, or have the key in a single line.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::config::Files;

/// The text of two files; its debugging form shows nothing of them.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Texts {
    cert: Vec<u8>,
    key: Vec<u8>,
}

/// A certificate with the key that belongs to it.
#[derive(Debug, Clone)]
pub struct Pair {
    pub(super) key: Arc<CertifiedKey>,
}

/// Why two files are no certificate and key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PairError {
    /// A file cannot be read.
    #[error("cannot read the TLS {what} in {}", path.display())]
    Unreadable {
        /// What should be in it.
        what: What,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file of the certificate is not PEM.
    #[error(
        "the TLS certificate in {} is broken PEM: expected a line -----BEGIN CERTIFICATE-----, lines of Base64, and a line \
         -----END CERTIFICATE-----",
        path.display()
    )]
    BrokenCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The file of the certificate has none in it.
    #[error("there is no certificate in {}: expected PEM with -----BEGIN CERTIFICATE-----", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The first certificate cannot be used.
    #[error("the first certificate in {} cannot be used", path.display())]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
    /// The file of the key is not PEM.
    #[error(
        "the TLS key in {} is broken PEM: expected a line -----BEGIN PRIVATE KEY-----, lines of Base64, and a line \
         -----END PRIVATE KEY-----",
        path.display()
    )]
    BrokenKey {
        /// The file.
        path: PathBuf,
    },
    /// The file of the key has none in it.
    #[error("there is no private key in {}: expected PEM with -----BEGIN PRIVATE KEY-----", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is encrypted.
    #[error("the private key in {} is encrypted: store it without a passphrase, readable by the server alone", path.display())]
    EncryptedKey {
        /// The file.
        path: PathBuf,
    },
    /// The key is broken or of a kind that is not known.
    #[error("the private key in {} is not understood: it must be RSA (2048 to 4096 bits), ECDSA (P-256 or P-384) or Ed25519", path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
    },
    /// The key belongs to another certificate.
    #[error("the private key in {} does not belong to the first certificate in {}", key.display(), cert.display())]
    Mismatch {
        /// The file of the certificate.
        cert: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
}

/// What a file should hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The certificate.
    Certificate,
    /// The private key.
    Key,
}

impl Pair {
    /// Reads a pair. Blocks on the disk.
    ///
    /// # Errors
    /// When the files cannot be read, or are no pair.
    pub fn read(files: &Files) -> Result<Self, PairError> {
        Self::of(&Texts::read(files)?, files)
    }

    /// The pair in these texts, which were read from these files.
    pub(super) fn of(texts: &Texts, files: &Files) -> Result<Self, PairError> {
        let chain = chain(&texts.cert, &files.cert)?;
        let key = private_key(&texts.key, &files.key)?;
        let provider = rustls::crypto::ring::default_provider();
        let key = provider.key_provider.load_private_key(key);
        let key = key.or(Err(PairError::UnknownKey { path: files.key.clone() }))?;
        let pair = CertifiedKey::new(chain, key);
        match pair.keys_match() {
            Ok(()) => Ok(Self { key: Arc::new(pair) }),
            Err(rustls::Error::InconsistentKeys(_)) => {
                Err(PairError::Mismatch { cert: files.cert.clone(), key: files.key.clone() })
            }
            Err(source) => Err(PairError::BadCertificate { path: files.cert.clone(), source }),
        }
    }
}

impl Texts {
    /// Reads both files. Blocks on the disk.
    pub(super) fn read(files: &Files) -> Result<Self, PairError> {
        let read = |what, path: &Path| {
            fs::read(path).map_err(|source| PairError::Unreadable { what, path: path.to_owned(), source })
        };
        Ok(Self { cert: read(What::Certificate, &files.cert)?, key: read(What::Key, &files.key)? })
    }
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").finish_non_exhaustive()
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Certificate => "certificate",
            Self::Key => "key",
        })
    }
}

fn chain(text: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>, PairError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    let chain = chain.or(Err(PairError::BrokenCertificate { path: path.to_owned() }))?;
    if chain.is_empty() { Err(PairError::NoCertificate { path: path.to_owned() }) } else { Ok(chain) }
}

fn private_key(text: &[u8], path: &Path) -> Result<PrivateKeyDer<'static>, PairError> {
    let path = path.to_owned();
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        _ if holds(text, ENCRYPTED) => PairError::EncryptedKey { path },
        PemError::NoItemsFound => PairError::NoKey { path },
        _ => PairError::BrokenKey { path },
    })
}

fn holds(text: &[u8], mark: &[u8]) -> bool {
    text.windows(mark.len()).any(|window| window == mark)
}

/// In the first line of an encrypted key, of PKCS #8 and in the older form.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

#[cfg(test)]
mod tests {
    use super::super::samples::Sample;
    use super::*;
    use crate::telemetry::ErrorChain;

    /// What is wrong with two files of these texts.
    fn fault(cert: &str, key: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let files = Sample { cert: cert.to_owned(), key: key.to_owned() }.write(directory.path());
        let error = Pair::read(&files).unwrap_err();
        let text = ErrorChain(&error).to_string();
        let words = cert.split_whitespace().chain(key.split_whitespace());
        for word in words.filter(|word| word.len() > 40) {
            assert!(!text.contains(word) && !format!("{error:?}").contains(word), "{error:?}");
        }
        text
    }

    #[test]
    fn a_pair_in_two_files_or_in_one_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let Sample { cert, key } = Sample::new();
        Pair::read(&Sample { cert: cert.clone(), key: key.clone() }.write(directory.path())).unwrap();
        let both = format!("{key}{cert}").replace('\n', "\r\n");
        let pair = Pair::read(&Sample { cert: both.clone(), key: both }.write(directory.path())).unwrap();
        assert_eq!(pair.key.cert.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_said_with_the_file_and_without_the_key() {
        let (one, other) = (Sample::new(), Sample::new());
        let text = fault(&one.cert, &other.key);
        assert!(text.contains("does not belong") && text.contains("key.pem") && text.contains("cert.pem"), "{text}");
        let text = fault(&one.key, &one.cert);
        assert!(text.contains("no certificate in") && text.contains("cert.pem"), "{text}");
        let text = fault(&one.cert, &one.cert);
        assert!(text.contains("no private key in") && text.contains("key.pem"), "{text}");
        let text = fault("", &one.key);
        assert!(text.contains("no certificate in"), "{text}");
        let text = fault(&one.cert.replace("-----END", "-----AND"), &one.key);
        assert!(text.contains("broken PEM") && text.contains("cert.pem"), "{text}");
        let text = fault(&one.cert, &one.key.replace("-----END", "-----AND"));
        assert!(text.contains("broken PEM") && text.contains("key.pem"), "{text}");
        let text = fault(&one.cert, &one.key.replace("PRIVATE", "ENCRYPTED PRIVATE"));
        assert!(text.contains("is encrypted") && text.contains("key.pem"), "{text}");
        let text = fault(&one.cert, &one.key.replacen('\n', "\nProc-Type: 4,ENCRYPTED\n\n", 1));
        assert!(text.contains("is encrypted"), "{text}");
        let text = fault("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &one.key);
        assert!(text.contains("cannot be used") && text.contains("cert.pem"), "{text}");
        let text = fault(&one.cert, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        assert!(text.contains("not understood") && text.contains("key.pem"), "{text}");
    }

    /// As a variable of an environment may have made it. The library's error has the whole line.
    #[test]
    fn a_key_on_a_single_line_is_not_quoted() {
        let Sample { cert, key } = Sample::new();
        let line = key.replace('\n', " ");
        assert!(fault(&cert, &line).contains("broken PEM"));
        assert!(fault(&line, &key).contains("broken PEM"));
        assert!(fault(&line.replace("PRIVATE KEY", "CERTIFICATE"), &line).contains("broken PEM"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let files = Sample::new().write(directory.path());
        fs::remove_file(&files.key).unwrap();
        let text = Pair::read(&files).unwrap_err().to_string();
        assert!(text.contains("cannot read the TLS key") && text.contains("key.pem"), "{text}");
    }
}
