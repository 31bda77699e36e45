//! "Broadcasting": to all, to a room, to all but one.

use serde::Serialize;
use ydock::gateway::{EncodeError, Gateway, Namespace};
use ydock::testing::TestServer;

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
    let test = TestServer::of(Gateway::new("/")).await;
    let server = test.namespace("/").unwrap();
    let ada = test.client("/").connect().await.unwrap();
    let ben = test.client("/").connect().await.unwrap();

    assert_eq!(broadcast_to_all(&server, "all", &1).unwrap(), 2);
    assert_eq!((ada.expect("all").await.data, ben.expect("all").await.data), (1.into(), 1.into()));

    server.to(ada.id()).join("tea");
    assert_eq!(broadcast_to_room(&server, "tea", "room", &2).unwrap(), 1);
    assert_eq!(ada.expect("room").await.data, 2);

    assert_eq!(broadcast_to_all_except(&server, ada.id(), "others", &3).unwrap(), 1);
    assert_eq!(ben.expect("others").await.data, 3);
    ada.nothing().await;
}
