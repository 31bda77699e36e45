//! Documents that the server's own program has open: it edits, reads and shows itself like a member.

use std::time::Duration;

use serde_json::json;
use ydock::doc_rooms::{Config, EditError, StateError, SubmitError};
use ydock::lib0::{write_text, write_var_uint};
use ydock::storage::Store;
use ydock::sync::state_vector_of;
use yrs::updates::decoder::Decode;
use yrs::{Doc, GetString, ReadTxn, Text, Transact, Update, WriteTxn};

use crate::client::Client;
use crate::embedded::Embedded;
use crate::outage::{Bench, doc};
use crate::server::until;
use crate::yjs::{letter, typed};

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Appends to the text `t` of a document.
fn append(state: &[u8], words: &str) -> Result<Vec<u8>, AnyError> {
    let doc = Doc::new();
    let mut edit = doc.transact_mut();
    edit.apply_update(Update::decode_v1(state)?)?;
    let before = edit.state_vector();
    let text = edit.get_or_insert_text("t");
    text.push(&mut edit, words);
    Ok(edit.encode_state_as_update_v1(&before))
}

fn text_of(state: &[u8]) -> String {
    let doc = Doc::new();
    let mut edit = doc.transact_mut();
    edit.apply_update(Update::decode_v1(state).unwrap()).unwrap();
    edit.get_or_insert_text("t").get_string(&edit)
}

/// The frame of a presence state.
fn presence(client: u64, clock: u64, state: &str) -> Vec<u8> {
    let mut update = vec![1];
    write_var_uint(&mut update, client);
    write_var_uint(&mut update, clock);
    write_text(&mut update, state);
    let mut frame = vec![1];
    write_var_uint(&mut frame, update.len() as u64);
    frame.extend(update);
    frame
}

