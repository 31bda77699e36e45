//! What a shape's look is made of: outlines, lines, letters and images around its position, and the box that they fill.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::bounds::{Bounds, Point};
use super::letters::text_width;
use super::lines::{LINE_HEIGHT, broken, fitted, height};
use super::palette::{Colour, PAPER};
use super::pen::outline;
use super::shape::{BoxLook, Dash, Fill, Form, ImageLook, LineEnd, LineLook, Look, PenLook, Pencil};

/// A look as marks, to be painted in their order.
#[derive(Debug)]
pub(super) struct Drawing<'l> {
    pub marks: Vec<Mark<'l>>,
    /// The shape's own box, around whose middle it turns.
    pub frame: Bounds,
    /// All that is painted, unturned.
    pub painted: Bounds,
}

/// Something to paint.
#[derive(Debug)]
pub(super) enum Mark<'l> {
    Rectangle {
        size: Point,
        rounding: f64,
        fill: Option<&'static str>,
        pencil: Option<Pencil>,
    },
    Ellipse {
        size: Point,
        fill: Option<&'static str>,
        pencil: Pencil,
    },
    /// Straight lines from point to point.
    Polyline {
        points: Vec<Point>,
        pencil: Pencil,
    },
    /// A filled outline with its corners rounded off.
    Blot {
        corners: Vec<Point>,
        fill: &'static str,
    },
    Text(Lettering<'l>),
    Image(&'l ImageLook),
}

/// Lines of text.
#[derive(Debug)]
pub(super) struct Lettering<'l> {
    pub lines: Vec<&'l str>,
    pub font_size: f64,
    pub align: Align,
    /// Where the first line's baseline begins, or has its middle.
    pub at: Point,
    pub fill: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Middle,
}

/// Draws a look.
pub(super) fn draw(look: &Look) -> Drawing<'_> {
    match look {
        Look::Box(look) => draw_box(look),
        Look::Line(look) => draw_line(look),
        Look::Pen(look) => draw_pen(look),
        Look::Text { text, font_size, colour } => draw_text(text, *font_size, *colour),
        Look::Note { size, text, font_size, colour } => draw_note(*size, text, *font_size, *colour),
        Look::Image(image) => {
            let frame = Bounds::of_size(image.size);
            Drawing { marks: vec![Mark::Image(image)], frame, painted: frame }
        }
    }
}

fn draw_box(look: &BoxLook) -> Drawing<'_> {
    let size = look.size;
    let colour = look.pencil.colour;
    let (fill, letters) = match look.fill {
        Fill::None => (None, colour.strong()),
        Fill::Tint => (Some(colour.pale()), Colour::Ink.strong()),
        Fill::Solid => (Some(colour.strong()), PAPER),
    };
    let (mark, inside) = match look.form {
        Form::Rectangle => {
            let rounding = ROUNDING.min(size.x / 4.0).min(size.y / 4.0);
            (Mark::Rectangle { size, rounding, fill, pencil: Some(look.pencil) }, size.x)
        }
        Form::Ellipse => (Mark::Ellipse { size, fill, pencil: look.pencil }, size.x * FRAC_1_SQRT_2),
    };
    let frame = Bounds::of_size(size);
    let mut drawing = Drawing { marks: vec![mark], frame, painted: frame.grown(look.pencil.width / 2.0) };
    if !look.text.is_empty() {
        let lines = broken(&look.text, (inside - 2.0 * PADDING).max(1.0), look.font_size);
        let top = (size.y - height(&lines, look.font_size)) / 2.0;
        let at = Point::new(size.x / 2.0, top + look.font_size * BASELINE);
        drawing.letter(Lettering { lines, font_size: look.font_size, align: Align::Middle, at, fill: letters });
    }
    drawing
}

