//! Conditions as written.

use super::level::Operand;
use crate::segment::quote;
use std::fmt;
use std::time::Duration;

/// A condition on a channel or an expression. Its text parses back.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub signal: Signal,
    pub test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// By name.
    Channel(String),
    /// The text between the parentheses.
    Expression(String),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `> 50`, `< 3 falling`.
    Compare { comparison: Comparison, operand: Operand, edge: Option<Edge> },
    /// `& 0x4`: all of these bits are set. `& 0xf == 5`: these bits have that value.
    Bits { mask: Operand, pattern: Option<Operand> },
    /// `changes`.
    Changes,
    /// `leaves 0..10`; both ends are inside.
    Leaves(Operand, Operand),
    /// `enters 0..10`.
    Enters(Operand, Operand),
    /// `stale 500ms`: no change for so long.
    Stale(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
}

/// The direction in which a value crosses a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edge {
    Rising,
    Falling,
}

impl Comparison {
    /// Longer ones come first.
    pub const ALL: [Self; 6] =
        [Self::LessOrEqual, Self::GreaterOrEqual, Self::Equal, Self::NotEqual, Self::Less, Self::Greater];

    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
        }
    }
}

impl Edge {
    pub const ALL: [Self; 2] = [Self::Rising, Self::Falling];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rising => "rising",
            Self::Falling => "falling",
        }
    }
}

/// The characters that end a name without braces.
pub(super) fn ends_name(c: char) -> bool {
    c.is_whitespace() || "<>=!&{}()".contains(c)
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Channel(name) if name.is_empty() || name.contains(ends_name) => {
                write!(f, "{{{}}}", quote(name.replace('}', r"\x7d").as_bytes()))
            }
            Self::Channel(name) => f.write_str(&quote(name.as_bytes())),
            Self::Expression(text) => write!(f, "({})", quote(text.as_bytes())),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare { comparison, operand, edge } => {
                write!(f, "{} {operand}", comparison.text())?;
                edge.map_or(Ok(()), |edge| write!(f, " {}", edge.word()))
            }
            Self::Bits { mask, pattern: None } => write!(f, "& {mask}"),
            Self::Bits { mask, pattern: Some(pattern) } => write!(f, "& {mask} == {pattern}"),
            Self::Changes => f.write_str("changes"),
            Self::Leaves(from, to) => write!(f, "leaves {from}..{to}"),
            Self::Enters(from, to) => write!(f, "enters {from}..{to}"),
            Self::Stale(time) => write!(f, "stale {}", Time(*time)),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.signal, self.test)
    }
}

/// A time as it can be typed: `500ms`, `2s`.
pub(super) struct Time(pub Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        if nanos.is_multiple_of(1_000_000_000) {
            return write!(f, "{}s", self.0.as_secs());
        }
        let (millis, rest) = (nanos / 1_000_000, nanos % 1_000_000);
        if rest == 0 {
            return write!(f, "{millis}ms");
        }
        let fraction = format!("{rest:06}");
        write!(f, "{millis}.{}ms", fraction.trim_end_matches('0'))
    }
}
