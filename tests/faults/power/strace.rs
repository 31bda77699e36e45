//! The trace of a process's file system calls, as `strace` writes it, read into events.

use std::collections::{HashMap, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Something that a process did to the files below a directory, or said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A line on the standard output, when the process began to say it.
    Said(String),
    Opened {
        fd: u64,
        path: PathBuf,
        creates: bool,
        truncates: bool,
        appends: bool,
    },
    /// A write at a place, or where the descriptor stands.
    Wrote {
        fd: u64,
        path: PathBuf,
        offset: Option<u64>,
        data: Vec<u8>,
    },
    Read {
        fd: u64,
        count: u64,
    },
    Sought {
        fd: u64,
        position: u64,
    },
    Resized {
        path: PathBuf,
        len: u64,
    },
    /// Beginning and end may lie apart, with other threads' events between them.
    SyncBegan {
        thread: u64,
        path: PathBuf,
    },
    Synced {
        thread: u64,
        path: PathBuf,
    },
    Renamed {
        from: PathBuf,
        to: PathBuf,
    },
    Unlinked {
        path: PathBuf,
    },
    MadeDirectory {
        path: PathBuf,
    },
}

/// All threads, paths of descriptors, bytes as hexadecimal numbers and whole; and every call that may change a file.
///
/// `sync_file_range` is not among them: it makes nothing durable.
pub(super) const ARGUMENTS: &[&str] = &[
    "-f",
    "-y",
    "-xx",
    "--seccomp-bpf",
    "-s",
    "16777216",
    "-e",
    "trace=open,openat,openat2,creat,mkdir,mkdirat,write,pwrite64,writev,pwritev,pwritev2,read,readv,lseek,truncate,\
     ftruncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,fsync,fdatasync,\
     sync,syncfs,msync,mmap,copy_file_range,sendfile",
];

/// Why processes cannot be traced here, although the program is there; `None` too when it is not, which the caller runs into.
pub(super) fn why_not_permitted() -> Option<String> {
    let mut command = Command::new("strace");
    let output = command.args(["-f", "-o", "/dev/null", "true"]).stdin(Stdio::null()).output();
    match output {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("tracing is not permitted: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Some(format!("strace cannot be run: {error}")),
    }
}

/// What happened to the files below a directory.
pub(super) struct Trace {
    pub(super) events: Vec<Event>,
    /// Files with a call under way when the process ended: it may have been done or not.
    pub(super) under_way: HashSet<PathBuf>,
}

/// Reads a trace.
pub(super) fn read(trace: &Path, below: &Path) -> Result<Trace, String> {
    let text = String::from_utf8(std::fs::read(trace).unwrap()).unwrap();
    let mut reader = Reader { below, interrupted: HashMap::new(), events: Vec::new() };
    for line in text.lines() {
        reader.line(line).map_err(|what| format!("the trace cannot be read: {what}: {line:.200}"))?;
    }
    let mut under_way = HashSet::new();
    for beginning in reader.interrupted.values() {
        let first = beginning.split_once('(').and_then(|(_, arguments)| arguments.split(", ").next());
        under_way.extend(reader.path_of(first.unwrap_or_default())?);
    }
    Ok(Trace { events: reader.events, under_way })
}

struct Reader<'a> {
    below: &'a Path,
    /// The beginnings of calls that other threads' calls came between, by thread.
    interrupted: HashMap<u64, String>,
    events: Vec<Event>,
}

/// A call that has returned.
struct Call<'a> {
    thread: u64,
    name: &'a str,
    arguments: Vec<&'a str>,
    result: u64,
    /// What the descriptor that it returned leads to.
    opened: Option<PathBuf>,
}

