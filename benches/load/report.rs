//! Where the results go: to the terminal as they come, and at the end into a file beside those of other days.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::server::Kind;

/// A report in Markdown.
#[derive(Default)]
pub(crate) struct Report {
    text: String,
    file: Option<PathBuf>,
}

impl Report {
    /// A report for the file of today, where it takes the place of an earlier one of the same day and name once it is complete.
    pub(crate) fn kept(name: &str) -> io::Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results");
        fs::create_dir_all(&folder)?;
        Ok(Self { text: String::new(), file: Some(folder.join(format!("{}{name}.md", today()))) })
    }

    pub(crate) fn line(&mut self, line: &str) {
        println!("{line}");
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// It is complete.
    pub(crate) fn end(self) -> io::Result<()> {
        self.file.map_or(Ok(()), |file| fs::write(file, self.text))
    }

    /// Says what is measured, and on what.
    pub(crate) fn introduce(&mut self, servers: &[Kind], rounds: u16) {
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let cpus = std::thread::available_parallelism().map_or(0, usize::from);
        let busy = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let busy = busy.split(' ').next().unwrap_or_default();
        let words: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
        self.line(&format!("# Servers under load, {}\n", today()));
        self.line(&format!("- `make bench LOAD='{}'`", words.join(" ")));
        self.line(&format!("- Linux {}, {cpus} CPUs, load average at the start {busy}", kernel.trim()));
        if rounds > 1 {
            self.line(&format!("- medians of {rounds} rounds, in each of which every server has its turn"));
        }
        for kind in servers {
            self.line(&format!("- {kind}: {}", kind.version()));
        }
        self.line("\n× is the ratio to the relay, which has no documents and no store. CPU is the server's, its children included.");
    }
}

fn today() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string().chars().take("2026-01-01".len()).collect()
}
