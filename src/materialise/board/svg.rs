//! Marks as the text of an SVG file that needs nothing else.
//!
//! Whatever stands in the document, the file is well-formed: texts are escaped, everything else is a number or one of our own
//! words. Nothing in it runs, and nothing points out of it.

use std::fmt::{self, Write};

use super::super::json::WalkFault;
use super::bounds::{Bounds, Point};
use super::drawing::{Align, Drawing, Lettering, Mark};
use super::lines::LINE_HEIGHT;
use super::palette::PAPER;
use super::shape::{Dash, ImageLook, Pencil, Place};

/// An SVG in the making.
pub(super) struct Svg {
    limit: usize,
    /// The shapes, one a line.
    body: String,
    /// Around all of them.
    bounds: Option<Bounds>,
}

impl Svg {
    /// Starts an output that may be `limit` bytes long, a single shape more.
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, body: String::new(), bounds: None }
    }

    /// Appends a shape.
    pub(super) fn shape(&mut self, place: Place, drawing: &Drawing<'_>) -> Result<(), WalkFault> {
        let Place { position, rotation } = place;
        let middle = drawing.frame.middle();
        let bounds = drawing.painted.turned(middle, rotation).moved(position);
        self.bounds = Some(self.bounds.map_or(bounds, |others| others.united(bounds)));
        self.write(format_args!("<g transform=\"translate({})", Pair(position)));
        if rotation != 0.0 {
            self.write(format_args!(" rotate({} {})", Decimal(rotation), Pair(middle)));
        }
        self.body.push_str("\">");
        for mark in &drawing.marks {
            self.mark(mark);
        }
        self.body.push_str("</g>\n");
        if self.body.len() > self.limit { Err(WalkFault::TooLong) } else { Ok(()) }
    }

    /// The file.
    pub(super) fn finish(self) -> Vec<u8> {
        let view = self.bounds.map_or(EMPTY, |bounds| bounds.grown(MARGIN));
        let size = view.size();
        let scale = (LONGEST_SIDE / size.x.max(size.y)).min(1.0);
        let [width, height] = [size.x, size.y].map(|side| Decimal((side * scale).max(1.0)));
        let corner = Pair(Point::new(view.left, view.top));
        let size = Attributes(size);
        let mut head = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"{corner} {}\"\
             {ROOT_ATTRIBUTES}>\n<rect x=\"{}\" y=\"{}\"{size} fill=\"{PAPER}\"/>\n",
            Pair(view.size()),
            Decimal(view.left),
            Decimal(view.top),
        );
        head.push_str(&self.body);
        head.push_str("</svg>\n");
        head.into_bytes()
    }

    fn mark(&mut self, mark: &Mark<'_>) {
        match mark {
            Mark::Rectangle { size, rounding, fill, pencil } => {
                self.write(format_args!("<rect{} rx=\"{}\"", Attributes(*size), Decimal(*rounding)));
                self.paint(*fill, *pencil);
            }
            Mark::Ellipse { size, fill, pencil } => {
                let [x, y] = [size.x, size.y].map(|side| Decimal(side / 2.0));
                self.write(format_args!("<ellipse cx=\"{x}\" cy=\"{y}\" rx=\"{x}\" ry=\"{y}\""));
                self.paint(*fill, Some(*pencil));
            }
            Mark::Polyline { points, pencil } => {
                let mut command = "<path d=\"M";
                for point in points {
                    self.write(format_args!("{command}{}", Pair(*point)));
                    command = "L";
                }
                self.body.push('"');
                self.paint(None, Some(*pencil));
            }
            Mark::Blot { corners, fill } => self.blot(corners, fill),
            Mark::Text(lettering) => self.lettering(lettering),
            Mark::Image(image) => self.image(image),
        }
    }

    /// Ends an element.
    fn paint(&mut self, fill: Option<&str>, pencil: Option<Pencil>) {
        self.write(format_args!(" fill=\"{}\"", fill.unwrap_or("none")));
        if let Some(Pencil { colour, width, dash }) = pencil {
            self.write(format_args!(" stroke=\"{}\" stroke-width=\"{}\"", colour.strong(), Decimal(width)));
            let pattern = match dash {
                Dash::Solid => None,
                Dash::Dashed => Some(Point::new(width * 3.0, width * 2.5)),
                // The round ends make dots.
                Dash::Dotted => Some(Point::new(0.1, width * 2.0)),
            };
            if let Some(pattern) = pattern {
                self.write(format_args!(" stroke-dasharray=\"{}\"", Pair(pattern)));
            }
        }
        self.body.push_str("/>");
    }

    /// A closed curve through the middles between neighbouring corners, which rounds them off.
    fn blot(&mut self, corners: &[Point], fill: &str) {
        let (Some(first), Some(last)) = (corners.first(), corners.last()) else { return };
        self.write(format_args!("<path d=\"M{}Q", Pair(last.towards(*first, 0.5))));
        let nexts = corners.iter().skip(1).chain([first]);
        for (index, (corner, next)) in corners.iter().zip(nexts).enumerate() {
            let space = if index == 0 { "" } else { " " };
            self.write(format_args!("{space}{} {}", Pair(*corner), Pair(corner.towards(*next, 0.5))));
        }
        self.body.push_str("Z\"");
        self.paint(Some(fill), None);
    }

    fn lettering(&mut self, lettering: &Lettering<'_>) {
        let Lettering { lines, font_size, align, at, fill } = lettering;
        self.write(format_args!("<text font-size=\"{}\" fill=\"{fill}\"", Decimal(*font_size)));
        if *align == Align::Middle {
            self.body.push_str(" text-anchor=\"middle\"");
        }
        self.body.push('>');
        let mut y = at.y;
        for line in lines {
            if !line.is_empty() {
                self.write(format_args!("<tspan x=\"{}\" y=\"{}\">", Decimal(at.x), Decimal(y)));
                escape(&mut self.body, line);
                self.body.push_str("</tspan>");
            }
            y += font_size * LINE_HEIGHT;
        }
        self.body.push_str("</text>");
    }

    fn image(&mut self, image: &ImageLook) {
        let (size, media_type) = (Attributes(image.size), image.media_type);
        self.write(format_args!("<image{size} preserveAspectRatio=\"none\" href=\"data:{media_type};base64,"));
        base64(&mut self.body, &image.bytes);
        if image.alt.is_empty() {
            self.body.push_str("\"/>");
        } else {
            self.body.push_str("\"><title>");
            escape(&mut self.body, &image.alt);
            self.body.push_str("</title></image>");
        }
    }

    fn write(&mut self, text: fmt::Arguments<'_>) {
        let _infallible = self.body.write_fmt(text);
    }
}

