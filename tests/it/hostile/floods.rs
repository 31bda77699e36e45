//! Clients that send as much as the connection takes, and read nothing or everything.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::Attacked;
use crate::raw::{masked, upgraded};

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_pings_costs_its_sender_alone() {
    flood("/yjs/honest", &masked(0x89, b"12345678")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_pongs_costs_its_sender_alone() {
    flood("/yjs/honest", &masked(0x8a, b"12345678")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_empty_pieces_of_a_message_costs_its_sender_alone() {
    flood("/yjs/honest", &masked(0x00, b"")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_questions_for_the_document_costs_its_sender_alone() {
    flood("/yjs/honest", &masked(0x82, &[0, 0, 1, 0])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_questions_for_presence_costs_its_sender_alone() {
    flood("/yjs/honest", &masked(0x82, &[3])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_empty_presence_costs_its_sender_alone() {
    flood("/yjs/honest", &masked(0x82, &[1, 1, 0])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_empty_updates_costs_its_sender_alone() {
    flood("/yjs/honest?ack=echo", &masked(0x82, &[0, 2, 2, 0, 0])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_typing_notes_costs_its_sender_alone() {
    flood("/yjs/honest?typing=1", &masked(0x82, &[101, 1, 0])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_million_questions_costs_its_sender_alone() {
    flood("/yjs/honest", &masked(0x82, &[3].repeat(1 << 20))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_quarter_million_questions_for_the_document_costs_its_sender_alone() {
    flood("/yjs/honest", &masked(0x82, &[0, 0, 1, 0].repeat(1 << 18))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_of_a_hocuspocus_client_cost_their_sender_alone() {
    // Let into the honest client's document: a question, presence, a renewed token, a text, what is unknown.
    for message in [&[3][..], &[0, 0, 1, 0], &[1, 1, 0], &[2, 0, 0], &[5, 1, b'x'], &[99]] {
        let token = masked(0x82, b"\x06honest\x02\x00\x00");
        let message = masked(0x82, &[&b"\x06honest"[..], message].concat());
        flood_after("/hocuspocus", &token, &message).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_addresses_without_a_token_is_ended() {
    let mut attacked = Attacked::start("").await;
    let mut stream = upgraded(&url(&attacked, "/hocuspocus")).await;
    let frames: Vec<u8> =
        (0..5000).flat_map(|number| masked(0x82, format!("\u{8}{number:08}\u{3}").as_bytes())).collect();
    let _is_ended_meanwhile = stream.write_all(&frames).await.is_err();
    let mut heard = Vec::new();
    let reading = timeout(Duration::from_secs(10), stream.read_to_end(&mut heard));
    assert!(attacked.works_during(reading).await.is_ok(), "the connection goes on");
    assert!(heard.windows(2).any(|code| code == 4205_u16.to_be_bytes()), "{heard:?}");
    attacked.has_grown_by_at_most(20);
}

async fn flood(path: &str, frame: &[u8]) {
    flood_after(path, &[], frame).await;
}

/// Says something, and then the same over and over: once without reading and once with.
async fn flood_after(path: &str, first: &[u8], frame: &[u8]) {
    for reads in [false, true] {
        let mut attacked = Attacked::start("").await;
        let (mut reading, mut writing) = upgraded(&url(&attacked, path)).await.into_split();
        writing.write_all(first).await.unwrap();
        let many = frame.repeat((1 << 20) / frame.len() + 1);
        let sending = async {
            for _ in 0..(FLOOD >> 20) {
                if writing.write_all(&many).await.is_err() {
                    break;
                }
            }
        };
        let hearing = async {
            let mut piece = vec![0; 1 << 16];
            while reads && reading.read(&mut piece).await.is_ok_and(|len| len > 0) {}
            std::future::pending::<()>().await;
        };
        let attack = async {
            tokio::select! {
                _ended = timeout(FLOOD_FOR, sending) => {}
                () = hearing => {}
            }
        };
        attacked.works_during(attack).await;
        attacked.has_grown_by_at_most(120);
        drop((reading, writing));
        attacked.works().await;
    }
}

fn url(attacked: &Attacked, path: &str) -> String {
    format!("ws://{}{path}", attacked.server.address())
}

/// So many bytes are sent, if they are taken in time.
const FLOOD: usize = 8 << 20;
const FLOOD_FOR: Duration = Duration::from_secs(2);
