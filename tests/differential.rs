//! Holds merge, collect, diff, split, scan and gate against Yjs itself, over random honest and hostile documents.
//!
//! Yjs runs in Node (`tests/differential/*.mjs`), which makes the documents, asks this process for each result and checks
//! it by applying it. Node 20 or later is needed, and `npm ci` in `tests/differential` once. `SEED` and
//! `CASES` in the environment choose other or more documents; a failure names the seed that replays it.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test: outside of its functions the lints do not notice"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use ydock::sync::{
    DocumentBytes, DocumentIndex, Integration, LoadError, StateVector, UpdateRef, collect, diff, is_collection_of,
    merge, root_kinds, split, state_vector_of,
};
use yrs::types::ToJson;
use yrs::types::text::YChange;
use yrs::updates::decoder::Decode;
use yrs::{Any, Doc, GetString, OffsetKind, Options, Out, Text, Transact, Update};

#[derive(Deserialize)]
struct Request {
    op: String,
    #[serde(default)]
    update: String,
    #[serde(default)]
    updates: Vec<String>,
    #[serde(default)]
    state: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    stack: String,
    #[serde(default)]
    summary: Value,
}

#[test]
fn yjs_agrees_with_every_merge_diff_split_and_judgement() {
    answer_all("generate.mjs");
}

#[test]
fn a_long_history_comes_down_to_what_yjs_keeps_of_it() {
    answer_all("histories.mjs");
}

/// Answers what a script asks, until it is done.
fn answer_all(script: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential");
    assert!(folder.join("node_modules/yjs").is_dir(), "yjs is missing: run `npm ci` in tests/differential");
    let mut node = Command::new("node")
        .arg(script)
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node is missing: install Node 20 or later");
    let mut input = node.stdin.take().expect("piped");
    let output = BufReader::new(node.stdout.take().expect("piped"));
    let mut index = DocumentIndex::new();
    let mut summary = None;
    for line in output.lines() {
        let request: Request = serde_json::from_str(&line.expect("a line")).expect("a request");
        match request.op.as_str() {
            "done" => summary = Some(request.summary),
            "failed" => panic!("{}\n{}", request.message, request.stack),
            _ => writeln!(input, "{}", answer(&request, &mut index)).expect("node reads"),
        }
    }
    node.wait().expect("node ends");
    println!("{:#}", summary.expect("node stopped before the end"));
}

fn answer(request: &Request, index: &mut DocumentIndex) -> Value {
    let updates: Vec<_> = request.updates.iter().map(|text| from_hex(text)).collect();
    let slices = || updates.iter().map(Vec::as_slice);
    let state = || StateVector::decode(&from_hex(&request.state), usize::MAX).expect("a state vector");
    match request.op.as_str() {
        "merge" => json!({ "update": written(&merge(slices()).expect("merges")) }),
        "collect" => {
            let (merged, collected) = (merge(slices()).expect("merges"), collect(slices()).expect("collects"));
            assert!(is_collection_of(&collected, &merged), "more is missing than was deleted");
            if request.message == "as in yrs" {
                assert_eq!(view_in_yrs(&collected), view_in_yrs(&merged), "in yrs");
            }
            json!({ "update": written(&collected), "merged": written(&merged) })
        }
        "diff" => json!({ "update": written(&diff(slices(), &state()).expect("diffs")) }),
        "split" => {
            let (below, above) = split(&from_hex(&request.update), &state()).expect("splits");
            json!({ "parts": [written(&below), written(&above)] })
        }
        "state_vector_of" => json!({ "state": to_hex(&state_vector_of(slices()).expect("scans").encode()) }),
        "root_kinds" => {
            let kinds = root_kinds(slices()).expect("is accepted");
            let kinds: BTreeMap<_, _> = kinds.into_iter().map(|(name, kind)| (name, format!("{kind:?}"))).collect();
            json!({ "kinds": kinds })
        }
        "load" => {
            let tail = updates.iter().map(|update| Bytes::from(update.clone())).collect();
            match DocumentIndex::load(&DocumentBytes { snapshot: None, tail }) {
                Ok(_) => json!({ "kind": "loaded" }),
                Err(LoadError::Refused { part, source }) => {
                    json!({ "kind": "refused", "reason": format!("part {part}: {source}") })
                }
                Err(other) => json!({ "kind": "refused", "reason": other.to_string() }),
            }
        }
        "new" => {
            *index = DocumentIndex::new();
            json!({})
        }
        "state" => json!({ "state": to_hex(&index.state_vector().encode()) }),
        "put" => put(index, &from_hex(&request.update)),
        other => panic!("node asks for {other}"),
    }
}

fn put(index: &mut DocumentIndex, update: &[u8]) -> Value {
    let (state, deleted) = (index.state_vector().clone(), index.deleted().clone());
    match index.integrate(update) {
        Ok(Integration::Contained) => {
            assert!(*index.state_vector() == state && deleted.is_subset(index.deleted()));
            json!({ "kind": "contained" })
        }
        Ok(Integration::Complete) => json!({ "kind": "complete" }),
        Ok(Integration::Partial { accepted, rest }) => {
            json!({ "kind": "partial", "accepted": accepted.map(|update| written(&update)), "rest": written(&rest) })
        }
        Err(refusal) => {
            assert!(*index.state_vector() == state && *index.deleted() == deleted, "a refused update left a trace");
            json!({ "kind": "refused", "level": refusal.level(), "reason": refusal.to_string() })
        }
    }
}

/// What the other library shows of an honest document.
fn view_in_yrs(update: &[u8]) -> Value {
    let doc =
        Doc::with_options(Options { offset_kind: OffsetKind::Utf16, cleanup_formatting: false, ..Options::default() });
    let (text, list) = (doc.get_or_insert_text("text"), doc.get_or_insert_array("list"));
    let (map, xml) = (doc.get_or_insert_map("map"), doc.get_or_insert_xml_fragment("xml"));
    let mut txn = doc.transact_mut();
    txn.apply_update(Update::decode_v1(update).expect("an update")).expect("applies");
    let value = |any: &Any| serde_json::to_value(any).expect("a value");
    let parts = text.diff(&txn, YChange::identity).into_iter().map(|part| {
        let attributes = part.attributes.into_iter().flat_map(|attributes| *attributes);
        let attributes: BTreeMap<_, _> = attributes.map(|(name, any)| (name.to_string(), value(&any))).collect();
        match part.insert {
            Out::Any(any) => json!([value(&any), attributes]),
            other => json!([other.to_string(&txn), attributes]),
        }
    });
    json!({
        "text": parts.collect::<Vec<_>>(),
        "list": value(&list.to_json(&txn)),
        "map": value(&map.to_json(&txn)),
        "xml": xml.get_string(&txn),
    })
}

/// What the server writes passes its own scanner.
fn written(update: &[u8]) -> String {
    UpdateRef::parse(update).expect("own output is well-formed");
    to_hex(update)
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text grows");
        text
    })
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).expect("hex")).collect()
}
