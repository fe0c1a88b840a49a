//! Errors in the text of channels.

use crate::segment::resolve::ResolveError;
use crate::segment::{Bytes, quote};

/// The reason that a text is no channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The problem is safe to print.
    #[error("invalid channel '{}': {problem}", quote(.text.as_bytes()))]
    Syntax { text: String, problem: String },
    #[error(transparent)]
    Segment(#[from] ResolveError),
    /// `example` is an offset of the segment.
    #[error(
        "the type of {segment} is not known{reason}. Give the offset and type of the value, as in {example}:f64, or the type of the segment with --as"
    )]
    NoType { segment: String, reason: String, example: String },
    #[error("{segment} has no field '{}'; {hint}", quote(.field.as_bytes()))]
    NoField { segment: String, field: String, hint: String },
    #[error("'{}' is {kind}; {remedy}", quote(.value.as_bytes()))]
    NotANumber { value: String, kind: &'static str, remedy: String },
    #[error(
        "'{}' is past the end of {segment}, which has {} ({:#x}) bytes: it takes {length} byte{} from {offset:#x} on",
        quote(.value.as_bytes()), .size.0, .size.0, if *length == 1 { "" } else { "s" }
    )]
    PastEnd { value: String, offset: u64, length: u64, segment: String, size: Bytes },
    #[error(
        "a recording has no segments, only its channels. Add an expression over them, with names that have a colon in braces: {{{}}} * 2",
        quote(.value.as_bytes())
    )]
    Recorded { value: String },
    /// The problem is safe to print.
    #[error("invalid sequence lock '{}': {problem}", quote(.text.as_bytes()))]
    Sequence { text: String, problem: String },
}
