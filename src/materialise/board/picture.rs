//! A whole board: its shapes in the order of their stack, each read, drawn and written in turn.

use std::sync::Arc;

use yrs::{Any, Map, MapRef, Out, ReadTxn};

use super::super::json::WalkFault;
use super::drawing::draw;
use super::reading::read_shape;
use super::svg::Svg;

/// The board as SVG; an output beyond `limit` bytes, one shape more, is too long.
pub(in crate::materialise) fn picture<T: ReadTxn>(txn: &T, board: &MapRef, limit: usize) -> Result<Vec<u8>, WalkFault> {
    let mut svg = Svg::new(limit);
    for entry in stack(txn, board) {
        if let Some(shape) = read_shape(txn, &entry.fields) {
            svg.shape(shape.place, &draw(&shape.look))?;
        }
    }
    Ok(svg.finish())
}

/// A shape that has not been read.
struct Entry<'t> {
    order: Arc<str>,
    id: &'t str,
    fields: MapRef,
}

/// The board's entries from the lowest to the highest, by `order` and then by id, as JavaScript compares texts.
fn stack<'t, T: ReadTxn>(txn: &'t T, board: &'t MapRef) -> Vec<Entry<'t>> {
    let mut entries: Vec<Entry<'t>> = board
        .iter(txn)
        .filter_map(|(id, value)| match value {
            Out::YMap(fields) if (1..=LONGEST_ID).contains(&id.encode_utf16().take(LONGEST_ID + 1).count()) => {
                let order = match fields.get(txn, "order") {
                    Some(Out::Any(Any::String(order))) => order,
                    _ => DEFAULT_ORDER.into(),
                };
                Some(Entry { order, id, fields })
            }
            _ => None,
        })
        .collect();
    entries.sort_unstable_by(|left, right| {
        let by_order = left.order.encode_utf16().cmp(right.order.encode_utf16());
        by_order.then_with(|| left.id.encode_utf16().cmp(right.id.encode_utf16()))
    });
    entries
}

