//! From a map in the document to a shape: what is missing or unfit becomes its default, what cannot be drawn no shape.

use std::ops::RangeInclusive;
use std::sync::Arc;

use yrs::{Any, Array, GetString, Map, MapRef, Number, Out, ReadTxn};

use super::bounds::Point;
use super::palette::Colour;
use super::shape::{
    BoxLook, Dash, Fill, Form, ImageLook, LineEnd, LineLook, Look, PenLook, PenPoint, Pencil, Place, Shape,
};

/// The shape in a map, if it can be drawn.
pub(super) fn read_shape<T: ReadTxn>(txn: &T, map: &MapRef) -> Option<Shape> {
    let fields = Fields { txn, map };
    let position = fields.pair("position", FARTHEST)?;
    let rotation = fields.number("rotation").unwrap_or(0.0) % 360.0;
    Some(Shape { place: Place { position, rotation }, look: fields.look()? })
}

/// The fields of one shape.
struct Fields<'t, T> {
    txn: &'t T,
    map: &'t MapRef,
}

impl<T: ReadTxn> Fields<'_, T> {
    fn look(&self) -> Option<Look> {
        Some(match &*self.name("type")? {
            "rectangle" => Look::Box(self.boxed(Form::Rectangle)?),
            "ellipse" => Look::Box(self.boxed(Form::Ellipse)?),
            "line" => Look::Line(self.line(LineEnd::Plain)?),
            "arrow" => Look::Line(self.line(LineEnd::Head)?),
            "pen" => Look::Pen(self.pen()?),
            "text" => {
                let text = self.text();
                if text.is_empty() {
                    return None;
                }
                Look::Text { text, font_size: self.font_size(), colour: self.colour() }
            }
            "note" => Look::Note {
                size: self.size().unwrap_or(NOTE_SIZE),
                text: self.text(),
                font_size: self.font_size(),
                colour: self.colour(),
            },
            "image" => Look::Image(self.image()?),
            _ => return None,
        })
    }

    fn boxed(&self, form: Form) -> Option<BoxLook> {
        let fill = match self.name("fill").as_deref() {
            Some("tint") => Fill::Tint,
            Some("solid") => Fill::Solid,
            _ => Fill::None,
        };
        let (text, font_size) = (self.text(), self.font_size());
        Some(BoxLook { form, size: self.size()?, fill, pencil: self.pencil(), text, font_size })
    }

    fn line(&self, end: LineEnd) -> Option<LineLook> {
        Some(LineLook { way: self.pair("size", LONGEST_SIDE)?, end, pencil: self.pencil() })
    }

    fn pen(&self) -> Option<PenLook> {
        let scale = self.pair("scale", LARGEST_SCALE).filter(|scale| scale.x != 0.0 && scale.y != 0.0);
        let points = self.points(scale.unwrap_or(Point::new(1.0, 1.0)))?;
        Some(PenLook { points, stroke: self.within("stroke", STROKE, PEN_STROKE), colour: self.colour() })
    }

    fn image(&self) -> Option<ImageLook> {
        let media_type = IMAGE_TYPES.into_iter().find(|known| self.name("mediaType").as_deref() == Some(*known))?;
        let bytes = match self.map.get(self.txn, "bytes")? {
            Out::Any(Any::Buffer(bytes)) if (1..=LARGEST_IMAGE).contains(&bytes.len()) => bytes,
            _ => return None,
        };
        let alt = self.name("alt").map(|alt| shortened(&alt, LONGEST_ALT).to_owned()).unwrap_or_default();
        Some(ImageLook { size: self.size()?, media_type, bytes, alt })
    }

    fn pencil(&self) -> Pencil {
        let dash = match self.name("dash").as_deref() {
            Some("dashed") => Dash::Dashed,
            Some("dotted") => Dash::Dotted,
            _ => Dash::Solid,
        };
        Pencil { colour: self.colour(), width: self.within("stroke", STROKE, LINE_STROKE), dash }
    }

    fn colour(&self) -> Colour {
        self.name("colour").and_then(|name| Colour::named(&name)).unwrap_or(Colour::Ink)
    }

    fn font_size(&self) -> f64 {
        self.within("fontSize", FONT_SIZE, DEFAULT_FONT_SIZE)
    }

    fn size(&self) -> Option<Point> {
        self.pair("size", LONGEST_SIDE).filter(|size| size.x >= SHORTEST_SIDE && size.y >= SHORTEST_SIDE)
    }

    /// The first points, scaled; none when something among them is no point.
    fn points(&self, scale: Point) -> Option<Vec<PenPoint>> {
        let Out::YArray(array) = self.map.get(self.txn, "points")? else { return None };
        let numbers = array.iter(self.txn).take(MOST_POINT_NUMBERS).map(|value| match value {
            Out::Any(value) => number(&value).filter(|number| number.abs() <= FARTHEST * TENTHS),
            _ => None,
        });
        let numbers: Vec<f64> = numbers.collect::<Option<_>>()?;
        let points = numbers.as_chunks().0.iter().map(|[x, y, pressure]| PenPoint {
            at: Point::new(x / TENTHS * scale.x, y / TENTHS * scale.y),
            pressure: (pressure / 100.0).clamp(0.0, 1.0),
        });
        let points: Vec<PenPoint> = points.collect();
        (!points.is_empty()).then_some(points)
    }

    fn text(&self) -> String {
        let text = match self.map.get(self.txn, "text") {
            Some(Out::YText(text)) => text.get_string(self.txn),
            _ => return String::new(),
        };
        shortened(&text, LONGEST_TEXT).to_owned()
    }

    fn name(&self, field: &str) -> Option<Arc<str>> {
        match self.map.get(self.txn, field)? {
            Out::Any(Any::String(text)) => Some(text),
            _ => None,
        }
    }

    fn number(&self, field: &str) -> Option<f64> {
        match self.map.get(self.txn, field)? {
            Out::Any(value) => number(&value),
            _ => None,
        }
    }

    fn within(&self, field: &str, range: RangeInclusive<f64>, otherwise: f64) -> f64 {
        self.number(field).filter(|number| range.contains(number)).unwrap_or(otherwise)
    }

    /// A plain array of two numbers, neither farther from 0 than this.
    fn pair(&self, field: &str, farthest: f64) -> Option<Point> {
        let Out::Any(Any::Array(values)) = self.map.get(self.txn, field)? else { return None };
        let [x, y] = &*values else { return None };
        let near = |value| number(value).filter(|number| number.abs() <= farthest);
        Some(Point::new(near(x)?, near(y)?))
    }
}

