//! Values as JavaScript's `String(value)` writes them.

use std::fmt::Write;

use yrs::{Any, Number};

/// Appends `String(value)`.
pub(super) fn write_any(out: &mut String, value: &Any) {
    match value {
        Any::Null => out.push_str("null"),
        Any::Undefined => out.push_str("undefined"),
        Any::Bool(true) => out.push_str("true"),
        Any::Bool(false) => out.push_str("false"),
        Any::Number(number) => write_number(out, *number),
        Any::String(text) => out.push_str(text),
        Any::Buffer(bytes) => {
            for (index, byte) in bytes.iter().enumerate() {
                let _infallible = write!(out, "{}{byte}", if index == 0 { "" } else { "," });
            }
        }
        Any::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                if !matches!(value, Any::Null | Any::Undefined) {
                    write_any(out, value);
                }
            }
        }
        Any::Map(_) => out.push_str("[object Object]"),
    }
}

/// Appends a number as ECMAScript's `Number::toString` lays it out.
pub(super) fn write_number(out: &mut String, number: Number) {
    let value = match number {
        Number::Int(value) => {
            let _infallible = write!(out, "{value}");
            return;
        }
        Number::Float(value) => value,
    };
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else if value == 0.0 {
        out.push('0');
    } else {
        write_finite(out, value);
    }
}

/// The shortest digits that give the value back, with the point where ECMAScript puts it.
fn write_finite(out: &mut String, value: f64) {
    if value < 0.0 {
        out.push('-');
    }
    let scientific = format!("{:e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = mantissa.replace('.', "");
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let point = exponent + 1;
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let (head, tail) = digits.split_at_checked(usize::try_from(point).unwrap_or(0)).unwrap_or((&digits, ""));
    if (count..=21).contains(&point) {
        out.push_str(&digits);
        out.push_str(&zeros(point - count));
    } else if (1..=21).contains(&point) {
        let _infallible = write!(out, "{head}.{tail}");
    } else if (-5..=0).contains(&point) {
        let _infallible = write!(out, "0.{}{digits}", zeros(-point));
    } else {
        let (first, rest) = digits.split_at_checked(1).unwrap_or((&digits, ""));
        let dot = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        let _infallible = write!(out, "{first}{dot}{rest}e{sign}{}", exponent.abs());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn numbers_look_as_in_javascript() {
        let cases = [
            (1.0, "1"),
            (-0.0, "0"),
            (0.1, "0.1"),
            (-12.5, "-12.5"),
            (1e20, "100000000000000000000"),
            (1.5e21, "1.5e+21"),
            (1e21, "1e+21"),
            (1e-6, "0.000001"),
            (1.25e-7, "1.25e-7"),
            (123_456_789.125, "123456789.125"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, expected) in cases {
            let mut out = String::new();
            write_number(&mut out, Number::Float(value));
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn compound_values_look_as_in_javascript() {
        let inner = Any::from(vec![Any::from(2.5), Any::Null]);
        let value = Any::from(vec![Any::Null, Any::from("a"), inner, Any::Map(Arc::default())]);
        let mut out = String::new();
        write_any(&mut out, &value);
        write_any(&mut out, &Any::Buffer(vec![1, 255].into()));
        assert_eq!(out, ",a,2.5,,[object Object]1,255");
    }
}
