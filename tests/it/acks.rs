//! Who asks for acknowledgements gets them, whoever else is in the room.

use std::time::Duration;

use tokio::time::timeout;

use crate::client::Client;
use crate::server::TestServer;
use crate::yjs::letter;

#[tokio::test]
async fn an_echo_comes_whoever_joined_first() {
    let server = TestServer::start();
    for (first, second) in [("first", "first?ack=echo"), ("second?ack=echo", "second")] {
        let mut clients = Vec::new();
        for path in [first, second] {
            let mut client = Client::join(&server.ws(path)).await;
            client.settled().await;
            clients.push((client, path.ends_with("echo")));
        }
        let mut number = 0;
        for (client, wants_echo) in &mut clients {
            number += 1;
            let update = letter(number, 0);
            assert!(client.update(&update).await);
            if *wants_echo {
                timeout(Duration::from_secs(10), client.receives(&update)).await.expect("no echo came");
            } else {
                let frames = client.settled().await;
                assert!(!frames.iter().any(|frame| frame.ends_with(&update)), "an echo came unasked");
            }
        }
    }
}
