//! One worker process as the server sees it: started with limits, spoken to in frames, killed when it is dropped.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout_at};

use super::frames::{self, FRAME_MAX, FRAME_OVERHEAD, PROTOCOL, Pace, Request, Response};
use super::worker::{LIMITS_VARIABLE, Limits, WORKER_ARGUMENT};

/// What is needed to start workers.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    limits: Limits,
}

/// A running worker that has said that it is ready.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    longest_frame: usize,
}

/// Why a conversation with a worker ended without an answer.
#[derive(Debug)]
pub(super) enum Broken {
    /// The worker hung up, or said what no worker says.
    Died(io::Error),
    /// Nothing was heard until the given time.
    Silent,
}

impl Program {
    /// The given program, or the running one.
    ///
    /// # Errors
    /// When the running program's path cannot be found out.
    pub(super) fn new(program: Option<PathBuf>, limits: Limits) -> io::Result<Self> {
        let path = program.map_or_else(std::env::current_exe, Ok)?;
        let frame = limits.frame.min((FRAME_MAX - FRAME_OVERHEAD) as u64);
        Ok(Self { path, limits: Limits { frame, ..limits } })
    }

    /// The longest update and export, in bytes.
    pub(super) fn longest_payload(&self) -> u64 {
        self.limits.frame
    }

    /// Starts a worker and waits for its first word; a second one when the first ends without any.
    ///
    /// A careful worker fills freed memory with rubbish, so that an update that corrupts memory shows at once.
    ///
    /// # Errors
    /// When the program does not start, or does not answer as a worker in time.
    pub(super) async fn start(&self, pace: Pace, deadline: Instant) -> io::Result<Process> {
        match self.start_once(pace, deadline).await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.start_once(pace, deadline).await,
            started => started,
        }
    }

    async fn start_once(&self, pace: Pace, deadline: Instant) -> io::Result<Process> {
        let mut command = Command::new(&self.path);
        command
            .arg(WORKER_ARGUMENT)
            .env_clear()
            .envs(environment(pace))
            .env(LIMITS_VARIABLE, self.limits.to_text())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let longest_frame = usize::try_from(self.limits.frame).unwrap_or(FRAME_MAX) + FRAME_OVERHEAD;
        let mut process = Process { child, stdin, stdout: BufReader::new(stdout), longest_frame };
        match process.hear(deadline).await {
            Ok(Response::Ready { protocol: PROTOCOL }) => Ok(process),
            Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "the program is no worker of this version")),
            Err(Broken::Died(error)) => Err(error),
            Err(Broken::Silent) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Process {
    /// Sends a request. On an error the conversation is over.
    ///
    /// # Errors
    /// When the worker hung up or does not read until `deadline`.
    pub(super) async fn say(&mut self, request: &Request, deadline: Instant) -> Result<(), Broken> {
        let frame = frames::encode(request).map_err(Broken::Died)?;
        match timeout_at(deadline, self.stdin.write_all(&frame)).await {
            Ok(written) => written.map_err(Broken::Died),
            Err(_elapsed) => Err(Broken::Silent),
        }
    }

    /// Waits for the next response. On an error the conversation is over.
    ///
    /// # Errors
    /// When the worker hung up, spoke nonsense, or is silent until `deadline`.
    pub(super) async fn hear(&mut self, deadline: Instant) -> Result<Response, Broken> {
        match timeout_at(deadline, frames::receive(&mut self.stdout, self.longest_frame)).await {
            Ok(heard) => heard.map_err(Broken::Died),
            Err(_elapsed) => Err(Broken::Silent),
        }
    }

    /// How long the process has run on processors, all threads together; `None` where the system does not tell.
    pub(super) fn cpu_time(&self) -> Option<Duration> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()?)).ok()?;
        // After the name, which may hold anything but ends with the last parenthesis: proc(5), fields 14 and 15.
        let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        Some(TICK * u32::try_from(ticks()? + ticks()?).ok()?)
    }

    /// Ends the process, now, and tells how it ended if it had ended by itself.
    ///
    /// A process whose pipes are closed has its exit status already, which this kill does not change.
    pub(super) async fn end(mut self) -> Option<ExitStatus> {
        let _already_dead = self.child.start_kill();
        self.child.wait().await.ok()
    }
}

/// The unit of times in `/proc`: Linux counts hundredths of a second there on every machine.
const TICK: Duration = Duration::from_millis(10);

fn environment(pace: Pace) -> Vec<(OsString, OsString)> {
    let mut variables = vec![("MALLOC_ARENA_MAX".into(), "1".into())];
    if pace == Pace::Careful {
        variables.push(("GLIBC_TUNABLES".into(), "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0".into()));
    }
    variables
}
