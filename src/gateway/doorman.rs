//! Who is let into namespaces at all, before a gateway's own guards are asked; and what becomes of clients whose token is
//! taken back or expires.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use serde::Deserialize;
use serde_json::json;

use super::client::Client;
use super::client::Shared as SharedClient;
use super::event::Handshake;
use super::options::Origins;
use super::wire::DisconnectReason;
use crate::access::{Grant, Pass, Role};
use crate::auth::{Access, Credentials, Refusal};
use crate::connection::{Close, Holder, Seated, Sessions, Visitor};
use crate::delivery::Ending;
use crate::hooks::Front;
use crate::ids::DocName;

/// Who may come in, and who is there.
#[derive(Debug, Clone)]
pub struct Doorman {
    /// Who may do what.
    pub access: Access,
    /// Everybody who is there.
    pub sessions: Sessions,
    /// From which pages clients may come to gateways that say nothing about it.
    pub origins: Origins,
}

impl Default for Doorman {
    /// One who lets everybody in.
    fn default() -> Self {
        Self { access: Access::everyone(Role::Admin), sessions: Sessions::default(), origins: Origins::Same }
    }
}

/// How a client came in: what its token is good for, once it has been seen.
#[derive(Debug)]
pub(super) struct Leave {
    pass: Pass,
    credentials: Mutex<Credentials>,
    seated: Mutex<Option<Seated>>,
}

impl Doorman {
    /// What a client may do, by the token of its `auth` or of the request that opened its connection.
    pub(super) async fn look_at(&self, handshake: &Handshake) -> Result<Leave, Refusal> {
        #[derive(Deserialize)]
        struct Auth {
            token: String,
        }
        let address = handshake.address.map(|address| address.ip());
        let query = handshake.uri.query();
        let brought = Credentials::of(&handshake.headers, query, self.access.cookie(), address);
        let own = handshake.auth::<Auth>().ok().map(|auth| auth.token).filter(|token| !token.is_empty());
        let credentials = if own.is_some() { brought.with_token(own.as_deref()) } else { brought };
        let pass = self.access.pass(credentials.asking(None)).await?;
        Ok(Leave { pass, credentials: Mutex::new(credentials), seated: Mutex::default() })
    }

    /// The client is among those who are there.
    pub(super) fn seat(&self, client: &Client, leave: &Leave) {
        let visitor = Visitor {
            pass: leave.pass.clone(),
            at_most: Role::Admin,
            doc: None,
            front: Front::Gateway,
            remote: client.handshake().address,
        };
        let seated = self.sessions.enter(visitor, Arc::new(Held(client.downgrade())));
        if let Some(seated) = &seated {
            // Guards may have taken their time.
            seated.review(&self.access, &leave.pass);
        }
        *leave.seated.lock().unwrap_or_else(PoisonError::into_inner) = seated;
    }
}

impl Leave {
    /// What the client's token is good for now.
    pub(super) fn pass(&self) -> Pass {
        let seated = self.seated.lock().unwrap_or_else(PoisonError::into_inner);
        seated.as_ref().map_or_else(|| self.pass.clone(), Seated::pass)
    }

    fn credentials(&self) -> Credentials {
        self.credentials.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn renew(&self, access: &Access, pass: &Pass) {
        if let Some(seated) = &*self.seated.lock().unwrap_or_else(PoisonError::into_inner) {
            seated.renew(access, pass);
        }
    }

    /// The client is there no longer.
    pub(super) fn end(&self) {
        let seated = self.seated.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(seated);
    }
}

impl Client {
    /// The client has brought a newer token: what that is good for counts from now on, in its documents too.
    ///
    /// # Errors
    /// When the token is none that counts here; everything stays as it was then.
    pub async fn renew(&self, token: &str) -> Result<(), Refusal> {
        let leave = self.leave_to_stay();
        let credentials = leave.credentials().with_token(Some(token));
        let access = &self.gateways().doorman().access;
        let pass = access.pass(credentials.asking(None)).await?;
        *leave.credentials.lock().unwrap_or_else(PoisonError::into_inner) = credentials;
        leave.renew(access, &pass);
        self.visits().renew();
        Ok(())
    }

    /// What the client may do in a document, and by which pass.
    ///
    /// # Errors
    /// When its token is not for this document, or no longer.
    pub async fn may_enter(&self, doc: &DocName) -> Result<(Pass, Grant), Refusal> {
        self.gateways().doorman().access.enter(&self.leave_to_stay().credentials(), doc).await
    }
}

/// The way to a client that may have gone.
#[derive(Debug)]
struct Held(Weak<SharedClient>);

impl Holder for Held {
    /// It is in no document by itself: its visits are sessions of their own.
    fn tell(&self, _: Grant) {}

    fn end(&self, ending: Ending) {
        let Some(client) = Client::upgrade(&self.0) else { return };
        let reason = match ending {
            Ending::Kicked => DisconnectReason::Kicked,
            Ending::Expired => DisconnectReason::Expired,
            _ => DisconnectReason::Revoked,
        };
        let Close { code, reason: message } = Close::from(&ending);
        let exception = json!({ "status": "error", "message": message, "code": code });
        let _client_has_gone = client.emit("exception", &exception).is_err();
        client.end(reason);
    }
}
