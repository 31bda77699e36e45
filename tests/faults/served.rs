//! The real program on a data directory, with time limits on its start and its end.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::time::Instant;

use crate::backend::Place;
use crate::child::{self, Ended, Outcome};

/// A running server; it is killed with the value.
pub(crate) struct Server {
    child: Child,
    address: String,
    place: Place,
    errors: Option<JoinHandle<String>>,
}

impl Server {
    pub(crate) fn start(place: &Place) -> Result<Self, String> {
        Self::listen(place, "127.0.0.1:0")
    }

    fn listen(place: &Place, address: &str) -> Result<Self, String> {
        let mut command = serve(place, address);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let errors = child::read_all(child.stderr.take().unwrap());
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (sender, first) = sync_channel(1);
        thread::spawn(move || {
            let mut line = String::new();
            let _ended = output.read_line(&mut line).is_err() || sender.send(line).is_err();
        });
        let line = first.recv_timeout(START).unwrap_or_default();
        let mut server = Self { child, address: String::new(), place: place.clone(), errors: Some(errors) };
        let Some(address) = line.trim().strip_prefix("listening on http://") else {
            let deadline = Instant::now() + Duration::from_secs(1);
            let outcome = child::wait(&mut server.child, deadline);
            return Err(format!("the server did not start, {outcome:?}: {}", server.kill()));
        };
        address.clone_into(&mut server.address);
        Ok(server)
    }

    /// Ends the process without a warning; returns what it had said about errors.
    pub(crate) fn kill(&mut self) -> String {
        let _ended_already = self.child.kill().is_err();
        self.child.wait().unwrap();
        self.errors.take().map(|errors| errors.join().unwrap()).unwrap_or_default()
    }

    /// Starts another process on the same address and directory, after the end of this one.
    pub(crate) fn restart(&mut self) -> Result<(), String> {
        self.kill();
        *self = Self::listen(&self.place, &self.address)?;
        Ok(())
    }

    /// Asks the process to end and waits until it has, or has had its time.
    pub(crate) fn terminate(mut self, limit: Duration) -> Ended {
        kill_process(self.pid(), Signal::TERM).unwrap();
        let outcome = child::wait(&mut self.child, Instant::now() + limit);
        Ended { outcome, output: String::new(), errors: self.kill() }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn http(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn ws(&self, doc: &str) -> String {
        format!("ws://{}/yjs/{doc}?ack=echo", self.address)
    }

    /// The status of `/readyz`, and the reason when it is not ready.
    pub(crate) async fn ready(&self) -> (u16, String) {
        let Ok(answer) = reqwest::get(self.http("/readyz")).await else { return (0, "no answer".to_owned()) };
        let status = answer.status().as_u16();
        let problem: Value = answer.json().await.unwrap_or_default();
        (status, problem["detail"].as_str().unwrap_or_default().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a server that is expected to end by itself.
pub(crate) fn run_refused(place: &Place) -> Ended {
    child::run(&mut serve(place, "127.0.0.1:0"), START, None)
}

/// Whether a server refused to start with one line that says why, and a failing exit code.
pub(crate) fn is_clear_refusal(ended: &Ended, says: &[&str]) -> bool {
    let is_failure = matches!(ended.outcome, Outcome::Exited(status) if status.code() == Some(1));
    is_failure && ended.errors.trim().lines().count() == 1 && says.iter().all(|part| ended.errors.contains(part))
}

fn serve(place: &Place, address: &str) -> Command {
    let mut command = program();
    command.args(["serve", "--listen", address, "--store", &place.kind.to_string(), "--data"]).arg(&place.data);
    command.env("YDOCK_STOP_WITHIN", format!("{}s", STOP.as_secs()));
    command
}

/// The program, with nothing of the environment's settings and without logs: what it says is why it ends.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ydock"));
    command.env_remove("YDOCK_CONFIG").env("YDOCK_LOG__FILTER", "off");
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("YDOCK_FAULTS")) {
        command.env_remove(name);
    }
    command
}

/// Longer than a start takes, repairs included.
const START: Duration = Duration::from_secs(30);
/// What the server may take to stop.
pub(crate) const STOP: Duration = Duration::from_secs(3);
