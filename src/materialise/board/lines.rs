//! Text broken into lines of a width, and the size at which a note's text fits.

use super::bounds::Point;
use super::letters::text_width;

/// Text that was made to fit.
#[derive(Debug, PartialEq)]
pub(super) struct Fitted<'t> {
    pub lines: Vec<&'t str>,
    pub font_size: f64,
}

/// Lines no wider than `room` at this size. They break at spaces, and inside a word only where it is wider than a line.
pub(super) fn broken(text: &str, room: f64, font_size: f64) -> Vec<&str> {
    Breaker::new(room / font_size, usize::MAX).text(text).unwrap_or_default()
}

/// The largest of some sizes from `largest` down to [`SMALLEST`] at which the text fits; what never fits runs over.
pub(super) fn fitted(text: &str, room: Point, largest: f64) -> Fitted<'_> {
    let smallest = largest.min(SMALLEST);
    let mut font_size = largest;
    while font_size > smallest {
        let breaker = Breaker::new(room.x / font_size, rows(room.y, font_size));
        if let Some(lines) = breaker.text(text) {
            return Fitted { lines, font_size };
        }
        font_size = smallest.max(font_size * SHRINK);
    }
    Fitted { lines: broken(text, room.x, font_size), font_size }
}

/// How high so many lines are.
pub(super) fn height(lines: &[&str], font_size: f64) -> f64 {
    u32::try_from(lines.len()).map_or(f64::MAX, f64::from) * font_size * LINE_HEIGHT
}

/// How many lines have room.
fn rows(room: f64, font_size: f64) -> usize {
    let rows = (room / (font_size * LINE_HEIGHT)).max(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is not negative, and rounded down")]
    let rows = rows as usize;
    rows
}

/// Lines in the making. Its lengths are in parts of the font's size.
struct Breaker<'t> {
    room: f64,
    most: usize,
    lines: Vec<&'t str>,
    /// The paragraph from the start of the line under way.
    line: &'t str,
    /// What of it is not in the line yet.
    rest: &'t str,
    used: f64,
}

impl<'t> Breaker<'t> {
    fn new(room: f64, most: usize) -> Self {
        Self { room, most, lines: Vec::new(), line: "", rest: "", used: 0.0 }
    }

    /// Breaks a text; `None` as soon as it has more lines than allowed.
    fn text(mut self, text: &'t str) -> Option<Vec<&'t str>> {
        text.split('\n').try_for_each(|paragraph| self.paragraph(paragraph))?;
        Some(self.lines)
    }

    fn paragraph(&mut self, paragraph: &'t str) -> Option<()> {
        (self.line, self.rest, self.used) = (paragraph, paragraph, 0.0);
        while !self.rest.is_empty() {
            let word = first_word(self.rest);
            let bare_width = text_width(word.trim_end());
            if bare_width <= self.room {
                self.place(word, bare_width, text_width(word))?;
                continue;
            }
            if self.has_begun() {
                self.end_line()?;
            }
            for letter in word.split_inclusive(|_| true) {
                self.place(letter, text_width(letter.trim_end()), text_width(letter))?;
            }
        }
        self.end_line()
    }

    /// Appends a piece of `width` to the line, or to a new one where `needed` has no room.
    fn place(&mut self, piece: &str, needed: f64, width: f64) -> Option<()> {
        if self.has_begun() && needed > 0.0 && self.used + needed > self.room {
            self.end_line()?;
        }
        self.used += width;
        self.rest = self.rest.get(piece.len()..).unwrap_or_default();
        Some(())
    }

    fn has_begun(&self) -> bool {
        self.rest.len() < self.line.len()
    }

    fn end_line(&mut self) -> Option<()> {
        let end = self.line.len() - self.rest.len();
        self.lines.push(self.line.get(..end).unwrap_or_default().trim_end());
        (self.line, self.used) = (self.rest, 0.0);
        (self.lines.len() <= self.most).then_some(())
    }
}

/// Up to the end of the spaces after the first word.
fn first_word(text: &str) -> &str {
    let mut spaces = false;
    for (at, letter) in text.char_indices() {
        if spaces && !letter.is_whitespace() {
            return text.get(..at).unwrap_or(text);
        }
        spaces = letter.is_whitespace();
    }
    text
}

/// From one baseline to the next, in parts of the font's size.
pub(super) const LINE_HEIGHT: f64 = 1.3;
const SMALLEST: f64 = 10.0;
const SHRINK: f64 = 0.9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_inside_words_that_are_wider_than_a_line() {
        // Ten digits are 6.23 wide.
        let cases: [(&str, &[&str]); 8] = [
            ("", &[""]),
            ("one two", &["one two"]),
            ("a\n\nb\n", &["a", "", "b", ""]),
            ("0000 1111 2222", &["0000 1111", "2222"]),
            ("00000000001111", &["0000000000", "1111"]),
            ("a 00000000001111 b", &["a", "0000000000", "1111 b"]),
            ("漢字漢字漢字漢字", &["漢字漢字漢字", "漢字"]),
            ("  a  ", &["  a"]),
        ];
        for (text, lines) in cases {
            assert_eq!(broken(text, 62.5, 10.0), lines, "{text:?}");
        }
    }

    #[test]
    fn every_line_has_at_least_a_letter_however_narrow() {
        assert_eq!(broken("ab e\u{301}", 0.1, 400.0), ["a", "b", "e\u{301}"]);
    }

    #[test]
    fn text_shrinks_until_it_fits_and_not_below_the_smallest() {
        let room = Point::new(176.0, 176.0);
        let short = fitted("short", room, 20.0);
        assert_eq!(short, Fitted { lines: vec!["short"], font_size: 20.0 });
        let text = "some words ".repeat(20);
        let long = fitted(&text, room, 40.0);
        assert!(long.font_size > 10.0 && long.font_size < 20.0, "{long:?}");
        assert!(height(&long.lines, long.font_size) <= room.y);
        let text = "some words ".repeat(200);
        let over = fitted(&text, room, 20.0);
        assert!((over.font_size - 10.0).abs() < f64::EPSILON && height(&over.lines, 10.0) > room.y);
        assert!((fitted(&text, room, 5.0).font_size - 5.0).abs() < f64::EPSILON);
    }
}
