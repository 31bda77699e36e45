//! A client that polls: one request waits for what it is sent, others bring what it says.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;

use super::packet::{self, Packet};
use super::refusal::Refusal;
use super::session::{Ending, EngineSession, Found, Kind};
use super::sessions::Sessions;
use crate::gateway::{DisconnectReason, Transport};
use crate::telemetry::Limit;

/// Waits for packets.
pub(super) async fn poll(sessions: &Sessions, session: &Arc<EngineSession>) -> Response {
    let is_late = session.is_upgrading();
    let Some(turn) = session.turn(Kind::Poll) else {
        session.end(Ending::Broken, DisconnectReason::TransportFailed);
        return Refusal::BadRequest.into_response();
    };
    let response = match wait(session, sessions.max_message(), is_late).await {
        Some(packets) => payload(&packets),
        None => Refusal::BadRequest.into_response(),
    };
    turn.answered();
    response
}

/// What a poll gets; nothing if its client has gone over to a WebSocket meanwhile.
async fn wait(session: &EngineSession, most_bytes: usize, is_late: bool) -> Option<Vec<Packet>> {
    loop {
        let wakes = session.queue().wakes();
        let until = match session.find(most_bytes, is_late) {
            Found::Packets(packets) => return Some(packets),
            Found::Released => return Some(vec![Packet::NOOP]),
            Found::Upgraded => return (!is_late).then(|| vec![Packet::NOOP]),
            Found::Ended(ending) => {
                session.part();
                return Some(vec![if ending == Ending::ByClient { Packet::NOOP } else { Packet::CLOSE }]);
            }
            Found::Nothing(until) => until,
        };
        let released = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = session.queue().more(wakes) => {}
            () = released => {}
        }
    }
}

/// Takes what a client says.
pub(super) async fn post(sessions: &Sessions, session: &Arc<EngineSession>, request: Request) -> Response {
    let Some(turn) = session.turn(Kind::Post) else {
        session.end(Ending::Broken, DisconnectReason::TransportFailed);
        return Refusal::BadRequest.into_response();
    };
    let response = match take(sessions, session, request).await {
        Ok(()) => ([(header::CONTENT_TYPE, "text/html")], "ok").into_response(),
        Err(refusal) => refusal.into_response(),
    };
    turn.answered();
    response
}

async fn take(sessions: &Sessions, session: &Arc<EngineSession>, request: Request) -> Result<(), Refusal> {
    if session.is_ended() {
        return Err(Refusal::UnknownSession);
    }
    // Binary is base64 in texts.
    if request.headers().get(header::CONTENT_TYPE).is_some_and(|of| of == "application/octet-stream") {
        session.end(Ending::Broken, DisconnectReason::TransportFailed);
        return Err(Refusal::BadRequest);
    }
    let body = tokio::select! {
        body = read(sessions, request) => body,
        () = session.ended() => return Err(Refusal::BadRequest),
    };
    let body = body.inspect_err(|_| session.end(Ending::Broken, DisconnectReason::TransportFailed))?;
    let Ok(said) = packet::read_payload(&body) else {
        session.end(Ending::Broken, DisconnectReason::ParseError);
        return Err(Refusal::BadRequest);
    };
    session.hear(Transport::Polling, said).map_err(|_malformed| Refusal::BadRequest)?;
    // The client says nothing more before it is answered.
    if let Some(wait) = session.received(body.len()) {
        tokio::time::sleep(wait).await;
    }
    Ok(())
}

async fn read(sessions: &Sessions, request: Request) -> Result<Vec<u8>, Refusal> {
    let most_bytes = sessions.max_message();
    let mut body = request.into_body().into_data_stream();
    let mut all = Vec::new();
    while let Some(some) = body.next().await {
        let some = some.map_err(|_client_has_gone| Refusal::BadRequest)?;
        if all.len() + some.len() > most_bytes {
            sessions.gateways().refused(Limit::GatewaysMaxMessage);
            return Err(Refusal::TooLarge);
        }
        all.extend_from_slice(&some);
    }
    Ok(all)
}

fn payload(packets: &[Packet]) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; charset=UTF-8"), (header::CACHE_CONTROL, "no-store")];
    (headers, packet::write_payload(packets)).into_response()
}
