//! Hooks: they are asked before anything happens, what they refuse has not happened, and one that fails refuses.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::sync::Notify;
use tokio::time::timeout;
use ydock::DocName;
use ydock::access::Role;
use ydock::hooks::{Answers, Front, Hooks, PresenceEntry, Refusal, SessionContext, Wants};
use ydock::lib0::{Reader, write_buffer, write_text, write_var_uint};

use crate::client::Client;
use crate::embedded::Embedded;
use crate::raw::{masked, upgraded};
use crate::server::until;
use crate::yjs::{letter, typed};

/// What the hooks below were told, in order.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl Log {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn count(&self, start: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|line| line.starts_with(start)).count()
    }
}

/// Decides by the name of the document, and by what is in an update.
#[derive(Default)]
struct House {
    log: Log,
    sessions: Mutex<Vec<SessionContext>>,
    judged: AtomicUsize,
    /// Whoever is asked about "wait" answers when this comes.
    go_on: Notify,
}

/// What a hook answers for a document of this name.
async fn answer_for(doc: &DocName) -> Result<(), Refusal> {
    match doc.as_str() {
        "private" => Err(Refusal::new("members only")),
        "slow" => pending().await,
        "broken" => panic!("on purpose"),
        _ => Ok(()),
    }
}

#[async_trait]
impl Hooks for House {
    fn wants(&self) -> Wants {
        Wants { updates: true, awareness: true }
    }

    async fn connect(&self, session: &SessionContext) -> Result<(), Refusal> {
        self.sessions.lock().unwrap().push(session.clone());
        answer_for(&session.doc).await
    }

    async fn load(&self, doc: &DocName) -> Result<Option<Bytes>, Refusal> {
        self.log.note(format!("load {doc}"));
        Ok(match doc.as_str() {
            "template" => Some(letter(7, 0).into()),
            "nonsense" => Some(Bytes::from_static(b"no update")),
            "incomplete" => Some(letter(7, 3).into()),
            "closed" => return Err(Refusal::new("no new documents")),
            "never" => pending().await,
            _ => None,
        })
    }

    async fn update(&self, _: &SessionContext, update: &[u8]) -> Result<(), Refusal> {
        self.judged.fetch_add(1, Ordering::Relaxed);
        let has = |text: &[u8]| update.windows(text.len()).any(|part| part == text);
        if has(b"damn") {
            return Err(Refusal::new("no swearing"));
        }
        if has(b"wait") {
            self.go_on.notified().await;
        }
        if has(b"hang") { pending().await } else { Ok(()) }
    }

    async fn awareness(&self, _: &SessionContext, entries: &mut Vec<PresenceEntry>) -> Result<(), Refusal> {
        if entries.iter().any(|entry| entry.state.as_deref() == Some("\"hidden\"")) {
            return Err(Refusal::new("not shown"));
        }
        entries.retain(|entry| entry.client.value() != 99);
        for entry in entries.iter_mut().filter(|entry| entry.state.is_some()) {
            entry.state = Some("\"checked\"".into());
        }
        Ok(())
    }

    async fn saved(&self, doc: &DocName, head: u64) {
        self.log.note(format!("saved {doc} {head}"));
    }

    async fn stateless(&self, session: &SessionContext, text: &str, answers: &mut Answers) {
        self.log.note(format!("stateless {text}"));
        answers.reply(format!("{} said {text}", session.front));
        if text == "all" {
            answers.broadcast("to all");
        }
    }

    async fn disconnect(&self, session: &SessionContext) {
        self.log.note(format!("disconnect {}", session.id));
    }

    async fn unload(&self, doc: &DocName) {
        self.log.note(format!("unload {doc}"));
    }
}

async fn start() -> (Embedded, Arc<House>) {
    let house = Arc::new(House::default());
    (Embedded::start(|builder| builder.hook(Arc::clone(&house))).await, house)
}

/// A message of the Hocuspocus wire: an address, a type and what follows.
fn message(address: &str, kind: u64, write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut frame = Vec::new();
    write_text(&mut frame, address);
    write_var_uint(&mut frame, kind);
    write(&mut frame);
    frame
}

fn token(address: &str) -> Vec<u8> {
    message(address, 2, |out| {
        write_var_uint(out, 0);
        write_text(out, "a token");
    })
}

