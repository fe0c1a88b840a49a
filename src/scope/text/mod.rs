//! Channels as text.
//!
//! | text | is |
//! |---|---|
//! | `SEGMENT:FIELD` | a field, by the type of the segment: `/telemetry:gain[1][2]` |
//! | `SEGMENT:` | the segment, where its type is a number |
//! | `SEGMENT+OFFSET:TYPE` | a number at an offset: `0x4d2+0x10:f64`, or a field of a record there: `/a+64:Pose.x` |
//! | `SEGMENT:ARRAY`, …`[*]`, …`[A..B]` | an array of numbers, a field of each of its elements, or some of them; in the Scope screen |
//! | …`,seq=FIELD`, …`,seq=+OFFSET[:TYPE]` | the sequence lock that protects it, a `u32` unless its type says `u64` |
//! | `NAME=`… | one of these with a name |
//! | `NAME = EXPRESSION`, `EXPRESSION` | computed from other channels |
//!
//! An expression is what has no colon outside braces. A segment is named as everywhere; the longest text
//! that names an existing one wins, and `\x3a` is a colon in its name, as `\xNN` is any byte in names and
//! fields. A channel without a name has its full text as its name.

mod complete;
mod error;
mod field;
mod resolve;
mod signal;
mod slice;
mod split;
#[cfg(test)]
mod tests;
mod types;
mod write;

pub use complete::{Completion, complete, complete_recorded};
pub use error::ChannelError;
pub use resolve::{Resolved, ResolvedRange, resolve, resolve_range, resolve_recorded};
pub use signal::{ResolvedSignal, Signal, array_around, resolve_signal};
pub use types::{SegmentTypes, TypeResult, written_type};
pub use write::{field_text, number_text, segment_text};

use crate::decode::{PlacedType, Type};
use crate::segment::Segment;

/// The segments, and the sources of their types.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    pub segments: &'a [Segment],
    /// Returns the type of a segment: the certain one, or what the user gave. `None` if there is none; the
    /// error is a message.
    pub type_of: &'a dyn Fn(&Segment) -> Result<Option<PlacedType>, String>,
    /// Parses the TYPE of `SEGMENT+OFFSET:TYPE`; [`written_type`], or one in a program.
    pub parse_type: &'a dyn Fn(&Segment, &str) -> Result<Type, String>,
}
