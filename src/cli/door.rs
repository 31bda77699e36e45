//! The way to a store: opened by the command itself, or through the server that has it open.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, Response, header};
use futures_util::StreamExt;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::signal::unix::{SignalKind, signal};

use super::error::CommandError;
use super::output::Outcome;
use super::progress::Display;
use crate::config::Config;
use crate::http::control::{self, Line};
use crate::server::{Desk, StartError};
use crate::shutdown::Tasks;
use crate::storage::{DataFormat, StoreError, StoreKind};

/// Whoever answers for a store.
#[derive(Debug)]
pub(super) enum Door {
    /// Nobody had it open.
    Own(Box<Desk>),
    /// A server has it open and is asked through its socket.
    Server { config: Box<Config>, tasks: Tasks },
}

/// Runs a command to its end, or until a signal tells it to stop.
pub(super) fn run<F>(command: F) -> Result<Outcome, CommandError>
where
    F: Future<Output = Result<Outcome, CommandError>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CommandError::Process)?;
    let outcome = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(CommandError::Process)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(CommandError::Process)?;
        tokio::select! {
            outcome = command => outcome,
            _ = terminate.recv() => Err(CommandError::Interrupted),
            _ = interrupt.recv() => Err(CommandError::Interrupted),
        }
    });
    // A thread may still wait for stdin.
    runtime.shutdown_timeout(PATIENCE);
    outcome
}

impl Door {
    /// Finds the way to the store that the settings name, which must be there.
    pub(super) async fn open(config: Config) -> Result<Self, CommandError> {
        let path = &config.store.data;
        if config.store.kind == StoreKind::Memory {
            return Err(CommandError::InMemory);
        }
        if DataFormat::of(path)?.is_none() {
            return Err(CommandError::NoStore { path: path.clone() });
        }
        match Desk::open(config.clone()).await {
            Ok(desk) => Ok(Self::Own(Box::new(desk))),
            Err(StartError::Store(StoreError::Locked { .. })) => {
                Ok(Self::Server { config: Box::new(config), tasks: Tasks::new() })
            }
            Err(StartError::Store(error)) => Err(error.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The same, for a command that makes a store where there is none.
    pub(super) async fn open_or_begin(config: Config) -> Result<Self, CommandError> {
        if config.store.kind != StoreKind::Memory && DataFormat::of(&config.store.data)?.is_none() {
            return Ok(Self::Own(Box::new(Desk::open(config).await?)));
        }
        Self::open(config).await
    }

    /// Asks, and gives the answer unless it is a refusal.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Body) -> Result<Response<Body>, CommandError> {
        let request = Request::builder().method(method).uri(path).header(header::HOST, HOST).body(body)?;
        let response = match self {
            Self::Own(desk) => desk.ask(request).await,
            Self::Server { config, tasks } => ask_server(config, tasks, request).await?,
        };
        if response.status().is_success() { Ok(response) } else { Err(refusal(response.into_body()).await?) }
    }

    /// Asks for one JSON value.
    pub(super) async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, CommandError> {
        json(self.ask(Method::GET, path, Body::empty()).await?).await
    }

    /// Asks for something that takes its time, and shows how far it is.
    pub(super) async fn watch<T: DeserializeOwned>(&self, method: Method, path: &str) -> Result<T, CommandError> {
        let mut display = Display::start();
        let mut body = self.ask(method, path, Body::empty()).await?.into_body().into_data_stream();
        let mut buffer = Vec::new();
        while let Some(chunk) = body.next().await {
            buffer.extend_from_slice(&chunk.map_err(CommandError::BrokenOff)?);
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<_> = buffer.drain(..=end).collect();
                match serde_json::from_slice(&line).or(Err(CommandError::NotUnderstood))? {
                    Line::Progress(progress) => display.show(progress),
                    Line::Done(done) => return Ok(done),
                    Line::Failed(reason) => return Err(CommandError::Refused(reason)),
                }
            }
            if buffer.len() > LONGEST {
                break;
            }
        }
        Err(CommandError::NotUnderstood)
    }

    /// Closes the store if it was opened here.
    pub(super) async fn close(self) -> Result<(), CommandError> {
        match self {
            Self::Own(desk) => Ok(desk.close().await?),
            Self::Server { .. } => Ok(()),
        }
    }
}

/// The JSON value of an answer.
pub(super) async fn json<T: DeserializeOwned>(response: Response<Body>) -> Result<T, CommandError> {
    let bytes = collect(response.into_body(), LONGEST).await?;
    serde_json::from_slice(&bytes).or(Err(CommandError::NotUnderstood))
}

async fn ask_server(config: &Config, tasks: &Tasks, request: Request<Body>) -> Result<Response<Body>, CommandError> {
    let path = &config.store.data;
    let stream = control::connect(path).await.map_err(|source| CommandError::Socket { path: path.clone(), source })?;
    let stream = stream.ok_or_else(|| CommandError::Unanswered { path: path.clone() })?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(CommandError::Asked)?;
    tasks.spawn(async move {
        // Its error comes out of the request or of the answer's body too.
        let _told_there = connection.await.is_err();
    });
    let response = sender.send_request(request).await.map_err(CommandError::Asked)?;
    Ok(response.map(Body::new))
}

/// The words of a problem document.
async fn refusal(body: Body) -> Result<CommandError, CommandError> {
    #[derive(Deserialize)]
    struct Problem {
        detail: String,
    }
    let bytes = collect(body, LONGEST).await?;
    let problem: Problem = serde_json::from_slice(&bytes).or(Err(CommandError::NotUnderstood))?;
    Ok(CommandError::Refused(problem.detail))
}

async fn collect(body: Body, limit: usize) -> Result<Bytes, CommandError> {
    axum::body::to_bytes(body, limit).await.map_err(CommandError::BrokenOff)
}

/// How long what was interrupted may take to end.
const PATIENCE: Duration = Duration::from_secs(2);
/// HTTP wants a host; on a socket in a directory it says nothing.
const HOST: &str = "ydock";
/// The longest report that is read, in bytes.
const LONGEST: usize = 256 << 20;
