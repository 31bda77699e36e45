//! What a process and its children have used: CPU from the scheduler's own counters, memory from `/proc`.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// The CPU time of a process and its children, threads that have ended included as far as they were ever seen.
pub(crate) struct Cpu {
    pid: u32,
    /// Whether its children count.
    with_children: bool,
    threads: HashMap<(u32, u32), u64>,
    /// Of threads whose numbers were given out again.
    ended: u64,
}

impl Cpu {
    pub(crate) fn of(pid: u32) -> Self {
        Self { pid, with_children: true, threads: HashMap::new(), ended: 0 }
    }

    /// Of this process alone, which makes the load.
    pub(crate) fn of_the_load() -> Self {
        Self { with_children: false, ..Self::of(std::process::id()) }
    }

    /// All CPU time until now. Called often enough, it misses no thread's.
    pub(crate) fn sample(&mut self) -> Duration {
        let pids = if self.with_children { family(self.pid) } else { vec![self.pid] };
        for pid in pids {
            let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
            for thread in tasks.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()) {
                let text = fs::read_to_string(format!("/proc/{pid}/task/{thread}/schedstat")).unwrap_or_default();
                let Some(nanos) = text.split(' ').next().and_then(|number| number.parse().ok()) else { continue };
                let before = self.threads.insert((pid, thread), nanos).unwrap_or(0);
                if nanos < before {
                    self.ended += before;
                }
            }
        }
        Duration::from_nanos(self.threads.values().sum::<u64>() + self.ended)
    }
}

/// Resident memory in bytes: now, and the most it ever was.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) peak: u64,
}

impl Memory {
    pub(crate) fn of(pid: u32) -> Self {
        let mut memory = Self { now: 0, peak: 0 };
        for pid in family(pid) {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            memory.now += field(&status, "VmRSS:");
            memory.peak += field(&status, "VmHWM:");
        }
        memory
    }
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// A process and all that it started, directly or not.
fn family(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(pid) = family.get(next).copied() {
        next += 1;
        let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { continue };
        for task in tasks.flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            family.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    family
}
