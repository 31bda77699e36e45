//! The house rules that a machine can check, over the text of the sources: layers, names, sizes, and what stays out of where.
//!
//! A rule takes one file and returns what breaks it, as `file:line: why`. Each rule is run over the repository and, so that it is
//! known to bite, over a sample that breaks it. `CONTRIBUTING.md` gives the reasons.

use std::path::Path;
use std::{fs, io};

/// The layer table: a module imports from lower layers only. `lib`, `main` and `server` put the parts together and are exempt.
const LAYERS: &[(u8, &[&str])] = &[
    (0, &["ids", "access", "lib0", "shutdown", "telemetry"]),
    (1, &["sync", "awareness", "delivery", "websocket", "listen", "tls", "outbound"]),
    (2, &["storage", "materialise", "auth", "hooks", "cluster"]),
    (3, &["doc_rooms", "webhooks"]),
    (4, &["connection", "upkeep"]),
    (5, &["gateway"]),
    (6, &["fronts"]),
    (7, &["http"]),
    (8, &["config", "cli", "testing"]),
    (9, &["server", "lib", "main"]),
];
/// Words of layer 0 that the rest of layer 0 may use.
const VOCABULARY: &[&str] = &["ids", "lib0"];
/// The command line starts what the composition root puts together.
const STARTS: (&str, &str) = ("cli", "server");
const CONFIGURATION_LAYER: u8 = 8;
const COMPOSITION_LAYER: u8 = 9;

/// Names that say that nobody found the concept.
const NAMELESS: &[&str] = &["util", "utils", "common", "helpers", "misc", "types", "manager", "service", "imp"];

/// What decides without waiting and without a clock.
const PURE: &[&str] = &["src/ids.rs", "src/lib0.rs", "src/access", "src/sync", "src/awareness", "src/doc_rooms/state"];

const LONGEST_FILE: usize = 500;

// The rules.