#[tokio::test]
async fn what_it_applies_is_durable_and_reaches_all_members() {
    let server = Embedded::start(|builder| builder).await;
    let document = server.rooms.open_direct(&doc("plan")).await.unwrap();
    assert_eq!(document.state().await.unwrap(), [0, 0][..]);
    let mut member = Client::join(&server.ws("plan")).await;
    member.settled().await;
    assert_eq!(document.apply(letter(7, 0)).await.unwrap().head, 1);
    assert_eq!(server.updates("plan").await, Some(1));
    assert_eq!(member.next_update().await.unwrap(), letter(7, 0));
    assert!(member.update(&letter(8, 0)).await);
    until("it has the member's edit", || async { document.state_vector().await.unwrap().len() == 2 }).await;
    let state = document.state().await.unwrap();
    assert_eq!(state_vector_of([&state[..]]).unwrap(), document.state_vector().await.unwrap());
    let refused = document.apply(&b"no update"[..]).await;
    assert!(matches!(refused, Err(SubmitError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn an_edit_gets_the_document_and_gives_what_it_changes() {
    let server = Embedded::start(|builder| builder).await;
    let mut document = server.rooms.open_direct(&doc("plan")).await.unwrap();
    document.apply(typed(7, 0, "one")).await.unwrap();
    for (has, gets) in [("one", " two"), ("one two", " three")] {
        let edit = move |state: &[u8]| {
            assert_eq!(text_of(state), has);
            append(state, gets)
        };
        document.edit(edit).await.unwrap();
    }
    assert_eq!(text_of(&document.state().await.unwrap()), "one two three");
    let failed = document.edit(|_| Err("not today")).await;
    assert!(matches!(failed, Err(EditError::Edit("not today"))), "{failed:?}");
    let panicked = document.edit(|_| -> Result<Vec<u8>, AnyError> { panic!("on purpose") }).await;
    assert!(matches!(panicked, Err(EditError::Panicked)), "{panicked:?}");
    assert_eq!(server.updates("plan").await, Some(3));
}

#[tokio::test]
async fn its_presence_is_shown_changed_and_gone_with_it() {
    let server = Embedded::start(|builder| builder).await;
    let document = server.rooms.open_direct(&doc("plan")).await.unwrap();
    let client = document.client().value();
    let mut member = Client::join(&server.ws("plan")).await;
    member.settled().await;
    document.set_presence(Some(&json!({ "name": "bot" }))).unwrap();
    assert_eq!(member.next_frame().await.unwrap(), presence(client, 1, r#"{"name":"bot"}"#));
    let mut newcomer = Client::open(&server.ws("plan")).await;
    newcomer.next_frame().await.unwrap();
    assert_eq!(newcomer.next_frame().await.unwrap(), presence(client, 1, r#"{"name":"bot"}"#));
    document.set_presence(None).unwrap();
    assert_eq!(member.next_frame().await.unwrap(), presence(client, 2, "null"));
    document.set_presence(Some(&json!("back"))).unwrap();
    assert_eq!(member.next_frame().await.unwrap(), presence(client, 3, "\"back\""));
    let too_long = document.set_presence(Some(&json!("x".repeat(20_000))));
    assert_eq!(too_long.unwrap_err().max, 16 * 1024);
    drop(document);
    assert_eq!(member.next_frame().await.unwrap(), presence(client, 3, "null"));
}

#[tokio::test(start_paused = true)]
async fn it_keeps_its_room_open_and_its_presence_fresh_as_long_as_it_is_held() {
    let bench = Bench::new(Config::default());
    let name = doc("held");
    let document = bench.rooms.open_direct(&name).await.unwrap();
    document.set_presence(Some(&json!("here"))).unwrap();
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(bench.rooms.members(&name), Some(1));
    let outbox = ydock::delivery::Outbox::new(&ydock::delivery::Config::default());
    let visitor = bench.rooms.join(&name, || crate::outage::seat(&outbox)).await.unwrap();
    let mut frames = Vec::new();
    tokio::time::sleep(Duration::from_millis(1)).await;
    outbox.next(&mut frames, usize::MAX).await;
    assert!(frames.iter().any(|frame| frame.ends_with(b"\"here\"")), "{frames:?}");
    drop((visitor, document));
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!((bench.rooms.members(&name), bench.rooms.open_rooms()), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn a_room_that_was_lost_is_opened_again() {
    let bench = Bench::new(Config::default());
    let name = doc("lost");
    let document = bench.rooms.open_direct(&name).await.unwrap();
    document.apply(letter(7, 0)).await.unwrap();
    // Somebody deletes it behind the room's back: the room's next append ends it.
    let generation = bench.store.load(&name).await.unwrap().generation;
    bench.store.delete(&name, generation, bytes::Bytes::new()).await.unwrap();
    let first = document.apply(letter(7, 1)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.rooms.members(&name), Some(1), "{first:?}");
    assert!(document.apply(letter(9, 0)).await.is_ok());
}

#[tokio::test]
async fn after_its_document_was_deleted_it_is_of_no_use() {
    let server = Embedded::start(|builder| builder).await;
    let document = server.rooms.open_direct(&doc("plan")).await.unwrap();
    document.apply(letter(7, 0)).await.unwrap();
    server.rooms.delete(&doc("plan")).await.unwrap();
    until("it knows", || async { matches!(document.state().await, Err(StateError::Deleted)) }).await;
    assert!(matches!(document.apply(letter(9, 0)).await, Err(SubmitError::Deleted)));
    assert_eq!(server.updates("plan").await, None);
}

#[tokio::test]
async fn a_server_stops_although_a_document_is_held() {
    let server = Embedded::start(|builder| builder).await;
    let document = server.rooms.open_direct(&doc("plan")).await.unwrap();
    document.apply(letter(7, 0)).await.unwrap();
    tokio::time::timeout(Duration::from_secs(5), server.stop()).await.unwrap();
    assert!(document.apply(letter(7, 1)).await.is_err());
}