fn stateless(address: &str, text: &str) -> Vec<u8> {
    message(address, 5, |out| write_text(out, text))
}

fn sync(address: &str, kind: u64, update: &[u8]) -> Vec<u8> {
    message(address, 0, |out| {
        write_var_uint(out, kind);
        write_buffer(out, update);
    })
}

/// Reads until a message of this type comes, and gives what follows its type.
async fn next_of(client: &mut Client, kind: u64) -> Vec<u8> {
    loop {
        let frame = client.next_frame().await.unwrap_or_else(|| panic!("the connection ended"));
        let mut reader = Reader::new(&frame);
        reader.text().unwrap();
        if reader.var_uint().unwrap() == kind {
            return reader.rest().to_vec();
        }
    }
}

async fn next_text(client: &mut Client) -> String {
    let body = next_of(client, 5).await;
    Reader::new(&body).text().unwrap().to_owned()
}

#[tokio::test]
async fn a_refused_session_is_told_why_and_one_that_cannot_be_decided_may_come_again() {
    let (server, house) = start().await;
    let close = async |doc: &str| Client::join(&server.ws(doc)).await.close().await.unwrap();
    assert_eq!(close("private").await, (4403, "members only".to_owned()));
    for doc in ["slow", "broken"] {
        assert_eq!(close(doc).await, (4503, "this cannot be decided now, try again later".to_owned()));
    }
    assert!(house.log.lines().is_empty(), "nothing was opened for them, and nobody left: {:?}", house.log.lines());
    let mut welcome = Client::join(&server.ws("open")).await;
    welcome.settled().await;
}

#[tokio::test]
async fn a_hook_knows_who_comes_and_hears_of_it_when_they_go() {
    let (server, house) = start().await;
    let mut client = Client::join(&server.ws("open?role=view")).await;
    client.settled().await;
    let session = house.sessions.lock().unwrap()[0].clone();
    assert_eq!((session.doc.as_str(), session.front, session.role), ("open", Front::YWebSocket, Role::View));
    assert!(session.remote.unwrap().ip().is_loopback());
    assert!(client.goodbye().await);
    let gone = format!("disconnect {}", session.id);
    until("the hook hears of it", || async { house.log.lines().contains(&gone) }).await;
    until("the room closes", || async { house.log.lines().contains(&"unload open".to_owned()) }).await;
    server.stop().await;
}

#[tokio::test]
async fn a_new_document_begins_with_what_the_hook_has_and_an_old_one_does_not() {
    let (server, house) = start().await;
    let mut client = Client::join(&server.ws("template")).await;
    assert_eq!(client.next_update().await.unwrap(), letter(7, 0));
    assert_eq!(server.updates("template").await, Some(1));
    assert!(client.goodbye().await);
    until("the room closes", || async { house.log.count("unload template") == 1 }).await;
    let mut again = Client::join(&server.ws("template")).await;
    assert_eq!(again.next_update().await.unwrap(), letter(7, 0));
    assert_eq!((server.updates("template").await, house.log.count("load template")), (Some(1), 1));
}

#[tokio::test]
async fn a_document_that_cannot_be_begun_is_not_opened() {
    let (server, _) = start().await;
    let close = async |doc: &str| Client::join(&server.ws(doc)).await.close().await.unwrap();
    assert_eq!(close("closed").await, (4403, "no new documents".to_owned()));
    for doc in ["nonsense", "incomplete", "never"] {
        assert_eq!(close(doc).await.0, 4503, "{doc}");
        assert_eq!(server.updates(doc).await, None);
    }
    let post = reqwest::Client::new().post(server.http("/api/docs/closed/updates")).body(letter(1, 0)).send();
    assert_eq!(post.await.unwrap().status(), 403);
}

#[tokio::test]
async fn to_delete_what_does_not_exist_does_not_begin_it() {
    let (server, house) = start().await;
    let delete = reqwest::Client::new().delete(server.http("/api/docs/template")).send();
    assert_eq!(delete.await.unwrap().status(), 404);
    assert_eq!(house.log.count("load"), 0);
}

