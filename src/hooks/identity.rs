//! Presence under the name of whoever shows it: what a client says of its user is what its token says.

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::context::SessionContext;
use super::presence::PresenceEntry;
use super::refusal::Refusal;
use super::{Hooks, Wants};

/// A hook that makes `user.name` and `user.id` in presence states those of the session's token. All else in a state is the client's, its
/// colour for example. Sessions of nobody known are called "anonymous", so that they are not taken for somebody.
#[derive(Debug, Clone, Copy, Default)]
pub struct BoundIdentity;

#[async_trait]
impl Hooks for BoundIdentity {
    fn wants(&self) -> Wants {
        Wants { awareness: true, ..Wants::default() }
    }

    async fn awareness(&self, session: &SessionContext, entries: &mut Vec<PresenceEntry>) -> Result<(), Refusal> {
        // What cannot be read here may be readable elsewhere: numbers beyond all bounds, for example.
        entries.retain_mut(|entry| entry.state.as_mut().is_none_or(|state| bind(state, session.user.as_deref())));
        Ok(())
    }
}

/// Writes down whose state it is; says whether it can be read. What is no object names nobody.
fn bind(state: &mut Box<str>, user: Option<&str>) -> bool {
    let mut fields = match serde_json::from_str(state) {
        Ok(Value::Object(fields)) => fields,
        other => return other.is_ok(),
    };
    let shown = fields.entry("user").or_insert_with(|| Value::Object(Map::new()));
    if !shown.is_object() {
        *shown = Value::Object(Map::new());
    }
    if let Value::Object(shown) = shown {
        shown.insert("name".to_owned(), user.unwrap_or(NOBODY).into());
        shown.insert("id".to_owned(), user.into());
    }
    *state = Value::Object(fields).to_string().into();
    true
}

const NOBODY: &str = "anonymous";

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(state: &str, user: Option<&str>) -> Value {
        let mut state = state.into();
        assert!(bind(&mut state, user));
        serde_json::from_str(&state).unwrap()
    }

    #[test]
    fn a_name_is_that_of_the_token_and_the_rest_is_the_clients() {
        let claimed = r##"{"cursor":7,"user":{"name":"bob","id":1,"color":"#f00"}}"##;
        let expected = serde_json::json!({"cursor":7,"user":{"name":"ann","id":"ann","color":"#f00"}});
        assert_eq!(bound(claimed, Some("ann")), expected);
        let expected = serde_json::json!({"cursor":7,"user":{"name":"anonymous","id":null,"color":"#f00"}});
        assert_eq!(bound(claimed, None), expected);
        for odd in ["{}", r#"{"user":null}"#, r#"{"user":"bob"}"#, r#"{"user":["bob"]}"#] {
            assert_eq!(bound(odd, Some("ann")), serde_json::json!({"user":{"name":"ann","id":"ann"}}), "{odd}");
        }
        let unreadable = r#"{"user":{"name":"bob"},"x":1e999}"#;
        assert!(!bind(&mut unreadable.into(), Some("ann")));
        for other in ["null", "7", "\"bob\"", "[1]"] {
            assert_eq!(bound(other, Some("ann")), serde_json::from_str::<Value>(other).unwrap());
        }
    }
}
