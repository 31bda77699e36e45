//! Whether the files of a pair hold another one by now.
//!
//! The files are read whole each time: so it does not matter how they change, be it in place, by a renamed file or by a link
//! to another directory, nor how coarse the clock of the file system is.

use super::config::Files;
use super::pair::{Pair, PairError, Texts};

/// What two files held when they were looked at last.
#[derive(Debug)]
pub struct Watch {
    files: Files,
    /// What the last verdict was about.
    judged: Sight,
    /// What is bad, and waits for a second look: a pair may be seen while only one of its files is there.
    doubted: Option<Sight>,
}

/// What a look found.
#[derive(Debug, PartialEq, Eq)]
enum Sight {
    Texts(Texts),
    Unreadable,
}

impl Watch {
    /// Reads a pair, and remembers it.
    ///
    /// # Errors
    /// When the files cannot be read, or are no pair.
    pub fn begin(files: Files) -> Result<(Self, Pair), PairError> {
        let texts = Texts::read(&files)?;
        let pair = Pair::of(&texts, &files)?;
        Ok((Self { files, judged: Sight::Texts(texts), doubted: None }, pair))
    }

    /// Looks again: gives what is there if it is new. Blocks on the disk.
    ///
    /// What is bad is told once, and only if two looks in a row find it.
    pub fn look(&mut self) -> Option<Result<Pair, PairError>> {
        let (sight, outcome) = match Texts::read(&self.files) {
            Ok(texts) => {
                let outcome = Pair::of(&texts, &self.files);
                (Sight::Texts(texts), outcome)
            }
            Err(error) => (Sight::Unreadable, Err(error)),
        };
        if sight == self.judged {
            self.doubted = None;
            return None;
        }
        if outcome.is_err() && self.doubted.as_ref() != Some(&sight) {
            self.doubted = Some(sight);
            return None;
        }
        (self.judged, self.doubted) = (sight, None);
        Some(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::super::samples::Sample;
    use super::*;

    fn leaf(pair: &Pair) -> Vec<u8> {
        pair.key.cert[0].to_vec()
    }

    #[test]
    fn a_new_pair_is_found_once() {
        let directory = tempfile::tempdir().unwrap();
        let (mut watch, first) = Watch::begin(Sample::new().write(directory.path())).unwrap();
        assert!(watch.look().is_none());
        Sample::new().write(directory.path());
        let second = watch.look().unwrap().unwrap();
        assert_ne!(leaf(&first), leaf(&second));
        assert!(watch.look().is_none());
    }

    #[test]
    fn what_is_bad_is_told_once_and_only_when_it_stays() {
        let directory = tempfile::tempdir().unwrap();
        let (one, other) = (Sample::new(), Sample::new());
        let files = one.write(directory.path());
        let (mut watch, _) = Watch::begin(files.clone()).unwrap();
        // The pair is replaced file by file.
        fs::write(&files.cert, &other.cert).unwrap();
        assert!(watch.look().is_none());
        fs::write(&files.key, &other.key).unwrap();
        watch.look().unwrap().unwrap();

        fs::write(&files.key, &one.key).unwrap();
        assert!(watch.look().is_none());
        assert!(matches!(watch.look(), Some(Err(PairError::Mismatch { .. }))));
        assert!(watch.look().is_none());
        fs::remove_file(&files.key).unwrap();
        assert!(watch.look().is_none());
        assert!(matches!(watch.look(), Some(Err(PairError::Unreadable { .. }))));
        assert!(watch.look().is_none());
        fs::write(&files.key, &other.key).unwrap();
        watch.look().unwrap().unwrap();
    }

    /// As a cluster mounts a secret: the files are links into a directory, and the link to that is replaced.
    #[test]
    fn a_pair_behind_a_replaced_link_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for name in ["one", "other"] {
            fs::create_dir(at(name)).unwrap();
            Sample::new().write(&at(name));
        }
        symlink("one", at("now")).unwrap();
        let files = Files { cert: at("now").join("cert.pem"), key: at("now").join("key.pem") };
        let (mut watch, first) = Watch::begin(files).unwrap();
        symlink("other", at("next")).unwrap();
        fs::rename(at("next"), at("now")).unwrap();
        assert_ne!(leaf(&first), leaf(&watch.look().unwrap().unwrap()));
    }
}
