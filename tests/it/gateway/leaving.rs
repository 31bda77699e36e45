//! The life of a client: what runs when it comes and goes, and that nothing of it is left.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use ydock::gateway::{
    Client, Config, DisconnectReason, EventError, Gateway, GatewaysBuilder, Handshake, Namespace, Payload, State,
    handle,
};
use ydock::testing::TestServer;

#[tokio::test(start_paused = true)]
async fn what_runs_on_connecting_comes_before_every_event() {
    async fn connected(client: Client) {
        tokio::time::sleep(Duration::from_secs(1)).await;
        client.emit("welcome", client.id()).unwrap();
    }
    let gateway = Gateway::new("/").on_connect(connected).on("message", async |client: Client| {
        client.emit("message", &()).unwrap();
    });
    let server = TestServer::of(gateway).await;
    let client = server.client("/").connect().await.unwrap();
    client.emit("message", &()).await;
    assert_eq!(client.expect("welcome").await.data, json!(client.id()));
    client.expect("message").await;
}

#[tokio::test(start_paused = true)]
async fn an_error_on_connecting_sends_away_and_no_event_is_handled() {
    static HANDLED: AtomicBool = AtomicBool::new(false);
    let gateway = Gateway::new("/")
        .on_connect(async |handshake: Handshake| handshake.auth::<String>().map(drop).map_err(EventError::from))
        .on("message", async || HANDLED.store(true, Ordering::SeqCst));
    let server = TestServer::of(gateway).await;
    let client = server.client("/").connect().await.unwrap();
    client.emit("message", &()).await;
    let told = client.expect("exception").await.data;
    assert_eq!(told["cause"], json!({ "pattern": "connection", "data": {} }));
    assert_eq!(client.sent_away().await, DisconnectReason::ServerDisconnected);
    client.freed().await;
    assert!(!HANDLED.load(Ordering::SeqCst));
    assert_eq!(server.clients(), 0);
}

async fn panicking() {
    panic!("a hook panics, as this test wants");
}

type Reasons = Arc<Mutex<Vec<(DisconnectReason, Vec<Arc<str>>)>>>;

