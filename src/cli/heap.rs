//! The allocator of the C library, set up for a server: it reads its settings when a program starts, and from the
//! environment only, so the server starts anew with them.
//!
//! What for, and what it brings: docs/adr/0015.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// Starts the running program anew in the same process, with settings for the allocator. Returns when that is not needed, when
/// `GLIBC_TUNABLES` is there already, or when it is not possible. For the first thing that a program does.
pub fn settle_heap() {
    let is_glibc = cfg!(all(target_os = "linux", target_env = "gnu"));
    if !is_glibc || std::env::var_os(VARIABLE).is_some() {
        return;
    }
    // By its own path and not by /proc/self/exe, after which tools would call the process "exe".
    let Ok(program) = std::env::current_exe() else { return };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut arguments = std::env::args_os();
    let mut again = Command::new(program);
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // What it would do with other settings it does with these as well: no reason not to go on.
    let _not_possible = again.args(arguments).env(VARIABLE, tunables(threads)).exec();
}

/// Large pages below the heap, which grows in steps that are large enough for them, and no more heaps than threads that run at once.
fn tunables(threads: usize) -> String {
    format!("glibc.malloc.hugetlb=1:glibc.malloc.top_pad={GROWTH}:glibc.malloc.arena_max={}", threads.max(LEAST_ARENAS))
}

/// As the manual of the GNU C library calls it, in the chapter on tunables.
const VARIABLE: &str = "GLIBC_TUNABLES";
/// By so many bytes more than needed a heap grows. Memory that is not touched is not taken.
const GROWTH: usize = 8 << 20;
/// The store writes in a thread of its own.
const LEAST_ARENAS: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_heap_for_each_thread_and_never_one_alone() {
        assert!(tunables(1).ends_with(":glibc.malloc.arena_max=2"));
        assert_eq!(tunables(16), "glibc.malloc.hugetlb=1:glibc.malloc.top_pad=8388608:glibc.malloc.arena_max=16");
    }
}
