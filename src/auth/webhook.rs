//! The owner's backend is asked who somebody is. What it does not say in time is a no.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use std::{fmt, fs};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::access::AccessError;
use super::authenticator::{Asked, Authenticator, Refusal};
use super::claims::{Claims, Documents};
use super::config::WebhookConfig;
use super::credentials::LONGEST_TOKEN;
use super::jwt::token_id;
use crate::access::{Pass, Pattern, Role, Rule, TokenId};
use crate::ids::DocName;
use crate::outbound::{self, Outbound, Target};
use crate::telemetry::ErrorChain;

/// Asks the backend, and remembers for a while what it has said.
pub(super) struct Webhook {
    outbound: Outbound,
    target: Target,
    secret: Option<Vec<u8>>,
    config: WebhookConfig,
    /// How many questions may be open at once.
    questions: Semaphore,
    known: Mutex<HashMap<Question, Known>>,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Question {
    token: Option<TokenId>,
    doc: Option<DocName>,
    address: Option<IpAddr>,
}

/// What was said, and until when that counts.
#[derive(Debug, Clone)]
struct Known {
    until: Instant,
    verdict: Result<Pass, Refusal>,
}

/// The question as the backend gets it.
#[derive(Serialize)]
struct Body<'a> {
    token: Option<&'a str>,
    document: Option<&'a str>,
    address: Option<String>,
}

/// What the backend says about somebody whom it knows.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    user: Option<String>,
    /// For which documents; without it, for the one that was asked about.
    #[serde(default)]
    docs: Option<Documents>,
    #[serde(default)]
    role: Option<Role>,
    /// In seconds.
    #[serde(default)]
    expires_in: Option<u64>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Webhook {
    /// An address to ask, with the file of the secret that signs what is asked.
    pub(super) fn open(config: &WebhookConfig, secret: Option<&Path>) -> Result<Self, AccessError> {
        let url = config.url.as_deref().ok_or(AccessError::NoUrl)?;
        let target = url.parse().or(Err(AccessError::NoUrl))?;
        let read = |path: &Path| fs::read(path).map_err(|source| AccessError::Secret { path: path.to_owned(), source });
        let secret = secret.map(read).transpose()?.map(|secret| secret.trim_ascii().to_vec());
        if secret.as_ref().is_some_and(Vec::is_empty) {
            return Err(AccessError::EmptySecret);
        }
        let outbound = Outbound::new().map_err(AccessError::NoClient)?;
        let (questions, known) = (Semaphore::new(MOST_QUESTIONS), Mutex::default());
        Ok(Self { outbound, target, secret, config: config.clone(), questions, known })
    }

    async fn ask(&self, asked: &Asked<'_>) -> Result<Pass, Refusal> {
        let unavailable = |why: &dyn fmt::Display| {
            tracing::warn!(%why, "the backend did not say who somebody is");
            Refusal::Unavailable
        };
        let _place = self.questions.acquire().await.map_err(|error| unavailable(&error))?;
        let body = Body {
            token: asked.token,
            document: asked.doc.map(DocName::as_str),
            address: asked.address.map(|address| address.to_string()),
        };
        let body = serde_json::to_vec(&body).map_err(|error| unavailable(&error))?;
        let headers: Vec<_> =
            self.secret.iter().map(|secret| (outbound::SIGNATURE, outbound::signature(secret, &body))).collect();
        let bounds = (self.config.timeout, LONGEST_ANSWER);
        let answered = self.outbound.post_json(&self.target, &headers, body.into(), bounds).await;
        let answered = answered.map_err(|error| unavailable(&ErrorChain(&error)))?;
        match answered.status {
            200 => match serde_json::from_slice::<Answer>(&answered.body) {
                Ok(answer) => answer.pass(asked).map_err(|refusal| unavailable(&refusal)),
                Err(_) => Err(unavailable(&"its answer is not the JSON that was expected")),
            },
            401 if asked.token.is_none() => Err(Refusal::NoToken),
            401 => Err(Refusal::Invalid("the token is not known")),
            403 => Err(Refusal::not_this_document()),
            other => Err(unavailable(&format_args!("it answered with status {other}"))),
        }
    }

    fn remembered(&self, question: &Question) -> Option<Result<Pass, Refusal>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(question).filter(|known| known.until > Instant::now())?;
        Some(known.verdict.clone())
    }

    fn remember(&self, question: Question, verdict: &Result<Pass, Refusal>) {
        if matches!(verdict, Err(Refusal::Unavailable)) || self.config.cache.is_zero() {
            return;
        }
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_KNOWN {
            known.retain(|_, known| known.until > now);
        }
        if known.len() >= MOST_KNOWN {
            known.clear();
        }
        known.insert(question, Known { until: now + self.config.cache, verdict: verdict.clone() });
    }
}

