//! Which request is which: the order and the answers are those of the reference server.

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};

use super::polling;
use super::refusal::Refusal;
use super::session::OpeningRequest;
use super::sessions::Sessions;
use super::websocket;
use crate::connection::Connections;
use crate::gateway::Transport;
use crate::listen::Client;

/// What a request's query says.
struct Asked {
    version: Option<String>,
    transport: Option<String>,
    id: Option<String>,
}

/// Answers a request at an address of gateways.
pub(in super::super) async fn answer(State(sessions): State<Arc<Sessions>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let Asked { version, transport, id } = Asked::of(&parts.uri);
    let by = match transport.as_deref() {
        Some("polling") => Transport::Polling,
        Some("websocket") => Transport::WebSocket,
        _ => return Refusal::UnknownTransport.into_response(),
    };
    if !sessions.allows(by) {
        return Refusal::UnknownTransport.into_response();
    }
    let session = match id {
        Some(id) => match sessions.find(&id) {
            Some(session) => Some(session),
            None => return Refusal::UnknownSession.into_response(),
        },
        None if parts.method != Method::GET => return Refusal::Method.into_response(),
        None => None,
    };
    let is_known_version = version.as_deref() == Some("4");
    match by {
        Transport::WebSocket => {
            let Ok(upgrade) = WebSocketUpgrade::from_request_parts(&mut parts, &()).await else {
                return Refusal::BadRequest.into_response();
            };
            let upgrade = Connections::agreed(upgrade, &parts.headers);
            let client = Client::of(&parts.extensions);
            match session {
                Some(session) => websocket::upgrade(&sessions, &session, upgrade, client.held),
                None if !is_known_version => Refusal::Version.into_response(),
                None => websocket::open(sessions, client, OpeningRequest::of(&parts), upgrade),
            }
        }
        Transport::Polling => match session {
            Some(session) if session.transport() != by => Refusal::BadRequest.into_response(),
            Some(session) if parts.method == Method::GET => polling::poll(&sessions, &session).await,
            Some(session) if parts.method == Method::POST => {
                polling::post(&sessions, &session, Request::from_parts(parts, body)).await
            }
            Some(_) => Refusal::Method.into_response(),
            None if !is_known_version => Refusal::Version.into_response(),
            None => {
                let received = sessions.receive(&Client::of(&parts.extensions), OpeningRequest::of(&parts));
                match received.map(|newcomer| sessions.open(newcomer, by)) {
                    Ok(Some(session)) => polling::poll(&sessions, &session).await,
                    Ok(None) => Refusal::Full.into_response(),
                    Err(refusal) => refusal.into_response(),
                }
            }
        },
    }
}

impl Asked {
    /// Of several values the first counts.
    fn of(uri: &axum::http::Uri) -> Self {
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default();
        let mut asked = Self { version: None, transport: None, id: None };
        for (name, value) in pairs {
            let place = match name.as_str() {
                "EIO" => &mut asked.version,
                "transport" => &mut asked.transport,
                "sid" => &mut asked.id,
                _ => continue,
            };
            place.get_or_insert(value);
        }
        asked
    }
}