/// An arrow's head is two strokes from its end backwards.
fn draw_line(look: &LineLook) -> Drawing<'_> {
    let (way, pencil) = (look.way, look.pencil);
    let mut lines = vec![Mark::Polyline { points: vec![Point::ZERO, way], pencil }];
    let length = way.length();
    let frame = Bounds::between(Point::ZERO, way);
    let mut painted = frame;
    if look.end == LineEnd::Head && length > 0.0 {
        let head = (HEAD_LENGTH + HEAD_GROWTH * pencil.width).min(length);
        let back = way * (-head / length);
        let barb = |turn| way + back.turned(Point::ZERO, turn);
        let points = vec![barb(HEAD_ANGLE), way, barb(-HEAD_ANGLE)];
        painted = Bounds::around(points.iter().copied()).map_or(painted, |head| painted.united(head));
        lines.push(Mark::Polyline { points, pencil: Pencil { dash: Dash::Solid, ..pencil } });
    }
    Drawing { marks: lines, frame, painted: painted.grown(pencil.width / 2.0) }
}

fn draw_pen(look: &PenLook) -> Drawing<'_> {
    let frame = Bounds::around(look.points.iter().map(|point| point.at)).unwrap_or(Bounds::of_size(Point::ZERO));
    let corners = outline(&look.points, look.stroke);
    let painted = Bounds::around(corners.iter().copied()).map_or(frame, |bounds| bounds.united(frame));
    Drawing { marks: vec![Mark::Blot { corners, fill: look.colour.strong() }], frame, painted }
}

fn draw_text(text: &str, font_size: f64, colour: Colour) -> Drawing<'_> {
    let lines: Vec<&str> = text.split('\n').collect();
    let at = Point::new(0.0, font_size * BASELINE);
    let lettering = Lettering { lines, font_size, align: Align::Left, at, fill: colour.strong() };
    let frame = lettering.bounds();
    Drawing { marks: vec![Mark::Text(lettering)], frame, painted: frame }
}

fn draw_note(size: Point, text: &str, font_size: f64, colour: Colour) -> Drawing<'_> {
    let frame = Bounds::of_size(size);
    let sheet = Mark::Rectangle { size, rounding: NOTE_ROUNDING, fill: Some(colour.pale()), pencil: None };
    let mut drawing = Drawing { marks: vec![sheet], frame, painted: frame };
    if !text.is_empty() {
        let room = Point::new((size.x - 2.0 * PADDING).max(1.0), size.y - 2.0 * PADDING);
        let text = fitted(text, room, font_size);
        let at = Point::new(PADDING, PADDING + text.font_size * BASELINE);
        let fill = Colour::Ink.strong();
        drawing.letter(Lettering { lines: text.lines, font_size: text.font_size, align: Align::Left, at, fill });
    }
    drawing
}

impl<'l> Drawing<'l> {
    fn letter(&mut self, lettering: Lettering<'l>) {
        self.painted = self.painted.united(lettering.bounds());
        self.marks.push(Mark::Text(lettering));
    }
}

impl Lettering<'_> {
    fn bounds(&self) -> Bounds {
        let widest = self.lines.iter().map(|line| text_width(line)).fold(LEAST_WIDTH, f64::max) * self.font_size;
        let left = match self.align {
            Align::Left => self.at.x,
            Align::Middle => self.at.x - widest / 2.0,
        };
        let top = self.at.y - self.font_size * BASELINE;
        Bounds { left, top, right: left + widest, bottom: top + height(&self.lines, self.font_size) }
    }
}

/// Units between the edge of a note or a labelled box and its text.
const PADDING: f64 = 12.0;
const ROUNDING: f64 = 8.0;
const NOTE_ROUNDING: f64 = 3.0;
const HEAD_LENGTH: f64 = 8.0;
/// By how much a head is longer for each unit of the line's width.
const HEAD_GROWTH: f64 = 3.0;
const HEAD_ANGLE: f64 = PI / 7.0;
/// From the top of a line to its baseline, in parts of the font's size: the letters stand in its middle.
const BASELINE: f64 = LINE_HEIGHT / 2.0 + 0.35;
/// Of a text of spaces only, in parts of the font's size.
const LEAST_WIDTH: f64 = 0.5;