const LONGEST_ID: usize = 64;
const DEFAULT_ORDER: &str = "a0";

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use yrs::updates::decoder::Decode;
    use yrs::{Array, ArrayPrelim, Doc, In, MapPrelim, TextPrelim, Transact, Update, WriteTxn};

    use super::*;

    const LIMIT: usize = 64 << 20;

    fn pictured(doc: &Doc, limit: usize) -> Result<String, WalkFault> {
        let mut txn = doc.transact_mut();
        let board = txn.get_or_insert_map("board");
        picture(&txn, &board, limit).map(|svg| String::from_utf8(svg).expect("utf-8"))
    }

    fn board(shapes: impl IntoIterator<Item = (String, In)>) -> Doc {
        let doc = Doc::new();
        let mut txn = doc.transact_mut();
        let board = txn.get_or_insert_map("board");
        for (id, shape) in shapes {
            board.insert(&mut txn, id, shape);
        }
        drop(txn);
        doc
    }

    fn shape(fields: &[(&str, In)]) -> In {
        In::Map(fields.iter().map(|(name, value)| (*name, value.clone())).collect())
    }

    fn json(text: &str) -> In {
        In::Any(Any::from_json(text).expect("json"))
    }

    fn text(text: &str) -> In {
        In::from(TextPrelim::new(text))
    }

    /// The picture of one shape, with its fields as JSON.
    fn single(fields: &[(&str, &str)]) -> String {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, json(value))).collect();
        pictured(&board([("a".to_owned(), shape(&fields))]), LIMIT).expect("a picture")
    }

    /// Everything that the picture is made of; well-formed XML is what this parser takes.
    fn elements(svg: &str) -> Vec<String> {
        let tree = roxmltree::Document::parse(svg).expect("well-formed");
        tree.descendants().filter(roxmltree::Node::is_element).map(|node| node.tag_name().name().to_owned()).collect()
    }

    #[test]
    fn a_board_with_every_kind_of_shape_comes_out_as_always() {
        let doc = Doc::new();
        let update = Update::decode_v1(include_bytes!("../../../tests/fixtures/board.update")).expect("an update");
        doc.transact_mut().apply_update(update).expect("applied");
        let svg = pictured(&doc, LIMIT).expect("a picture");
        assert_eq!(svg, include_str!("../../../tests/fixtures/board.svg"));
        let found = elements(&svg);
        for name in ["rect", "ellipse", "path", "text", "tspan", "image", "title"] {
            assert!(found.iter().any(|element| element == name), "{name}");
        }
    }

    #[test]
    fn a_board_without_shapes_is_one_white_pixel() {
        let empty = pictured(&Doc::new(), LIMIT).expect("a picture");
        assert!(empty.contains("width=\"1\" height=\"1\" viewBox=\"0 0 1 1\""), "{empty}");
        assert_eq!(elements(&empty), ["svg", "rect"]);
        let shapes = [
            ("plain".to_owned(), json(r#"{"type": "note", "position": [0, 0]}"#)),
            ("nowhere".to_owned(), shape(&[("type", json("\"note\""))])),
            ("spiral".to_owned(), shape(&[("type", json("\"spiral\"")), ("position", json("[0, 0]"))])),
            ("x".repeat(65), shape(&[("type", json("\"note\"")), ("position", json("[0, 0]"))])),
        ];
        assert_eq!(pictured(&board(shapes), LIMIT), Ok(empty));
    }

    #[test]
    fn shapes_stand_in_the_order_of_their_stack_and_then_of_their_ids() {
        let note = |order: Option<&str>, colour: &str| {
            let mut fields = vec![("type", json("\"note\"")), ("position", json("[0, 0]")), ("colour", json(colour))];
            fields.extend(order.map(|order| ("order", json(order))));
            shape(&fields)
        };
        let shapes = [
            ("d".to_owned(), note(Some("\"a1\""), "\"red\"")),
            ("b".to_owned(), note(Some("\"Zz\""), "\"green\"")),
            ("c".to_owned(), note(None, "\"blue\"")),
            ("a".to_owned(), note(Some("7"), "\"pink\"")),
            ("x\u{ffff}".to_owned(), note(Some("\"b\""), "\"purple\"")),
            ("x\u{10000}".to_owned(), note(Some("\"b\""), "\"teal\"")),
            ("x".to_owned(), note(Some("\"b\""), "\"orange\"")),
            ("w".to_owned(), note(Some("\"b\""), "\"yellow\"")),
        ];
        let svg = pictured(&board(shapes), LIMIT).expect("a picture");
        let place = |pale: &str| svg.find(pale).expect("a colour");
        let stack = [
            "#d3efdd", "#f8d9ea", "#d5e7f7", "#fbdcd9", // green, pink, blue, red: by their orders
            "#fdf0b5", "#fbe3cd", "#d0eeee", "#e7dcf6", // yellow, orange, teal, purple: by their ids
        ];
        assert!(stack.map(place).is_sorted(), "{svg}");
    }

    #[test]
    fn what_is_unfit_becomes_its_default() {
        let fit = [("type", "\"rectangle\""), ("position", "[10, 20]"), ("size", "[100, 50]")];
        let plain = single(&fit);
        for unfit in [
            ("colour", "\"url(https://example.org)\""),
            ("fill", "[]"),
            ("stroke", "1e300"),
            ("stroke", "0.5"),
            ("stroke", "\"3\""),
            ("dash", "\"4 4\\\" onload=\\\"\""),
            ("fontSize", "-1"),
            ("rotation", "null"),
            ("rotation", "true"),
            ("order", "{}"),
            ("text", "{\"a\": 1}"),
        ] {
            assert_eq!(single(&[&fit[..], &[unfit]].concat()), plain, "{unfit:?}");
        }
    }

    #[test]
    fn what_cannot_be_drawn_is_left_out() {
        let base: HashMap<&str, &str> =
            [("type", "\"rectangle\""), ("position", "[10, 20]"), ("size", "[100, 50]")].into();
        for (field, unfit) in [
            ("position", "[1, \"2\"]"),
            ("position", "[1, 1e7]"),
            ("position", "[1]"),
            ("position", "[1, 2, 3]"),
            ("size", "[0.5, 5]"),
            ("size", "[-5, 5]"),
            ("size", "[5, 1e6]"),
            ("type", "[\"rectangle\"]"),
            ("type", "\"image\""),
            ("type", "\"pen\""),
            ("type", "\"text\""),
        ] {
            let mut fields = base.clone();
            fields.insert(field, unfit);
            let svg = single(&fields.into_iter().collect::<Vec<_>>());
            assert_eq!(elements(&svg), ["svg", "rect"], "{field}: {unfit}");
        }
    }

    #[test]
    fn an_image_is_shown_only_as_one_of_four_types_and_only_from_bytes() {
        let image = |media_type: &str, bytes: In| {
            let fields = [
                ("type", json("\"image\"")),
                ("position", json("[0, 0]")),
                ("size", json("[10, 10]")),
                ("mediaType", json(media_type)),
                ("bytes", bytes),
            ];
            pictured(&board([("a".to_owned(), shape(&fields))]), LIMIT).expect("a picture")
        };
        let bytes = |count: usize| In::Any(Any::Buffer(vec![7; count].into()));
        assert!(image("\"image/webp\"", bytes(3)).contains("href=\"data:image/webp;base64,BwcH\""));
        for (media_type, bytes) in [
            ("\"image/svg+xml\"", bytes(3)),
            ("\"text/html\"", bytes(3)),
            ("\"image/png\\\" onload=\\\"x\"", bytes(3)),
            ("\"image/png\"", bytes(0)),
            ("\"image/png\"", bytes((8 << 20) + 1)),
            ("\"image/png\"", json("\"BwcH\"")),
            ("\"image/png\"", json("[7, 7, 7]")),
        ] {
            assert_eq!(elements(&image(media_type, bytes)), ["svg", "rect"], "{media_type}");
        }
    }

    #[test]
    fn a_picture_of_far_apart_shapes_is_shown_smaller() {
        let note = |position| shape(&[("type", json("\"note\"")), ("position", json(position))]);
        let shapes = [("a".to_owned(), note("[-1000000, 0]")), ("b".to_owned(), note("[1000000, 0]"))];
        let svg = pictured(&board(shapes), LIMIT).expect("a picture");
        let start = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8192\" height=\"1\" \
                     viewBox=\"-1000016 -16 2000232 232\"";
        assert!(svg.starts_with(start), "{svg}");
    }

    #[test]
    fn a_picture_holds_text_that_runs_over_its_box() {
        let fields = |letters| {
            shape(&[
                ("type", json("\"rectangle\"")),
                ("position", json("[0, 0]")),
                ("size", json("[60, 40]")),
                ("stroke", json("2")),
                ("text", text(letters)),
            ])
        };
        let view = |letters| {
            let svg = pictured(&board([("a".to_owned(), fields(letters))]), LIMIT).expect("a picture");
            let tree = roxmltree::Document::parse(&svg).expect("well-formed");
            tree.root_element().attribute("viewBox").expect("a box").to_owned()
        };
        assert_eq!(view("in"), "-17 -17 94 74");
        // Three lines of 26 units are 78 high, around a middle of 20.
        assert_eq!(view("a\nb\nc"), "-17 -35 94 110");
    }

    #[test]
    fn an_endless_stroke_is_cut_and_one_with_anything_but_numbers_is_left_out() {
        let stroke = |points: Vec<Any>| {
            let doc = Doc::new();
            let mut txn = doc.transact_mut();
            let fields = MapPrelim::from([("type", In::from("pen")), ("position", json("[0, 0]"))]);
            let shape = txn.get_or_insert_map("board").insert(&mut txn, "a", fields);
            let array = shape.insert(&mut txn, "points", ArrayPrelim::default());
            array.insert_range(&mut txn, 0, points);
            drop(txn);
            pictured(&doc, LIMIT).expect("a picture")
        };
        let corners = |count: i64| (0..count).map(|number| Any::from((number * 7919 % 1000) * 50));
        let cut = stroke(corners(30_000).collect());
        assert_eq!(stroke(corners(10_000_000).collect()), cut);
        assert!(cut.len() < 10 << 20, "{}", cut.len());
        for odd in [Any::Null, Any::from("5"), Any::from(f64::NAN), Any::from(1e9), Any::from(true)] {
            let points = corners(30).chain([odd.clone()]).chain(corners(30));
            assert_eq!(elements(&stroke(points.collect())), ["svg", "rect"], "{odd:?}");
        }
    }

    #[test]
    fn a_picture_beyond_the_limit_is_too_long() {
        let doc = board((0..1000).map(|number| {
            let fields = [("type", json("\"note\"")), ("position", json("[0, 0]")), ("text", text("<<<<<<<<"))];
            (format!("n{number}"), shape(&fields))
        }));
        assert_eq!(pictured(&doc, 10_000), Err(WalkFault::TooLong));
        assert!(pictured(&doc, LIMIT).is_ok());
    }

    /// Numbers that are fit, on an edge, or absurd.
    fn arbitrary_number() -> impl Strategy<Value = f64> {
        prop_oneof![-500.0..500.0, proptest::num::f64::ANY, Just(0.0), Just(1e6), Just(100_000.0), Just(f64::NAN)]
    }

    /// A plain value of any shape.
    fn arbitrary_any() -> impl Strategy<Value = Any> {
        let name = prop_oneof![
            Just("tint"),
            Just("solid"),
            Just("dotted"),
            Just("red"),
            Just("pen"),
            Just("image/png"),
            Just("<&\"\u{0}")
        ];
        let leaf = prop_oneof![
            arbitrary_number().prop_map(Any::from),
            name.prop_map(Any::from),
            ".{0,8}".prop_map(Any::from),
            any::<bool>().prop_map(Any::from),
            any::<i64>().prop_map(|number| Any::Number(yrs::Number::Int(number))),
            proptest::collection::vec(any::<u8>(), 0..8).prop_map(|bytes| Any::Buffer(bytes.into())),
            (arbitrary_number(), arbitrary_number()).prop_map(|(x, y)| Any::from(vec![Any::from(x), Any::from(y)])),
            Just(Any::Null),
            Just(Any::Undefined),
        ];
        leaf.prop_recursive(2, 8, 3, |inner| proptest::collection::vec(inner, 0..4).prop_map(Any::from))
    }

    fn arbitrary_value() -> impl Strategy<Value = In> {
        let numbers = proptest::collection::vec(arbitrary_number().prop_map(Any::from), 0..60);
        prop_oneof![
            4 => arbitrary_any().prop_map(In::Any),
            2 => any::<String>().prop_map(|string| text(&string)),
            1 => proptest::collection::vec(arbitrary_any(), 0..5).prop_map(|values| In::from(ArrayPrelim::from_iter(values))),
            1 => numbers.prop_map(|values| In::from(ArrayPrelim::from_iter(values))),
        ]
    }

    /// A shape of a known type and place, with anything in the other fields.
    fn arbitrary_shape() -> impl Strategy<Value = In> {
        const TYPES: &[&str] = &["pen", "rectangle", "ellipse", "line", "arrow", "text", "note", "image"];
        const FIELDS: &[&str] = &[
            "position",
            "rotation",
            "order",
            "colour",
            "size",
            "fill",
            "stroke",
            "dash",
            "text",
            "fontSize",
            "points",
            "scale",
            "mediaType",
            "bytes",
            "alt",
        ];
        let fields = proptest::collection::hash_map(proptest::sample::select(FIELDS), arbitrary_value(), 0..15);
        let size =
            (arbitrary_number(), arbitrary_number()).prop_map(|(x, y)| Any::from(vec![Any::from(x), Any::from(y)]));
        let points = proptest::collection::vec((-900_i64..900).prop_map(Any::from), 0..60);
        (proptest::sample::select(TYPES), fields, size, points, any::<String>()).prop_map(
            |(kind, fields, size, points, letters)| {
                let mut all = vec![
                    ("type", In::from(kind)),
                    ("position", json("[1, 2]")),
                    ("size", In::Any(size)),
                    ("points", In::from(ArrayPrelim::from_iter(points))),
                    ("text", text(&letters)),
                    ("mediaType", In::from("image/gif")),
                    ("bytes", In::Any(Any::Buffer(letters.as_bytes().into()))),
                    ("alt", In::from(letters)),
                ];
                all.extend(fields);
                shape(&all)
            },
        )
    }

    proptest! {
        #[test]
        fn whatever_stands_in_a_board_its_picture_is_well_formed_and_holds_numbers_only_where_they_belong(
            shapes in proptest::collection::vec(prop_oneof![4 => arbitrary_shape(), 1 => arbitrary_value()], 0..6)
        ) {
            let shapes = shapes.into_iter().enumerate().map(|(number, shape)| (number.to_string(), shape));
            let doc = board(shapes);
            let svg = pictured(&doc, LIMIT).expect("a picture");
            prop_assert_eq!(&svg, &pictured(&doc, LIMIT).expect("the same picture"));
            let tree = roxmltree::Document::parse(&svg).expect("well-formed");
            for node in tree.descendants() {
                for attribute in node.attributes() {
                    prop_assert!(is_harmless(attribute.name(), attribute.value()), "{:?}", attribute);
                }
            }
        }
    }

    fn is_harmless(name: &str, value: &str) -> bool {
        match name {
            "d" | "transform" => {
                let words = "MLQZtranslateo() ";
                value.chars().all(|letter| letter.is_ascii_digit() || "-.".contains(letter) || words.contains(letter))
            }
            "viewBox" | "stroke-dasharray" => value.split(' ').all(|number| number.parse::<f64>().is_ok()),
            "fill" | "stroke" => value == "none" || (value.len() == 7 && value.starts_with('#')),
            "href" => value.starts_with("data:image/gif;base64,") || value.starts_with("data:image/png;base64,"),
            "font-family" | "stroke-linecap" | "stroke-linejoin" | "preserveAspectRatio" | "text-anchor" | "space" => {
                true
            }
            _ => value.parse::<f64>().is_ok_and(|number| number.abs() < 1e10),
        }
    }
}
