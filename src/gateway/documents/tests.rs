//! What clients of document topics are promised, with real rooms and without a wire.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::Uri;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::access::Role;
use crate::auth::Access;
use crate::delivery::{self, Batch, Dialect, Message, Outbox};
use crate::doc_rooms::{self, Membership, Rooms, RoomsParts, Seat};
use crate::gateway::{
    Client, Config, Data, DisconnectReason, DocumentsParts, Doorman, Entry, Gateway, Gateways, GatewaysBuilder,
    Handshake, NotSent, Packet, Session, Transport, Wire,
};
use crate::gateway::{Content, Entrance};
use crate::hooks::{self, Front, HookChain, Hooks, Refusal, SessionContext};
use crate::ids::{ClientId, DocName};
use crate::shutdown::Tasks;
use crate::storage::{FaultyStore, MemoryStore};
use crate::telemetry::Metrics;

const ROOM: &str = "doc:plan";

struct Bench {
    rooms: Rooms,
    store: Arc<FaultyStore>,
    gateways: Gateways,
}

/// A gateway client that remembers what it was sent.
struct Guest {
    session: Session,
    wire: Arc<Recorder>,
}

#[derive(Debug, Default)]
struct Recorder {
    heard: Mutex<Vec<(String, Value)>>,
    more: Notify,
}

impl Recorder {
    fn take(&self, name: &str, fits: impl Fn(&Value) -> bool) -> Option<Value> {
        let mut heard = self.heard.lock().unwrap();
        let at = heard.iter().position(|(event, value)| event == name && fits(value))?;
        let value = heard.remove(at).1;
        let after = heard.split_off(at);
        heard.retain(|(event, _)| event != name);
        heard.extend(after);
        Some(value)
    }
}

#[async_trait]
impl Wire for Recorder {
    fn send(&self, packet: &Arc<Packet>) -> Result<(), NotSent> {
        if let Content::Event { name, data, .. } = packet.content() {
            let value = serde_json::from_str(&data.to_json()).unwrap();
            self.heard.lock().unwrap().push((name.to_string(), value));
            self.more.notify_one();
        }
        Ok(())
    }

    fn send_volatile(&self, packet: &Arc<Packet>) {
        self.send(packet).unwrap();
    }

    async fn ready(&self) {}

    fn end(&self, _: &DisconnectReason) {}
}

impl Bench {
    async fn new(role: Role) -> Self {
        Self::hooked(role, HookChain::default()).await
    }

    async fn hooked(role: Role, hooks: HookChain) -> Self {
        let store = Arc::new(FaultyStore::new(Arc::new(MemoryStore::new(&crate::storage::Config::default()))));
        let tasks = Tasks::new();
        let rooms = Rooms::new(RoomsParts {
            store: store.clone(),
            config: doc_rooms::Config::default(),
            max_update: 1 << 20,
            hooks,
            tasks: tasks.clone(),
            metrics: Arc::new(Metrics::new()),
        });
        let mut builder = GatewaysBuilder::default();
        builder.add(Gateway::new("/one"));
        builder.add(Gateway::new("/other"));
        builder.documents(DocumentsParts {
            rooms: rooms.clone(),
            delivery: delivery::Config::default(),
            expiry: Duration::from_secs(30),
        });
        builder.doorman(Doorman { access: Access::everyone(role), ..Doorman::default() });
        Self { rooms, store, gateways: builder.build(Config::default(), tasks).await }
    }

    async fn guest(&self, path: &str) -> Guest {
        let handshake = Handshake {
            auth: Data::none(),
            headers: Arc::default(),
            uri: Uri::from_static("/socket.io/"),
            address: None,
            issued: Instant::now(),
        };
        let at = Entrance { port: None, path: "/socket.io".to_owned() };
        let wire = Arc::new(Recorder::default());
        let entry = Entry { path, at: &at, by: Transport::WebSocket, handshake };
        let session = self.gateways.admit(entry, wire.clone()).await.unwrap().begin();
        Guest { session, wire }
    }

