//! The addresses of the control socket.

use std::path::{Path, PathBuf};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::lines;
use crate::http::problem::Problem;
use crate::http::routes::{App, routes};
use crate::storage::{RESERVE, StoreKind};
use crate::upkeep::{self, Census, Deep};

/// What the control socket answers from.
#[derive(Debug, Clone)]
pub struct Control {
    /// The server's parts.
    pub app: App,
    /// Where the store lies.
    pub place: Place,
}

/// Where a store lies.
#[derive(Debug, Clone)]
pub struct Place {
    /// Its engine.
    pub kind: StoreKind,
    /// Its data directory.
    pub directory: PathBuf,
    /// The number of its format.
    pub format: u32,
}

/// A store from outside and inside.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoreStat {
    /// The engine.
    pub engine: StoreKind,
    /// The data directory.
    pub directory: PathBuf,
    /// The number of its format.
    pub format: u32,
    /// The lengths of all files in the data directory, in bytes.
    pub disk: u64,
    /// What is in the store.
    #[serde(flatten)]
    pub census: Census,
}

/// All addresses of the control socket: its own, and those of the API for one who may edit.
pub fn control_routes(control: Control) -> Router {
    let api = routes(App { access: control.app.access.of_operator(), demo: false, ..control.app.clone() });
    Router::new()
        .route("/control/stat", get(stat))
        .route("/control/verify", get(verify))
        .route("/control/backup", get(backup))
        .route("/control/compact", post(compact))
        .with_state(control)
        .fallback_service(api)
}

async fn stat(State(control): State<Control>) -> Result<Response, Problem> {
    let census = upkeep::census(&*control.app.store).await?;
    let Place { kind, directory, format } = control.place;
    let measured = control.app.tasks.run_blocking(move || (size(&directory), directory)).await;
    let (disk, directory) = measured.unwrap_or_default();
    Ok(Json(StoreStat { engine: kind, directory, format, disk, census }).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VerifyQuery {
    #[serde(default)]
    deep: bool,
}

async fn verify(
    State(control): State<Control>,
    query: Result<Query<VerifyQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(VerifyQuery { deep }) = query.map_err(|rejection| Problem::bad_request(rejection.body_text()))?;
    let App { store, tasks, materialiser, .. } = control.app;
    let deep = deep.then(|| Deep { tasks: tasks.clone(), materialiser });
    Ok(lines::respond(&tasks, |mut reporter| async move {
        upkeep::verify(&*store, deep.as_ref(), &mut |progress| reporter.progress(progress)).await
    }))
}

async fn backup(State(control): State<Control>) -> Response {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let App { store, rooms, tasks, .. } = control.app;
    let (stopping, engine) = (tasks.clone(), control.place.kind);
    tasks.spawn(async move {
        let backup = upkeep::Backup { store: &*store, rooms: &rooms, stopping: &stopping, engine };
        backup.send(&sender).await;
    });
    ([(header::CONTENT_TYPE, "application/octet-stream")], lines::stream(receiver)).into_response()
}

async fn compact(State(control): State<Control>) -> Response {
    let App { store, rooms, tasks, .. } = control.app;
    let running = tasks.clone();
    lines::respond(&tasks, |mut reporter| async move {
        upkeep::compact(&*store, &rooms, &running, &mut |progress| reporter.progress(progress)).await
    })
}

/// Portions of a backup that may wait for the other side.
const CHUNKS: usize = 8;

/// The lengths of all files below a directory, but for the reserve. What vanishes meanwhile does not count.
fn size(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let counts = |entry: &std::fs::DirEntry| entry.file_name() != RESERVE;
    let sizes = entries.filter_map(Result::ok).filter(counts).map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) if metadata.is_file() => metadata.len(),
        _ => 0,
    });
    sizes.sum()
}
