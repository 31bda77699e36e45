//! "Broadcasting": to all, to a room, to all but one.

use serde::Serialize;
use ydock::gateway::{EncodeError, Gateway, Namespace};

use crate::client::{Connected, serve};

fn broadcast_to_all(server: &Namespace, event: &str, data: &impl Serialize) -> Result<usize, EncodeError> {
    server.emit(event, data)
}

fn broadcast_to_room(server: &Namespace, room: &str, event: &str, data: &impl Serialize) -> Result<usize, EncodeError> {
    server.to(room).emit(event, data)
}

fn broadcast_to_all_except(
    server: &Namespace,
    client_id: &str,
    event: &str,
    data: &impl Serialize,
) -> Result<usize, EncodeError> {
    server.except(client_id).emit(event, data)
}

#[tokio::test(start_paused = true)]
async fn each_broadcast_reaches_whom_it_is_for() {
    let gateways = serve(Gateway::new("/")).await;
    let server = gateways.of("/").unwrap();
    let mut ada = Connected::to(&gateways, "/").await;
    let mut ben = Connected::to(&gateways, "/").await;

    assert_eq!(broadcast_to_all(&server, "all", &1).unwrap(), 2);
    assert_eq!((ada.expect("all").await, ben.expect("all").await), (1.into(), 1.into()));

    server.to(ada.id()).join("tea");
    assert_eq!(broadcast_to_room(&server, "tea", "room", &2).unwrap(), 1);
    assert_eq!(ada.expect("room").await, 2);

    assert_eq!(broadcast_to_all_except(&server, ada.id(), "others", &3).unwrap(), 1);
    assert_eq!(ben.expect("others").await, 3);
    ada.hears_nothing().await;
}
