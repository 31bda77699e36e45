//! The table of `docs/guides/gateway.md`: each twin that it names is there, and each twin that is there is named.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What belongs to the tests and is no twin.
const NO_TWINS: [&str; 3] = ["main.rs", "log.rs", "table.rs"];

#[test]
fn the_guide_names_every_limit() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/guides/gateway.md")).unwrap();
    let settings = serde_json::to_value(ydock::gateway::Config::default()).unwrap();
    for setting in settings.as_object().unwrap().keys() {
        assert!(guide.contains(&format!("`{setting}`")), "{setting} is not in the guide");
    }
}

#[test]
fn the_guides_table_and_the_twins_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(root.join("docs/guides/gateway.md")).unwrap();
    let mut named = BTreeSet::new();
    for row in guide.lines().filter(|line| line.starts_with("| ") && line.contains("tests/seed/")) {
        let mut words = row.split('`').skip(1).step_by(2);
        let file = words.find(|word| word.starts_with("tests/seed/")).unwrap();
        let text = fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let functions: Vec<_> = words.collect();
        assert!(!functions.is_empty(), "{row}: which function?");
        for function in functions {
            assert!(text.contains(function), "{file} has no {function}");
        }
        named.insert(file.trim_start_matches("tests/seed/").to_owned());
    }
    let there = fs::read_dir(root.join("tests/seed")).unwrap().map(|entry| entry.unwrap().file_name());
    let there = there.map(|name| name.to_string_lossy().into_owned()).filter(|name| !NO_TWINS.contains(&name.as_str()));
    assert_eq!(named, there.collect());
}
