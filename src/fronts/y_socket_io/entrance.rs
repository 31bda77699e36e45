//! The gateway itself: which namespaces are documents, and what the events mean.

use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, future, stream};
use percent_encoding::percent_decode_str;

use super::delivery::{self, deliver};
use super::dialect::YSocketIoDialect;
use super::participant::Participant;
use crate::access::Role;
use crate::auth::{Access, Refusal};
use crate::connection::{Entrance, Session, Sessions, Visitor};
use crate::delivery::{Config, Outbox};
use crate::doc_rooms::{Rooms, Seat};
use crate::gateway::{Client, Event, EventError, EventKind, Gateway, Payload, State, Streamed, Transports};
use crate::hooks::Front;
use crate::ids::DocName;
use crate::shutdown::Tasks;
use crate::sync::SyncMessage;

/// What the front is built from.
#[derive(Debug, Clone)]
pub struct YSocketIoParts {
    /// The documents.
    pub rooms: Rooms,
    /// Who may do what.
    pub access: Access,
    /// Everybody who is there.
    pub sessions: Sessions,
    /// The bounds of what waits for one client.
    pub delivery: Config,
    /// Where tasks are started.
    pub tasks: Tasks,
}

/// The gateway for y-socket.io clients: for every namespace `/yjs|<document>`, by WebSocket alone.
#[must_use]
pub fn gateway(parts: YSocketIoParts) -> Gateway<YSocketIoParts> {
    Gateway::matching(|path| path.starts_with(PREFIX), parts)
        .transports(Transports::WEBSOCKET)
        .guard(names_a_document)
        .on_connect(enter)
        .on("sync-step-1", step1)
        .on("sync-update", update)
        .on("awareness-update", awareness)
        .on("token", token)
}

/// The document of a namespace. Its name may be percent-encoded, as in the addresses of y-websocket: one name means one
/// document on both wires.
fn document(path: &str) -> Result<DocName, EventError> {
    let raw = path.strip_prefix(PREFIX).unwrap_or_default();
    let Ok(text) = percent_decode_str(raw).decode_utf8() else {
        return Err(EventError::new("the document name is not UTF-8"));
    };
    DocName::parse(&text).map_err(|error| EventError::new(error.to_string()))
}

/// Before a client is let in, so that it gets a `connect_error`.
async fn names_a_document(event: Event) -> Result<(), EventError> {
    match event.kind() {
        EventKind::Connect => {
            let client = event.client();
            let doc = document(client.namespace().path())?;
            client.may_enter(&doc).await.map(drop).map_err(|refusal| not_allowed(&refusal))
        }
        EventKind::Message | EventKind::Disconnect => Ok(()),
    }
}

async fn enter(client: Client, State(parts): State<YSocketIoParts>) -> Result<(), EventError> {
    let doc = document(client.namespace().path())?;
    let participant = Participant::new(client.clone());
    client.set(participant.clone());
    let outbox = Outbox::new(&parts.delivery);
    let dialect = Arc::new(YSocketIoDialect);
    let (pass, _) = client.may_enter(&doc).await.map_err(|refusal| not_allowed(&refusal))?;
    let remote = client.handshake().address;
    let visitor = Visitor { pass, at_most: Role::Admin, doc: None, front: Front::YSocketIo, remote };
    let YSocketIoParts { access, sessions, rooms, .. } = &parts;
    let entrance = Entrance { access, sessions, rooms };
    let (permission, admission) = match entrance.let_in((&doc, visitor), client.id(), &outbox, dialect.clone()).await {
        Ok(let_in) => let_in,
        Err(ending) => {
            delivery::part(&client, &ending);
            return Ok(());
        }
    };
    let seat = || Seat {
        outbox: Arc::clone(&outbox),
        dialect: dialect.clone(),
        wants_acks: false,
        wants_typing: false,
        parted: None,
    };
    match parts.rooms.join(&doc, seat).await {
        Ok(membership) => {
            tracing::debug!(client = client.id(), %doc, front = %Front::YSocketIo, "a session began");
            participant.begin(Session::new(membership, permission, admission)).await;
            parts.tasks.spawn(deliver(client, outbox, participant));
        }
        Err(error) => delivery::part(&client, &error.ending()),
    }
    Ok(())
}

async fn step1(
    participant: Participant,
    Payload(state_vector): Payload<Bytes>,
) -> Streamed<impl Stream<Item = Bytes> + Send> {
    let answer = participant.ask();
    if answer.is_some() {
        participant.sync(SyncMessage::Step1(&state_vector)).await;
    }
    let answer = match answer {
        Some(answer) => future::Either::Left(answer),
        // The answers to the questions before it bring everything.
        None => future::Either::Right(ready(Ok(Bytes::from_static(EMPTY_UPDATE)))),
    };
    // Polled when the answer has been sent.
    let sent = stream::once(async move { participant.answered() });
    // Without an answer the session has ended, and its client is about to be told. Clients take whatever is acknowledged for
    // an update, and fail at an acknowledgement of nothing.
    let answer = stream::once(async move {
        match answer.await {
            Ok(update) => update,
            Err(_session_has_ended) => future::pending().await,
        }
    });
    Streamed(answer.chain(sent.filter_map(|()| ready(None))))
}

async fn update(participant: Participant, Payload(update): Payload<Bytes>) {
    participant.sync(SyncMessage::Update(&update)).await;
}

/// An event that clients of the npm package do not send by themselves: a token in the place of the one they came with.
async fn token(
    client: Client,
    participant: Participant,
    State(parts): State<YSocketIoParts>,
    Payload(token): Payload<String>,
) -> Result<bool, EventError> {
    let doc = document(client.namespace().path())?;
    let renewed = async {
        client.renew(&token).await?;
        client.may_enter(&doc).await
    };
    match renewed.await {
        Ok((pass, _)) => participant.renew(&parts.access, &pass).await,
        // One that is not good ends the session.
        Err(refusal) => delivery::part(&client, &refusal.into()),
    }
    Ok(true)
}

fn not_allowed(refusal: &Refusal) -> EventError {
    EventError::new(refusal.to_string())
}

async fn awareness(participant: Participant, Payload(update): Payload<Bytes>) {
    participant.awareness(&update).await;
}

/// `SocketIOProvider` of y-socket.io, `src/client/provider.ts`: the room's name follows, as it is.
const PREFIX: &str = "/yjs|";
/// An update without blocks and without deletions.
const EMPTY_UPDATE: &[u8] = &[0, 0];

#[cfg(test)]
mod tests {
    use super::*;

    fn name(path: &str) -> Result<String, String> {
        document(path).map(|name| name.as_str().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_namespace_names_the_document_that_the_same_address_names_on_other_wires() {
        assert_eq!(name("/yjs|plan"), Ok("plan".to_owned()));
        assert_eq!(name("/yjs|team/my plan|2/ü"), Ok("team/my plan|2/ü".to_owned()));
        assert_eq!(name("/yjs|team%2Fmy%20plan%2C%20ours"), Ok("team/my plan, ours".to_owned()));
        assert_eq!(name("/yjs|100%"), Ok("100%".to_owned()));
    }

    #[test]
    fn what_names_no_document_is_refused_with_the_reason() {
        assert_eq!(name("/yjs|").unwrap_err(), "the document name is empty");
        assert_eq!(name("/yjs|%ff").unwrap_err(), "the document name is not UTF-8");
        assert_eq!(name("/yjs|a%00").unwrap_err(), "the document name holds a control character");
        assert!(name(&format!("/yjs|{}", "x".repeat(1025))).is_err());
    }
}