    /// A guest with a name who has been told who is there.
    async fn joined(&self, path: &str, name: &str) -> Guest {
        let guest = self.guest(path).await;
        guest.client().introduce(name);
        guest.client().join(ROOM);
        guest.hears("presence", |value| value["users"].is_array()).await;
        guest
    }

    fn doc() -> DocName {
        DocName::parse("plan").unwrap()
    }

    async fn members(&self, count: usize) {
        timeout(Duration::from_secs(5), async {
            while self.rooms.members(&Self::doc()).unwrap_or_default() != count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        })
        .await
        .unwrap();
    }
}

impl Guest {
    fn client(&self) -> &Client {
        self.session.client()
    }

    /// Waits for an event and takes it, with those of its name before it.
    async fn hears(&self, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                if let Some(value) = self.wire.take(name, &fits) {
                    return value;
                }
                self.wire.more.notified().await;
            }
        };
        let unheard = || panic!("{name} did not come: {:?}", self.wire.heard.lock().unwrap());
        timeout(Duration::from_mins(2), found).await.unwrap_or_else(|_| unheard())
    }

    fn has_heard(&self, name: &str) -> bool {
        self.wire.heard.lock().unwrap().iter().any(|(event, _)| event == name)
    }
}

/// An editor as its room sees it.
struct Editor {
    membership: Membership,
    outbox: Arc<Outbox>,
}

#[derive(Debug)]
struct Words;

impl Dialect for Words {
    fn encode(&self, message: &Message<'_>) -> Option<Bytes> {
        match message {
            Message::Awareness(update) => Some(format!("presence {}", String::from_utf8_lossy(update)).into()),
            Message::Typing(typists) => {
                let words = typists.iter().map(|typist| format!("typing {} {}", typist.typing, typist.place));
                Some(words.collect::<Vec<_>>().join(";").into())
            }
            Message::Update(_) => Some("update".into()),
            _ => None,
        }
    }

    fn key(&self) -> &'static str {
        "words"
    }
}

impl Editor {
    async fn join(bench: &Bench) -> Self {
        let outbox = Outbox::new(&delivery::Config::default());
        let seat = || Seat {
            outbox: Arc::clone(&outbox),
            dialect: Arc::new(Words),
            wants_acks: false,
            wants_typing: true,
            parted: None,
        };
        let membership = bench.rooms.join(&Bench::doc(), seat).await.unwrap();
        Self { membership, outbox }
    }

    async fn hears(&self, part: &str) {
        let found = async {
            let mut frames = Vec::new();
            while !frames.iter().any(|frame: &Bytes| String::from_utf8_lossy(frame).contains(part)) {
                frames.clear();
                assert_eq!(self.outbox.next(&mut frames, usize::MAX).await, Batch::Frames);
                self.outbox.flushed();
            }
        };
        timeout(Duration::from_mins(1), found).await.unwrap_or_else(|_| panic!("{part} did not come"));
    }

    async fn shows(&self, id: u8, clock: u8, state: &str) {
        let length = u8::try_from(state.len()).unwrap();
        let update = [&[1, id, clock, length], state.as_bytes()].concat();
        self.membership.awareness(&update).await.unwrap();
    }
}

/// The first edit of a Yjs client: a letter in the text `t`.
fn edit(client: u8) -> Vec<u8> {
    vec![1, 1, client, 0, 4, 1, 1, b't', 1, b'a', 0]
}

#[tokio::test(start_paused = true)]
async fn clients_of_any_namespace_meet_in_a_document_by_name() {
    let bench = Bench::new(Role::Edit).await;
    let ada = bench.joined("/one", "Ada").await;
    let ben = bench.guest("/other").await;
    ben.client().identify("Ben");
    ben.client().join(ROOM);
    let first = ben.hears("presence", |value| value["users"].is_array()).await;
    assert_eq!((&first["room"], &first["users"][0]["name"]), (&json!(ROOM), &json!("Ada")));
    let joined = ada.hears("presence", |value| value["joined"].is_array()).await;
    assert_eq!(joined["joined"][0]["state"], json!({ "user": { "name": "Ben" } }));

    ben.client().introduce("Benjamin");
    ada.hears("presence", |value| value["changed"][0]["name"] == "Benjamin").await;
    ben.client().typing_at(ROOM, true, "line 3").unwrap();
    let id = joined["joined"][0]["clientId"].clone();
    let expected =
        json!({ "room": ROOM, "user": "Benjamin", "isTyping": true, "place": "line 3", "clientId": id.clone() });
    assert_eq!(ada.hears("typing", |_| true).await, expected);
    assert!(!ben.has_heard("typing"), "nobody hears of themselves");

    ben.client().leave(ROOM);
    ada.hears("typing", |value| value["isTyping"] == false).await;
    ada.hears("presence", |value| value["left"] == json!([id])).await;
    assert!(ben.client().typing(ROOM, true).is_err());
}

