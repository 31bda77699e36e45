//! What is told of an event, as JSON.

use std::sync::Arc;
use std::time::SystemTime;

use serde::Serialize;

use super::config::EventName;
use crate::hooks::SessionContext;
use crate::ids::DocName;

/// Something that has happened.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) name: EventName,
    pub(super) time: SystemTime,
    pub(super) document: DocName,
    /// The number of the last update that is saved.
    pub(super) updates: Option<u64>,
    pub(super) session: Option<Arc<SessionContext>>,
}

#[derive(Serialize)]
struct Body<'a> {
    id: u64,
    event: &'static str,
    #[serde(with = "humantime_serde")]
    time: SystemTime,
    document: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    updates: Option<u64>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    member: Option<Member<'a>>,
}

#[derive(Serialize)]
struct Member<'a> {
    session: u64,
    user: Option<&'a str>,
    front: &'static str,
    address: Option<String>,
}

impl Event {
    /// The text that is sent, with a number by which a receiver knows it again.
    pub(super) fn body(&self, id: u64) -> String {
        let member = self.session.as_deref().map(|session| Member {
            session: session.id,
            user: session.user.as_deref(),
            front: session.front.name(),
            address: session.remote.map(|remote| remote.ip().to_string()),
        });
        let (event, document) = (self.name.as_str(), self.document.as_str());
        let body = Body { id, event, time: self.time, document, updates: self.updates, member };
        serde_json::to_string(&body).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hooks::Front;

    #[test]
    fn a_body_says_what_there_is_to_say() {
        let document = DocName::parse("a \"plan\"").unwrap();
        let saved = Event {
            name: EventName::Saved,
            time: SystemTime::UNIX_EPOCH,
            document: document.clone(),
            updates: Some(7),
            session: None,
        };
        let expected =
            r#"{"id":1,"event":"document.saved","time":"1970-01-01T00:00:00Z","document":"a \"plan\"","updates":7}"#;
        assert_eq!(saved.body(1), expected);
        let session = SessionContext::new(document, Front::Hocuspocus, "3").of_user(Some("ann".into()));
        let (id, session) = (session.id, Some(Arc::new(session)));
        let joined = Event { name: EventName::Connected, updates: None, session, ..saved };
        let value: serde_json::Value = serde_json::from_str(&joined.body(2)).unwrap();
        let expected = serde_json::json!({
            "id": 2, "event": "member.connected", "time": "1970-01-01T00:00:00Z", "document": "a \"plan\"",
            "session": id, "user": "ann", "front": "hocuspocus", "address": null
        });
        assert_eq!(value, expected);
    }
}
