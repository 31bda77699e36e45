//! The settings file that users copy, and the page about settings, held against the settings that there are.

use toml::{Table, Value};
use ydock::config::Config;

const EXAMPLE: &str = include_str!("../ydock.example.toml");
const PAGE: &str = include_str!("../docs/settings.md");
/// Settings without a default, which the table of defaults therefore lacks.
const WITHOUT_DEFAULT: [(&str, &str); 9] = [
    ("access", "key"),
    ("access", "issuer"),
    ("access", "audience"),
    ("access.webhook", "url"),
    ("exports", "program"),
    ("tls", "cert"),
    ("tls", "key"),
    ("webhooks", "url"),
    ("webhooks", "key"),
];

#[test]
fn the_example_file_holds_the_defaults() -> Result<(), toml::de::Error> {
    let config: Config = toml::from_str(EXAMPLE)?;
    assert_eq!(config, Config::default());
    Ok(())
}

#[test]
fn every_setting_is_in_the_example_file_and_on_the_page() -> Result<(), toml::ser::Error> {
    let mut settings = WITHOUT_DEFAULT.map(|(table, key)| (table.to_owned(), key.to_owned())).to_vec();
    collect(&Table::try_from(Config::default())?, "", &mut settings);
    assert!(settings.contains(&("rooms.awareness".to_owned(), "gather".to_owned())), "{settings:?}");
    let without = |has: fn(&str, &str) -> bool| -> Vec<_> {
        settings.iter().filter(|(table, key)| !has(table, key)).cloned().collect()
    };
    assert_eq!(without(example_has), [], "not in ydock.example.toml");
    assert_eq!(without(page_has), [], "not in docs/settings.md");
    Ok(())
}

#[test]
fn a_setting_under_another_table_is_not_taken_for_it() {
    assert!(example_has("rooms", "max_open") && page_has("rooms", "max_open"));
    assert!(!example_has("delivery", "max_open") && !page_has("delivery", "max_open"));
}

/// The settings of a table and of those in it, as table and key.
fn collect(table: &Table, path: &str, settings: &mut Vec<(String, String)>) {
    for (key, value) in table {
        match value {
            Value::Table(inner) if path.is_empty() => collect(inner, key, settings),
            Value::Table(inner) => collect(inner, &format!("{path}.{key}"), settings),
            _ => settings.push((path.to_owned(), key.clone())),
        }
    }
}

/// Whether the example file has the key under the table, be it commented out.
fn example_has(table: &str, key: &str) -> bool {
    let heading = format!("[{table}]");
    let start = format!("{key} = ");
    section(EXAMPLE, "[", &heading).any(|line| line.trim_start_matches("# ").starts_with(&start))
}

/// Whether the page has a row for the key under the table's heading.
fn page_has(table: &str, key: &str) -> bool {
    let heading = if table.is_empty() { "## At the top".to_owned() } else { format!("## `[{table}]`") };
    let start = format!("| `{key}` |");
    section(PAGE, "## ", &heading).any(|line| line.starts_with(&start))
}

/// The lines below a heading up to the next one; those above the first for the heading of no table, `[]`.
fn section<'a>(text: &'a str, mark: &str, heading: &str) -> impl Iterator<Item = &'a str> {
    let mut inside = heading == "[]";
    text.lines().filter(move |line| {
        if line.starts_with(mark) {
            inside = *line == heading;
        }
        inside
    })
}
