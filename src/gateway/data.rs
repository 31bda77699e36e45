//! What an event carries: any number of values, as JSON text with binary attachments.
//!
//! The text is encoded once, whoever reads it, and decoded straight into a handler's type. The encoding is that of
//! Socket.IO's common parser: a JSON array in which a binary value is a placeholder for an attachment.

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use serde::de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use socketioxide_core::parser::{Parse, is_de_tuple};
use socketioxide_core::{Str, Value};
use socketioxide_parser_common::CommonParser;
use thiserror::Error;

use super::newtype::{is_type_newtype, is_value_newtype};

/// The values of an event or of an acknowledgement. Cloning is cheap: the bytes are shared.
///
/// A tuple is several values, everything else is one:
///
/// ```
/// use ydock::gateway::Data;
///
/// let data = Data::of(&("general", 3))?;
/// assert_eq!(data.decode::<(String, u32)>()?, ("general".to_owned(), 3));
/// assert_eq!(Data::of("general")?.decode::<String>()?, "general");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Data {
    /// A JSON array; its first element is the event's name when `is_named`.
    text: Str,
    attachments: Option<VecDeque<Bytes>>,
    is_named: bool,
}

/// A value that has no JSON form, as a map whose keys are no texts.
#[derive(Debug, Error)]
#[error("the value cannot be sent: {0}")]
pub struct EncodeError(String);

/// Values that are not what a handler expects. The text names the place and is fit for whoever sent them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct DecodeError(String);

impl Data {
    /// No value at all.
    #[must_use]
    pub fn none() -> Self {
        Self { text: Str::from("[]"), attachments: None, is_named: false }
    }