#[tokio::test(start_paused = true)]
async fn editors_and_clients_see_each_other_type_and_an_edit_becomes_saved() {
    let bench = Bench::new(Role::Edit).await;
    let editor = Editor::join(&bench).await;
    editor.shows(7, 1, r##"{"user":{"name":"Eve","color":"#00f"},"cursor":[1]}"##).await;
    let ada = bench.guest("/one").await;
    ada.client().introduce("Ada");
    ada.client().join(ROOM);
    let users = ada.hears("presence", |value| value["users"].is_array()).await["users"].clone();
    let state = json!({ "user": { "name": "Eve", "color": "#00f" }, "cursor": [1] });
    assert_eq!(users, json!([{ "clientId": 7, "name": "Eve", "color": "#00f", "state": state }]));
    editor.hears(r#"{"user":{"name":"Ada"}}"#).await;

    ada.client().typing(ROOM, true).unwrap();
    editor.hears("typing true").await;
    editor.membership.update(&edit(7)).await.unwrap();
    ada.hears("typing", |value| value["user"] == "Eve" && value["isTyping"] == true).await;
    ada.hears("saved", |value| *value == json!({ "room": ROOM })).await;
    // Nothing refreshes it.
    editor.hears("typing false").await;
    ada.hears("typing", |value| value["user"] == "Eve" && value["isTyping"] == false).await;
    // It is renewed as long as it is there.
    tokio::time::sleep(Duration::from_mins(2)).await;
    let late = bench.joined("/one", "Late").await;
    ada.hears("presence", |value| value["joined"][0]["name"] == "Late").await;
    assert!(late.client().is_in(ROOM));
}

#[tokio::test(start_paused = true)]
async fn who_stands_beside_an_editor_says_so_also_later() {
    let bench = Bench::new(Role::Edit).await;
    let other = bench.joined("/one", "Other").await;
    let eve = bench.joined("/one", "Eve").await;
    other.hears("presence", |value| value["joined"][0]["name"] == "Eve").await;
    eve.client().stand_beside(ClientId::new(7).unwrap());
    let expected = json!({ "user": { "name": "Eve" }, "beside": 7 });
    other.hears("presence", |value| value["changed"][0]["state"] == expected).await;
}

#[tokio::test(start_paused = true)]
async fn a_state_that_only_is_renewed_is_no_news() {
    let bench = Bench::new(Role::Edit).await;
    let editor = Editor::join(&bench).await;
    editor.shows(7, 1, "{}").await;
    let ada = bench.joined("/one", "Ada").await;
    for clock in 2..6 {
        editor.shows(7, clock, "{}").await;
        tokio::time::sleep(Duration::from_secs(15)).await;
    }
    editor.shows(7, 6, r#"{"a":1}"#).await;
    ada.hears("presence", |value| value["changed"][0]["state"] == json!({ "a": 1 })).await;
    assert!(!ada.has_heard("presence"));
}

#[tokio::test(start_paused = true)]
async fn a_deleted_document_says_so_and_a_new_one_can_be_joined() {
    let bench = Bench::new(Role::Edit).await;
    bench.rooms.submit(&Bench::doc(), edit(9).into()).await.unwrap();
    let ada = bench.joined("/one", "Ada").await;
    bench.rooms.delete(&Bench::doc()).await.unwrap();
    ada.hears("deleted", |value| *value == json!({ "room": ROOM })).await;
    assert!(!ada.client().is_in(ROOM));
    assert!(!ada.has_heard("unavailable"));
    ada.client().join(ROOM);
    ada.hears("presence", |value| value["users"] == json!([])).await;
}

#[tokio::test(start_paused = true)]
async fn who_may_only_read_is_seen_and_does_not_type() {
    let bench = Bench::new(Role::View).await;
    let ada = bench.joined("/one", "Ada").await;
    let ben = bench.joined("/one", "Ben").await;
    ada.hears("presence", |value| value["joined"][0]["name"] == "Ben").await;
    assert_eq!(ben.client().typing(ROOM, true).unwrap_err().to_string(), "Forbidden resource");
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_is_out_of_the_room_and_nothing_is_left() {
    let bench = Bench::new(Role::Edit).await;
    let ada = bench.joined("/one", "Ada").await;
    let ben = bench.joined("/one", "Ben").await;
    bench.members(2).await;
    ada.hears("presence", |value| value["joined"][0]["name"] == "Ben").await;
    let client = ben.client().clone();
    ben.session.end(DisconnectReason::TransportClosed);
    ada.hears("presence", |value| value["left"].is_array()).await;
    bench.members(1).await;
    client.join(ROOM);
    assert!(client.typing(ROOM, true).is_err(), "who has gone joins nothing");
    drop(ada.session);
    bench.members(0).await;
    tokio::time::sleep(doc_rooms::Config::default().idle_after + Duration::from_secs(1)).await;
    assert_eq!(bench.rooms.open_rooms(), 0);
    assert_eq!(bench.gateways.of("/one").unwrap().topics(), 0);
    assert_eq!(bench.gateways.clients(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_room_that_cannot_be_opened_is_tried_again_and_then_given_up() {
    let bench = Bench::new(Role::Edit).await;
    bench.store.fail_loads(true);
    let ada = bench.guest("/one").await;
    ada.client().join(ROOM);
    let reason = "the document cannot be loaded now, try again later";
    let expected = |retrying| json!({ "room": ROOM, "reason": reason, "retrying": retrying });
    assert_eq!(ada.hears("unavailable", |_| true).await, expected(true));
    bench.store.fail_loads(false);
    ada.hears("presence", |value| value["users"].is_array()).await;

    bench.store.fail_loads(true);
    let ben = bench.guest("/one").await;
    ben.client().join("doc:other");
    let last = ben.hears("unavailable", |value| value["retrying"] == false).await;
    assert_eq!(last["room"], "doc:other");
    assert!(!ben.client().is_in("doc:other"));
    assert!(ada.client().is_in(ROOM));
}

/// Lets nobody in over gateways.
struct EditorsOnly;

#[async_trait]
impl Hooks for EditorsOnly {
    async fn connect(&self, session: &SessionContext) -> Result<(), Refusal> {
        if session.front == Front::Gateway { Err(Refusal::new("editors only")) } else { Ok(()) }
    }
}

#[tokio::test(start_paused = true)]
async fn whom_a_hook_refuses_is_told_so_at_once_and_out_of_the_topic() {
    let hooks = HookChain::new(vec![Arc::new(EditorsOnly)], &hooks::Config::default());
    let bench = Bench::hooked(Role::Edit, hooks).await;
    let ada = bench.guest("/one").await;
    ada.client().join(ROOM);
    let expected = json!({ "room": ROOM, "reason": "editors only", "retrying": false });
    assert_eq!(ada.hears("unavailable", |_| true).await, expected);
    assert!(!ada.client().is_in(ROOM));
    assert_eq!(bench.rooms.open_rooms(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_names_no_document_is_unavailable_with_the_reason() {
    let bench = Bench::new(Role::Edit).await;
    let ada = bench.guest("/one").await;
    for (topic, reason) in
        [("doc:", "the document name is empty"), ("doc:a\nb", "the document name holds a control character")]
    {
        ada.client().join(topic);
        let expected = json!({ "room": topic, "reason": reason, "retrying": false });
        ada.hears("unavailable", |value| *value == expected).await;
        assert!(!ada.client().is_in(topic));
    }
}
