//! Text forms of fields, for the table and for programs.

use super::time;
use crate::segment::field::{Field, Value};
use crate::segment::{Bytes, Segment, SegmentId, Timestamp, age_text};
use std::fmt::{self, Write as _};

pub const ABSENT: &str = "-";

/// Holders that the table names.
const MAX_NAMED: usize = 2;

/// Formats a field for the table.
pub struct Shown<'a> {
    pub segment: &'a Segment,
    pub field: Field,
    /// Ages are relative to this time.
    pub now: Timestamp,
    pub bytes: bool,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every table has these fields: avoid the copy.
        match (self.field, &self.segment.id) {
            (Field::Kind, _) => return f.write_str(self.segment.kind().word()),
            (Field::State, _) => return f.write_str(self.segment.verdict.state.label()),
            (Field::Id, id) => return id.fmt(f),
            (Field::Name, SegmentId::Posix(name)) => return name.fmt(f),
            _ => {}
        }
        match self.field.of(self.segment, self.now) {
            Value::Text(text) if self.field == Field::MadeBy && is_marked(self.segment) => {
                write!(f, "{text} (gone)")
            }
            Value::Absent | Value::Named { count: 0, .. } => f.write_str(ABSENT),
            Value::Text(text) => f.write_str(&text),
            Value::Number(number) => number.fmt(f),
            Value::Numbers(numbers) => f.write_str(&joined(&numbers)),
            Value::Size(size) if self.bytes => size.fmt(f),
            Value::Size(size) => Bytes(size).fmt(f),
            Value::Key(key) => write!(f, "0x{key:08x}"),
            Value::Mode(_) => {
                self.segment.mode.fmt(f)?;
                if self.segment.sysv().is_some_and(|facts| facts.locked) { f.write_char('L') } else { Ok(()) }
            }
            Value::Flag(flag) => f.write_str(if flag { "yes" } else { "no" }),
            Value::Time(then) => f.write_str(&time::shown(then)),
            Value::Span(seconds) => f.write_str(&age_text(seconds)),
            Value::Named { .. } => f.write_str(&self.segment.holders_text(MAX_NAMED)),
        }
    }
}

/// Returns true if the table marks the maker: the catalog names it, but its process has exited.
/// Without a name in the catalog, the maker itself reads `gone`.
fn is_marked(segment: &Segment) -> bool {
    segment.exited_creator().is_some() && segment.named_maker().is_some()
}

/// Formats a field for programs: plain numbers, RFC 3339 times, and the names used in JSON. Missing
/// values are empty.
#[must_use]
pub fn raw(segment: &Segment, field: Field, now: Timestamp) -> String {
    match field.of(segment, now) {
        Value::Absent => String::new(),
        Value::Text(text) => text,
        Value::Number(number) | Value::Size(number) => number.to_string(),
        Value::Numbers(numbers) => joined(&numbers),
        Value::Key(key) => key.to_string(),
        Value::Mode(_) => segment.mode.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Time(then) => time::rfc3339(then).unwrap_or_default(),
        Value::Span(seconds) => seconds.to_string(),
        Value::Named { names, .. } => names,
    }
}

/// `4121, 4188`
fn joined(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// Returns true if the column is numeric.
#[must_use]
pub const fn is_figure(field: Field) -> bool {
    matches!(
        field,
        Field::Shmid
            | Field::Size
            | Field::Resident
            | Field::Swapped
            | Field::CreatorPid
            | Field::LastPid
            | Field::Nattch
            | Field::Age
            | Field::Device
            | Field::Inode
    )
}
