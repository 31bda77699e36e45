//! Who gets what is sent to topics, users and clients.

use serde_json::json;
use ydock::gateway::{Client, Config, DisconnectReason, Gateway, GatewaysBuilder, Handshake, Namespace, Payload};
use ydock::testing::{TestClient, TestServer};

fn chat() -> Gateway {
    Gateway::new("/chat")
        .on("join", async |client: Client, Payload(topic): Payload<String>| client.join(&topic))
        .on("leave", async |client: Client, Payload(topic): Payload<String>| client.leave(&topic))
        .on("say", async |client: Client, Payload((topic, text)): Payload<(String, String)>| {
            client.to(&topic).emit("said", &text).unwrap();
        })
        .on("shout", async |client: Client, Payload(text): Payload<String>| {
            client.broadcast().emit("said", &text).unwrap();
        })
}

async fn three(server: &TestServer) -> [TestClient; 3] {
    let connect = async || server.client("/chat").connect().await.unwrap();
    [connect().await, connect().await, connect().await]
}

#[tokio::test]
async fn a_topic_reaches_who_joined_it_once_and_not_the_sender() {
    let server = TestServer::of(chat()).await;
    let [ada, ben, cleo] = three(&server).await;
    for topic in ["a", "b"] {
        ada.ask::<()>("join", topic).await;
        ben.ask::<()>("join", topic).await;
    }
    ada.ask::<()>("say", &("a", "hello")).await;
    assert_eq!(ben.expect("said").await.data, json!("hello"));
    let namespace = server.namespace("/chat").unwrap();
    assert_eq!(namespace.to("a").to("b").emit("said", "once").unwrap(), 2);
    ada.expect("said").await;
    ben.expect("said").await;
    ben.ask::<()>("leave", "a").await;
    ada.ask::<()>("say", &("a", "alone")).await;
    for client in [ada, ben, cleo] {
        client.nothing().await;
    }
}

#[tokio::test]
async fn a_broadcast_reaches_everybody_but_whom_it_leaves_out() {
    let server = TestServer::of(chat()).await;
    let [ada, ben, cleo] = three(&server).await;
    ada.ask::<()>("shout", "hello").await;
    ben.expect("said").await;
    cleo.expect("said").await;
    ada.nothing().await;

    let namespace = server.namespace("/chat").unwrap();
    ben.ask::<()>("join", "muted").await;
    assert_eq!(namespace.broadcast().except("muted").except(cleo.id()).emit("news", "x").unwrap(), 1);
    ada.expect("news").await;
    assert_eq!(namespace.to("muted").except("muted").emit("news", "x").unwrap(), 0);
    assert_eq!(namespace.emit("news", "all").unwrap(), 3);
    for client in [ada, ben, cleo] {
        assert_eq!(client.expect("news").await.data, json!("all"));
        client.nothing().await;
    }
}

#[tokio::test]
async fn what_is_volatile_is_dropped_for_who_does_not_read() {
    let server = TestServer::of(chat()).await;
    let [ada, _, _] = three(&server).await;
    let namespace = server.namespace("/chat").unwrap();
    for number in 0..3 {
        namespace.to(ada.id()).volatile().emit("cursor", &number).unwrap();
    }
    assert_eq!(ada.expect("cursor").await.data, json!(0));
    ada.nothing().await;
}

#[tokio::test]
async fn a_topic_named_like_a_clients_id_cannot_overhear_what_is_sent_to_the_client_nor_after_it_has_gone() {
    let server = TestServer::of(chat()).await;
    let [ada, ben, mallory] = three(&server).await;
    mallory.ask::<()>("join", ada.id()).await;
    let namespace = server.namespace("/chat").unwrap();
    assert_eq!(namespace.to(ada.id()).emit("secret", "x").unwrap(), 1);
    ada.expect("secret").await;
    ben.ask::<()>("say", &(ada.id(), "psst")).await;
    ada.expect("said").await;
    let id = ada.id().to_owned();
    ada.leave().await;
    assert_eq!(namespace.to(&id).emit("secret", "x").unwrap(), 0);
    mallory.nothing().await;
}