#[tokio::test]
async fn a_refused_update_reaches_nobody_and_is_not_stored() {
    let (server, house) = start().await;
    let mut author = Client::join(&server.ws("doc?ack=echo")).await;
    let mut reader = Client::join(&server.ws("doc")).await;
    reader.settled().await;
    assert!(author.update(&typed(1, 0, "damn")).await);
    let denied = loop {
        let frame = author.next_frame().await.unwrap();
        if frame.starts_with(&[2]) {
            break frame;
        }
    };
    assert_eq!(denied, b"\x02\x00\x0bno swearing");
    // One that nobody decides is refused too.
    assert!(author.update(&typed(2, 0, "hang")).await);
    assert!(author.update(&typed(3, 0, "fine")).await);
    author.receives(&typed(3, 0, "fine")).await;
    assert_eq!(reader.next_update().await.unwrap(), typed(3, 0, "fine"));
    assert_eq!((server.updates("doc").await, house.judged.load(Ordering::Relaxed)), (Some(1), 3));
}

#[tokio::test]
async fn while_the_hooks_judge_nothing_waits_that_they_have_let_pass() {
    let house = Arc::new(House::default());
    let server = Embedded::start_within(Duration::from_mins(1), |builder| builder.hook(Arc::clone(&house))).await;
    let mut reader = Client::join(&server.ws("doc")).await;
    reader.settled().await;
    let mut author = upgraded(&server.ws("doc")).await;
    let [first, second] = [letter(1, 0), typed(1, 1, "wait")].map(|update| {
        let mut message = vec![0, 2];
        write_buffer(&mut message, &update);
        masked(0x82, &message)
    });
    author.write_all(&[first, second].concat()).await.unwrap();
    let next = async |reader: &mut Client| timeout(Duration::from_secs(20), reader.next_update()).await.unwrap();
    assert_eq!(next(&mut reader).await.unwrap(), letter(1, 0));
    house.go_on.notify_one();
    assert_eq!(next(&mut reader).await.unwrap(), typed(1, 1, "wait"));
}

#[tokio::test]
async fn what_a_client_brings_again_is_not_judged_again() {
    let (server, house) = start().await;
    let mut client = Client::join(&server.ws("doc?ack=echo")).await;
    let step2 = |update: &[u8]| {
        let mut frame = vec![0, 1];
        write_buffer(&mut frame, update);
        frame
    };
    for _ in 0..3 {
        client.send(step2(&letter(1, 0))).await;
        client.receives(&letter(1, 0)).await;
    }
    assert_eq!(house.judged.load(Ordering::Relaxed), 1);
    client.send(step2(&typed(2, 0, "damn"))).await;
    while !client.next_frame().await.unwrap().starts_with(&[2]) {}
    assert_eq!(server.updates("doc").await, Some(1));
}

#[tokio::test]
async fn presence_is_what_the_hook_makes_of_it() {
    let (server, _) = start().await;
    let mut one = Client::join(&server.ws("doc")).await;
    let mut other = Client::join(&server.ws("doc")).await;
    other.settled().await;
    one.settled().await;
    one.send(b"\x01\x0c\x01\x05\x01\x08\"hidden\"".to_vec()).await;
    one.send(b"\x01\x0b\x02\x63\x01\x02{}\x06\x01\x02{}".to_vec()).await;
    let frame = loop {
        let frame = other.next_frame().await.unwrap();
        if frame.starts_with(&[1]) {
            break frame;
        }
    };
    assert_eq!(frame, b"\x01\x0d\x01\x06\x01\x09\"checked\"");
}

#[tokio::test]
async fn a_hook_hears_what_was_saved_and_that_the_room_closed_after_it() {
    let (server, house) = start().await;
    let mut client = Client::join(&server.ws("doc?ack=echo")).await;
    for clock in 0..5 {
        assert!(client.update(&letter(1, clock)).await);
        client.receives(&letter(1, clock)).await;
    }
    assert!(client.goodbye().await);
    until("the room closes", || async { house.log.count("unload doc") == 1 }).await;
    let lines = house.log.lines();
    assert_eq!(lines.iter().rev().take(2).collect::<Vec<_>>(), ["unload doc", "saved doc 5"], "{lines:?}");
    assert!(house.log.count("saved") <= 2, "within a second, once and at the end: {lines:?}");
}