#[tokio::test]
async fn what_runs_on_leaving_knows_why_and_finds_the_client_still_in_its_topics() {
    async fn gone(client: Client, reason: DisconnectReason, State(seen): State<Reasons>) {
        seen.lock().unwrap().push((reason, client.topics()));
    }
    let seen = Reasons::default();
    let gateway = Gateway::with_state("/", Arc::clone(&seen))
        .on_disconnect(panicking)
        .on_disconnect(gone)
        .on("join", async |client: Client| client.join("a"));
    let server = TestServer::of(gateway).await;
    let ada = server.client("/").connect().await.unwrap();
    ada.ask::<()>("join", &()).await;
    ada.leave().await;
    let ben = server.client("/").connect().await.unwrap();
    server.namespace("/").unwrap().client(ben.id()).unwrap().disconnect();
    ben.freed().await;
    let seen = seen.lock().unwrap().clone();
    let topic: Arc<str> = "a".into();
    let expected =
        [(DisconnectReason::ClientDisconnected, vec![topic]), (DisconnectReason::ServerDisconnected, Vec::new())];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_gateway_is_told_once_that_it_begins_before_anybody_is_let_in() {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let gateway = Gateway::new("/chat").after_init(move |namespace: Namespace| {
        assert_eq!((namespace.path(), namespace.len()), ("/chat", 0));
        count.fetch_add(1, Ordering::SeqCst);
        async {}
    });
    let server = TestServer::of(gateway).await;
    assert_eq!(begun.load(Ordering::SeqCst), 1);
    let _ada = server.client("/chat").connect().await.unwrap();
    let _ben = server.client("/chat").connect().await.unwrap();
    assert_eq!(begun.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn each_namespace_that_matches_begins_before_its_first_client_and_again_after_its_last() {
    let begun = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&begun);
    let init = move |_: Namespace| {
        let count = Arc::clone(&count);
        async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            count.fetch_add(1, Ordering::SeqCst);
        }
    };
    let gateway = Gateway::matching(|path| path.starts_with("/tenant-"), ()).after_init(init);
    let server = TestServer::of(gateway).await;
    let (one, two) = tokio::join!(server.client("/tenant-a").connect(), server.client("/tenant-a").connect());
    assert_eq!(begun.load(Ordering::SeqCst), 1);
    let other = server.client("/tenant-b").connect().await.unwrap();
    assert_eq!(begun.load(Ordering::SeqCst), 2);
    for client in [one.unwrap(), two.unwrap(), other] {
        client.leave().await;
    }
    let _again = server.client("/tenant-a").connect().await.unwrap();
    assert_eq!(begun.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn of_two_gateways_for_a_namespace_the_later_one_stays_and_the_earlier_one_never_begins() {
    let mut gateways = GatewaysBuilder::default();
    let never = async |_: Namespace| panic!("the earlier gateway begins");
    gateways.add(Gateway::new("/").path("/earlier").after_init(never).on("which", async || "earlier"));
    gateways.add(Gateway::new("/").on("which", async || "later"));
    let server = TestServer::start(gateways, Config::default()).await;
    assert_eq!(server.gateways().entrances().len(), 1);
    let client = server.client("/").connect().await.unwrap();
    assert_eq!(client.ask::<String>("which", &()).await, "later");
}

#[tokio::test(start_paused = true)]
async fn what_a_client_sent_before_it_left_is_handled() {
    let count = Arc::new(AtomicUsize::new(0));
    let gateway =
        Gateway::with_state("/", Arc::clone(&count)).on("save", async |State(count): State<Arc<AtomicUsize>>| {
            tokio::time::sleep(Duration::from_millis(10)).await;
            count.fetch_add(1, Ordering::SeqCst);
        });
    let server = TestServer::of(gateway).await;
    let client = server.client("/").connect().await.unwrap();
    for _ in 0..100 {
        client.emit("save", &()).await;
    }
    client.leave().await;
    assert_eq!(count.load(Ordering::SeqCst), 100);
}

async fn hang(dropped: State<Arc<AtomicUsize>>) {
    struct Dropped(Arc<AtomicUsize>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let _dropped = Dropped(dropped.0);
    std::future::pending::<()>().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_leaves_frees_everything_also_when_a_handler_hangs() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let gateway = Gateway::with_state("/", Arc::clone(&dropped))
        .on("join", async |client: Client| {
            client.join("a");
            client.identify("ada");
        })
        .on("beside", handle(hang).unordered())
        .on("hang", hang);
    let server = TestServer::with(gateway, Config { linger: Duration::from_secs(7), ..Config::default() }).await;
    let client = server.client("/").connect().await.unwrap();
    client.ask::<()>("join", &()).await;
    let namespace = server.namespace("/").unwrap();
    assert_eq!((server.clients(), namespace.len(), namespace.topics()), (1, 1, 2));
    client.emit("beside", &()).await;
    client.emit("hang", &()).await;
    client.emit("hang", &()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let begin = Instant::now();
    client.leave().await;
    assert_eq!(begin.elapsed(), Duration::from_secs(7));
    assert_eq!(dropped.load(Ordering::SeqCst), 3);
    assert_eq!((server.clients(), namespace.len(), namespace.topics()), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_client_frees_everything_also_when_dropping_its_handler_panics() {
    struct Grenade;
    impl Drop for Grenade {
        fn drop(&mut self) {
            panic!("a handler panics while it is dropped, as this test wants");
        }
    }
    let gateway = Gateway::new("/").on("hang", async |client: Client| {
        client.join("a");
        let _grenade = Grenade;
        std::future::pending::<()>().await;
    });
    let server = TestServer::of(gateway).await;
    let client = server.client("/").connect().await.unwrap();
    client.emit("hang", &()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.leave().await;
    let namespace = server.namespace("/").unwrap();
    assert_eq!((server.clients(), namespace.len(), namespace.topics()), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn hooks_that_hang_keep_no_client_for_ever() {
    let gateway = Gateway::new("/").on_connect(std::future::pending::<()>).on_disconnect(std::future::pending::<()>);
    let server = TestServer::with(gateway, Config { linger: Duration::from_secs(7), ..Config::default() }).await;
    let client = server.client("/").connect().await.unwrap();
    let begin = Instant::now();
    client.leave().await;
    assert_eq!((begin.elapsed(), server.clients()), (Duration::from_secs(14), 0));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_sends_everybody_away_and_ends() {
    let server = TestServer::of(Gateway::new("/").on("message", async |Payload(value): Payload<Value>| value)).await;
    let ada = server.client("/").connect().await.unwrap();
    let ben = server.client("/").connect().await.unwrap();
    assert_eq!(ada.ask::<Value>("message", &1).await, json!(1));
    assert!(server.stop(Duration::from_secs(1)).await);
    assert_eq!(ada.sent_away().await, DisconnectReason::ShuttingDown);
    assert_eq!(ben.sent_away().await, DisconnectReason::ShuttingDown);
    assert_eq!(server.clients(), 0);
}
