//! Random documents of Yjs, exported as Yjs itself exports them.
//!
//! `tests/materialise-differential/generate.mjs` makes the documents with the pinned Yjs; Node installs it on first use.

use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;
use serde_json::Value;
use tokio_util::task::TaskTracker;
use ydock::materialise::{Config, Export, InProcess, Materialiser, Root};
use ydock::sync::RootKind;

use super::{document, hex, root};

/// One line of the generator.
#[derive(Deserialize)]
struct Expected {
    updates: Vec<String>,
    json: String,
    text: String,
}

#[tokio::test]
async fn random_documents_come_out_as_yjs_writes_them() {
    let exporter = InProcess::start(&Config::default(), &TaskTracker::new());
    for seed in [1, 2, 3] {
        for (index, line) in generate(seed, 150).lines().enumerate() {
            let expected: Expected = serde_json::from_str(line).expect("a line of the generator");
            let updates: Vec<Vec<u8>> = expected.updates.iter().map(|update| hex(update)).collect();
            let source = document(&format!("{seed}/{index}"), None, &updates);
            let json = exporter.export(source.clone(), Export::Json { roots: roots() }).await.expect("json");
            let json: Value = serde_json::from_slice(&json).expect("valid json");
            let wanted: Value = serde_json::from_str(&expected.json).expect("valid json");
            for name in ["t", "a", "m", "x"] {
                assert_eq!(json[name], wanted[name], "root {name} of document {index} of seed {seed}");
            }
            let text = exporter.export(source, Export::Text { roots: roots() }).await.expect("text");
            assert_eq!(String::from_utf8(text).expect("utf-8"), expected.text, "document {index} of seed {seed}");
        }
    }
    exporter.close().await;
}

fn roots() -> Vec<Root> {
    vec![root("t", RootKind::Text), root("a", RootKind::Array), root("m", RootKind::Map), root("x", RootKind::Xml)]
}

fn generate(seed: u32, count: u32) -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/materialise-differential");
    if !directory.join("node_modules").is_dir() {
        let installed = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&directory).status();
        assert!(installed.expect("npm").success(), "npm ci failed");
    }
    let output = Command::new("node")
        .args(["generate.mjs", &seed.to_string(), &count.to_string()])
        .current_dir(&directory)
        .stderr(Stdio::inherit())
        .output()
        .expect("node");
    assert!(output.status.success(), "the generator failed");
    String::from_utf8(output.stdout).expect("utf-8")
}