/// A number with at most two decimals.
struct Decimal(f64);

/// Two numbers.
struct Pair(Point);

/// A size as two attributes.
struct Attributes(Point);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(clippy::cast_possible_truncation, reason = "it saturates, and what is no number becomes 0")]
        let hundredths = (self.0 * 100.0).round() as i64;
        let sign = if hundredths < 0 { "-" } else { "" };
        let (whole, rest) = (hundredths.unsigned_abs() / 100, hundredths.unsigned_abs() % 100);
        match (rest / 10, rest % 10) {
            (0, 0) => write!(f, "{sign}{whole}"),
            (tenths, 0) => write!(f, "{sign}{whole}.{tenths}"),
            (tenths, hundredths) => write!(f, "{sign}{whole}.{tenths}{hundredths}"),
        }
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Decimal(self.0.x), Decimal(self.0.y))
    }
}

impl fmt::Display for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " width=\"{}\" height=\"{}\"", Decimal(self.0.x), Decimal(self.0.y))
    }
}

/// Appends a text so that it stays one. What XML 1.0 forbids becomes the replacement character.
fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A reader would make a line feed of it.
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(letter),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
}

/// Appends bytes in base 64, as RFC 4648, section 4 has it.
fn base64(out: &mut String, bytes: &[u8]) {
    let digit = |bits: u32| DIGITS.get(usize::try_from(bits & 63).unwrap_or(0)).map_or('A', |digit| char::from(*digit));
    out.reserve(bytes.len().div_ceil(3) * 4);
    let (triples, rest) = bytes.as_chunks();
    for [first, second, third] in triples {
        let bits = u32::from_be_bytes([0, *first, *second, *third]);
        out.extend([digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)]);
    }
    match rest {
        [first] => {
            let bits = u32::from(*first) << 4;
            out.extend([digit(bits >> 6), digit(bits), '=', '=']);
        }
        [first, second] => {
            let bits = u32::from(u16::from_be_bytes([*first, *second])) << 2;
            out.extend([digit(bits >> 12), digit(bits >> 6), digit(bits), '=']);
        }
        _ => {}
    }
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const ROOT_ATTRIBUTES: &str = " font-family=\"system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'Liberation Sans', sans-serif\" \
    stroke-linecap=\"round\" stroke-linejoin=\"round\" xml:space=\"preserve\"";
/// Units around all shapes.
const MARGIN: f64 = 16.0;
/// Pixels: what is larger is shown smaller.
const LONGEST_SIDE: f64 = 8192.0;
/// What is shown of a board without shapes.
const EMPTY: Bounds = Bounds::of_size(Point::new(1.0, 1.0));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_at_most_two_decimals_and_no_negative_zero() {
        let cases = [
            (0.0, "0"),
            (-0.001, "0"),
            (1.5, "1.5"),
            (-1.05, "-1.05"),
            (0.996, "1"),
            (1e9, "1000000000"),
            (f64::NAN, "0"),
        ];
        for (number, text) in cases {
            assert_eq!(Decimal(number).to_string(), text);
        }
        assert!(Decimal(f64::INFINITY).to_string().parse::<f64>().is_ok());
    }

    #[test]
    fn base64_is_as_in_its_rfc() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            let mut out = String::new();
            base64(&mut out, bytes.as_bytes());
            assert_eq!(out, text);
        }
        let mut out = String::new();
        base64(&mut out, &[0xfb, 0xff, 0xfe]);
        assert_eq!(out, "+//+");
    }

    #[test]
    fn a_text_cannot_leave_its_element() {
        let mut out = String::new();
        escape(&mut out, "</text><script>\"&amp;\0\u{1f}\u{ffff}\r\t]]>");
        let expected = "&lt;/text&gt;&lt;script&gt;\"&amp;amp;\u{fffd}\u{fffd}\u{fffd}&#13;\t]]&gt;";
        assert_eq!(out, expected);
    }
}
