//! The colours of shapes, on light paper.

/// A colour by its name in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Ink,
    Grey,
    Red,
    Orange,
    Yellow,
    Green,
    Teal,
    Blue,
    Purple,
    Pink,
}

impl Colour {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ink" => Self::Ink,
            "grey" => Self::Grey,
            "red" => Self::Red,
            "orange" => Self::Orange,
            "yellow" => Self::Yellow,
            "green" => Self::Green,
            "teal" => Self::Teal,
            "blue" => Self::Blue,
            "purple" => Self::Purple,
            "pink" => Self::Pink,
            _ => return None,
        })
    }

    /// The tone of lines, text and solid fills.
    pub(super) const fn strong(self) -> &'static str {
        match self {
            Self::Ink => "#1b2126",
            Self::Grey => "#5f6973",
            Self::Red => "#c2362f",
            Self::Orange => "#b3540c",
            Self::Yellow => "#8a6a00",
            Self::Green => "#1d7a46",
            Self::Teal => "#0b7678",
            Self::Blue => "#1d6fb8",
            Self::Purple => "#7d4bc0",
            Self::Pink => "#b8327e",
        }
    }

    /// The tone of tints and notes.
    pub(super) const fn pale(self) -> &'static str {
        match self {
            Self::Ink => "#e3e6e9",
            Self::Grey => "#eceef0",
            Self::Red => "#fbdcd9",
            Self::Orange => "#fbe3cd",
            Self::Yellow => "#fdf0b5",
            Self::Green => "#d3efdd",
            Self::Teal => "#d0eeee",
            Self::Blue => "#d5e7f7",
            Self::Purple => "#e7dcf6",
            Self::Pink => "#f8d9ea",
        }
    }
}

pub(super) const PAPER: &str = "#ffffff";