    /// One value, or those of a tuple.
    ///
    /// # Errors
    /// When there is no JSON form of it.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        Self::encode(value, None)
    }

    /// The same with an event's name before them.
    pub(super) fn of_event<T: Serialize + ?Sized>(event: &str, value: &T) -> Result<Self, EncodeError> {
        Self::encode(value, Some(event))
    }

    fn encode<T: Serialize + ?Sized>(value: &T, event: Option<&str>) -> Result<Self, EncodeError> {
        let encoded = if is_value_newtype(value) {
            CommonParser.encode_value(&(value,), event)
        } else {
            CommonParser.encode_value(value, event)
        };
        match encoded {
            Ok(Value::Str(text, attachments)) => Ok(Self { text, attachments, is_named: event.is_some() }),
            Ok(Value::Bytes(_)) => Err(EncodeError("it is no text".to_owned())),
            Err(error) => Err(EncodeError(error.to_string())),
        }
    }

    /// Values as a wire brought them: a JSON array, which may begin with the event's name.
    pub(crate) fn from_wire(text: Str, attachments: Option<VecDeque<Bytes>>, is_named: bool) -> Self {
        Self { text, attachments, is_named }
    }

    /// One value, as JSON text that is valid.
    pub(crate) fn of_json(text: &str) -> Self {
        Self { text: format!("[{text}]").into(), attachments: None, is_named: false }
    }

    /// These values with an event's name before them.
    pub(super) fn named(&self, event: &str) -> Self {
        let name = json_text(event);
        let values = self.values();
        let comma = if values.is_empty() { "" } else { "," };
        Self { text: format!("[{name}{comma}{values}]").into(), attachments: self.attachments.clone(), is_named: true }
    }

    /// These values without an event's name before them.
    pub(super) fn unnamed(self) -> Self {
        if !self.is_named {
            return self;
        }
        Self { text: format!("[{}]", self.values()).into(), attachments: self.attachments, is_named: false }
    }

    /// Reads the values: a tuple takes all of them, or the elements of the one array that there is; any other type takes the
    /// first.
    ///
    /// # Errors
    /// When they are not what the type expects.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        self.decode_all().or_else(|error| {
            let is_tuple = is_de_tuple::<T>() && !is_type_newtype::<T>();
            let elements = if is_tuple { self.elements() } else { None };
            elements.map_or(Err(error), |elements| elements.decode_all())
        })
    }

    /// The elements of the one value that is an array, as values.
    fn elements(&self) -> Option<Self> {
        let values = self.values();
        let is_one_array = values.starts_with('[') && self.count() == 1;
        is_one_array.then(|| Self {
            text: values.to_owned().into(),
            attachments: self.attachments.clone(),
            is_named: false,
        })
    }

    fn decode_all<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        let mut value = Value::Str(self.text.clone(), self.attachments.clone());
        let decoded = if is_type_newtype::<T>() {
            CommonParser.decode_value::<First<T>>(&mut value, self.is_named).map(|First(value)| value)
        } else {
            CommonParser.decode_value::<Located<T>>(&mut value, self.is_named)
        };
        match decoded {
            Ok(Located(value)) => Ok(value),
            // Nothing was sent: that is what an optional value may be.
            Err(_) if self.is_empty() => T::deserialize(serde::de::value::UnitDeserializer::new())
                .map_err(|_error: Absent| DecodeError(MISSING.to_owned())),
            Err(error) => Err(DecodeError(readable(&error.to_string()))),
        }
    }

    /// How many bytes these values hold.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len() + self.attachments.iter().flatten().map(Bytes::len).sum::<usize>()
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values().is_empty()
    }

    /// The values as JSON text: one as it is, several as an array, none as `null`. A binary value shows as its placeholder.
    #[must_use]
    pub fn to_json(&self) -> String {
        let values = self.values();
        match self.count() {
            0 => "null".to_owned(),
            1 => values.to_owned(),
            _ => format!("[{values}]"),
        }
    }

    fn count(&self) -> usize {
        let mut elements = serde_json::Deserializer::from_str(&self.text).into_iter::<Vec<serde::de::IgnoredAny>>();
        let all = elements.next().and_then(Result::ok).map_or(0, |all| all.len());
        all.saturating_sub(usize::from(self.is_named))
    }

    /// The binary values, in the order of their placeholders.
    pub(crate) fn attachments(&self) -> impl Iterator<Item = &Bytes> {
        self.attachments.iter().flatten()
    }

    /// What lies between the brackets, without the event's name.
    pub(crate) fn values(&self) -> &str {
        let inner = self.text.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or_default();
        if !self.is_named {
            return inner.trim();
        }
        let mut name = serde_json::Deserializer::from_str(inner).into_iter::<serde::de::IgnoredAny>();
        let _skipped = name.next();
        let after = inner.get(name.byte_offset()..).unwrap_or_default().trim_start();
        after.strip_prefix(',').unwrap_or_default().trim()
    }

    /// The whole array and its attachments.
    pub(crate) fn wire(&self) -> (&Str, Option<&VecDeque<Bytes>>) {
        (&self.text, self.attachments.as_ref())
    }

    /// An object around these values: `fields` are JSON text, `{"a":1,` say, and `rest` ends it.
    pub(super) fn wrapped(&self, before: &str, after: &str) -> Self {
        let text = format!("[{before}{}{after}]", self.to_json());
        Self { text: text.into(), attachments: self.attachments.clone(), is_named: false }
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Data").field(&self.text.as_str()).finish()
    }
}

/// A text as JSON writes it.
pub(crate) fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A value whose error says where in it.
struct Located<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            let path = error.path().to_string();
            let inner = error.into_inner();
            if path == "." { inner } else { serde::de::Error::custom(format!("{path}: {inner}")) }
        })
    }
}

/// The first of the values, whatever follows it.
struct First<T>(Located<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple(1, FirstVisitor(PhantomData)).map(Self)
    }
}

struct FirstVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for FirstVisitor<T> {
    type Value = Located<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Located<T>, A::Error> {
        let first = values.next_element()?.ok_or_else(|| serde::de::Error::custom(MISSING))?;
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(first)
    }
}

/// The error of a value that is not there.
#[derive(Debug, Error)]
#[error("{MISSING}")]
struct Absent;

