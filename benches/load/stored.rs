//! Whether everything that was delivered is also stored: asked of ydock after its end without a warning and its next start.

use std::rc::Rc;

use ydock::ClientId;
use ydock::sync::state_vector_of;

use crate::ledger::Room;
use crate::server::{Kind, Server};
use crate::yjs::write_typed;

/// How many updates of these rooms a new process of the server does not have, although they are durable. 0 of servers that
/// promise nothing.
pub(crate) async fn missing(server: &mut Server, rooms: &[Rc<Room>]) -> Result<u64, String> {
    if server.kind != Kind::Ydock {
        return Ok(0);
    }
    for room in rooms {
        // A room saves in order: once this one is durable, so are all before it.
        let mut last = Vec::new();
        write_typed(&mut last, LAST_CLIENT, 0, "!");
        post(server, &room.doc, last).await?;
    }
    server.restart()?;
    let mut missing = 0;
    for room in rooms {
        let address = format!("http://{}/api/docs/{}/snapshot", server.address, room.doc);
        let answer = reqwest::get(address).await.and_then(reqwest::Response::error_for_status);
        let bytes = answer.map_err(|error| error.to_string())?.bytes().await.map_err(|error| error.to_string())?;
        let state = state_vector_of([&bytes[..]]).map_err(|error| error.to_string())?;
        for author in 0..room.authors() {
            let stored = u64::from(state.clock(ClientId::new(room.client(author)).unwrap()));
            missing += room.letters(room.sent(author)).saturating_sub(stored);
        }
    }
    Ok(missing)
}

/// Gives ydock an update and waits until it is durable.
pub(crate) async fn post(server: &Server, doc: &str, update: Vec<u8>) -> Result<(), String> {
    let address = format!("http://{}/api/docs/{doc}/updates", server.address);
    let answer = reqwest::Client::new().post(address).body(update).send().await;
    answer.and_then(reqwest::Response::error_for_status).map_err(|error| error.to_string())?;
    Ok(())
}

/// No author has this client id.
const LAST_CLIENT: u64 = 7;
