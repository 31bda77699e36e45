//! File, environment and flags, laid over each other and read once.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;
use toml::{Table, Value};

use super::{Config, Contradiction};

/// Settings as they are gathered, before they are read.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    table: Table,
    variables: Vec<(String, Vec<String>)>,
    unknown_variables: Vec<String>,
}

/// Why there are no settings.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the settings file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not TOML, or holds an unknown key or a bad value.
    #[error("the settings file {} is wrong{}: {message}", path.display(), line.map(|line| format!(" in line {line}")).unwrap_or_default())]
    File {
        /// The file.
        path: PathBuf,
        /// Where, counted from 1.
        line: Option<usize>,
        /// What is wrong.
        message: String,
    },
    /// A variable has a bad value.
    #[error("the variable {variable} is wrong: {message}")]
    Variable {
        /// The variable.
        variable: String,
        /// What is wrong.
        message: String,
    },
    /// A flag has a bad value.
    #[error("a setting is wrong: {message}")]
    Value {
        /// What is wrong.
        message: String,
    },
    /// The settings do not go together.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}

impl Layers {
    /// The defaults alone.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lays a file over what is there.
    ///
    /// # Errors
    /// When the file cannot be read, or is wrong in itself.
    pub fn file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let wrong = |error: toml::de::Error| ConfigError::File {
            path: path.to_owned(),
            line: error.span().map(|span| line_of(&text, span.start)),
            message: one_line(error.message()),
        };
        // Read as settings first: only here an error knows its line.
        toml::from_str::<Config>(&text).map_err(wrong)?;
        let table: Table = toml::from_str(&text).map_err(wrong)?;
        merge(&mut self.table, table);
        Ok(())
    }

    /// Lays variables over what is there: `YDOCK_LISTEN` is `listen`, `YDOCK_ROOMS__IDLE_AFTER` is `rooms.idle_after`.
    ///
    /// Unknown variables are kept for [`unknown_variables`](Self::unknown_variables): cluster software sets such names on
    /// its own.
    pub fn variables(&mut self, variables: impl Iterator<Item = (String, String)>) {
        let known = Table::try_from(Config::default()).unwrap_or_default();
        for (variable, text) in variables {
            let Some(name) = variable.strip_prefix(PREFIX) else { continue };
            if OTHER_VARIABLES.contains(&name) {
                continue;
            }
            let path = path_of(name);
            match setting(&known, &path) {
                Some(default) => self.set(&path, value_like(default, text)),
                None if OPTIONAL.contains(&path.join(".").as_str()) => self.set(&path, text),
                None => {
                    self.unknown_variables.push(variable);
                    continue;
                }
            }
            self.variables.push((variable, path));
        }
    }

    /// Lays one setting over what is there, by the keys that lead to it.
    pub fn set(&mut self, path: &[impl AsRef<str>], value: impl Into<Value>) {
        let Some((last, tables)) = path.split_last() else { return };
        let mut table = &mut self.table;
        for key in tables {
            let next = table.entry(key.as_ref()).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(inner) = next else { return };
            table = inner;
        }
        table.insert(last.as_ref().to_owned(), value.into());
    }

    /// Whether a setting was given, by the keys that lead to it.
    #[must_use]
    pub fn has(&self, path: &[impl AsRef<str>]) -> bool {
        value_at(&self.table, path).is_some()
    }

    /// Variables that look like settings and are none.
    #[must_use]
    pub fn unknown_variables(&self) -> &[String] {
        &self.unknown_variables
    }

    /// Reads what has been gathered.
    ///
    /// # Errors
    /// When a value is wrong or the settings contradict each other.
    pub fn read(self) -> Result<Config, ConfigError> {
        let config = Config::deserialize(Value::Table(self.table.clone())).map_err(|error| self.blame(&error))?;
        config.check()?;
        Ok(config)
    }

    /// Finds the variable that is wrong by itself: the error of all settings together names no key.
    fn blame(&self, error: &toml::de::Error) -> ConfigError {
        let alone = self.variables.iter().find_map(|(variable, path)| {
            let mut layers = Self::new();
            layers.set(path, value_at(&self.table, path)?.clone());
            let error = Config::deserialize(Value::Table(layers.table)).err()?;
            Some(ConfigError::Variable { variable: variable.clone(), message: one_line(error.message()) })
        });
        alone.unwrap_or_else(|| ConfigError::Value { message: one_line(error.message()) })
    }
}

fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => merge(inner, value),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

fn path_of(name: &str) -> Vec<String> {
    match name {
        "DATA" => vec!["store".to_owned(), "data".to_owned()],
        "STORE" => vec!["store".to_owned(), "kind".to_owned()],
        _ => name.split("__").map(str::to_ascii_lowercase).collect(),
    }
}