impl serde::de::Error for Absent {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Without the position in a text that the sender never saw.
fn readable(message: &str) -> String {
    let end = message.find(" at line ").unwrap_or(message.len());
    message.get(..end).unwrap_or(message).to_owned()
}

const MISSING: &str = "a value is missing";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn from_wire(text: &str) -> Data {
        Data::from_wire(text.to_owned().into(), None, true)
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Picture {
        name: String,
        bytes: Bytes,
    }

    #[test]
    fn one_value_several_and_none_are_read_as_they_were_sent() {
        assert_eq!(from_wire(r#"["message","hello"]"#).decode::<String>(), Ok("hello".to_owned()));
        assert_eq!(from_wire(r#"["message",1,[2,3]]"#).decode::<(u8, Vec<u8>)>(), Ok((1, vec![2, 3])));
        assert_eq!(from_wire(r#"["message"]"#).decode::<Option<String>>(), Ok(None));
        assert_eq!(from_wire(r#"["message"]"#).decode::<()>(), Ok(()));
        assert_eq!(Data::none().decode::<Option<String>>(), Ok(None));
    }

    #[test]
    fn a_tuple_takes_the_elements_of_one_array_too() {
        let data = Data::of_json(r#"["a",{"b":[1]}]"#);
        assert_eq!(data.decode::<(String, serde_json::Value)>(), Ok(("a".to_owned(), json!({ "b": [1] }))));
        assert_eq!(from_wire(r#"["m",[[1,2],3]]"#).decode::<((u8, u8), u8)>(), Ok(((1, 2), 3)));
        assert_eq!(from_wire(r#"["m",[1,2]]"#).decode::<(Vec<u8>,)>(), Ok((vec![1, 2],)));
        assert_eq!(from_wire(r#"["m",[1,2]]"#).decode::<Vec<u8>>(), Ok(vec![1, 2]));
        assert!(Data::of_json("3").decode::<(u8, u8)>().is_err());
    }

    #[test]
    fn a_struct_around_one_value_is_that_value() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Room<T>(T);
        assert_eq!(from_wire(r#"["join","tea"]"#).decode(), Ok(Room("tea".to_owned())));
        assert_eq!(from_wire(r#"["join","tea",1]"#).decode(), Ok(Room("tea".to_owned())));
        assert_eq!(from_wire(r#"["join",["a","b"]]"#).decode(), Ok(Room(vec!["a".to_owned(), "b".to_owned()])));
        assert_eq!(from_wire(r#"["join","tea",1]"#).decode(), Ok((Room("tea".to_owned()), 1)));
        assert_eq!(Data::of_event("join", &Room("tea")).unwrap().wire().0.as_str(), r#"["join","tea"]"#);
        assert_eq!(Data::of(&Room([1, 2])).unwrap().wire().0.as_str(), "[[1,2]]");
        assert!(from_wire(r#"["join",["a"]]"#).decode::<Room<String>>().is_err());
        let error = from_wire(r#"["join",3]"#).decode::<Room<String>>().unwrap_err();
        assert_eq!(error.to_string(), "invalid type: integer `3`, expected a string");
        assert_eq!(from_wire(r#"["join"]"#).decode::<Room<String>>().unwrap_err().to_string(), "a value is missing");
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        #[derive(Debug, Deserialize)]
        struct Message {
            #[expect(dead_code, reason = "only read")]
            room: String,
        }
        let error = |text| from_wire(text).decode::<Message>().unwrap_err().to_string();
        assert_eq!(error(r#"["m",{"room":3}]"#), "room: invalid type: integer `3`, expected a string");
        assert_eq!(error(r#"["m",{}]"#), "missing field `room`");
        assert_eq!(error(r#"["m"]"#), "a value is missing");
    }

    #[test]
    fn binary_values_travel_beside_the_text_however_deep() {
        let picture = Picture { name: "a".to_owned(), bytes: Bytes::from_static(&[0, 255]) };
        let data = Data::of_event("picture", &picture).unwrap();
        assert_eq!(data.decode::<Picture>(), Ok(picture));
        let (text, attachments) = data.wire();
        assert_eq!(text.as_str(), r#"["picture",{"name":"a","bytes":{"_placeholder":true,"num":0}}]"#);
        assert_eq!(attachments.unwrap().len(), 1);
    }

    #[test]
    fn values_are_json_without_the_name() {
        assert_eq!(from_wire(r#"["a,\"]", {"b":1} ]"#).to_json(), r#"{"b":1}"#);
        assert_eq!(from_wire(r#"["m",1,"x"]"#).to_json(), r#"[1,"x"]"#);
        assert_eq!(from_wire(r#"["m"]"#).to_json(), "null");
        assert_eq!(Data::of(&json!({ "a": [1] })).unwrap().to_json(), r#"{"a":[1]}"#);
    }

    #[test]
    fn a_name_is_put_before_values() {
        assert_eq!(Data::of(&(1, 2)).unwrap().named("m").wire().0.as_str(), r#"["m",1,2]"#);
        assert_eq!(Data::none().named("m").wire().0.as_str(), r#"["m"]"#);
        assert_eq!(from_wire(r#"["m",1,"x"]"#).unnamed(), Data::of(&(1, "x")).unwrap());
    }
}
