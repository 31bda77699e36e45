//! The task that sends one client what its room has to say, as fast as the client reads.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::json;
use tokio::time::timeout;

use super::dialect::Frame;
use super::participant::Participant;
use crate::connection::Close;
use crate::delivery::{Batch, Ending, Outbox};
use crate::gateway::Client;
use crate::sync::SyncMessage;

/// Sends what the room says until the client goes or the room ends the session; then the client is out of the room.
pub(super) async fn deliver(client: Client, outbox: Arc<Outbox>, participant: Participant) {
    let ending = tokio::select! {
        biased;
        () = client.gone() => None,
        ending = send_all(&client, &outbox, &participant) => Some(ending),
    };
    participant.leave().await;
    if let Some(ending) = ending {
        part(&client, &ending);
    }
}

/// Tells a client why its session ends, and ends it: for good, or so that it comes back by itself when that can help.
pub(super) fn part(client: &Client, ending: &Ending) {
    refuse(client, &ending.to_string());
    if Close::from(ending).is_permanent() {
        client.disconnect();
    } else {
        client.close();
    }
}

async fn send_all(client: &Client, outbox: &Outbox, participant: &Participant) -> Ending {
    let mut frames = Vec::new();
    let mut questions = FuturesUnordered::new();
    let mut on_the_way = 0;
    loop {
        let batch = tokio::select! {
            batch = outbox.next(&mut frames, BATCH) => batch,
            Some(()) = questions.next(), if !questions.is_empty() => continue,
        };
        for frame in frames.drain(..) {
            // What the transport has cannot be replaced by something newer: it has little.
            if on_the_way > MOST_ON_THE_WAY {
                client.drained().await;
                on_the_way = 0;
            }
            client.ready().await;
            on_the_way += frame.len();
            match Frame::read(&frame) {
                Some(Frame::Step1(state_vector)) if questions.len() < MOST_QUESTIONS => {
                    questions.push(question(client, participant, state_vector));
                }
                Some(other) => send(client, participant, other),
                None => {}
            }
        }
        match batch {
            Batch::Frames => outbox.flushed(),
            Batch::End(ending) => return ending,
        }
    }
}

fn send(client: &Client, participant: &Participant, frame: Frame) {
    let sent = match frame {
        Frame::Update(update) => client.emit("sync-update", &update),
        // What nobody has asked for brings a slow client up to date.
        Frame::Step2(update) => match participant.answer(update) {
            Ok(()) => Ok(()),
            Err(update) => client.emit("sync-update", &update),
        },
        Frame::Awareness(update) => client.emit("awareness-update", &update),
        Frame::Denied(why) => {
            refuse(client, &String::from_utf8_lossy(&why));
            Ok(())
        }
        // Enough questions are open already; the room asks again.
        Frame::Step1(_) => Ok(()),
    };
    let _client_has_gone = sent.is_err();
}

/// Asks the client for what the room lacks. One that does not answer is asked again by the room, if need be.
///
/// Clients take the first question for the sign that they have everything, so it waits for their own to be answered.
async fn question(client: &Client, participant: &Participant, state_vector: Bytes) {
    let _asks_nothing_itself = timeout(ASKS_WITHIN, participant.has_document()).await.is_err();
    if let Ok(update) = client.emit_with_ack::<Bytes>("sync-step-1", &state_vector, ANSWER_WITHIN).await {
        participant.sync(SyncMessage::Step2(&update)).await;
    }
}

fn refuse(client: &Client, why: &str) {
    let exception = json!({ "status": "error", "message": why });
    let _client_has_gone = client.emit("exception", &exception).is_err();
}

/// How many bytes are taken from the outbox at once.
const BATCH: usize = 64 * 1024;
/// How many bytes may be in the transport's own queue before everything in it has to leave.
const MOST_ON_THE_WAY: usize = 512 * 1024;
const MOST_QUESTIONS: usize = 16;
/// A client that has asked nothing by then is asked all the same.
const ASKS_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_mins(2);
