//! A client that closes its connection is answered, so that its library reports a clean end and no broken connection.

use crate::client::Client;
use crate::server::TestServer;

#[tokio::test]
async fn a_clients_goodbye_is_answered() {
    let server = TestServer::start();
    let mut client = Client::join(&server.ws("doc")).await;
    client.settled().await;
    assert!(client.goodbye().await);
}
