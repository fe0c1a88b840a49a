//! The values of fields.

use super::local_time::rfc3339;
use super::{Bytes, Key, Maker, Mode, Owner, Segment, State, Timestamp};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// The value of a field before it is formatted.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// The segment does not have this field, or the value is unknown.
    Absent,
    /// Text that is safe to print.
    Text(Cow<'a, str>),
    /// Several strings.
    Lines(Cow<'a, [String]>),
    Number(u64),
    /// Several numbers in ascending order; a filter matches if it matches one of them.
    Numbers(Vec<u64>),
    /// Numbers with names.
    Counts(Vec<(&'static str, u64)>),
    Size(Bytes),
    Key(Key),
    Mode(Mode),
    Flag(bool),
    Time(Timestamp),
    /// A duration in seconds.
    Span(f64),
    User(&'a Owner),
    Group(&'a Owner),
    Maker(&'a Maker),
    State(State),
    /// The holders of a segment, and their number.
    Holders(u64, &'a Segment),
    Segments(Vec<&'a Segment>),
}

impl Value<'_> {
    /// The numeric value, if any. A time has none, because filters compare its age.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "only compared; sizes above 2^53 differ by more than a byte"
    )]
    pub fn number(&self) -> Option<f64> {
        match *self {
            Self::Number(number) | Self::Size(Bytes(number)) | Self::Holders(number, _) => {
                Some(number as f64)
            }
            Self::Key(key) => Some(f64::from(key.0)),
            Self::Mode(mode) => Some(f64::from(mode.bits())),
            Self::Span(seconds) => Some(seconds),
            Self::Flag(flag) => Some(f64::from(u8::from(flag))),
            _ => None,
        }
    }

    /// Formats names and lines, so that they are not formatted in each comparison.
    #[must_use]
    pub fn sort_key(self) -> Self {
        match self {
            Self::User(_) | Self::Group(_) | Self::Maker(_) | Self::Lines(_) => {
                Self::Text(self.to_string().into())
            }
            other => other,
        }
    }

    /// Compares two sort keys of the same field; absent values come last.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Absent, Self::Absent) => Ordering::Equal,
            (Self::Absent, _) => Ordering::Greater,
            (_, Self::Absent) => Ordering::Less,
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::State(a), Self::State(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Numbers(a), Self::Numbers(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) | (Self::Size(Bytes(a)), Self::Size(Bytes(b))) => a.cmp(b),
            (a, b) => a.number().partial_cmp(&b.number()).unwrap_or(Ordering::Equal),
        }
    }
}

/// Writes the value for programs: plain numbers, RFC 3339 times and the names that JSON uses. An
/// absent value is empty.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Lines(lines) => f.write_str(&lines.join("; ")),
            Self::Number(number) | Self::Size(Bytes(number)) => number.fmt(f),
            Self::Numbers(numbers) => write_all(f, numbers),
            Self::Counts(counts) => {
                write_all(f, counts.iter().map(|(name, count)| format!("{name} {count}")))
            }
            Self::Key(key) => key.0.fmt(f),
            Self::Mode(mode) => mode.fmt(f),
            Self::Flag(flag) => flag.fmt(f),
            Self::Time(then) => f.write_str(&rfc3339(*then).unwrap_or_default()),
            Self::Span(seconds) => seconds.fmt(f),
            Self::User(owner) => f.write_str(&owner.user_text()),
            Self::Group(owner) => f.write_str(&owner.group_text()),
            Self::Maker(maker) => f.write_str(&maker.name_text()),
            Self::State(state) => f.write_str(state.keyword()),
            Self::Holders(_, segment) => f.write_str(&segment.holders_text(usize::MAX)),
            Self::Segments(segments) => write_all(f, segments.iter().map(|segment| &segment.id)),
        }
    }
}

/// Writes items separated by commas: `4121, 4188`.
fn write_all<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: impl IntoIterator<Item = T>) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
    }
    Ok(())
}
