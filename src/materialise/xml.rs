//! Documents as text: what `toString()` of Yjs's XML types gives.
//!
//! The engine's own form differs (attribute order, letter case of names, formatting marks), so this one is written out.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use yrs::types::text::YChange;
use yrs::{Any, Array, GetString, Out, ReadTxn, Text, Xml as _, XmlElementRef, XmlTextRef};

use super::js_text;
use super::json::WalkFault;
use super::legacy::MAX_DEPTH;

/// Text in the making.
pub(super) struct Xml<'t, T> {
    txn: &'t T,
    limit: usize,
    out: String,
}

impl<'t, T: ReadTxn> Xml<'t, T> {
    /// Starts an output that may be `limit` bytes long, a single text more.
    pub(super) fn new(txn: &'t T, limit: usize) -> Self {
        Self { txn, limit, out: String::new() }
    }

    /// The output.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Appends `value.toString()`.
    pub(super) fn value(&mut self, value: &Out, depth: u32) -> Result<(), WalkFault> {
        if depth > MAX_DEPTH {
            return Err(WalkFault::TooDeep);
        }
        if self.out.len() > self.limit {
            return Err(WalkFault::TooLong);
        }
        match value {
            Out::Any(any) => js_text::write_any(&mut self.out, any),
            Out::YText(text) => self.out.push_str(&text.get_string(self.txn)),
            Out::YXmlText(text) => self.marked_text(text, depth)?,
            Out::YXmlElement(element) => self.element(element, depth)?,
            Out::YXmlFragment(fragment) => {
                let children: &yrs::ArrayRef = fragment.as_ref();
                self.children(children, depth)?;
            }
            Out::YArray(_) | Out::YMap(_) | Out::YDoc(_) | Out::UndefinedRef(_) => self.out.push_str("[object Object]"),
        }
        Ok(())
    }

    fn element(&mut self, element: &XmlElementRef, depth: u32) -> Result<(), WalkFault> {
        let name = element.try_tag().map_or_else(|| "undefined".to_owned(), |tag| tag.to_lowercase());
        self.out.push('<');
        self.out.push_str(&name);
        let mut attributes: Vec<(&str, Out)> = element.attributes(self.txn).collect();
        attributes.sort_by(|(left, _), (right, _)| by_utf16(left, right));
        for (key, value) in &attributes {
            self.out.push(' ');
            self.out.push_str(key);
            self.out.push_str("=\"");
            self.value(value, depth + 1)?;
            self.out.push('"');
        }
        self.out.push('>');
        self.children(element.as_ref(), depth)?;
        self.close(&name);
        Ok(())
    }

    fn children(&mut self, children: &yrs::ArrayRef, depth: u32) -> Result<(), WalkFault> {
        for child in children.iter(self.txn) {
            self.value(&child, depth + 1)?;
        }
        Ok(())
    }

    /// Each stretch of text between the tags of its marks, which are sorted by name.
    fn marked_text(&mut self, text: &XmlTextRef, depth: u32) -> Result<(), WalkFault> {
        for stretch in text.diff(self.txn, YChange::identity) {
            let mut marks: Vec<(&str, &Any)> = stretch
                .attributes
                .iter()
                .flat_map(|marks| marks.iter())
                .map(|(name, value)| (&**name, value))
                .collect();
            marks.sort_by(|(left, _), (right, _)| by_utf16(left, right));
            for (name, value) in &marks {
                self.out.push('<');
                self.out.push_str(name);
                self.mark_attributes(value);
                self.out.push('>');
            }
            self.value(&stretch.insert, depth + 1)?;
            for (name, _) in marks.iter().rev() {
                self.close(name);
            }
        }
        Ok(())
    }

    /// The enumerable members of a mark's value, which a text or an array has too.
    fn mark_attributes(&mut self, value: &Any) {
        match value {
            Any::Map(members) => {
                let mut members: Vec<(&String, &Any)> = members.iter().collect();
                members.sort_by(|(left, _), (right, _)| by_utf16(left, right));
                for (key, value) in members {
                    self.mark_attribute(key, value);
                }
            }
            Any::String(text) => {
                let units: Vec<u16> = text.encode_utf16().collect();
                let members = units.iter().map(|unit| Any::from(String::from_utf16_lossy(&[*unit])));
                self.indexed_attributes(members);
            }
            Any::Array(values) => self.indexed_attributes(values.iter().cloned()),
            Any::Buffer(bytes) => self.indexed_attributes(bytes.iter().map(|byte| Any::from(u32::from(*byte)))),
            Any::Null | Any::Undefined | Any::Bool(_) | Any::Number(_) => {}
        }
    }

    /// Attributes named 0, 1, 2 and on, sorted as texts.
    fn indexed_attributes(&mut self, values: impl Iterator<Item = Any>) {
        let sorted: BTreeMap<String, Any> =
            values.enumerate().map(|(index, value)| (index.to_string(), value)).collect();
        for (key, value) in &sorted {
            self.mark_attribute(key, value);
        }
    }

    fn mark_attribute(&mut self, key: &str, value: &Any) {
        self.out.push(' ');
        self.out.push_str(key);
        self.out.push_str("=\"");
        js_text::write_any(&mut self.out, value);
        self.out.push('"');
    }

    fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}

/// The order of JavaScript's `<` on texts.
fn by_utf16(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}
