//! Answers that take their time: JSON, one object a line, how far it is and in the end what came of it.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::shutdown::Tasks;
use crate::storage::StoreError;
use crate::telemetry::ErrorChain;
use crate::upkeep::Progress;

/// One line of an answer; the last one is not `Progress`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Line<T> {
    /// How far it is.
    Progress(Progress),
    /// What came of it.
    Done(T),
    /// Why nothing came of it.
    Failed(String),
}

/// Tells the other side how far it is, and never waits for it.
pub(super) struct Reporter {
    sender: mpsc::Sender<Bytes>,
    told: Option<Instant>,
}

impl Reporter {
    pub(super) fn progress(&mut self, progress: Progress) {
        if self.told.is_some_and(|told| told.elapsed() < PACE) {
            return;
        }
        self.told = Some(Instant::now());
        let _other_side_reads_slowly = self.sender.try_send(line(&Line::<()>::Progress(progress))).is_err();
    }
}

/// Answers with the lines of some work, which ends early when nobody reads them any more or the server stops.
pub(super) fn respond<T, W, F>(tasks: &Tasks, work: W) -> Response
where
    T: Serialize + Send + 'static,
    W: FnOnce(Reporter) -> F,
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(LINES);
    let work = work(Reporter { sender: sender.clone(), told: None });
    let stopping = tasks.clone();
    tasks.spawn(async move {
        let last = tokio::select! {
            outcome = work => match outcome {
                Ok(done) => Line::Done(done),
                Err(error) => Line::Failed(ErrorChain(&error).to_string()),
            },
            () = stopping.stopped() => Line::Failed("the server is stopping".to_owned()),
            () = sender.closed() => return,
        };
        let _nobody_reads = sender.send(line(&last)).await.is_err();
    });
    let headers = [(header::CONTENT_TYPE, "application/x-ndjson"), (header::CACHE_CONTROL, "no-store")];
    (headers, stream(receiver)).into_response()
}

/// A body of what comes through a channel.
pub(super) fn stream(receiver: mpsc::Receiver<Bytes>) -> Body {
    Body::from_stream(futures_util::stream::unfold(receiver, |mut receiver| async move {
        let bytes = receiver.recv().await?;
        Some((Ok::<_, Infallible>(bytes), receiver))
    }))
}

fn line<T: Serialize>(line: &Line<T>) -> Bytes {
    // A report is numbers and texts, which always have a JSON form.
    let mut text = serde_json::to_vec(line).unwrap_or_default();
    text.push(b'\n');
    text.into()
}

/// Lines that may wait for the other side.
const LINES: usize = 16;
/// At most one line of progress in this time.
const PACE: Duration = Duration::from_millis(50);