#[async_trait]
impl Authenticator for Webhook {
    async fn authenticate(&self, asked: &Asked<'_>) -> Result<Pass, Refusal> {
        if asked.token.is_some_and(|token| token.len() > LONGEST_TOKEN) {
            return Err(Refusal::Invalid("the token is longer than 8192 bytes"));
        }
        let question = Question { token: asked.token.map(token_id), doc: asked.doc.cloned(), address: asked.address };
        if let Some(verdict) = self.remembered(&question) {
            return verdict;
        }
        // Waiting for a place counts too.
        let verdict = timeout(self.config.timeout, self.ask(asked)).await.unwrap_or(Err(Refusal::Unavailable));
        self.remember(question, &verdict);
        verdict
    }
}

impl Answer {
    fn pass(self, asked: &Asked<'_>) -> Result<Pass, Refusal> {
        let token = asked.token.map_or(TokenId([0; 16]), token_id);
        let expires = self.expires_in.map(|seconds| SystemTime::now() + Duration::from_secs(seconds.min(FAR_AHEAD)));
        let is_for_this = self.docs.is_none();
        let docs = self.docs.unwrap_or_else(|| Documents::One(Pattern::everything()));
        let role = if is_for_this && asked.doc.is_none() { Some(Role::View) } else { self.role };
        let mut pass = Claims { sub: self.user, exp: 0, iat: None, docs, role }.pass(token)?;
        if is_for_this {
            // For what it was asked about, be it nothing: another question gets an answer of its own.
            let exactly = |doc| Rule { docs: Pattern::exactly(doc), role: role.unwrap_or(Role::View) };
            pass.rules = asked.doc.map(exactly).into_iter().collect();
        }
        pass.expires = expires;
        pass.token = asked.token.map(token_id);
        Ok(pass)
    }
}

const MOST_QUESTIONS: usize = 64;
const MOST_KNOWN: usize = 10_000;
const LONGEST_ANSWER: usize = 64 * 1024;
/// A hundred years.
const FAR_AHEAD: u64 = 100 * 366 * 24 * 3600;

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(json: &str, doc: &str) -> Result<Pass, Refusal> {
        let doc = DocName::parse(doc).unwrap();
        let answer: Answer = serde_json::from_str(json).unwrap();
        answer.pass(&Asked { token: Some("t"), doc: Some(&doc), address: None })
    }

    fn role(pass: &Pass, name: &str) -> Option<Role> {
        pass.grant(&DocName::parse(name).unwrap()).map(|grant| grant.role)
    }

    #[test]
    fn an_answer_without_documents_is_for_the_one_that_was_asked_about() {
        let pass = answer(r#"{"user":"ann","role":"edit","expires_in":60}"#, "a*").unwrap();
        assert_eq!((role(&pass, "a*"), role(&pass, "ab")), (Some(Role::Edit), None));
        assert!(pass.expires.is_some_and(|at| at > SystemTime::now()));
        let pass = answer(r#"{"docs":{"team/*":"view"}}"#, "x").unwrap();
        assert_eq!((role(&pass, "team/a"), role(&pass, "x"), pass.expires), (Some(Role::View), None, None));
        assert!(answer(r#"{"user":"ann"}"#, "x").is_err());
        let answer: Answer = serde_json::from_str(r#"{"user":"ann","role":"edit"}"#).unwrap();
        let pass = answer.pass(&Asked { token: Some("t"), doc: None, address: None }).unwrap();
        assert_eq!((role(&pass, "x"), pass.user.as_deref()), (None, Some("ann")));
    }
}
