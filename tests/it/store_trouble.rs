//! The commands on a store when something is in their way: nothing half is left, nothing is touched that should not be, and
//! what is missing is said.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tempfile::TempDir;

use crate::client::Client;
use crate::server::{TestServer, bounded, command, until};
use crate::store_commands::{failure, fill, flip, json, printed, ydock};
use crate::yjs::{letter, typed};

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Every file of a directory with its content.
fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = names(directory).into_iter().map(|name| directory.join(name));
    paths.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// A stopped server's directory with three documents.
async fn stopped() -> TempDir {
    let data = TempDir::new().unwrap();
    let mut server = TestServer::start_on(data.path());
    fill(&server, &[("red", "the red document"), ("green", "the green document"), ("blue", "the blue one")]).await;
    assert!(server.terminate().success());
    data
}

fn interrupt(child: &mut Child) -> (i32, String) {
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
    let code = child.wait().unwrap().code().unwrap();
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    (code, text)
}

/// Broadcasts do not wait for the disk: members had seen what no backup could have.
#[tokio::test(flavor = "multi_thread")]
async fn edits_that_the_disk_does_not_take_are_named_and_an_interrupted_backup_leaves_nothing() {
    let data = TempDir::new().unwrap();
    let server = TestServer::start_with_files_of_at_most_on(256, data.path());
    let mut author = Client::join(&format!("{}?ack=echo", server.ws("old"))).await;
    assert!(author.update(&letter(1, 0)).await);
    author.receives(&letter(1, 0)).await;
    let mut newcomer = Client::join(&server.ws("new")).await;
    assert!(author.update(&typed(1, 1, &"x".repeat(400_000))).await);
    assert!(newcomer.update(&typed(2, 0, &"y".repeat(400_000))).await);
    let ready = || async { reqwest::get(server.http("/readyz")).await.unwrap().status().is_success() };
    until("the server says that saving fails", || async { !ready().await }).await;

    let scratch = TempDir::new().unwrap();
    let file = scratch.path().join("all.backup");
    let mut begun = command();
    begun.args(["store", "backup"]).arg(&file).arg("--data").arg(data.path()).stderr(Stdio::piped());
    let mut begun = begun.spawn().unwrap();
    until("the backup has begun", || async { !names(scratch.path()).is_empty() }).await;
    assert_eq!(interrupt(&mut begun), (1, "ydock: interrupted\n".to_owned()));
    assert!(names(scratch.path()).is_empty());

    let arguments = ["store", "backup", "--json", file.to_str().unwrap()];
    let report = json(ydock(&arguments, data.path()), 2);
    assert_eq!(report["unsaved"], serde_json::json!(["old"]));
    assert_eq!(report["missing"][0]["name"], "new", "{report}");
    assert_eq!(report["documents"], 1);

    prlimit(Some(server.pid()), Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    until("everything is saved", ready).await;
    let report = json(ydock(&["store", "backup", "--json", "--force", file.to_str().unwrap()], data.path()), 0);
    assert_eq!(report["documents"], 2);
}

#[tokio::test]
async fn a_backup_that_does_not_fit_on_its_disk_leaves_nothing() {
    let data = TempDir::new().unwrap();
    let server = TestServer::start_on(data.path());
    let large = "z".repeat(400_000);
    fill(&server, &[("large", &large)]).await;
    let scratch = TempDir::new().unwrap();
    let mut backup = bounded(64);
    backup.args(["store", "backup"]).arg(scratch.path().join("all.backup")).arg("--data").arg(data.path());
    let text = failure(backup.stderr(Stdio::piped()).output().unwrap());
    assert!(text.contains("cannot write") && text.contains("all.backup"), "{text}");
    assert!(names(scratch.path()).is_empty());
}

#[tokio::test]
async fn an_interrupted_restore_leaves_nothing_and_a_killed_one_can_be_repeated() {
    let data = stopped().await;
    let backup = ydock(&["store", "backup", "-"], data.path());
    assert!(backup.status.success());
    let scratch = TempDir::new().unwrap();
    let into = scratch.path().join("into");
    let mut restore = command();
    restore.args(["store", "restore", "-", "--data"]).arg(&into).stdin(Stdio::piped()).stderr(Stdio::piped());
    let (half, rest) = backup.stdout.split_at(backup.stdout.len() / 2);
    for is_killed in [false, true] {
        let mut begun = restore.spawn().unwrap();
        let mut pipe = begun.stdin.take().unwrap();
        pipe.write_all(half).unwrap();
        until("the restore has begun", || async { !names(scratch.path()).is_empty() }).await;
        if is_killed {
            begun.kill().unwrap();
            begun.wait().unwrap();
            assert_eq!(names(scratch.path()), ["into.unfinished"]);
        } else {
            assert_eq!(interrupt(&mut begun), (1, "ydock: interrupted\n".to_owned()));
            assert!(names(scratch.path()).is_empty());
        }
    }
    let mut repeated = restore.spawn().unwrap();
    let mut pipe = repeated.stdin.take().unwrap();
    pipe.write_all(half).unwrap();
    pipe.write_all(rest).unwrap();
    drop(pipe);
    assert!(repeated.wait().unwrap().success());
    assert_eq!(names(scratch.path()), ["into"]);
    assert_eq!(json(ydock(&["store", "verify", "--deep", "--json"], &into), 0)["decoded"], 3);
}

#[tokio::test]
async fn what_needs_the_directory_for_itself_says_that_it_is_in_use() {
    let data = stopped().await;
    let scratch = TempDir::new().unwrap();
    let (file, into) = (scratch.path().join("all.backup"), scratch.path().join("into"));
    let _server = TestServer::start_on(data.path());
    printed(ydock(&["store", "backup", file.to_str().unwrap()], data.path()), 0);
    let before = names(scratch.path());
    let (file, place) = (file.to_str().unwrap(), into.to_str().unwrap());
    let restore = ydock(&["store", "restore", "--doc", "red", "--as", "rot", file], data.path());
    let salvage = ydock(&["store", "salvage", place], data.path());
    let from = format!("redb:{}", data.path().display());
    let migrate = command().args(["store", "migrate", &from, &format!("redb:{place}")]).stderr(Stdio::piped()).output();
    for output in [restore, salvage, migrate.unwrap()] {
        let text = failure(output);
        assert!(text.contains("in use"), "{text}");
    }
    assert_eq!(names(scratch.path()), before);
}

#[tokio::test]
async fn a_salvage_writes_nothing_into_the_damaged_directory() {
    let data = stopped().await;
    flip(data.path(), "green document");
    let before = files(data.path());
    let scratch = TempDir::new().unwrap();
    let into = scratch.path().join("into");
    let report = json(ydock(&["store", "salvage", "--json", into.to_str().unwrap()], data.path()), 2);
    assert_eq!((&report["documents"], &report["damaged"][0]["name"]), (&2.into(), &"green".into()));
    assert_eq!(names(scratch.path()), ["into"]);
    assert_eq!(files(data.path()), before, "not even a byte");

    // A file that the engine itself refuses.
    let database = data.path().join("documents.redb");
    let mut bytes = std::fs::read(&database).unwrap();
    bytes.get_mut(..64).unwrap().fill(0x55);
    std::fs::write(&database, bytes).unwrap();
    let before = files(data.path());
    let into = scratch.path().join("again");
    let report = json(ydock(&["store", "salvage", "--json", into.to_str().unwrap()], data.path()), 2);
    for (name, text) in [("red", "the red document"), ("blue", "the blue one")] {
        assert_eq!(printed(ydock(&["export", name, "--format", "text"], &into), 0), text, "{report}");
    }
    assert_eq!(files(data.path()), before, "not even a byte");
}

#[tokio::test]
async fn single_documents_come_back_into_a_store_that_goes_on() {
    let data = stopped().await;
    let scratch = TempDir::new().unwrap();
    let file = scratch.path().join("all.backup");
    let file = file.to_str().unwrap();
    printed(ydock(&["store", "backup", file], data.path()), 0);
    let taken = failure(ydock(&["store", "restore", file, "--doc", "red"], data.path()));
    assert!(taken.contains("\"red\"") && taken.contains("--as"), "{taken}");
    let absent = failure(ydock(&["store", "restore", file, "--doc", "grey", "--as", "new"], data.path()));
    assert!(absent.contains("no document \"grey\""), "{absent}");
    let text = printed(ydock(&["store", "restore", file, "--doc", "red", "--as", "old/red"], data.path()), 0);
    assert!(text.starts_with("1 document, "), "{text}");
    for name in ["red", "old/red"] {
        let text = printed(ydock(&["export", name, "--format", "text"], data.path()), 0);
        assert_eq!(text, "the red document");
    }
    // Nothing is restored of a backup that is not whole, even when the document came before its end.
    let bytes = std::fs::read(file).unwrap();
    std::fs::write(file, bytes.get(..bytes.len() - 1).unwrap()).unwrap();
    let cut = failure(ydock(&["store", "restore", file, "--doc", "blue", "--as", "new"], data.path()));
    assert!(cut.contains("incomplete"), "{cut}");
    assert_eq!(json(ydock(&["store", "stat", "--json"], data.path()), 0)["documents"], 4);
}

#[tokio::test]
async fn a_damaged_store_is_not_migrated_but_sent_to_salvage() {
    let data = stopped().await;
    flip(data.path(), "green document");
    let scratch = TempDir::new().unwrap();
    let (from, to) =
        (format!("redb:{}", data.path().display()), format!("redb:{}", scratch.path().join("to").display()));
    let text = failure(command().args(["store", "migrate", &from, &to]).stderr(Stdio::piped()).output().unwrap());
    assert!(text.contains("\"green\"") && text.contains("salvage"), "{text}");
    assert!(names(scratch.path()).is_empty());
}
