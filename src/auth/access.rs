//! The one place that is asked who somebody is.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use thiserror::Error;
use tokio::time::timeout;

use super::authenticator::{Asked, Authenticator, Refusal};
use super::config::{Config, Mode};
use super::credentials::Credentials;
use super::jwt::{Jwt, KeyFileError, MintError};
use super::revocations::{Revocation, Revocations, RevocationsError, Whom};
use super::webhook::Webhook;
use crate::access::{Grant, Pass, Role, Rule};
use crate::ids::DocName;
use crate::shutdown::Tasks;
use crate::telemetry::Metrics;

/// Who may do what. Cloning gives another handle to the same.
#[derive(Debug, Clone)]
pub struct Access {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    authenticator: Arc<dyn Authenticator>,
    /// The same, where it has keys.
    jwt: Option<Arc<Jwt>>,
    revocations: Arc<Revocations>,
    cookie: String,
    look_every: Duration,
    metrics: OnceLock<Arc<Metrics>>,
}

/// Why access cannot be set up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AccessError {
    /// There is no key to check tokens with.
    #[error("access.key names no key file, and access.auth = \"{0}\" needs one")]
    NoKey(Mode),
    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The key cannot make tokens.
    #[error("access.auth = \"tokens\" needs a secret or a private key, and {0} has public keys only")]
    CannotSign(PathBuf),
    /// There is no backend to ask.
    #[error("access.webhook.url is no http:// or https:// address, and access.auth = \"webhook\" needs one")]
    NoUrl,
    /// The secret of the webhook cannot be read.
    #[error("cannot read the secret {path}")]
    Secret {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file of the secret is empty.
    #[error("the secret that access.key names is empty: anybody could sign with it")]
    EmptySecret,
    /// Nothing can be asked over HTTP.
    #[error("cannot read the certificates that the system trusts")]
    NoClient(#[source] io::Error),
    /// What was taken back is not known.
    #[error(transparent)]
    Revocations(#[from] RevocationsError),
}

/// Everybody may do the same.
#[derive(Debug)]
struct Open(Pass);

#[async_trait]
impl Authenticator for Open {
    async fn authenticate(&self, _: &Asked<'_>) -> Result<Pass, Refusal> {
        Ok(self.0.clone())
    }
}

impl Access {
    /// Access as the settings have it. What is taken back is kept in the directory, or without one until the process ends.
    ///
    /// # Errors
    /// When a key or an address is missing or cannot be used.
    pub fn of(config: &Config, directory: Option<&Path>) -> Result<Self, AccessError> {
        let mut access = match config.auth {
            Mode::Open => Self::shared(config, Arc::new(Open(Pass::everyone(config.everyone))), None),
            Mode::Jwt | Mode::Tokens => {
                let file = config.key.as_deref().ok_or(AccessError::NoKey(config.auth))?;
                let jwt = Arc::new(Jwt::open(file, config)?);
                if config.auth == Mode::Tokens && !jwt.keys().can_sign() {
                    return Err(AccessError::CannotSign(file.to_owned()));
                }
                Self::shared(config, jwt.clone(), Some(jwt))
            }
            Mode::Webhook => {
                let webhook = Webhook::open(&config.webhook, config.key.as_deref())?;
                Self::shared(config, Arc::new(webhook), None)
            }
        };
        if let Some(directory) = directory {
            access.revocations = Arc::new(Revocations::open(directory)?);
        }
        Ok(Self { shared: Arc::new(access) })
    }

    /// Everybody may do this with every document.
    ///
    /// ```
    /// use ydock::access::Role;
    /// use ydock::auth::{Access, Credentials};
    ///
    /// # async fn example() {
    /// let access = Access::everyone(Role::View);
    /// assert!(access.pass(Credentials::default().asking(None)).await.is_ok());
    /// # }
    /// ```
    #[must_use]
    pub fn everyone(role: Role) -> Self {
        let open = Arc::new(Open(Pass::everyone(role)));
        Self { shared: Arc::new(Self::shared(&Config::default(), open, None)) }
    }

    /// Access that an authenticator of your own decides on. Of the settings, those of cookies and revocations count.
    ///
    /// # Errors
    /// When what was taken back cannot be read.
    pub fn by(
        authenticator: Arc<dyn Authenticator>,
        config: &Config,
        directory: Option<&Path>,
    ) -> Result<Self, AccessError> {
        let mut shared = Self::shared(config, authenticator, None);
        if let Some(directory) = directory {
            shared.revocations = Arc::new(Revocations::open(directory)?);
        }
        Ok(Self { shared: Arc::new(shared) })
    }

    fn shared(config: &Config, authenticator: Arc<dyn Authenticator>, jwt: Option<Arc<Jwt>>) -> Shared {
        Shared {
            authenticator,
            jwt,
            revocations: Arc::new(Revocations::in_memory()),
            cookie: config.cookie.clone(),
            look_every: config.look_every,
            metrics: OnceLock::new(),
        }
    }

    /// The cookie that may carry a token.
    #[must_use]
    pub fn cookie(&self) -> &str {
        &self.shared.cookie
    }

    /// What somebody may do who has brought this.
    ///
    /// # Errors
    /// When they may not come in, or it cannot be found out now.
    pub async fn pass(&self, asked: Asked<'_>) -> Result<Pass, Refusal> {
        let answer = timeout(ANSWER_WITHIN, self.shared.authenticator.authenticate(&asked)).await;
        let pass = answer.unwrap_or(Err(Refusal::Unavailable));
        self.counted(pass.and_then(|pass| self.review(&pass)))
    }

    /// Counts refusals from now on, where there is somebody to count them. A server does it by itself.
    pub fn count_with(&self, metrics: Arc<Metrics>) {
        let _is_counted_already = self.shared.metrics.set(metrics).is_err();
    }

    fn counted<T>(&self, outcome: Result<T, Refusal>) -> Result<T, Refusal> {
        outcome.inspect_err(|refusal| {
            if let Some(metrics) = self.shared.metrics.get() {
                refusal.count(metrics);
            }
        })
    }

    /// The same for a document: what is allowed there, and by which pass.
    ///
    /// # Errors
    /// Also when the token is not for this document.
    pub async fn enter(&self, credentials: &Credentials, doc: &DocName) -> Result<(Pass, Grant), Refusal> {
        let pass = self.pass(credentials.asking(Some(doc))).await?;
        let grant = self.counted(pass.grant(doc).ok_or_else(Refusal::not_this_document))?;
        Ok((pass, grant))
    }

    /// Makes a token.
    ///
    /// # Errors
    /// When there is no key for it, or the server would not take such a token.
    pub fn mint(&self, user: Option<&str>, rules: &[Rule], lifetime: Duration) -> Result<String, MintError> {
        self.shared.jwt.as_ref().ok_or(MintError::CannotSign)?.keys().mint(user, rules, lifetime)
    }

    /// Whether a token says itself until when it is good.
    #[must_use]
    pub fn tokens_expire(&self) -> bool {
        self.shared.jwt.is_some()
    }

    /// The same access for the operator, who is asked for no token and may do everything.
    #[must_use]
    pub fn of_operator(&self) -> Self {
        let shared = Shared {
            authenticator: Arc::new(Open(Pass::everyone(Role::Admin))),
            jwt: self.shared.jwt.clone(),
            revocations: Arc::clone(&self.shared.revocations),
            cookie: self.shared.cookie.clone(),
            look_every: self.shared.look_every,
            metrics: OnceLock::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Takes something back from tokens. It counts at once; open sessions are another matter, and so is keeping it.
    ///
    /// # Errors
    /// When there are too many.
    pub fn take_back(&self, revocation: Revocation) -> Result<(), RevocationsError> {
        self.shared.revocations.add(revocation)
    }

    /// Has what was taken back outlive the process.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn keep_revocations(&self) -> Result<(), RevocationsError> {
        self.shared.revocations.keep().await
    }

    /// Gives back to somebody what was taken back; says whether there was anything. Keeping it is another matter here too.
    #[must_use]
    pub fn give_back(&self, whom: &Whom) -> bool {
        self.shared.revocations.remove(whom)
    }

    /// What is taken back now.
    #[must_use]
    pub fn revocations(&self) -> Vec<Revocation> {
        self.shared.revocations.list()
    }

    /// What is left of a pass by now.
    ///
    /// # Errors
    /// When it has expired, or everything was taken back.
    pub fn review(&self, pass: &Pass) -> Result<Pass, Refusal> {
        if pass.expires.is_some_and(|expires| expires <= SystemTime::now()) {
            return Err(Refusal::Expired);
        }
        self.shared.revocations.apply(pass.clone())
    }

    /// Reads the key file from time to time, so that another one in its place takes effect; until the server stops.
    pub async fn keep_keys(self, tasks: Tasks) {
        let Some(jwt) = self.shared.jwt.clone() else { return };
        let mut last = None;
        loop {
            tokio::select! {
                () = tasks.stopped() => return,
                () = tokio::time::sleep(self.shared.look_every) => {}
            }
            let looking = Arc::clone(&jwt);
            let outcome = tasks.run_blocking(move || looking.reload().map_err(|error| error.to_string())).await;
            let failure = outcome.and_then(Result::err);
            if failure != last {
                if let Some(error) = &failure {
                    let file = jwt.file().display();
                    tracing::error!(%file, %error, "the key file cannot be used; the keys read before stay");
                }
                last = failure;
            }
        }
    }
}

/// Whoever finds out who somebody is has so long at most, whatever its own bounds are.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
