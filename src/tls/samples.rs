//! Certificates for tests, each made anew.

use std::fs;
use std::path::Path;

use super::config::Files;

/// A certificate and its key as they stand in files.
pub(super) struct Sample {
    pub(super) cert: String,
    pub(super) key: String,
}

impl Sample {
    pub(super) fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        Self { cert: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }

    /// Writes both files of a pair into a directory.
    pub(super) fn write(&self, directory: &Path) -> Files {
        let files = Files { cert: directory.join("cert.pem"), key: directory.join("key.pem") };
        fs::write(&files.cert, &self.cert).unwrap();
        fs::write(&files.key, &self.key).unwrap();
        files
    }
}