fn imports_point_down(source: &Source) -> Vec<String> {
    let Some(layer) = layer_of(source.module()) else {
        return vec![source.finding(0, "this module stands in no layer: add it to the table in tests/tidy.rs")];
    };
    if layer == COMPOSITION_LAYER {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (position, name) in source.names_at_the_crate_root() {
        if name == source.module() || (source.module(), name) == STARTS {
            continue;
        }
        let allowed = match layer_of(name) {
            Some(0) if layer == 0 => VOCABULARY.contains(&name),
            Some(CONFIGURATION_LAYER) if layer == CONFIGURATION_LAYER => true,
            Some(other) => other < layer,
            None => false,
        };
        if !allowed {
            findings
                .push(source.finding(position, &format!("{} (layer {layer}) may not import {name}", source.module())));
        }
    }
    findings
}

fn a_header_opens_the_file(source: &Source) -> Vec<String> {
    if source.raw.starts_with("//! ") {
        Vec::new()
    } else {
        vec![source.finding(0, "the file does not open with `//!`")]
    }
}

fn a_file_is_short(source: &Source) -> Vec<String> {
    let lines = source.raw.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
    if lines <= LONGEST_FILE {
        return Vec::new();
    }
    vec![source.finding(0, &format!("{lines} lines before the tests, at most {LONGEST_FILE}: more than one concept?"))]
}

fn names_say_something(source: &Source) -> Vec<String> {
    let in_path = source.path.trim_end_matches(".rs").split('/').filter(|part| NAMELESS.contains(part));
    let mut findings: Vec<_> = in_path.map(|part| source.finding(0, &format!("a file called {part}"))).collect();
    for (position, rest) in occurrences(&source.code, "mod ") {
        let name = identifier(rest);
        if NAMELESS.contains(&name) {
            findings.push(source.finding(position, &format!("a module called {name}")));
        }
    }
    findings
}

fn yrs_stays_in_materialise(source: &Source) -> Vec<String> {
    if source.is_under("src/materialise") {
        return Vec::new();
    }
    source.each("yrs", "yrs runs in workers only: ask the materialiser")
}

fn anyhow_stays_in_main(source: &Source) -> Vec<String> {
    if source.path == "src/main.rs" { Vec::new() } else { source.each("anyhow", "an error has an enum below main") }
}

fn pure_code_neither_waits_nor_reads_the_clock(source: &Source) -> Vec<String> {
    if !PURE.iter().any(|place| source.is_under(place) || source.path.starts_with(&format!("{place}_"))) {
        return Vec::new();
    }
    let words = ["await", "async", "Instant::now", "SystemTime::now"];
    words.iter().flat_map(|word| source.each(word, &format!("`{word}` in code that only decides"))).collect()
}

fn http_statuses_stay_at_the_edge(source: &Source) -> Vec<String> {
    let edge = ["src/http", "src/connection", "src/fronts", "src/server", "src/websocket/handshake.rs"];
    if edge.iter().any(|place| source.is_under(place)) {
        return Vec::new();
    }
    source.each("StatusCode", "an HTTP status below http/: return an error, the problem table translates it")
}

fn close_codes_stay_in_their_table(source: &Source) -> Vec<String> {
    if source.path == "src/connection/close.rs" {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (position, number) in numbers(&source.code) {
        if matches!(number, 1001..=1015 | 4200..=4299 | 4400..=4599) {
            findings
                .push(source.finding(position, &format!("close code {number}: name it in src/connection/close.rs")));
        }
    }
    findings
}

fn a_lockfile_names_no_registry(source: &Source) -> Vec<String> {
    let why = "set omit-lockfile-registry-resolved=true in the .npmrc beside it, and install again";
    let places = source.raw.match_indices("\"resolved\":").take(1);
    if source.is_lockfile() { places.map(|(position, _)| source.finding(position, why)).collect() } else { Vec::new() }
}

fn nothing_is_left_for_later(source: &Source) -> Vec<String> {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("#[", "ignore")];
    let calls =
        [concat!("test.", "skip("), concat!("test.", "only("), concat!("test.", "todo("), concat!("it.", "skip(")];
    let mut findings = Vec::new();
    if source.is_lockfile() {
        return findings;
    }
    for word in words.iter().chain(&calls) {
        for (position, _) in occurrences(&source.raw, word) {
            findings.push(source.finding(position, &format!("`{word}`: finish it, or open an issue")));
        }
    }
    findings
}

#[test]
fn imports_point_down_and_never_within_a_layer() -> io::Result<()> {
    keeps(&["src"], imports_point_down)
}

#[test]
fn every_source_file_opens_with_what_it_is() -> io::Result<()> {
    keeps(&["src"], a_header_opens_the_file)
}

#[test]
fn no_source_file_is_longer_than_one_concept() -> io::Result<()> {
    keeps(&["src"], a_file_is_short)
}

#[test]
fn no_file_or_module_has_a_name_that_says_nothing() -> io::Result<()> {
    keeps(&["src", "tests", "benches", "examples"], names_say_something)
}

#[test]
fn only_the_worker_code_names_yrs() -> io::Result<()> {
    keeps(&["src"], yrs_stays_in_materialise)
}

#[test]
fn only_main_uses_anyhow() -> io::Result<()> {
    keeps(&["src"], anyhow_stays_in_main)
}

#[test]
fn code_that_decides_never_awaits_and_never_reads_the_clock() -> io::Result<()> {
    keeps(&["src"], pure_code_neither_waits_nor_reads_the_clock)
}

#[test]
fn http_statuses_appear_only_at_the_edge() -> io::Result<()> {
    keeps(&["src"], http_statuses_stay_at_the_edge)
}

#[test]
fn close_codes_are_numbers_in_one_file_only() -> io::Result<()> {
    keeps(&["src"], close_codes_stay_in_their_table)
}

#[test]
fn no_lockfile_says_where_its_packages_came_from() -> io::Result<()> {
    keeps(&["src", "tests", "benches", "web-demo"], a_lockfile_names_no_registry)
}

#[test]
fn nothing_is_ignored_skipped_or_left_for_later() -> io::Result<()> {
    keeps(&["src", "tests", "benches", "examples", "fuzz", "web-demo"], nothing_is_left_for_later)
}

// Each rule bites.

#[test]
fn an_import_upwards_or_sideways_is_found() {
    assert_finds(
        imports_point_down,
        "src/storage/redb.rs",
        "use crate::ids::DocName;\nuse crate::doc_rooms::Room;",
        &[2],
    );
    assert_finds(imports_point_down, "src/storage/mod.rs", "use crate::materialise::Job;", &[1]);
    assert_finds(
        imports_point_down,
        "src/sync/mod.rs",
        "use crate::{\n    ids::DocName,\n    awareness::States,\n};",
        &[3],
    );
    assert_finds(imports_point_down, "src/ids.rs", "fn f() -> super::sync::Scan {}", &[1]);
    assert_finds(imports_point_down, "src/access.rs", "use crate::{ids, lib0};\nuse crate::telemetry::Metric;", &[2]);
    assert_finds(
        imports_point_down,
        "src/sync/scan.rs",
        "use super::merge;\nuse super::super::delivery::Outbox;",
        &[2],
    );
    assert_finds(
        imports_point_down,
        "src/cli/serve.rs",
        "use crate::{config::Config, server};\nuse crate::main;",
        &[2],
    );
    assert_finds(imports_point_down, "src/http/mod.rs", "use crate::server;", &[1]);
    assert_finds(imports_point_down, "src/http/mod.rs", "use crate::Room;", &[1]);
    assert_finds(imports_point_down, "src/novelty.rs", "", &[1]);
}

#[test]
fn an_import_in_a_comment_a_text_or_a_test_module_does_not_count() {
    let lines = [
        "// use crate::http;",
        "/* crate::http /* crate::http */ */",
        "const A: &str = \"crate::http \\\" crate::http\";",
        "const B: &str = r#\"crate::http \" crate::http\"#;",
        "const C: (char, char) = ('\"', '\\'');",
        "fn f<'a>(x: &'a str) -> &'a str { x }",
        "mod inner { use super::A; }",
        "#[cfg(test)]",
        "mod tests { use crate::http; mod more { use crate::http; } }",
        "use crate::http;",
    ];
    assert_finds(imports_point_down, "src/sync/mod.rs", &lines.join("\n"), &[10]);
    assert_finds(imports_point_down, "src/sync/tests.rs", "use crate::http;", &[]);
}

#[test]
fn a_missing_header_is_found() {
    assert_finds(a_header_opens_the_file, "src/ids.rs", "use std::fmt;\n//! Late.", &[1]);
}

#[test]
fn a_long_file_is_found_and_its_tests_are_not_counted() {
    let longest = "//\n".repeat(LONGEST_FILE);
    assert_finds(a_file_is_short, "src/ids.rs", &format!("{longest}#[cfg(test)]\nmod tests {{}}\n"), &[]);
    assert_finds(a_file_is_short, "src/ids.rs", &format!("{longest}//\n#[cfg(test)]\nmod tests {{}}\n"), &[1]);
}

#[test]
fn a_nameless_file_or_module_is_found() {
    assert_finds(names_say_something, "src/sync/utils.rs", "", &[1]);
    assert_finds(names_say_something, "src/common/mod.rs", "", &[1]);
    assert_finds(names_say_something, "src/sync/mod.rs", "mod scan;\nmod helpers;", &[2]);
}

#[test]
fn yrs_outside_materialise_is_found() {
    assert_finds(yrs_stays_in_materialise, "src/sync/merge.rs", "fn f() {\n    yrs::merge_updates_v1(&[]);\n}", &[2]);
    assert_finds(yrs_stays_in_materialise, "src/materialise/worker.rs", "use yrs::Doc;", &[]);
}

#[test]
fn anyhow_below_main_is_found() {
    assert_finds(anyhow_stays_in_main, "src/cli/mod.rs", "fn f() -> anyhow::Result<()> {", &[1]);
    assert_finds(anyhow_stays_in_main, "src/main.rs", "fn f() -> anyhow::Result<()> {", &[]);
}

#[test]
fn waiting_and_clocks_in_deciding_code_are_found() {
    let sample = "fn f() {\n    let now = Instant::now();\n    g().await;\n    SystemTime::now()\n}";
    assert_finds(pure_code_neither_waits_nor_reads_the_clock, "src/awareness/states.rs", sample, &[2, 3, 4]);
    assert_finds(pure_code_neither_waits_nor_reads_the_clock, "src/doc_rooms/state.rs", sample, &[2, 3, 4]);
    assert_finds(pure_code_neither_waits_nor_reads_the_clock, "src/doc_rooms/state_members.rs", sample, &[2, 3, 4]);
    assert_finds(pure_code_neither_waits_nor_reads_the_clock, "src/doc_rooms/task.rs", sample, &[]);
}

#[test]
fn a_status_below_the_edge_is_found() {
    assert_finds(http_statuses_stay_at_the_edge, "src/doc_rooms/mod.rs", "Err(StatusCode::CONFLICT)", &[1]);
    assert_finds(http_statuses_stay_at_the_edge, "src/http/problem.rs", "Err(StatusCode::CONFLICT)", &[]);
}

#[test]
fn a_close_code_outside_its_table_is_found() {
    let sample =
        "const A: u16 = 4404;\nconst B: u16 = 1_013u16;\nconst C: u32 = 1024 + 44040 + 0x4404 + x4404;\n// 4404";
    assert_finds(close_codes_stay_in_their_table, "src/fronts/y_websocket.rs", sample, &[1, 2]);
    assert_finds(close_codes_stay_in_their_table, "src/connection/close.rs", sample, &[]);
}

#[test]
fn a_registry_in_a_lockfile_is_found() {
    let sample = "{\n  \"resolved\": \"somewhere\"\n}";
    assert_finds(a_lockfile_names_no_registry, "web-demo/package-lock.json", sample, &[2]);
    assert_finds(a_lockfile_names_no_registry, "web-demo/package.json", sample, &[]);
}

#[test]
fn what_is_left_for_later_is_found() {
    let sample = [
        concat!("// TO", "DO: more"),
        concat!("#[", "ignore]"),
        concat!("// FIX", "ME"),
        concat!("test.", "skip('x')"),
    ];
    assert_finds(nothing_is_left_for_later, "src/ids.rs", &sample.join("\n"), &[1, 2, 3, 4]);
}

// How a file is read.

/// One file of the repository.
struct Source {
    /// From the root of the repository, with `/`.
    path: String,
    raw: String,
    /// The text with comments, literals and test modules blanked, line for line.
    code: String,
}

impl Source {
    fn new(path: String, raw: String) -> Self {
        let is_lockfile = path.ends_with("package-lock.json");
        let is_test_module = path.starts_with("src/") && (path.ends_with("/tests.rs") || path.contains("/tests/"));
        let code = if is_test_module || is_lockfile { String::new() } else { without_tests(&without_literals(&raw)) };
        Self { path, raw, code }
    }

    /// The top module that the file belongs to.
    fn module(&self) -> &str {
        let inside = self.path.trim_start_matches("src/");
        inside.split(['/', '.']).next().unwrap_or(inside)
    }

    fn is_lockfile(&self) -> bool {
        self.path.ends_with("package-lock.json")
    }

    /// How many modules deep the file is: 1 for `src/ids.rs` and `src/sync/mod.rs`.
    fn depth(&self) -> usize {
        self.path.trim_start_matches("src/").trim_end_matches("/mod.rs").split('/').count()
    }

    fn is_under(&self, place: &str) -> bool {
        let rest = self.path.strip_prefix(place.trim_end_matches(".rs"));
        rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    }

    fn finding(&self, position: usize, why: &str) -> String {
        let line = self.raw.split_at(position).0.matches('\n').count() + 1;
        format!("{}:{line}: {why}", self.path)
    }

    fn each(&self, word: &str, why: &str) -> Vec<String> {
        occurrences(&self.code, word).map(|(position, _)| self.finding(position, why)).collect()
    }

    /// What stands after `crate::`, or after as many `super::` as reach the crate's root, and where.
    fn names_at_the_crate_root(&self) -> Vec<(usize, &str)> {
        let mut names = Vec::new();
        for (position, rest) in occurrences(&self.code, "crate::") {
            names.extend(first_names(rest, position + "crate::".len()));
        }
        for (position, mut rest) in occurrences(&self.code, "super::") {
            let (before, here) = self.code.split_at(position);
            if before.ends_with("super::") {
                continue;
            }
            let mut steps = 1;
            while let Some(further) = rest.strip_prefix("super::") {
                (steps, rest) = (steps + 1, further);
            }
            if steps >= self.depth() + inline_modules_around(before) {
                names.extend(first_names(rest, position + here.len() - rest.len()));
            }
        }
        names
    }
}

/// Fails with all that breaks a rule in the files under these folders.
fn keeps(folders: &[&str], rule: fn(&Source) -> Vec<String>) -> io::Result<()> {
    let root = Path::new(option_env!("CARGO_MANIFEST_DIR").unwrap_or("."));
    let mut sources = Vec::new();
    for folder in folders {
        collect(root, Path::new(folder), &mut sources)?;
    }
    assert!(sources.iter().any(|source| source.path == "src/lib.rs"), "no sources under {}", root.display());
    let findings: Vec<_> = sources.iter().flat_map(rule).collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
    Ok(())
}

fn assert_finds(rule: fn(&Source) -> Vec<String>, path: &str, text: &str, lines: &[usize]) {
    let mut found: Vec<_> = rule(&Source::new(path.to_owned(), text.to_owned()));
    found.sort_unstable();
    let places: Vec<_> = found.iter().filter_map(|finding| finding.split(": ").next()).collect();
    let expected: Vec<_> = lines.iter().map(|line| format!("{path}:{line}")).collect();
    assert_eq!(places, expected, "{found:?}");
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(folder)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        let name = path.to_string_lossy().replace('\\', "/");
        if entry.file_type()?.is_dir() {
            if !["node_modules", "dist", "target", "corpus", "artifacts"].iter().any(|skipped| name.ends_with(skipped))
            {
                collect(root, &path, sources)?;
            }
        } else if [".rs", ".ts", ".mts", ".js", ".mjs", "package-lock.json"].iter().any(|ending| name.ends_with(ending))
        {
            sources.push(Source::new(name, fs::read_to_string(root.join(&path))?));
        }
    }
    Ok(())
}

