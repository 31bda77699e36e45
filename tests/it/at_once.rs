//! What a client sends at once: the others get it together, and nothing waits for what does not come after all.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use ydock::delivery::{Config as DeliveryConfig, Outbox};
use ydock::doc_rooms::Config;
use ydock::lib0::{write_buffer, write_text};

use crate::client::Client;
use crate::outage::{Bench, doc, frames, seat};
use crate::raw::{masked, upgraded};
use crate::server::TestServer;
use crate::yjs::letter;

/// Presence that is not sent with something else is not sent while a test runs.
const GATHER_LONG: (&str, &str) = ("YDOCK_ROOMS__AWARENESS__GATHER", "1h");

fn update(update: &[u8]) -> Vec<u8> {
    let mut message = vec![0, 2];
    write_buffer(&mut message, update);
    message
}

/// Client 7 is somewhere else again.
fn cursor(clock: u8) -> Vec<u8> {
    let mut message = vec![1];
    write_buffer(&mut message, &[1, 7, clock, 2, b'{', b'}']);
    message
}

fn addressed(address: &str, message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write_text(&mut out, address);
    out.extend(message);
    out
}

/// The client's messages, each in a frame.
fn framed(messages: &[&[u8]]) -> Vec<u8> {
    messages.iter().flat_map(|message| masked(0x82, message)).collect()
}

/// Somebody who reads, and somebody whose every byte the test writes.
async fn two(server: &TestServer) -> (Client, TcpStream) {
    let mut reader = Client::join(&server.ws("doc")).await;
    reader.settled().await;
    (reader, upgraded(&server.ws("doc")).await)
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), what).await.unwrap_or_else(|_| panic!("something waits that should not"))
}

#[tokio::test]
async fn a_cursor_arrives_with_the_letter_that_came_with_it() {
    let server = TestServer::start_set(&[GATHER_LONG]);
    let (mut reader, mut author) = two(&server).await;
    author.write_all(&framed(&[&update(&letter(7, 0)), &cursor(1)])).await.unwrap();
    assert_eq!(soon(reader.next_frame()).await.unwrap(), update(&letter(7, 0)));
    assert_eq!(soon(reader.next_frame()).await.unwrap(), cursor(1));
}

/// Each of these is said to be followed by more, which is then something else, or cut short.
#[tokio::test]
async fn nothing_waits_for_what_was_announced() {
    let server = TestServer::start();
    let sent = masked(0x82, &update(&letter(7, 0)));
    let [next, ping, text, reserved] =
        [masked(0x82, &update(&letter(7, 1))), masked(0x89, b"?"), masked(0x81, b"text"), vec![0xf2]];
    let (ignored, malformed) = (masked(0x82, &[2, 9, 0]), masked(0x82, &[99]));
    let cut = next.get(..next.len() - 1).unwrap();
    for (what, rest) in [
        ("the beginning of a frame", cut),
        ("a ping", &ping),
        ("a message that means nothing", &ignored),
        ("a message that nobody understands", &malformed),
        ("a text", &text),
        ("a broken frame", &reserved),
    ] {
        let url = server.ws(&what.replace(' ', "-"));
        let mut reader = Client::join(&url).await;
        reader.settled().await;
        let mut author = upgraded(&url).await;
        author.write_all(&[&sent, rest].concat()).await.unwrap();
        assert_eq!(soon(reader.next_update()).await.unwrap(), letter(7, 0), "before {what}");
    }
}

#[tokio::test]
async fn nothing_waits_for_what_ends_in_the_same_message() {
    let server = TestServer::start();
    let (mut reader, mut author) = two(&server).await;
    let with_nothing_after_it = [update(&letter(7, 0)), vec![2, 9, 0]].concat();
    author.write_all(&framed(&[&with_nothing_after_it])).await.unwrap();
    assert_eq!(soon(reader.next_update()).await.unwrap(), letter(7, 0));
}

#[tokio::test]
async fn a_client_that_is_read_slowly_does_not_keep_its_letters_from_the_others() {
    let server = TestServer::start_set(&[
        ("YDOCK_CONNECTIONS__MESSAGES_PER_SECOND", "1"),
        ("YDOCK_CONNECTIONS__MESSAGES_AT_ONCE", "1"),
    ]);
    let (mut reader, mut author) = two(&server).await;
    let letters: Vec<_> = (0..100).map(|clock| update(&letter(7, clock))).collect();
    author.write_all(&framed(&letters.iter().map(Vec::as_slice).collect::<Vec<_>>())).await.unwrap();
    assert_eq!(soon(reader.next_update()).await.unwrap(), letter(7, 0));
}

#[tokio::test]
async fn over_one_socket_no_document_waits_for_another() {
    let server = TestServer::start();
    let names = ["one", "two"];
    let mut readers = Vec::new();
    for name in names {
        let mut reader = Client::join(&server.ws(name)).await;
        reader.settled().await;
        readers.push(reader);
    }
    let mut author = upgraded(&server.ws("").replace("/yjs/", "/hocuspocus")).await;
    let token = |name| addressed(name, b"\x02\x00\x05token");
    author.write_all(&framed(&[&token("one"), &token("two")])).await.unwrap();
    for clock in 0..3 {
        let letters = names.map(|name| addressed(name, &update(&letter(7, clock))));
        // The last one is of a type that nobody knows.
        let unknown = addressed("two", &[77]);
        author.write_all(&framed(&[&letters[0], &letters[1], &unknown])).await.unwrap();
        for reader in &mut readers {
            assert_eq!(soon(reader.next_update()).await.unwrap(), letter(7, clock));
        }
    }
}

/// Whoever has the room next ends what was left open.
#[tokio::test(start_paused = true)]
async fn what_was_left_open_is_seen_by_whoever_reads_and_stays_when_its_author_goes() {
    let bench = Bench::new(Config::default());
    let [ada, bob] = [(); 2].map(|()| Outbox::new(&DeliveryConfig::default()));
    let author = bench.rooms.join(&doc("doc"), || seat(&ada)).await.unwrap();
    let _reader = bench.rooms.join(&doc("doc"), || seat(&bob)).await.unwrap();
    let heard =
        async |bob: &Arc<Outbox>, clock| frames(bob).await.into_iter().any(|frame| frame == update(&letter(7, clock)));
    author.expect_more(true);
    author.update(&letter(7, 0)).await.unwrap();
    assert!(!heard(&bob, 0).await);
    let reading = bench.rooms.read(&doc("doc")).await.unwrap();
    assert_eq!((reading.head, reading.unsaved), (1, 1), "a backup waits for it");
    assert!(heard(&bob, 0).await);

    author.update(&letter(7, 1)).await.unwrap();
    author.finish();
    assert!(heard(&bob, 1).await);

    author.update(&letter(7, 2)).await.unwrap();
    assert!(!heard(&bob, 2).await);
    drop(author);
    assert!(heard(&bob, 2).await);
}
