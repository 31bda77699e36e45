//! What goes wrong while an event is handled, and what its sender hears of it.
//!
//! The shapes are those of a NestJS gateway, so that a client written for one understands this: an `exception` event with
//! `{"status":"error","message":…,"cause":{"pattern":…,"data":…}}`. Internals never reach a client.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use serde::Serialize;
use tower::load_shed::error::Overloaded;
use tower::timeout::error::Elapsed;

use super::client::{AckError, EmitError};
use super::data::{Data, DecodeError, EncodeError, json_text};

/// Why an event was not handled.
#[derive(Debug)]
pub struct EventError {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// For the sender, in words.
    Message(Cow<'static, str>),
    /// For the sender, several at once: what is wrong with a payload.
    Messages(Vec<String>),
    /// For the sender, as it is.
    Object(Data),
    /// For the log.
    Internal(Box<dyn Error + Send + Sync>),
}

impl EventError {
    /// An error that the sender is told in these words.
    ///
    /// ```
    /// use ydock::gateway::EventError;
    ///
    /// assert_eq!(EventError::new("Message cannot be empty").to_string(), "Message cannot be empty");
    /// ```
    #[must_use]
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: Kind::Message(message.into()) }
    }

    /// An error whose sender is sent this object, verbatim, as `exception`.
    ///
    /// ```
    /// use serde_json::json;
    /// use ydock::gateway::EventError;
    ///
    /// let _error = EventError::object(&json!({ "code": 17, "hint": "log in first" }));
    /// ```
    #[must_use]
    pub fn object<T: Serialize + ?Sized>(object: &T) -> Self {
        match Data::of(object) {
            Ok(data) => Self { kind: Kind::Object(data) },
            Err(error) => Self::internal(error),
        }
    }

    /// An error of which the sender learns only that there was one; the log gets it.
    #[must_use]
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind: Kind::Internal(source.into()) }
    }

    /// What is wrong with a payload, a text for each fault.
    #[must_use]
    pub fn invalid(faults: Vec<String>) -> Self {
        Self { kind: Kind::Messages(faults) }
    }

    /// A guard's "no".
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new("Forbidden resource")
    }

    /// Whether the sender is not told what it was.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        matches!(self.kind, Kind::Internal(_))
    }

    /// What the sender is told, in words.
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
        match &self.kind {
            Kind::Message(message) => Cow::Borrowed(message),
            Kind::Messages(faults) => Cow::Owned(faults.join("; ")),
            Kind::Object(object) => Cow::Owned(object.to_json()),
            Kind::Internal(_) => Cow::Borrowed(INTERNAL),
        }
    }

    /// The value of the `exception` event for an event of this name with these values.
    pub(super) fn exception(&self, event: &str, data: &Data) -> Data {
        let message = match &self.kind {
            Kind::Object(object) => return object.clone(),
            Kind::Message(message) => json_text(message),
            Kind::Messages(faults) => serde_json::Value::from(faults.clone()).to_string(),
            Kind::Internal(_) => json_text(INTERNAL),
        };
        let before =
            format!(r#"{{"status":"error","message":{message},"cause":{{"pattern":{},"data":"#, json_text(event));
        data.wrapped(&before, "}}")
    }

    pub(super) fn source_text(&self) -> Option<String> {
        let Kind::Internal(source) = &self.kind else { return None };
        let mut text = source.to_string();
        let mut next = source.source();
        while let Some(source) = next {
            text = format!("{text}: {source}");
            next = source.source();
        }
        Some(text)
    }
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl Error for EventError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            Kind::Internal(source) => Some(source.as_ref()),
            _ => None,
        }
    }
}

impl From<DecodeError> for EventError {
    fn from(error: DecodeError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<EncodeError> for EventError {
    fn from(error: EncodeError) -> Self {
        Self::internal(error)
    }
}

impl From<EmitError> for EventError {
    fn from(error: EmitError) -> Self {
        match error {
            EmitError::Encode(error) => error.into(),
            EmitError::NotSent(error) => Self::new(error.to_string()),
        }
    }
}

impl From<AckError> for EventError {
    fn from(error: AckError) -> Self {
        match error {
            AckError::Emit(error) => error.into(),
            other => Self::new(other.to_string()),
        }
    }
}

/// What a tower layer answers in place of a service. Of a timeout and of a shed load the sender is told that it can try again.
impl From<Box<dyn Error + Send + Sync>> for EventError {
    fn from(error: Box<dyn Error + Send + Sync>) -> Self {
        match error.downcast::<Self>() {
            Ok(own) => *own,
            Err(foreign) if foreign.is::<Elapsed>() => Self::new("The event took too long to handle, try again later"),
            Err(foreign) if foreign.is::<Overloaded>() => Self::new("The server is busy, try again later"),
            Err(foreign) => Self::internal(foreign),
        }
    }
}

impl From<&'static str> for EventError {
    fn from(message: &'static str) -> Self {
        Self::new(message)
    }
}

impl From<String> for EventError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

const INTERNAL: &str = "Internal server error";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn exception(error: &EventError) -> String {
        error.exception("message", &Data::of(&json!({ "a": 1 })).unwrap()).to_json()
    }

    #[test]
    fn an_exception_has_the_shape_that_nest_clients_expect() {
        assert_eq!(
            exception(&EventError::new("Message cannot be empty")),
            r#"{"status":"error","message":"Message cannot be empty","cause":{"pattern":"message","data":{"a":1}}}"#
        );
        let faults = EventError::invalid(vec!["room must not be empty".to_owned(), "text is too long".to_owned()]);
        assert!(
            exception(&faults)
                .starts_with(r#"{"status":"error","message":["room must not be empty","text is too long"],"#)
        );
        assert_eq!(exception(&EventError::object(&json!({ "code": 1 }))), r#"{"code":1}"#);
    }

    #[test]
    fn what_went_wrong_inside_is_for_the_log_only() {
        let error = EventError::internal(std::io::Error::other("the password is wrong"));
        assert!(exception(&error).starts_with(r#"{"status":"error","message":"Internal server error","cause""#));
        assert_eq!(error.source_text().as_deref(), Some("the password is wrong"));
    }
}
