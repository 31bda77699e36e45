//! The real binary on a free port with a data directory of its own.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Pid;
use tempfile::TempDir;

/// A running server; it ends with the value.
pub(crate) struct TestServer {
    child: Child,
    /// Where it listens, as it says itself.
    origin: String,
    data: PathBuf,
    flags: Vec<String>,
    /// Removed with the server when it made the directory itself.
    owned: Option<TempDir>,
}

impl TestServer {
    /// Starts on an empty data directory.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts on an empty data directory, with further flags.
    pub(crate) fn start_with(flags: &[&str]) -> Self {
        let data = TempDir::new().unwrap();
        Self::launch(command(), data.path(), flags).owning(data)
    }

    /// Starts on an empty data directory, with settings as variables.
    pub(crate) fn start_set(settings: &[(&str, &str)]) -> Self {
        Self::start_set_at("127.0.0.1:0", settings)
    }

    /// The same on an address.
    pub(crate) fn start_set_at(listen: &str, settings: &[(&str, &str)]) -> Self {
        let data = TempDir::new().unwrap();
        let mut command = command();
        command.envs(settings.iter().copied());
        Self::launch_at(listen, command, data.path(), &[]).owning(data)
    }

    /// Starts on an empty data directory, where no file may become longer than a bound until the bound is lifted.
    pub(crate) fn start_with_files_of_at_most(kibibytes: u64) -> Self {
        let data = TempDir::new().unwrap();
        Self::start_with_files_of_at_most_on(kibibytes, data.path()).owning(data)
    }

    /// The same on a data directory of somebody else.
    pub(crate) fn start_with_files_of_at_most_on(kibibytes: u64, data: &Path) -> Self {
        Self::launch(bounded(kibibytes), data, &[])
    }

    /// Starts on a data directory of somebody else.
    pub(crate) fn start_on(data: &Path) -> Self {
        Self::launch(command(), data, &[])
    }

    /// Starts on an empty data directory and an address, with further flags, and logs errors to a file.
    pub(crate) fn start_at(listen: &str, log: &Path, flags: &[&str]) -> Self {
        let data = TempDir::new().unwrap();
        let mut command = command();
        command.stderr(File::create(log).unwrap());
        Self::launch_at(listen, command, data.path(), flags).owning(data)
    }

    fn launch(command: Command, data: &Path, flags: &[&str]) -> Self {
        Self::launch_at("127.0.0.1:0", command, data, flags)
    }

    fn launch_at(listen: &str, command: Command, data: &Path, flags: &[&str]) -> Self {
        let flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let (child, origin) = spawn(command, data, listen, &flags);
        Self { child, origin, data: data.to_owned(), flags, owned: None }
    }

    fn owning(mut self, data: TempDir) -> Self {
        self.owned = Some(data);
        self
    }

    /// Ends the process without a warning and starts another on the same address and data.
    pub(crate) fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        (self.child, self.origin) = spawn(command(), &self.data, self.address(), &self.flags);
    }

    /// Asks the process to end and waits until it has.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        rustix::process::kill_process(self.pid(), rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap()
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn http(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// What it listens on.
    pub(crate) fn address(&self) -> &str {
        self.origin.split_once("://").map_or(&self.origin, |(_, address)| address)
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    pub(crate) fn ws(&self, doc: &str) -> String {
        format!("ws://{}/yjs/{doc}", self.address())
    }

    /// How much of the machine's memory it has, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
    }

    /// How often a limit was reached.
    pub(crate) async fn refused(&self, setting: &str) -> u64 {
        self.metric(&format!("ydock_refused_total{{limit=\"{setting}\"}}")).await
    }

    /// The value of a metric, with its labels if it has some.
    pub(crate) async fn metric(&self, name: &str) -> u64 {
        let text = reqwest::get(self.http("/metrics")).await.unwrap().text().await.unwrap();
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let _ended_already = self.child.kill().is_err();
        let _reaped_already = self.child.wait().is_err();
    }
}

fn spawn(mut command: Command, data: &Path, listen: &str, flags: &[String]) -> (Child, String) {
    let mut child = command.args(["serve", "--listen", listen, "--data"]).arg(data).args(flags).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let origin = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("the server said {line:?}"));
    (child, origin.to_owned())
}

/// The binary, with quiet logs and nothing of the environment's settings.
pub(crate) fn command() -> Command {
    isolated(env!("CARGO_BIN_EXE_ydock"))
}

/// The binary, where no file may become longer than a bound.
pub(crate) fn bounded(kibibytes: u64) -> Command {
    // Ignored, the signal leaves a write that fails.
    let script = format!("trap '' XFSZ; ulimit -S -f {kibibytes}; exec \"$0\" \"$@\"");
    let mut bounded = isolated("bash");
    bounded.args(["-c", &script, env!("CARGO_BIN_EXE_ydock")]);
    bounded
}

fn isolated(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_remove("YDOCK_CONFIG").env("YDOCK_LOG__FILTER", "error");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    command
}

/// Waits until something holds, at most half a minute.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let waiting = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), waiting).await.is_ok();
    assert!(in_time, "waited in vain: {what}");
}
