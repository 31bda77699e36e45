//! Exports through worker processes, under hostile documents: nothing hangs, nobody else suffers, the culprit is found.
#![expect(clippy::expect_used, reason = "a test says what it expects")]
#![expect(clippy::disallowed_methods, reason = "the tasks of a test end with its runtime")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytesize::ByteSize;
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use ydock::materialise::{
    Config, DocumentKey, Export, InProcess, MaterialiseError, Materialiser, Refusal, Root, Source, WorkerPool,
};
use ydock::sync::{DocumentBytes, RootKind};
use ydock::{DocName, Generation};

#[path = "materialise/differential.rs"]
mod differential;

fn config() -> Config {
    Config { program: Some(PathBuf::from(env!("CARGO_BIN_EXE_ydock"))), ..Config::default() }
}

fn pool(config: Config) -> Arc<WorkerPool> {
    Arc::new(WorkerPool::start(config, &TaskTracker::new()))
}

fn document(name: &str, snapshot: Option<&[u8]>, tail: &[Vec<u8>]) -> Source {
    let snapshot_upto = u64::from(snapshot.is_some());
    Source {
        key: DocumentKey { name: DocName::parse(name).expect("a name"), generation: Generation::FIRST },
        bytes: DocumentBytes {
            snapshot: snapshot.map(Bytes::copy_from_slice),
            tail: tail.iter().cloned().map(Bytes::from).collect(),
        },
        snapshot_upto,
        head: snapshot_upto + tail.len() as u64,
    }
}

fn root(name: &str, kind: RootKind) -> Root {
    Root { name: name.to_owned(), kind }
}

async fn json_of(pool: &dyn Materialiser, source: Source, roots: &[Root]) -> Result<Value, MaterialiseError> {
    let bytes = pool.export(source, Export::Json { roots: roots.to_vec() }).await?;
    Ok(serde_json::from_slice(&bytes).expect("json"))
}

/// An update of one client that appends a text to the root `t`, after `clock` characters.
fn typed(client: u8, clock: u8, text: &str) -> Vec<u8> {
    let mut update = vec![1, 1, client, clock];
    if clock == 0 {
        update.extend([4, 1, 1, b't']);
    } else {
        update.extend([0x84, client, clock - 1]);
    }
    update.push(u8::try_from(text.len()).expect("a short text"));
    update.extend(text.as_bytes());
    update.push(0);
    update
}

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ascii"), 16).expect("hex"))
        .collect()
}

#[derive(Deserialize)]
struct Hostile {
    base: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    updates: Vec<String>,
}

impl Hostile {
    fn read() -> Self {
        serde_json::from_str(include_str!("fixtures/hostile-updates.json")).expect("the fixture")
    }

    fn base(&self) -> Vec<u8> {
        hex(&self.base)
    }
}

impl Case {
    /// All but the base, which stands first where it is needed.
    fn updates(&self) -> Vec<Vec<u8>> {
        self.updates.iter().filter(|update| *update != "BASE").map(|update| hex(update)).collect()
    }
}

/// The roots of the fixture's base document.
fn base_roots() -> Vec<Root> {
    vec![root("t", RootKind::Text), root("a", RootKind::Array), root("m", RootKind::Map), root("x", RootKind::Xml)]
}

const HELLO: [(&str, RootKind); 1] = [("t", RootKind::Text)];

fn hello_roots() -> Vec<Root> {
    HELLO.iter().map(|(name, kind)| root(name, *kind)).collect()
}

