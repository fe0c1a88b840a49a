//! Text forms of fields, for the table.

use crate::segment::field::{Field, Form};
use crate::segment::{Segment, SegmentId, Timestamp, Value, age_text, local_time};
use std::fmt::{self, Write as _};

pub const ABSENT: &str = "-";

/// Holders that the table names.
const MAX_NAMED: usize = 2;

/// Formats a field for the table.
pub struct FieldText<'a> {
    pub segment: &'a Segment,
    pub field: Field,
    /// Ages are relative to this time.
    pub now: Timestamp,
    pub bytes: bool,
}

impl fmt::Display for FieldText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Every table has these fields: avoid the copy.
        match (self.field, &self.segment.id) {
            (Field::Id, id) => return id.fmt(f),
            (Field::Name, SegmentId::Posix(name)) => return name.fmt(f),
            _ => {}
        }
        match self.field.of(self.segment, self.now) {
            Value::Absent | Value::Holders(0, _) => f.write_str(ABSENT),
            value @ Value::Maker(_) if is_marked(self.segment) => write!(f, "{value} (gone)"),
            Value::Size(size) if !self.bytes => size.fmt(f),
            Value::Key(key) => key.fmt(f),
            Value::Mode(mode) => {
                mode.fmt(f)?;
                if self.segment.sysv().is_some_and(|facts| facts.locked) { f.write_char('L') } else { Ok(()) }
            }
            Value::Flag(flag) => f.write_str(if flag { "yes" } else { "no" }),
            Value::Time(then) => f.write_str(&local_time::shown(then)),
            Value::Span(seconds) => f.write_str(&age_text(seconds)),
            Value::State(state) => f.write_str(state.label()),
            Value::Holders(_, segment) => f.write_str(&segment.holders_text(MAX_NAMED)),
            value => value.fmt(f),
        }
    }
}

/// Returns true if the table marks the maker: the catalog names it, but its process has exited.
/// Without a name in the catalog, the maker itself reads `gone`.
fn is_marked(segment: &Segment) -> bool {
    segment.exited_creator().is_some() && segment.named_maker().is_some()
}

/// Returns true if a field's column is numeric.
#[must_use]
pub const fn is_figure(field: Field) -> bool {
    matches!(field.form(), Form::Number | Form::Size | Form::Span)
}
