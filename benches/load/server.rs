//! The servers under load: each a child process on a free port of this machine, with a data directory of its own.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use clap::ValueEnum;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::Instant;

use crate::member::Door;
use crate::usage::{Cpu, Memory};

/// Which program serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// The ceiling: no documents, no store.
    Relay,
    Ydock,
    YWebsocketServer,
    Hocuspocus,
}

/// A running server; it is killed with the value.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    child: Child,
    data: PathBuf,
    /// Kept open, so that the child may say more.
    _output: BufReader<ChildStdout>,
}

impl Kind {
    /// Why it cannot be started here, if so.
    pub(crate) fn missing(self) -> Option<&'static str> {
        match self {
            Self::Relay => None,
            Self::Ydock => (!ydock().exists()).then_some("there is no such program: see YDOCK_BIN"),
            Self::YWebsocketServer | Self::Hocuspocus => {
                let is_there = self.package().exists() && first_line(Command::new("node").arg("--version")).is_some();
                (!is_there).then_some("it or Node is not installed, see `make bench`")
            }
        }
    }

    /// Whether it knows documents and keeps them over a restart.
    pub(crate) fn is_durable(self) -> bool {
        self != Self::Relay
    }

    /// Which version of the program it is.
    pub(crate) fn version(self) -> String {
        let version = match self {
            Self::Relay => Some(env!("CARGO_PKG_VERSION").to_owned()),
            Self::Ydock => first_line(Command::new(ydock()).arg("--version")).map(|line| line.replace("ydock ", "")),
            Self::YWebsocketServer | Self::Hocuspocus => {
                let package = std::fs::read_to_string(self.package()).ok();
                let package = package.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
                let node = first_line(Command::new("node").arg("--version"));
                package.and_then(|package| Some(format!("{}, Node {}", package["version"].as_str()?, node?)))
            }
        };
        version.unwrap_or_else(|| "not installed".to_owned())
    }

    fn package(self) -> PathBuf {
        let name = if self == Self::Hocuspocus { "@hocuspocus/server" } else { "@y/websocket-server" };
        self.folder().join("node_modules").join(name).join("package.json")
    }

    /// Where a server of others is installed.
    fn folder(self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/load/peers").join(self.to_string())
    }

    fn command(self, address: SocketAddr, data: &Path) -> Command {
        let mut command = match self {
            Self::Relay => {
                // This very program, even when another has its place by now.
                let mut command = Command::new("/proc/self/exe");
                command.args(["relay", &address.to_string()]);
                if let Some(number) = std::env::var_os(FLAW) {
                    command.arg(number);
                }
                command
            }
            Self::Ydock => {
                let mut command = Command::new(ydock());
                command.args(["serve", "--listen", &address.to_string(), "--data"]).arg(data);
                command.env_remove("YDOCK_CONFIG").env("YDOCK_LOG__FILTER", "error");
                // All members come from here.
                command.env("YDOCK_CONNECTIONS__MAX_PER_ADDRESS", "0").env("YDOCK_HTTP__MAX_PER_ADDRESS", "0");
                command
            }
            Self::YWebsocketServer | Self::Hocuspocus => {
                let mut command = Command::new("node");
                command.arg(self.folder().join("server.mjs")).arg(address.port().to_string()).arg(data);
                command
            }
        };
        // ydock tells of settings that it does not know.
        command.env_remove("YDOCK_BIN").env_remove(FLAW);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Relay => "relay",
            Self::Ydock => "ydock",
            Self::YWebsocketServer => "y-websocket-server",
            Self::Hocuspocus => "hocuspocus",
        })
    }
}

impl Server {
    /// Starts it on a free port with a data directory in `place`, and waits until it listens.
    pub(crate) fn start(kind: Kind, place: &Path) -> Result<Self, String> {
        Self::listen(kind, "127.0.0.1:0".parse().unwrap(), place.to_owned())
    }

    fn listen(kind: Kind, address: SocketAddr, data: PathBuf) -> Result<Self, String> {
        let mut child = kind.command(address, &data).spawn().map_err(|error| format!("{kind}: {error}"))?;
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        // A server that does not start ends, and its output with it.
        let _cut_short = output.read_line(&mut line).is_err();
        let Some(address) = line.trim().strip_prefix("listening on http://").and_then(|address| address.parse().ok())
        else {
            child.kill().and_then(|()| child.wait()).map_err(|error| format!("{kind}: {error}"))?;
            return Err(format!("{kind} did not start"));
        };
        Ok(Self { kind, address, child, data, _output: output })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn cpu(&self) -> Cpu {
        Cpu::of(self.pid())
    }

    pub(crate) fn memory(&self) -> Memory {
        Memory::of(self.pid())
    }

    /// Ends the process without a warning and starts another on the same address and data.
    pub(crate) fn restart(&mut self) -> Result<(), String> {
        self.kill();
        *self = Self::listen(self.kind, self.address, self.data.clone())?;
        Ok(())
    }

    /// Lets the process end in order and starts another on the same address and data.
    pub(crate) fn restart_in_order(&mut self) -> Result<(), String> {
        let _gone = kill_process(Pid::from_child(&self.child), Signal::TERM).is_err();
        let deadline = Instant::now() + STOP;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        self.restart()
    }

    /// Where a document of this server is joined.
    pub(crate) fn door(&self, doc: &str) -> Door {
        let path = match self.kind {
            Kind::Relay | Kind::YWebsocketServer => format!("/{doc}"),
            Kind::Ydock => format!("/yjs/{doc}"),
            Kind::Hocuspocus => "/".to_owned(),
        };
        Door { address: self.address, path, is_addressed: self.kind == Kind::Hocuspocus }
    }

    pub(crate) fn kill(&mut self) {
        let _gone = self.child.kill().is_err();
        let _reaped = self.child.wait().is_err();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program under test: what was built with this benchmark, unless told otherwise.
fn ydock() -> PathBuf {
    std::env::var_os("YDOCK_BIN").map_or_else(|| env!("CARGO_BIN_EXE_ydock").into(), PathBuf::from)
}

/// What a program says first, if it can be run.
fn first_line(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

/// Which of the relay's deliveries it loses, to see the run notice.
const FLAW: &str = "YDOCK_LOAD_FLAW";
/// What a server may take to stop.
const STOP: Duration = Duration::from_secs(20);
