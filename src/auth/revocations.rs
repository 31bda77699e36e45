//! What was taken back from tokens that are still good by themselves; kept in a file, so that a restart gives nothing back.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::authenticator::Refusal;
use crate::access::{Limit, Pass, Pattern, Role, TokenId};

/// What is taken back, and from whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// From whom.
    #[serde(flatten)]
    pub whom: Whom,
    /// In which documents.
    pub docs: Pattern,
    /// The highest role that is left; nothing without one.
    pub at_most: Option<Role>,
    /// Since when. Of a user, tokens that were made later are not concerned.
    #[serde(with = "humantime_serde")]
    pub since: SystemTime,
    /// When there is nothing left to take back.
    #[serde(with = "humantime_serde", default, skip_serializing_if = "Option::is_none")]
    pub until: Option<SystemTime>,
}

/// From whom something is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Whom {
    /// From one token.
    Token(TokenId),
    /// From a user, with whatever token made until then.
    User(String),
}

/// Why something was not taken back for good.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RevocationsError {
    /// There are too many.
    #[error("more than {MOST} revocations are in force")]
    Full,
    /// The file cannot be read or written.
    #[error("cannot keep revocations in {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{path} does not hold revocations")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        source: serde_json::Error,
    },
}

/// All of them.
#[derive(Debug)]
pub(super) struct Revocations {
    /// Without one they end with the process.
    file: Option<PathBuf>,
    by_whom: Mutex<HashMap<Whom, Vec<Revocation>>>,
    /// Held while the file is written, so that an older state never takes the place of a newer one.
    writing: Arc<tokio::sync::Mutex<()>>,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    revocations: Vec<Revocation>,
}

impl Revocations {
    pub(super) fn in_memory() -> Self {
        Self { file: None, by_whom: Mutex::default(), writing: Arc::default() }
    }

    /// Those that are kept in a directory.
    pub(super) fn open(directory: &Path) -> Result<Self, RevocationsError> {
        let path = directory.join(FILE);
        let kept = match fs::read(&path) {
            Ok(content) => serde_json::from_slice(&content)
                .map_err(|source| RevocationsError::Content { path: path.clone(), source })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept { revocations: Vec::new() },
            Err(source) => return Err(RevocationsError::File { path, source }),
        };
        let this = Self { file: Some(path), ..Self::in_memory() };
        let mut by_whom = this.lock();
        for revocation in kept.revocations {
            by_whom.entry(revocation.whom.clone()).or_default().push(revocation);
        }
        drop(by_whom);
        Ok(this)
    }

    /// What is left of a pass.
    pub(super) fn apply(&self, mut pass: Pass) -> Result<Pass, Refusal> {
        let by_whom = self.lock();
        let of_token = pass.token.and_then(|token| by_whom.get(&Whom::Token(token)));
        let of_user = pass.user.as_deref().and_then(|user| by_whom.get(&Whom::User(user.to_owned())));
        let is_older = |revocation: &&Revocation| pass.issued.is_none_or(|issued| issued <= revocation.since);
        let of_user = of_user.into_iter().flatten().filter(is_older);
        let limits: Vec<_> = of_token.into_iter().flatten().chain(of_user).map(Limit::from).collect();
        drop(by_whom);
        if limits.iter().any(|limit| limit.at_most.is_none() && limit.docs.is_everything()) {
            return Err(Refusal::Revoked);
        }
        // Also when there are none any more: something may have been given back.
        if !(limits.is_empty() && pass.limits.is_empty()) {
            pass.limits = limits.into();
        }
        Ok(pass)
    }

    /// Adds one, which counts at once.
    pub(super) fn add(&self, new: Revocation) -> Result<(), RevocationsError> {
        let mut by_whom = self.lock();
        let now = SystemTime::now();
        by_whom.retain(|_, list| {
            list.retain(|revocation| revocation.until.is_none_or(|until| until > now));
            !list.is_empty()
        });
        if by_whom.values().map(Vec::len).sum::<usize>() >= MOST {
            return Err(RevocationsError::Full);
        }
        let list = by_whom.entry(new.whom.clone()).or_default();
        // The same again has a newer time; another one gives nothing back.
        list.retain(|earlier| (&earlier.docs, earlier.at_most) != (&new.docs, new.at_most));
        list.push(new);
        Ok(())
    }

    /// Gives back what was taken back from somebody; says whether there was anything.
    pub(super) fn remove(&self, whom: &Whom) -> bool {
        self.lock().remove(whom).is_some()
    }

    pub(super) fn list(&self) -> Vec<Revocation> {
        self.lock().values().flatten().cloned().collect()
    }