#[tokio::test]
async fn on_the_wire_of_hocuspocus_a_refused_update_has_the_status_0() {
    let (server, _) = start().await;
    let mut client = Client::open(&server.hocuspocus("")).await;
    client.send(token("doc")).await;
    for (update, status) in [(typed(1, 0, "damn"), 0), (typed(2, 0, "fine"), 1)] {
        client.send(sync("doc", 2, &update)).await;
        assert_eq!(next_of(&mut client, 8).await, [status]);
    }
    client.send(sync("doc", 1, &typed(3, 0, "damn"))).await;
    assert_eq!(next_of(&mut client, 8).await, [0]);
    assert_eq!(server.updates("doc").await, Some(1));
}

#[tokio::test]
async fn on_the_wire_of_hocuspocus_a_refused_session_is_never_let_in() {
    let (server, _) = start().await;
    let mut client = Client::open(&server.hocuspocus("")).await;
    client.send(token("private")).await;
    assert_eq!(next_of(&mut client, 2).await, b"\x01\x0cmembers only", "the first word about it");
    client.send(token("closed")).await;
    assert_eq!(next_of(&mut client, 2).await, b"\x02\x0aread-write");
    assert_eq!(next_of(&mut client, 2).await, b"\x01\x10no new documents");
    client.send(token("open")).await;
    assert_eq!(next_of(&mut client, 2).await, b"\x02\x0aread-write", "the connection stays for others");
}

#[tokio::test]
async fn texts_reach_the_hook_in_order_and_its_answers_whom_they_are_for() {
    let (server, house) = start().await;
    let mut one = Client::open(&server.hocuspocus("")).await;
    let mut other = Client::open(&server.hocuspocus("")).await;
    let mut yjs = Client::join(&server.ws("doc")).await;
    for client in [&mut one, &mut other] {
        client.send(token("doc")).await;
        next_of(client, 0).await;
    }
    for number in 0..20 {
        one.send(stateless("doc", &number.to_string())).await;
    }
    one.send(stateless("doc", "all")).await;
    for number in 0..20 {
        assert_eq!(next_text(&mut one).await, format!("hocuspocus said {number}"));
    }
    assert_eq!(next_text(&mut one).await, "hocuspocus said all");
    assert_eq!((next_text(&mut one).await, next_text(&mut other).await), ("to all".to_owned(), "to all".to_owned()));
    let heard: Vec<_> = house.log.lines().into_iter().filter(|line| line.starts_with("stateless")).collect();
    let expected: Vec<_> = (0..20).map(|number| number.to_string()).chain(["all".to_owned()]).collect();
    assert_eq!(heard, expected.iter().map(|text| format!("stateless {text}")).collect::<Vec<_>>());

    server.rooms.broadcast_stateless(&DocName::parse("doc").unwrap(), "from the program").await;
    server.rooms.broadcast_stateless(&DocName::parse("nobody is here").unwrap(), "x").await;
    for client in [&mut one, &mut other] {
        assert_eq!(next_text(client).await, "from the program");
    }
    assert_eq!(yjs.settled().await.iter().filter(|frame| !frame.starts_with(&[0])).count(), 0);
}

#[tokio::test]
async fn who_asks_for_typing_on_the_wire_of_hocuspocus_says_and_hears_it_in_texts() {
    let (server, house) = start().await;
    let mut one = Client::open(&server.hocuspocus("?typing=1")).await;
    let mut other = Client::open(&server.hocuspocus("?a=b&typing=1")).await;
    let mut plain = Client::open(&server.hocuspocus("")).await;
    for client in [&mut one, &mut other, &mut plain] {
        client.send(token("doc")).await;
        next_of(client, 0).await;
    }
    let presence = b"\x01\x07\x01\x02{}";
    one.send(message("doc", 1, |out| write_buffer(out, presence))).await;
    let note = r#"{"type":"typing","typing":true,"place":"title"}"#;
    one.send(stateless("doc", note)).await;
    let heard = next_text(&mut other).await;
    assert_eq!(heard, r#"{"type":"typing","clients":[{"clientId":7,"typing":true,"place":"title"}]}"#);
    // Whoever has not asked sends such a text to the hooks, like any other.
    plain.send(stateless("doc", note)).await;
    assert_eq!(next_text(&mut plain).await, format!("hocuspocus said {note}"));
    assert_eq!(house.log.count("stateless"), 1);
}
