//! Processes that may be killed, hang, panic or take all memory without harm to the run: mostly this binary in another role.
//!
//! Each has a time limit and is killed by its own id.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::examine::Examine;
use crate::isolated::Isolated;
use crate::load::Load;

/// What this binary does instead of a run, when it is started as a child.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Role {
    /// Uses a store and says what it acknowledges.
    Load(Load),
    /// Opens a store and says what is in it.
    Examine(Examine),
    /// Runs a fault where it may mount file systems of its own.
    Isolated(Isolated),
}

const ROLE: &str = "YDOCK_FAULTS_ROLE";

impl Role {
    pub(crate) fn of_this_process() -> Option<Self> {
        std::env::var(ROLE).ok().map(|text| serde_json::from_str(&text).unwrap())
    }

    pub(crate) fn play(self) -> ExitCode {
        // Whoever started this process may be gone, or be a tracer that was killed in its place.
        thread::spawn(|| {
            let started = Instant::now();
            while started.elapsed() < LIFETIME {
                thread::park_timeout(LIFETIME);
            }
            std::process::exit(1);
        });
        match self {
            Self::Load(load) => load.run(),
            Self::Examine(examine) => examine.run(),
            Self::Isolated(isolated) => isolated.run(),
        }
    }

    /// This binary in this role.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        self.give_to(&mut command);
        command
    }

    /// Lets a command that ends in this binary start it in this role.
    pub(crate) fn give_to(&self, command: &mut Command) {
        command.env(ROLE, serde_json::to_string(self).unwrap());
    }
}

/// When to kill a child: so long after it has said a line that begins like this.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kill {
    pub(crate) after: &'static str,
    pub(crate) lifetime: Duration,
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// By itself, in order or not.
    Exited(ExitStatus),
    /// As it was meant to be.
    Killed,
    /// Because it took longer than it may.
    OutOfTime,
}

/// A child that has ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) outcome: Outcome,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Ended {
    pub(crate) fn is_success(&self) -> bool {
        matches!(self.outcome, Outcome::Exited(status) if status.success())
    }

    /// How it ended and its last words, in one line.
    pub(crate) fn story(&self) -> String {
        let outcome = match self.outcome {
            Outcome::Exited(status) => status.to_string(),
            Outcome::Killed => "killed".to_owned(),
            Outcome::OutOfTime => "out of time".to_owned(),
        };
        let lines: Vec<_> = self.errors.lines().map(str::trim).filter(|line| !line.is_empty()).take(4).collect();
        if lines.is_empty() { outcome } else { format!("{outcome}: {}", lines.join(" / ")) }
    }
}

/// Runs a command until it ends, is to be killed, or has had its time.
pub(crate) fn run(command: &mut Command, limit: Duration, kill: Option<Kill>) -> Ended {
    let deadline = Instant::now() + limit;
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (lines, reader) = read_lines(child.stdout.take().unwrap());
    let errors = read_all(child.stderr.take().unwrap());
    let mut output = String::new();
    let mut until = deadline;
    let mut is_triggered = false;
    // The end of its output comes with the end of the child.
    let outcome = loop {
        match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if let Some(kill) = kill.filter(|kill| !is_triggered && line.starts_with(kill.after)) {
                    is_triggered = true;
                    until = deadline.min(Instant::now() + kill.lifetime);
                }
                output.push_str(&line);
            }
            Err(RecvTimeoutError::Disconnected) => break wait(&mut child, deadline),
            Err(RecvTimeoutError::Timeout) => {
                break if is_triggered && until < deadline { Outcome::Killed } else { Outcome::OutOfTime };
            }
        }
    };
    if !matches!(outcome, Outcome::Exited(_)) {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    output.extend(lines.iter());
    reader.join().unwrap();
    Ended { outcome, output, errors: errors.join().unwrap() }
}

/// Waits for a child that has closed its output.
pub(crate) fn wait(child: &mut Child, deadline: Instant) -> Outcome {
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Outcome::Exited(status);
        }
        if Instant::now() >= deadline {
            return Outcome::OutOfTime;
        }
        thread::park_timeout(Duration::from_millis(2));
    }
}

/// The lines of a child as they come, whole or, at its end, not.
fn read_lines(output: ChildStdout) -> (Receiver<String>, JoinHandle<()>) {
    let (sender, lines) = sync_channel(1 << 16);
    let reader = thread::spawn(move || {
        let mut output = BufReader::new(output);
        loop {
            let mut line = Vec::new();
            if output.read_until(b'\n', &mut line).unwrap_or(0) == 0 {
                return;
            }
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    (lines, reader)
}

/// Everything that a child says about its errors.
pub(crate) fn read_all(mut errors: ChildStderr) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before a failure is kept.
        let _cut_short = errors.read_to_end(&mut bytes).is_err();
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// No child lives longer.
const LIFETIME: Duration = Duration::from_mins(5);