    /// Writes them down. Once it has begun, it is done to the end, whether it is waited for or not.
    pub(super) async fn keep(&self) -> Result<(), RevocationsError> {
        let Some(path) = self.file.clone() else { return Ok(()) };
        let turn = Arc::clone(&self.writing).lock_owned().await;
        let kept = Kept { revocations: self.list() };
        let file = path.clone();
        let written = tokio::task::spawn_blocking(move || {
            let outcome = write(&file, &kept);
            drop(turn);
            outcome
        });
        let outcome = written.await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        outcome.map_err(|source| RevocationsError::File { path, source })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Whom, Vec<Revocation>>> {
        self.by_whom.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<&Revocation> for Limit {
    fn from(revocation: &Revocation) -> Self {
        Self { docs: revocation.docs.clone(), at_most: revocation.at_most }
    }
}

/// Replaces the file as a whole, durably.
fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    let beside = path.with_extension("json.new");
    let mut file = File::create(&beside)?;
    serde_json::to_writer(&mut file, kept)?;
    file.flush()?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// Beside the store, in the data directory.
const FILE: &str = "revocations.json";
const MOST: usize = 100_000;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ids::DocName;

    const TOKEN: TokenId = TokenId([7; 16]);

    fn pass(issued: Option<SystemTime>) -> Pass {
        Pass { user: Some("ann".into()), token: Some(TOKEN), issued, ..Pass::everyone(Role::Edit) }
    }

    fn revocation(whom: Whom, docs: &str, at_most: Option<Role>) -> Revocation {
        Revocation { whom, docs: docs.parse().unwrap(), at_most, since: SystemTime::now(), until: None }
    }

    fn ann() -> Whom {
        Whom::User("ann".to_owned())
    }

    #[tokio::test]
    async fn a_token_that_was_taken_back_opens_nothing_even_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let revocations = Revocations::open(directory.path()).unwrap();
        revocations.apply(pass(None)).unwrap();
        revocations.add(revocation(Whom::Token(TOKEN), "*", None)).unwrap();
        revocations.keep().await.unwrap();
        assert_eq!(revocations.apply(pass(None)), Err(Refusal::Revoked));
        let again = Revocations::open(directory.path()).unwrap();
        assert_eq!(again.apply(pass(None)), Err(Refusal::Revoked));
        assert_eq!(again.list(), revocations.list());
        assert!(again.remove(&Whom::Token(TOKEN)));
        again.keep().await.unwrap();
        again.apply(pass(None)).unwrap();
        assert!(!again.remove(&Whom::Token(TOKEN)));
        Revocations::open(directory.path()).unwrap().apply(pass(None)).unwrap();
    }

    #[tokio::test]
    async fn a_user_comes_back_with_a_newer_token_only() {
        let revocations = Revocations::in_memory();
        let now = SystemTime::now();
        revocations.add(revocation(ann(), "*", None)).unwrap();
        assert_eq!(revocations.apply(pass(None)), Err(Refusal::Revoked));
        assert_eq!(revocations.apply(pass(Some(now - Duration::from_secs(5)))), Err(Refusal::Revoked));
        revocations.apply(pass(Some(now + Duration::from_secs(5)))).unwrap();
        revocations.apply(Pass { user: Some("bob".into()), token: None, ..pass(None) }).unwrap();
    }

    #[tokio::test]
    async fn some_documents_may_be_taken_back_and_nothing_is_given_back_by_the_way() {
        let revocations = Revocations::in_memory();
        let role = |name: &str| {
            let pass = revocations.apply(pass(None)).unwrap();
            pass.grant(&DocName::parse(name).unwrap()).map(|grant| grant.role)
        };
        revocations.add(revocation(ann(), "a", None)).unwrap();
        revocations.add(revocation(ann(), "b*", Some(Role::View))).unwrap();
        assert_eq!((role("a"), role("b"), role("c")), (None, Some(Role::View), Some(Role::Edit)));
        revocations.add(revocation(ann(), "a", Some(Role::Comment))).unwrap();
        assert_eq!(role("a"), None, "another one gives nothing back");
        let before = revocations.list().len();
        revocations.add(revocation(ann(), "a", None)).unwrap();
        assert_eq!(revocations.list().len(), before, "the same is not kept twice");
        let limited = revocations.apply(pass(None)).unwrap();
        assert!(revocations.remove(&ann()));
        assert_eq!(revocations.apply(limited).unwrap(), pass(None), "what was given back is there again");
    }

    #[tokio::test]
    async fn what_has_run_out_is_forgotten() {
        let revocations = Revocations::in_memory();
        let over = Revocation { until: Some(SystemTime::now()), ..revocation(Whom::Token(TOKEN), "*", None) };
        revocations.add(over).unwrap();
        revocations.add(revocation(ann(), "*", None)).unwrap();
        assert_eq!(revocations.list().len(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_read_gives_nothing_back() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(FILE), "{").unwrap();
        assert!(matches!(Revocations::open(directory.path()), Err(RevocationsError::Content { .. })));
    }
}