#[tokio::test]
async fn a_service_reaches_all_clients_of_a_user_and_nobody_else() {
    async fn identify(client: Client, handshake: Handshake) {
        client.identify(&handshake.auth::<String>().unwrap());
    }
    let server = TestServer::of(chat().on_connect(identify)).await;
    let connect = async |user: &str| server.client("/chat").auth(user).connect().await.unwrap();
    let (ada, again, ben) = (connect("ada").await, connect("ada").await, connect("ben").await);
    ben.ask::<()>("join", "ada").await;
    ada.settled().await;
    let gateways = server.gateways().clone();
    let notify = async move |user: &str| gateways.of("/chat").unwrap().to_user(user).emit("notified", "hi").unwrap();
    assert_eq!(notify("ada").await, 2);
    ada.expect("notified").await;
    again.expect("notified").await;
    ben.nothing().await;
    assert_eq!(notify("nobody").await, 0);
}

#[tokio::test]
async fn what_happens_to_a_whole_selection_happens_to_each_client_of_it() {
    let server = TestServer::of(chat()).await;
    let [ada, ben, cleo] = three(&server).await;
    let namespace = server.namespace("/chat").unwrap();
    namespace.broadcast().except(cleo.id()).join("both");
    assert_eq!(namespace.to("both").emit("x", &()).unwrap(), 2);
    namespace.to(ada.id()).leave("both");
    assert_eq!(namespace.to("both").clients().len(), 1);
    namespace.to("both").disconnect();
    assert_eq!(ben.sent_away().await, DisconnectReason::ServerDisconnected);
    ben.freed().await;
    assert_eq!((namespace.len(), namespace.topics()), (2, 0));
}

#[tokio::test]
async fn who_joins_more_topics_than_it_may_is_sent_away() {
    let server = TestServer::with(chat(), Config { max_topics: 2, ..Config::default() }).await;
    let client = server.client("/chat").connect().await.unwrap();
    for topic in ["a", "b", "b", "a"] {
        client.ask::<()>("join", topic).await;
    }
    client.ask::<()>("leave", "a").await;
    client.ask::<()>("join", "c").await;
    assert!(client.is_connected());
    client.emit("join", "d").await;
    assert_eq!(client.sent_away().await, DisconnectReason::RateLimited);
}

#[tokio::test]
async fn a_namespace_that_a_pattern_makes_lives_as_long_as_somebody_is_in_it() {
    let mut gateways = GatewaysBuilder::default();
    gateways.add(
        Gateway::matching(|path| path.starts_with("/tenant-"), ())
            .on("who", async |here: Namespace| here.path().to_owned()),
    );
    gateways.add(Gateway::matching(|path| path.starts_with("/closed-"), ()).guard(async || false));
    let server = TestServer::start(gateways, Config::default()).await;
    assert!(server.namespace("/tenant-a").is_none());
    assert!(server.client("/closed-a").connect().await.is_err());
    let ada = server.client("/tenant-a").connect().await.unwrap();
    let ben = server.client("/tenant-a").connect().await.unwrap();
    let cleo = server.client("/tenant-b").connect().await.unwrap();
    assert_eq!(ada.ask::<String>("who", &()).await, "/tenant-a");
    assert_eq!((server.gateways().namespaces(), server.clients()), (2, 3));
    server.namespace("/tenant-a").unwrap().emit("x", &()).unwrap();
    ben.expect("x").await;
    cleo.nothing().await;
    ada.leave().await;
    assert!(server.namespace("/tenant-a").is_some());
    ben.leave().await;
    assert!(server.namespace("/tenant-a").is_none());
    cleo.leave().await;
    assert_eq!((server.gateways().namespaces(), server.clients()), (0, 0));
}