impl Reader<'_> {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let (thread, rest) = line.split_once(' ').ok_or("no thread")?;
        let (thread, rest) = (thread.parse::<u64>().map_err(|error| error.to_string())?, rest.trim_start());
        if rest.starts_with("+++") || rest.starts_with("---") {
            return Ok(());
        }
        if let Some(beginning) = rest.strip_suffix("<unfinished ...>") {
            self.begin(thread, beginning.trim_end())?;
            self.interrupted.insert(thread, beginning.trim_end().to_owned());
            return Ok(());
        }
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let (_, end) = resumed.split_once(" resumed>").ok_or("no end")?;
            let whole = self.interrupted.remove(&thread).ok_or("no beginning")? + end;
            return self.end(thread, &whole);
        }
        self.begin(thread, rest)?;
        self.end(thread, rest)
    }

    /// What counts from the beginning of a call.
    fn begin(&mut self, thread: u64, beginning: &str) -> Result<(), String> {
        let (name, arguments) = beginning.split_once('(').ok_or("no call")?;
        let mut arguments = arguments.split(", ");
        let first = arguments.next().unwrap_or_default().trim_end_matches(')');
        match name {
            "write" if first.starts_with("1<") => {
                let data = bytes(arguments.next().ok_or("no data")?)?;
                self.events.push(Event::Said(String::from_utf8_lossy(&data).into_owned()));
            }
            "fsync" | "fdatasync" => {
                let first = first.split(')').next().unwrap_or_default();
                if let Some(path) = self.path_of(first)? {
                    self.events.push(Event::SyncBegan { thread, path });
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What counts from the end of a call.
    fn end(&mut self, thread: u64, whole: &str) -> Result<(), String> {
        let (call, result) = whole.rsplit_once(" = ").ok_or("no result")?;
        let (name, arguments) =
            call.trim_end().strip_suffix(')').and_then(|call| call.split_once('(')).ok_or("no call")?;
        let number = result.split([' ', '<']).next().unwrap_or_default();
        // Failed calls change nothing; addresses of memory are of no interest.
        let Ok(result_number) = number.parse::<u64>() else { return self.refuse_maps(name, arguments) };
        let opened = if result.contains('<') { self.path_of(result)? } else { None };
        let arguments: Vec<_> = arguments.split(", ").collect();
        self.record(&Call { thread, name, arguments, result: result_number, opened })
    }

    fn record(&mut self, call: &Call<'_>) -> Result<(), String> {
        match call.name {
            "open" | "openat" | "openat2" | "creat" => {
                let Some(path) = call.opened.clone() else { return Ok(()) };
                let flags = |flag| call.arguments.iter().any(|argument| argument.split('|').any(|part| part == flag));
                let (creates, truncates) = (flags("O_CREAT"), flags("O_TRUNC"));
                let (fd, appends) = (call.result, flags("O_APPEND"));
                self.events.push(Event::Opened { fd, path, creates, truncates, appends });
            }
            "write" | "pwrite64" => self.write(call)?,
            "read" => {
                if self.path_of(call.argument(0)?)?.is_some() {
                    self.events.push(Event::Read { fd: descriptor(call.argument(0)?)?, count: call.result });
                }
            }
            "lseek" => {
                if self.path_of(call.argument(0)?)?.is_some() {
                    self.events.push(Event::Sought { fd: descriptor(call.argument(0)?)?, position: call.result });
                }
            }
            "ftruncate" => {
                if let Some(path) = self.path_of(call.argument(0)?)? {
                    let len = call.argument(1)?.parse().map_err(|error| format!("{error}"))?;
                    self.events.push(Event::Resized { path, len });
                }
            }
            // Only ever of a new file, and without flags, so that it is as long as what is asked for.
            "fallocate" => {
                if let Some(path) = self.path_of(call.argument(0)?)? {
                    let number = |at| call.argument(at)?.parse::<u64>().map_err(|error| error.to_string());
                    self.events.push(Event::Resized { path, len: number(2)? + number(3)? });
                }
            }
            "fsync" | "fdatasync" => {
                if let Some(path) = self.path_of(call.argument(0)?)? {
                    self.events.push(Event::Synced { thread: call.thread, path });
                }
            }
            "rename" | "renameat" | "renameat2" | "unlink" | "unlinkat" | "mkdir" | "mkdirat" => self.names(call)?,
            _ => {
                // Anything else that concerns one of the files is more than the replay knows.
                for argument in &call.arguments {
                    let is_path = argument.starts_with('"') && self.inside(&bytes(argument)?).is_some();
                    if is_path || argument.contains('<') && self.path_of(argument)?.is_some() {
                        return Err(format!("the replay does not know {}", call.name));
                    }
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, call: &Call<'_>) -> Result<(), String> {
        let Some(path) = self.path_of(call.argument(0)?)? else { return Ok(()) };
        let mut data = bytes(call.argument(1)?)?;
        data.truncate(usize::try_from(call.result).unwrap());
        if data.len() as u64 != call.result {
            return Err("a write is not whole in it".to_owned());
        }
        let offset = match call.name {
            "pwrite64" => Some(call.argument(3)?.parse().map_err(|error| format!("{error}"))?),
            _ => None,
        };
        self.events.push(Event::Wrote { fd: descriptor(call.argument(0)?)?, path, offset, data });
        Ok(())
    }

    fn names(&mut self, call: &Call<'_>) -> Result<(), String> {
        let mut paths = Vec::new();
        for argument in call.arguments.iter().filter(|argument| argument.starts_with('"')) {
            paths.extend(self.inside(&bytes(argument)?));
        }
        self.events.extend(match (&paths[..], call.name) {
            ([from, to], "rename" | "renameat" | "renameat2") => {
                Some(Event::Renamed { from: from.clone(), to: to.clone() })
            }
            ([path], "unlink" | "unlinkat") => Some(Event::Unlinked { path: path.clone() }),
            ([path], "mkdir" | "mkdirat") => Some(Event::MadeDirectory { path: path.clone() }),
            ([], _) => None,
            _ => return Err(format!("the replay does not know this {}", call.name)),
        });
        Ok(())
    }

    fn refuse_maps(&self, name: &str, arguments: &str) -> Result<(), String> {
        let is_written = arguments.contains("MAP_SHARED") && arguments.contains("PROT_WRITE");
        if name == "mmap" && is_written && self.path_of(arguments)?.is_some() {
            return Err("the replay does not see writes through memory maps".to_owned());
        }
        Ok(())
    }

    /// Where a descriptor with its path in `<>` leads, if it is below the directory and still has its name.
    fn path_of(&self, descriptor: &str) -> Result<Option<PathBuf>, String> {
        let Some((_, path)) = descriptor.split_once('<') else { return Ok(None) };
        let (path, after) = path.split_once('>').ok_or("no end of a path")?;
        if after.starts_with("(deleted)") {
            return Ok(None);
        }
        Ok(self.inside(&unescape(path)?))
    }

    fn inside(&self, path: &[u8]) -> Option<PathBuf> {
        let path = PathBuf::from(String::from_utf8_lossy(path).into_owned());
        path.strip_prefix(self.below).ok().map(Path::to_owned)
    }
}

impl<'a> Call<'a> {
    fn argument(&self, at: usize) -> Result<&'a str, String> {
        self.arguments.get(at).copied().ok_or_else(|| format!("{} without argument {at}", self.name))
    }
}

fn descriptor(argument: &str) -> Result<u64, String> {
    argument.split('<').next().unwrap_or_default().parse().map_err(|error| format!("{argument:?}: {error}"))
}

/// The bytes of a text in quotes.
fn bytes(argument: &str) -> Result<Vec<u8>, String> {
    let inner =
        argument.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).ok_or("a text is not whole in it")?;
    unescape(inner)
}

fn unescape(hex: &str) -> Result<Vec<u8>, String> {
    let digit = |digit: u8| (digit as char).to_digit(16).ok_or("no hexadecimal digit");
    let mut bytes = Vec::with_capacity(hex.len() / 4);
    for escaped in hex.as_bytes().chunks(4) {
        let [b'\\', b'x', high, low] = *escaped else { return Err(format!("not escaped: {hex:.40}")) };
        bytes.push(u8::try_from(digit(high)? << 4 | digit(low)?).unwrap());
    }
    Ok(bytes)
}
