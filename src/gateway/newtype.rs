//! Whether a value is a struct around a single other one, as `struct Room(String)`.
//!
//! The parser of Socket.IO takes such a struct for a tuple, and so for several values, and loses the event's name. A gateway's
//! handler expects what serde has it mean: the one value inside.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Impossible, Serialize, Serializer};

/// Whether this value is such a struct.
pub(super) fn is_value_newtype<T: Serialize + ?Sized>(value: &T) -> bool {
    value.serialize(Probe).is_ok_and(|is_newtype| is_newtype)
}

/// Whether values of this type are such structs.
pub(super) fn is_type_newtype<'de, T: Deserialize<'de>>() -> bool {
    matches!(T::deserialize(Probe), Err(Found(true)))
}

/// What is asked for first tells the kind of a type; nothing is read or written.
struct Probe;

/// The end of a probe: whether it was such a struct.
#[derive(Debug)]
struct Found(bool);

impl<'de> Deserializer<'de> for Probe {
    type Error = Found;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Found> {
        Err(Found(false))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, _: V) -> Result<V::Value, Found> {
        Err(Found(true))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

macro_rules! no_newtypes {
    ($($method:ident($($parameter:ty),*) -> $result:ty;)*) => {
        $(fn $method(self, $(_: $parameter),*) -> Result<$result, Found> { Err(Found(false)) })*
    };
}

impl Serializer for Probe {
    type Ok = bool;
    type Error = Found;
    type SerializeSeq = Impossible<bool, Found>;
    type SerializeTuple = Impossible<bool, Found>;
    type SerializeTupleStruct = Impossible<bool, Found>;
    type SerializeTupleVariant = Impossible<bool, Found>;
    type SerializeMap = Impossible<bool, Found>;
    type SerializeStruct = Impossible<bool, Found>;
    type SerializeStructVariant = Impossible<bool, Found>;

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Result<bool, Found> {
        Ok(true)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<bool, Found> {
        Err(Found(false))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<bool, Found> {
        Err(Found(false))
    }

    no_newtypes! {
        serialize_bool(bool) -> bool;
        serialize_i8(i8) -> bool;
        serialize_i16(i16) -> bool;
        serialize_i32(i32) -> bool;
        serialize_i64(i64) -> bool;
        serialize_u8(u8) -> bool;
        serialize_u16(u16) -> bool;
        serialize_u32(u32) -> bool;
        serialize_u64(u64) -> bool;
        serialize_f32(f32) -> bool;
        serialize_f64(f64) -> bool;
        serialize_char(char) -> bool;
        serialize_str(&str) -> bool;
        serialize_bytes(&[u8]) -> bool;
        serialize_none() -> bool;
        serialize_unit() -> bool;
        serialize_unit_struct(&'static str) -> bool;
        serialize_unit_variant(&'static str, u32, &'static str) -> bool;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("only the kind was asked for")
    }
}

impl std::error::Error for Found {}

impl serde::de::Error for Found {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(false)
    }
}

impl serde::ser::Error for Found {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(false)
    }
}