fn value_at<'a>(table: &'a Table, path: &[impl AsRef<str>]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    match (table.get(first.as_ref())?, rest) {
        (value, []) => Some(value),
        (Value::Table(inner), rest) => value_at(inner, rest),
        _ => None,
    }
}

/// The default of a setting, if there is one at this path.
fn setting<'a>(known: &'a Table, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    match (known.get(first)?, rest) {
        (Value::Table(_), []) => None,
        (Value::Table(inner), rest) => setting(inner, rest),
        (value, []) => Some(value),
        _ => None,
    }
}

/// A text as a value of the default's type, or as text, which then makes a clear error.
fn value_like(default: &Value, text: String) -> Value {
    let parsed = match default {
        Value::Integer(_) => text.parse().ok().map(Value::Integer),
        Value::Boolean(_) => text.parse().ok().map(Value::Boolean),
        Value::Array(_) => {
            let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
            Some(Value::Array(words.map(|word| Value::String(word.to_owned())).collect()))
        }
        _ => None,
    };
    parsed.unwrap_or(Value::String(text))
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

const PREFIX: &str = "YDOCK_";
/// Variables with another meaning than a setting.
const OTHER_VARIABLES: [&str; 2] = ["CONFIG", "WORKER"];
/// Settings without a default.
const OPTIONAL: [&str; 9] = [
    "access.key",
    "access.issuer",
    "access.audience",
    "access.webhook.url",
    "exports.program",
    "tls.cert",
    "tls.key",
    "webhooks.url",
    "webhooks.key",
];

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    #[test]
    fn flags_win_over_variables_and_variables_over_the_file() {
        let file = file("listen = \"127.0.0.1:1\"\n[rooms]\nidle_after = \"1s\"\nmax_open = 7\n");
        let mut layers = Layers::new();
        layers.file(file.path()).unwrap();
        let variables = [
            ("YDOCK_LISTEN", "127.0.0.1:2"),
            ("YDOCK_ROOMS__IDLE_AFTER", "2s"),
            ("YDOCK_STORE", "memory"),
            ("YDOCK_LOG__FILTER", "1"),
        ];
        layers.variables(variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
        layers.set(&["listen"], "127.0.0.1:3");
        let config = layers.read().unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:3");
        assert_eq!(config.rooms.idle_after, std::time::Duration::from_secs(2));
        assert_eq!(config.rooms.max_open, 7);
        assert_eq!(config.store.kind.to_string(), "memory");
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let file = file("\n[rooms]\nidle_afte = \"1s\"\n");
        let error = Layers::new().file(file.path()).unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("idle_afte"), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }

    #[test]
    fn a_bad_value_is_an_error_and_an_unknown_variable_a_remark() {
        let mut layers = Layers::new();
        let variables = [("YDOCK_SERVICE_HOST", "10.0.0.1"), ("YDOCK_PROGRAM", "x"), ("YDOCK_ROOMS__MAX_OPEN", "many")];
        layers.variables(variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
        assert_eq!(layers.unknown_variables(), ["YDOCK_SERVICE_HOST", "YDOCK_PROGRAM"]);
        let error = layers.read().unwrap_err().to_string();
        assert!(error.contains("YDOCK_ROOMS__MAX_OPEN") && error.contains("many"), "{error}");
    }

    #[test]
    fn a_list_in_a_variable_has_commas() {
        let read = |text: &str| {
            let mut layers = Layers::new();
            layers.variables([("YDOCK_HTTP__TRUSTED_PROXIES".to_owned(), text.to_owned())].into_iter());
            layers.read().map(|config| config.http.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(read("127.0.0.1, 10.0.0.0/8,unix").unwrap(), ["127.0.0.1/32", "10.0.0.0/8", "unix"]);
        assert_eq!(read("").unwrap(), [""; 0]);
        let error = read("127.0.0.1,proxy").unwrap_err().to_string();
        assert!(error.contains("YDOCK_HTTP__TRUSTED_PROXIES") && error.contains("\"proxy\""), "{error}");
    }

    #[test]
    fn a_wrong_variable_below_a_flag_does_no_harm() {
        let mut layers = Layers::new();
        layers.variables([("YDOCK_LISTEN".to_owned(), "nowhere".to_owned())].into_iter());
        assert!(matches!(layers.clone().read(), Err(ConfigError::Variable { .. })));
        layers.set(&["listen"], "127.0.0.1:3");
        assert_eq!(layers.read().unwrap().listen.to_string(), "127.0.0.1:3");
    }

    #[test]
    fn a_missing_file_says_which() {
        let error = Layers::new().file(Path::new("/nonexistent/ydock.toml")).unwrap_err().to_string();
        assert!(error.contains("/nonexistent/ydock.toml"), "{error}");
    }
}
