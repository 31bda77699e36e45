//! What the system allows this process, and the servers that it starts.

use std::fs;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets this process, and what is started from here, open as many files as the system allows.
pub(crate) fn open_many_files() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
}

/// How many connections to one server there can be: one file each on both sides, one port each on this.
pub(crate) fn connections() -> usize {
    let files = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |files| usize::try_from(files).unwrap());
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = range.split_whitespace().filter_map(|end| end.parse::<usize>().ok());
    let ports = ends.next().zip(ends.next()).map_or(0, |(first, last)| last.saturating_sub(first));
    files.min(ports).saturating_sub(SPARE).min(ADMITTED)
}

/// For all files that are no connections, and ports of others.
const SPARE: usize = 200;
/// What ydock admits when it is not told otherwise, `connections.max_open`.
const ADMITTED: usize = 20_000;
