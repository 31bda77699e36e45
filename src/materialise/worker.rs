//! The worker process: reads documents on stdin, answers with exports on stdout.
//!
//! It promises to set its limits before it reads anything, and to end when its parent does: the main thread always waits on
//! stdin, even while the engine hangs on its own thread.

use std::io;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use bytes::Bytes;
use rustix::process::{Resource, Rlimit, setrlimit};

use super::engine::{Engine, EngineFault};
use super::frames::{self, FRAME_MAX, FRAME_OVERHEAD, PROTOCOL, Request, Response};

/// Runs this process as a worker until its stdin ends: what `ydock worker` does.
///
/// Blocks. Expects to be started by a [`WorkerPool`](super::WorkerPool), which talks to it over the standard streams.
#[must_use]
pub fn worker_main() -> ExitCode {
    match run(Limits::from_environment()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Turns this process into a worker when a [`WorkerPool`](super::WorkerPool) started it as one; returns at once otherwise.
///
/// Programs that embed the crate call it first in `main`, before they start threads or read arguments.
///
/// ```
/// ydock::materialise::run_if_worker();
/// // the program's own start
/// ```
pub fn run_if_worker() {
    let asked = std::env::args_os().nth(1).is_some_and(|argument| argument == WORKER_ARGUMENT);
    if asked && std::env::var_os(LIMITS_VARIABLE).is_some() {
        let code = match run(Limits::from_environment()) {
            Ok(()) => 0,
            Err(_) => 1,
        };
        std::process::exit(code);
    }
}

/// What a worker is held to, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub memory: u64,
    pub stack: u64,
    pub frame: u64,
}

impl Limits {
    /// As text for [`LIMITS_VARIABLE`].
    pub(super) fn to_text(self) -> String {
        format!("{},{},{}", self.memory, self.stack, self.frame)
    }

    fn from_text(text: &str) -> Option<Self> {
        let mut numbers = text.split(',').map(str::parse::<u64>);
        let mut next = || numbers.next()?.ok();
        Some(Self { memory: next()?, stack: next()?, frame: next()? })
    }

    /// The defaults of [`Config`](super::Config) stand in for what a parent did not say.
    fn from_environment() -> Self {
        let text = std::env::var(LIMITS_VARIABLE).unwrap_or_default();
        Self::from_text(&text).unwrap_or(Self { memory: 1 << 30, stack: 256 << 20, frame: 256 << 20 })
    }
}

fn run(limits: Limits) -> io::Result<()> {
    // The standard streams carry frames; a panic's message goes into one of them.
    std::panic::set_hook(Box::new(|_| {}));
    restrict(limits)?;
    let longest = usize::try_from(limits.frame).unwrap_or(FRAME_MAX).min(FRAME_MAX - FRAME_OVERHEAD);
    let stack = usize::try_from(limits.stack).unwrap_or(usize::MAX);
    let (requests, queue) = sync_channel(1);
    thread::Builder::new().name("engine".into()).stack_size(stack).spawn(move || serve(&queue, longest))?;
    let mut stdin = io::stdin().lock();
    while let Some(request) = frames::read::<Request>(&mut stdin, longest + FRAME_OVERHEAD)? {
        if requests.send(request).is_err() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
    }
    Ok(())
}

/// Leaves no core files and bounds the address space: the documents' memory, the stack, and what the program maps itself.
fn restrict(limits: Limits) -> io::Result<()> {
    let bound = |bytes| Rlimit { current: Some(bytes), maximum: Some(bytes) };
    setrlimit(Resource::Core, bound(0))?;
    let space = limits.memory.saturating_add(limits.stack).saturating_add(OWN_SPACE);
    setrlimit(Resource::As, bound(space))?;
    Ok(())
}

/// The engine's thread: one request after the other, until the server hangs up.
fn serve(queue: &Receiver<Request>, longest: usize) {
    let mut engine = Engine::new(longest);
    let mut stdout = io::stdout().lock();
    if frames::write(&mut stdout, &Response::Ready { protocol: PROTOCOL }).is_err() {
        return;
    }
    while let Ok(request) = queue.recv() {
        let mut hung_up = false;
        let response = answer(&mut engine, request, &mut |parts| {
            hung_up |= frames::write(&mut stdout, &Response::Applied { parts }).is_err();
        });
        if hung_up || frames::write(&mut stdout, &response).is_err() {
            return;
        }
    }
}

fn answer(engine: &mut Engine, request: Request, progress: &mut dyn FnMut(u64)) -> Response {
    match request {
        Request::Load { slot, parts, pace } => match engine.load(slot, &parts, pace, progress) {
            Ok(skipped) => Response::Loaded { skipped },
            Err(fault) => Response::Refused { refusal: fault.refusal },
        },
        Request::Export { slot, export } => match engine.export(slot, &export) {
            Ok(bytes) => Response::Exported { bytes: Bytes::from(bytes) },
            Err(EngineFault::Refused(refusal)) => Response::Refused { refusal },
            Err(EngineFault::Oversized) => Response::Oversized,
        },
        Request::Drop { slot } => {
            engine.forget(slot);
            Response::Dropped
        }
    }
}

/// Carries the limits to the worker and marks it as one.
pub(super) const LIMITS_VARIABLE: &str = "YDOCK_WORKER_LIMITS";

/// The argument that makes the program a worker.
pub(super) const WORKER_ARGUMENT: &str = "worker";

/// Address space for the program, its libraries and the main thread: about 5 MiB for itself, with room for a larger one.
const OWN_SPACE: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_travel_as_text_and_nonsense_is_no_limit() {
        let limits = Limits { memory: 1, stack: 2, frame: 3 };
        assert_eq!(Limits::from_text(&limits.to_text()), Some(limits));
        assert_eq!(Limits::from_text("1,2"), None);
        assert_eq!(Limits::from_text("1,x,3"), None);
    }
}