fn layer_of(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(_, modules)| modules.contains(&module)).map(|(layer, _)| *layer)
}

/// The places where a word stands as a whole word, with the text after it.
fn occurrences<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    text.match_indices(word).filter_map(move |(position, _)| {
        let (before, here) = text.split_at(position);
        let rest = here.strip_prefix(word)?;
        let joined_before = word.starts_with(in_identifier) && before.ends_with(in_identifier);
        let joined_after = word.ends_with(in_identifier) && rest.starts_with(in_identifier);
        (!joined_before && !joined_after).then_some((position, rest))
    })
}

fn in_identifier(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn identifier(text: &str) -> &str {
    text.split(|character| !in_identifier(character)).next().unwrap_or(text)
}

/// The name at the start of a path, or the first name of each branch of a group, with its position.
fn first_names(text: &str, start: usize) -> Vec<(usize, &str)> {
    if !text.starts_with('{') {
        let name = identifier(text);
        let is_macro = text.strip_prefix(name).is_some_and(|rest| rest.starts_with('!'));
        return if name.is_empty() || is_macro { Vec::new() } else { vec![(start, name)] };
    }
    let (mut names, mut depth, mut expects_name) = (Vec::new(), 0_usize, false);
    for (position, character) in text.char_indices() {
        match character {
            '{' => (depth, expects_name) = (depth + 1, depth == 0),
            '}' if depth <= 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => expects_name = true,
            _ if expects_name && in_identifier(character) => {
                names.push((start + position, identifier(text.split_at(position).1)));
                expects_name = false;
            }
            _ => {}
        }
    }
    names
}

/// How many `mod name {` are open at the end of this text.
fn inline_modules_around(before: &str) -> usize {
    let opened = occurrences(before, "mod ").filter(|(_, rest)| {
        let body = rest.trim_start_matches(in_identifier).trim_start();
        body.starts_with('{') && block_length(body) == body.len() && !body.ends_with('}')
    });
    opened.count()
}

/// The bytes from the start of a text to the end of its first block in braces, or to a `;` before it.
fn block_length(text: &str) -> usize {
    let mut depth = 0_usize;
    for (position, character) in text.char_indices() {
        match character {
            ';' if depth == 0 => return position + 1,
            '{' => depth += 1,
            '}' if depth <= 1 => return position + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// The decimal integers of a text and where they stand.
fn numbers(code: &str) -> Vec<(usize, u64)> {
    let mut numbers = Vec::new();
    let mut previous = ' ';
    for (position, character) in code.char_indices() {
        if character.is_ascii_digit() && !in_identifier(previous) && previous != '.' {
            let digits = code.split_at(position).1;
            let digits = digits.split(|c: char| !c.is_ascii_digit() && c != '_').next().unwrap_or(digits);
            numbers.extend(digits.replace('_', "").parse().map(|number| (position, number)));
        }
        previous = character;
    }
    numbers
}

fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(position) = rest.find(MARK) {
        let (before, item) = rest.split_at(position);
        let (item, after) = item.split_at(block_length(item));
        out.push_str(before);
        blank(item, &mut out);
        rest = after;
    }
    out.push_str(rest);
    out
}

fn without_literals(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(character) = rest.chars().next() {
        let length = if out.ends_with(in_identifier) && character != '"' { 0 } else { literal_length(rest) };
        let (head, tail) = rest.split_at(if length == 0 { character.len_utf8() } else { length });
        if length == 0 {
            out.push_str(head);
        } else {
            blank(head, &mut out);
        }
        rest = tail;
    }
    out
}

/// The bytes of the comment, text or character at the start, 0 when there is none.
fn literal_length(text: &str) -> usize {
    let up_to = |end: &str, from: usize| {
        let body = text.get(from..).unwrap_or_default();
        body.find(end).map_or(text.len(), |position| from + position + end.len())
    };
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return comment_length(text);
    }
    let raw = text.trim_start_matches('b');
    if let Some(hashes) = raw.strip_prefix('r') {
        let count = hashes.len() - hashes.trim_start_matches('#').len();
        if hashes.trim_start_matches('#').starts_with('"') && text.len() - raw.len() <= 1 {
            return up_to(&format!("\"{}", "#".repeat(count)), text.len() - hashes.len() + count + 1);
        }
    }
    if text.starts_with('"') {
        let mut escaped = true;
        for (position, character) in text.char_indices() {
            match character {
                '"' if !escaped => return position + 1,
                '\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        return text.len();
    }
    if text.starts_with("'\\") {
        return up_to("'", 3);
    }
    let mut characters = text.chars();
    match (characters.next(), characters.next(), characters.next()) {
        (Some('\''), Some(inner), Some('\'')) => 2 + inner.len_utf8(),
        _ => 0,
    }
}

fn comment_length(text: &str) -> usize {
    let (mut depth, mut position) = (0_usize, 0);
    while let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            (depth, position) = (depth + 1, position + 2);
        } else if rest.starts_with("*/") {
            (depth, position) = (depth - 1, position + 2);
            if depth == 0 {
                return position;
            }
        } else {
            position += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Appends as many blanks as there are bytes, and keeps the line ends.
fn blank(text: &str, out: &mut String) {
    out.extend(text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
}