/// Exports a document of its own again and again until told to stop; gives the number of exports and the longest wait.
async fn bystander(pool: Arc<WorkerPool>, mut stop: tokio::sync::oneshot::Receiver<()>) -> (u32, Duration) {
    let (mut count, mut longest) = (0, Duration::ZERO);
    while stop.try_recv() == Err(tokio::sync::oneshot::error::TryRecvError::Empty) {
        let started = Instant::now();
        let name = format!("bystander {}", count % 3);
        let value = json_of(&*pool, document(&name, None, &[typed(1, 0, "hello")]), &hello_roots()).await;
        assert_eq!(value.expect("the bystander's export"), json!({"t": "hello"}));
        longest = longest.max(started.elapsed());
        count += 1;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    (count, longest)
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_updates_alone_and_in_sequence_neither_hang_an_export_nor_harm_another_document() {
    let hostile = Hostile::read();
    let base = hostile.base();
    let pool = pool(config());
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let other = tokio::spawn(bystander(Arc::clone(&pool), stopped));
    for (number, case) in hostile.cases.iter().enumerate() {
        let updates = case.updates();
        let mut tails = vec![updates.clone()];
        if updates.len() > 1 {
            tails.extend(updates.into_iter().map(|update| vec![update]));
        }
        for (part, tail) in tails.iter().enumerate() {
            for (kind, snapshot) in [("on base", Some(base.as_slice())), ("on nothing", None)] {
                let source = document(&format!("case {number}.{part} {kind}"), snapshot, tail);
                let started = Instant::now();
                let result = json_of(&*pool, source, &base_roots()).await;
                let elapsed = started.elapsed();
                assert!(elapsed < Duration::from_millis(5500), "case {number}.{part} {kind} took {elapsed:?}");
                assert!(result.is_ok(), "case {number}.{part} {kind}: {result:?}");
            }
        }
    }
    stop.send(()).expect("the bystander runs");
    let (count, longest) = other.await.expect("the bystander");
    assert!(
        count > 10 && longest < Duration::from_secs(2),
        "{count} exports of the bystander, the longest in {longest:?}"
    );
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_poisonous_update_is_isolated_once_and_the_rest_is_exported_from_then_on_at_once() {
    let hostile = Hostile::read();
    let base = hostile.base();
    let pool = pool(config());
    let clean = json_of(&*pool, document("clean", Some(&base), &[]), &base_roots()).await.expect("the base");
    let poison = hex(
        "02020305c6010701050169046e756c6c840204000403050010670201028603050169046e756c6c6901070267327d1b03030214070201020307060b07020603010c05",
    );
    // Before and after the poison come updates of another client into a root of their own.
    let tail = [typed(99, 0, "be"), poison, typed(99, 2, "fore")];
    let quarantined = pool.stats().updates_quarantined;
    for round in 0..2 {
        let before = pool.stats();
        let value = json_of(&*pool, document("poisoned", Some(&base), &tail), &base_roots()).await.expect("an export");
        for name in ["a", "m", "x"] {
            assert_eq!(value[name], clean[name], "root {name}");
        }
        assert_eq!(pool.stats().updates_quarantined, quarantined + 1);
        if round == 1 {
            assert_eq!(pool.stats().workers_lost, before.workers_lost);
        }
        let text = value["t"].as_str().expect("a text");
        assert!(text.contains("before"), "{text}");
    }
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deeply_nested_values_and_types_and_large_counts_are_left_out_or_refused() {
    let pool = pool(config());
    let mut nested = hex("010105000801016101");
    nested.extend([0x75, 1].repeat(20_000));
    nested.extend([0x7e, 0]);
    let tail = [typed(1, 0, "kept"), nested, hex("8084af5f")];
    let value = json_of(&*pool, document("nested", None, &tail), &hello_roots()).await.expect("an export");
    assert_eq!(value, json!({"t": "kept"}));

    for (levels, fits) in [(5_000_u32, true), (20_000, false)] {
        let source = document(&format!("arrays {levels}"), None, &[nested_arrays(levels)]);
        let export = Export::Json { roots: vec![root("a", RootKind::Array)] };
        match pool.export(source, export).await {
            Ok(bytes) => assert!(fits && bytes.len() > 2 * levels as usize, "{levels}: {} bytes", bytes.len()),
            Err(MaterialiseError::Refused(Refusal::TooDeep { .. })) => assert!(!fits),
            Err(other) => panic!("{levels} levels: {other}"),
        }
    }
    assert_eq!(pool.stats().workers_lost, 0);
    pool.close().await;
}

/// Arrays in each other, each the only element of the one around it.
fn nested_arrays(levels: u32) -> Vec<u8> {
    let mut update = vec![1];
    ydock::lib0::write_var_uint(&mut update, u64::from(levels));
    update.extend([7, 0, 7, 1, 1, b'a', 0]);
    for level in 0..levels - 1 {
        update.extend([7, 0, 7]);
        ydock::lib0::write_var_uint(&mut update, u64::from(level));
        update.push(0);
    }
    update.push(0);
    update
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_outgrows_a_workers_memory_is_refused_quickly_and_spares_the_others() {
    // Time enough for a busy machine: this is about memory.
    let pool = pool(Config { memory: ByteSize::mib(32), timeout: Duration::from_secs(30), ..config() });
    // Members of one byte each: 4.4 MB that take a hundred.
    let mut bomb = vec![1];
    ydock::lib0::write_var_uint(&mut bomb, 400_000);
    bomb.extend([7, 0]);
    for index in 0..400_000 {
        bomb.extend([0x28, 1, 1, b'm', 4]);
        bomb.extend(format!("{index:04x}").as_bytes().iter().take(4));
        bomb.extend([1, 120]);
    }
    bomb.push(0);
    // Mostly the process ends; where the engine asks for memory in a way that may fail, it says so and lives on.
    let refused = async || {
        let error = json_of(&*pool, document("bomb", Some(&bomb), &[]), &hello_roots()).await.expect_err("a refusal");
        match error {
            MaterialiseError::Crashed => true,
            MaterialiseError::Refused(Refusal::Undecodable { reason }) if reason.contains("memory") => false,
            other => panic!("{other:?}"),
        }
    };
    let crashed = refused().await;
    let lost = pool.stats().workers_lost;
    // One in the pool and two in isolation; more when a busy machine kept one from running, which blames nobody.
    assert!(!crashed || lost >= 3, "{lost} workers were lost");
    refused().await;
    assert!(!crashed || pool.stats().workers_lost == lost, "the second request meets what is remembered");
    let tail = [typed(1, 0, "kept"), bomb.clone()];
    let value = json_of(&*pool, document("bomb in the tail", None, &tail), &hello_roots()).await.expect("an export");
    assert_eq!(value, json!({"t": "kept"}));
    assert_eq!(pool.stats().updates_quarantined, 1);
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_is_replaced_and_the_export_still_comes() {
    // A name of its own for the program tells this pool's workers from those of other tests.
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("ydock-to-be-killed");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ydock"), &program).expect("a link");
    let pool = pool(Config { program: Some(program.clone()), workers: 1, ..config() });
    let tail: Vec<Vec<u8>> = (0..100).map(|client| typed(client, 0, "x")).collect();
    for round in 0..10_u64 {
        let roots = hello_roots();
        let export = json_of(&*pool, document(&format!("doc {round}"), None, &tail), &roots);
        let kill = async {
            tokio::time::sleep(Duration::from_millis(round)).await;
            kill_all(&program);
        };
        let (value, ()) = tokio::join!(export, kill);
        assert_eq!(value.expect("an export")["t"].as_str().expect("a text").len(), 100, "{:?}", pool.stats());
    }
    assert_eq!(pool.stats().updates_quarantined, 0);
    pool.close().await;
    assert_eq!(kill_all(&program), 0, "no worker outlives its pool");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_update_is_blamed_for_workers_that_are_killed_from_outside_all_the_time() {
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("ydock-to-be-killed-often");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ydock"), &program).expect("a link");
    let pool = pool(Config { program: Some(program.clone()), workers: 1, ..config() });
    let killer = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(4)).await;
            kill_all(&program);
        }
    });
    let tail: Vec<Vec<u8>> = (0..100).map(|client| typed(client, 0, "x")).collect();
    for round in 0..60 {
        // An export may fail under such treatment, but it never comes back without an honest update.
        let source = document(&format!("doc {round}"), None, &tail);
        if let Ok(value) = json_of(&*pool, source, &hello_roots()).await {
            assert_eq!(value["t"].as_str().expect("a text").len(), 100, "{:?}", pool.stats());
        }
    }
    killer.abort();
    let stats = pool.stats();
    assert!(stats.workers_lost > 10 && stats.updates_quarantined == 0, "{stats:?}");
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stalls_is_replaced_and_the_export_still_comes() {
    let directory = tempfile::tempdir().expect("a directory");
    let program = directory.path().join("ydock-to-be-stopped");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ydock"), &program).expect("a link");
    let pool = pool(Config { program: Some(program.clone()), workers: 1, ..config() });
    for round in 0..2 {
        let started = Instant::now();
        let source = document(&format!("doc {round}"), None, &[typed(1, 0, "hello")]);
        assert_eq!(json_of(&*pool, source, &hello_roots()).await.expect("an export"), json!({"t": "hello"}));
        assert!(started.elapsed() < Duration::from_secs(3));
        // The second export came from isolation, whose processes serve once.
        assert_eq!(signal_all(&program, Signal::STOP), 1 - round);
    }
    assert_eq!((pool.stats().workers_lost, pool.stats().updates_quarantined), (1, 0));
    pool.close().await;
    assert_eq!(kill_all(&program), 0, "no worker outlives its pool");
}

#[test]
fn a_worker_ends_when_its_parent_hangs_up() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ydock"));
    let mut worker = command.arg("worker").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a worker");
    drop(worker.stdin.take());
    assert!(worker.wait().expect("its end").success());
}

/// Kills the processes that run a program, and tells how many there were.
fn kill_all(program: &Path) -> usize {
    signal_all(program, Signal::KILL)
}

fn signal_all(program: &Path, signal: Signal) -> usize {
    let is_worker = |pid: &i32| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.starts_with(program.as_os_str().as_encoded_bytes())
    };
    let entries = std::fs::read_dir("/proc").expect("processes");
    // Listed before the first is killed, so that its successor is spared.
    let pids: Vec<i32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter(is_worker).collect();
    pids.into_iter().filter_map(Pid::from_raw).filter(|pid| kill_process(*pid, signal).is_ok()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_exports_at_once_are_all_answered_and_one_document_is_loaded_once() {
    let pool = pool(config());
    let exports = (0..20).map(|number| {
        let pool = Arc::clone(&pool);
        tokio::spawn(async move {
            let name = format!("doc {}", number % 4);
            json_of(&*pool, document(&name, None, &[typed(1, 0, "hello")]), &hello_roots()).await
        })
    });
    for export in exports.collect::<Vec<_>>() {
        assert_eq!(export.await.expect("a task").expect("an export"), json!({"t": "hello"}));
    }
    let stats = pool.stats();
    assert!(stats.workers_started <= 2 && stats.parts_sent <= 8, "{stats:?}");
    pool.close().await;
    let late = json_of(&*pool, document("late", None, &[]), &hello_roots()).await;
    assert!(matches!(late, Err(MaterialiseError::Closed)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_still_loaded_costs_only_its_new_updates() {
    let pool = pool(Config { workers: 1, ..config() });
    let mut tail: Vec<Vec<u8>> = (0..50).map(|clock| typed(1, clock, "x")).collect();
    for (added, sent) in [(0, 50), (3, 53), (0, 53)] {
        for _ in 0..added {
            tail.push(typed(1, u8::try_from(tail.len()).expect("a clock"), "y"));
        }
        let value = json_of(&*pool, document("doc", None, &tail), &hello_roots()).await.expect("an export");
        assert_eq!(value["t"].as_str().expect("a text").len(), tail.len());
        assert_eq!(pool.stats().parts_sent, sent);
    }
    pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_no_worker_and_one_that_does_not_exist_are_unavailable() {
    for program in ["/bin/cat", "/bin/true", "/nonexistent/ydock"] {
        let pool = pool(Config { program: Some(PathBuf::from(program)), timeout: Duration::from_secs(1), ..config() });
        let error = json_of(&*pool, document("doc", None, &[]), &hello_roots()).await.expect_err("no worker");
        assert!(matches!(error, MaterialiseError::Unavailable(_) | MaterialiseError::Timeout), "{program}: {error:?}");
        pool.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_joins_the_roots_that_have_one_and_an_export_beyond_the_limit_is_too_large() {
    for small in [false, true] {
        let frame = if small { ByteSize::b(40) } else { ByteSize::mib(1) };
        let config = Config { max_frame: frame, ..config() };
        let pool: [Arc<dyn Materialiser>; 2] =
            [pool(config.clone()), Arc::new(InProcess::start(&config, &TaskTracker::new()))];
        for pool in pool {
            let tail: Vec<Vec<u8>> = (0..30).map(|clock| typed(1, clock, "é")).collect();
            let roots = vec![root("t", RootKind::Text), root("m", RootKind::Map), root("x", RootKind::Xml)];
            let result = pool.export(document("doc", None, &tail), Export::Text { roots }).await;
            match result {
                Ok(text) => assert_eq!(String::from_utf8(text).expect("utf-8"), format!("{}\n", "é".repeat(30))),
                Err(error) => assert!(small && matches!(error, MaterialiseError::TooLarge { .. }), "{error}"),
            }
            pool.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_board_is_the_same_picture_wherever_it_is_made_and_one_beyond_the_limit_is_too_large() {
    let update = include_bytes!("fixtures/board.update").to_vec();
    for frame in [ByteSize::mib(1), ByteSize::kib(8)] {
        let config = Config { max_frame: frame, ..config() };
        let pool: [Arc<dyn Materialiser>; 2] =
            [pool(config.clone()), Arc::new(InProcess::start(&config, &TaskTracker::new()))];
        for pool in pool {
            let export = Export::Svg { root: "board".to_owned() };
            let source = document("doc", None, std::slice::from_ref(&update));
            let result = pool.export(source, export).await;
            if frame == ByteSize::mib(1) {
                let svg = String::from_utf8(result.expect("a picture")).expect("utf-8");
                assert_eq!(svg, include_str!("fixtures/board.svg"));
            } else {
                assert!(matches!(result, Err(MaterialiseError::TooLarge { .. })), "{result:?}");
            }
            pool.close().await;
        }
    }
}
