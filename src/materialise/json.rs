//! Documents as JSON: what `JSON.stringify(type.toJSON())` gives in JavaScript, with sorted keys.

use yrs::branch::BranchPtr;
use yrs::types::TypeRef;
use yrs::{Any, Array, GetString, Map, MapRef, Number, Out, ReadTxn};

use super::js_text;
use super::legacy::MAX_DEPTH;
use super::xml::Xml;

/// Why a document has no text or JSON form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WalkFault {
    /// Types or values lie in each other beyond [`MAX_DEPTH`].
    TooDeep,
    /// The output is longer than allowed.
    TooLong,
}

/// JSON in the making.
pub(super) struct Json<'t, T> {
    txn: &'t T,
    limit: usize,
    out: Vec<u8>,
}

impl<'t, T: ReadTxn> Json<'t, T> {
    /// Starts an output that may be `limit` bytes long, a single text more.
    pub(super) fn new(txn: &'t T, limit: usize) -> Self {
        Self { txn, limit, out: Vec::new() }
    }

    /// Appends an object with the roots as members, in their order.
    pub(super) fn roots(mut self, roots: &[(&str, Out)]) -> Result<Vec<u8>, WalkFault> {
        self.members(roots, Self::value, 0)?;
        Ok(self.out)
    }

    fn value(&mut self, value: &Out, depth: u32) -> Result<(), WalkFault> {
        self.within(depth)?;
        match value {
            Out::Any(any) => self.any(any, depth)?,
            Out::YText(text) => self.text(&text.get_string(self.txn)),
            Out::YArray(array) => {
                self.out.push(b'[');
                for (index, item) in array.iter(self.txn).enumerate() {
                    self.comma(index);
                    self.element(&item, depth)?;
                }
                self.out.push(b']');
            }
            Out::YMap(map) => self.map(map, depth)?,
            Out::YXmlElement(_) | Out::YXmlFragment(_) | Out::YXmlText(_) => {
                let mut xml = Xml::new(self.txn, self.limit);
                xml.value(value, depth)?;
                self.text(&xml.finish());
            }
            // A subdocument is a document of its own; here Yjs has its empty shell.
            Out::YDoc(_) => self.out.extend_from_slice(b"{}"),
            Out::UndefinedRef(branch) => self.untyped(*branch, depth)?,
        }
        Ok(())
    }

    /// An array's element: what has no JSON form becomes null.
    fn element(&mut self, value: &Out, depth: u32) -> Result<(), WalkFault> {
        if is_undefined(value) {
            self.out.extend_from_slice(b"null");
            return Ok(());
        }
        self.value(value, depth + 1)
    }

    fn map(&mut self, map: &MapRef, depth: u32) -> Result<(), WalkFault> {
        let mut members: Vec<(&str, Out)> = map.iter(self.txn).filter(|(_, value)| !is_undefined(value)).collect();
        members.sort_unstable_by_key(|(key, _)| *key);
        self.members(&members, Self::value, depth)
    }

    /// The hooks that Yjs kept for DOM bindings are maps that the engine does not type.
    fn untyped(&mut self, branch: BranchPtr, depth: u32) -> Result<(), WalkFault> {
        if matches!(branch.type_ref(), TypeRef::XmlHook) {
            return self.map(&MapRef::from(branch), depth);
        }
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn any(&mut self, value: &Any, depth: u32) -> Result<(), WalkFault> {
        self.within(depth)?;
        match value {
            Any::Null | Any::Undefined => self.out.extend_from_slice(b"null"),
            Any::Bool(true) => self.out.extend_from_slice(b"true"),
            Any::Bool(false) => self.out.extend_from_slice(b"false"),
            Any::Number(number) => self.number(*number),
            Any::String(text) => self.text(text),
            Any::Buffer(bytes) => self.bytes(bytes),
            Any::Array(values) => {
                self.out.push(b'[');
                for (index, value) in values.iter().enumerate() {
                    self.comma(index);
                    self.any(value, depth + 1)?;
                }
                self.out.push(b']');
            }
            Any::Map(map) => {
                let mut members: Vec<(&str, &Any)> = map
                    .iter()
                    .filter(|(_, value)| **value != Any::Undefined)
                    .map(|(key, value)| (&**key, value))
                    .collect();
                members.sort_unstable_by_key(|(key, _)| *key);
                self.members(&members, |json, value, depth| json.any(value, depth), depth)?;
            }
        }
        Ok(())
    }

    fn members<V>(
        &mut self,
        members: &[(&str, V)],
        write: fn(&mut Self, &V, u32) -> Result<(), WalkFault>,
        depth: u32,
    ) -> Result<(), WalkFault> {
        self.out.push(b'{');
        for (index, (key, value)) in members.iter().enumerate() {
            self.comma(index);
            self.text(key);
            self.out.push(b':');
            write(self, value, depth + 1)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Integers beyond 2⁵³ can only have been `bigint`s, which JSON has no form for: they become texts.
    fn number(&mut self, number: Number) {
        let mut text = String::new();
        match number {
            Number::Float(value) if !value.is_finite() => text.push_str("null"),
            Number::Int(value) if value.unsigned_abs() >= 1 << 53 => {
                text.push('"');
                js_text::write_number(&mut text, number);
                text.push('"');
            }
            _ => js_text::write_number(&mut text, number),
        }
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A `Uint8Array` as `JSON.stringify` writes it: an object with the indices as keys.
    fn bytes(&mut self, bytes: &[u8]) {
        self.out.push(b'{');
        for (index, byte) in bytes.iter().enumerate() {
            self.comma(index);
            self.out.extend_from_slice(format!("\"{index}\":{byte}").as_bytes());
        }
        self.out.push(b'}');
    }

    fn text(&mut self, text: &str) {
        // Writing a text to a vector cannot fail.
        let _infallible = serde_json::to_writer(&mut self.out, text);
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.out.push(b',');
        }
    }

    fn within(&self, depth: u32) -> Result<(), WalkFault> {
        if depth > MAX_DEPTH {
            Err(WalkFault::TooDeep)
        } else if self.out.len() > self.limit {
            Err(WalkFault::TooLong)
        } else {
            Ok(())
        }
    }
}

fn is_undefined(value: &Out) -> bool {
    matches!(value, Out::Any(Any::Undefined))
}