fn number(value: &Any) -> Option<f64> {
    match value {
        Any::Number(number) => Number::as_f64(*number).filter(|number| number.is_finite()),
        _ => None,
    }
}

/// The first characters of a text.
fn shortened(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

const FARTHEST: f64 = 1_000_000.0;
const SHORTEST_SIDE: f64 = 1.0;
const LONGEST_SIDE: f64 = 100_000.0;
const LARGEST_SCALE: f64 = 1000.0;
const NOTE_SIZE: Point = Point::new(200.0, 200.0);

const STROKE: RangeInclusive<f64> = 1.0..=64.0;
const LINE_STROKE: f64 = 3.0;
const PEN_STROKE: f64 = 6.0;
const FONT_SIZE: RangeInclusive<f64> = 4.0..=400.0;
const DEFAULT_FONT_SIZE: f64 = 20.0;

/// Points of the pen are in tenths of a unit.
const TENTHS: f64 = 10.0;
/// Of one stroke: 10 000 points.
const MOST_POINT_NUMBERS: usize = 30_000;
/// Characters of one text.
const LONGEST_TEXT: usize = 20_000;
const LONGEST_ALT: usize = 1000;
/// Bytes of one image, sixteen times what the demo writes.
const LARGEST_IMAGE: usize = 8 << 20;
const IMAGE_TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/gif"];
