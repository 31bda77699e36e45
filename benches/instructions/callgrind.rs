//! One case under valgrind's callgrind.

use std::process::Command;
use std::{fs, io};

use tempfile::TempDir;
use thiserror::Error;

/// Why there is no count.
#[derive(Debug, Error)]
pub(crate) enum NotCounted {
    #[error("valgrind is missing: install it as root (Debian: apt-get install valgrind)")]
    NoValgrind,
    #[error("valgrind did not start")]
    Start(#[source] io::Error),
    #[error("{case} failed:\n{said}")]
    Failed { case: String, said: String },
    #[error("callgrind counted nothing of {0}")]
    Nothing(String),
}

/// The instructions of a case, which runs in another process of this program.
pub(crate) fn count(case: &str) -> Result<u64, NotCounted> {
    let directory = TempDir::new().map_err(NotCounted::Start)?;
    let file = directory.path().join("counts");
    let this = std::env::current_exe().map_err(NotCounted::Start)?;
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--toggle-collect=*instructions*counted*"]);
    valgrind.arg(format!("--callgrind-out-file={}", file.display())).arg(this).args([CASE, case]);
    // Nothing of the environment, which moves the stack, and the same copies of memory on every processor.
    valgrind.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path))).env("GLIBC_TUNABLES", PLAIN);
    let ran = valgrind.output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => NotCounted::NoValgrind,
        _ => NotCounted::Start(error),
    })?;
    if !ran.status.success() {
        return Err(NotCounted::Failed { case: case.to_owned(), said: String::from_utf8_lossy(&ran.stderr).into() });
    }
    let written = fs::read_to_string(&file).map_err(NotCounted::Start)?;
    let total = written.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.filter(|count| *count > 0).ok_or_else(|| NotCounted::Nothing(case.to_owned()))
}

/// The flag before the name of the one case that a process runs.
pub(crate) const CASE: &str = "--case";
/// The C library picks its functions by what the processor can do; without these, every x86-64 can the same.
const PLAIN: &str = "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX,-AVX_Fast_Unaligned_Load,-BMI2,-ERMS,-FSRM,-RTM,-SSSE3,-SSE4_1,-SSE4_2";
