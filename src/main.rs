//! The `ydock` command: flags to configuration, configuration to a running server, its end to an exit code.

fn main() {}
